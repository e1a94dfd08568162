//! One optimizer step at a time, for measuring: what a run does in a step, without files and events.

use crate::{
    Error, Model,
    batching::{TOKENS_PER_PASS, pack},
    lora::Adapter,
    network::{Network, Trained, Workspace},
    ops::loss::Totals,
    optimizer::{AdamW, clip_scale, norm},
    pretrain::thread_pool,
};
use shared::run::LoraSpec;

/// A model under LoRA training.
#[derive(Debug)]
pub struct Bench {
    model: Model,
    adapter: Adapter,
    optimizer: AdamW,
    workspace: Workspace,
    grads: Vec<f32>,
    pool: rayon::ThreadPool,
}

impl Bench {
    /// A fresh adapter on this model.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] where the adapter's shape makes no sense, [`Error::Threads`].
    pub fn new(model: Model, lora: &LoraSpec, threads: usize) -> Result<Self, Error> {
        let adapter = Adapter::random(&model, lora, 0)?;
        Ok(Self {
            optimizer: AdamW::new(adapter.parameters()),
            grads: vec![0.0; adapter.parameters()],
            workspace: Workspace::default(),
            pool: thread_pool(threads)?,
            model,
            adapter,
        })
    }

    /// One step over these texts, every token but the first a target; gives the mean loss.
    pub fn step(&mut self, texts: &[Vec<u32>]) -> f64 {
        let Self {
            model,
            adapter,
            optimizer,
            workspace,
            grads,
            pool,
        } = self;
        pool.install(|| {
            let counts: Vec<Vec<bool>> = texts.iter().map(|text| vec![true; text.len()]).collect();
            let all = texts
                .iter()
                .zip(&counts)
                .map(|(text, counts)| (text.as_slice(), counts.as_slice()));
            let batches = pack(all, 0, TOKENS_PER_PASS);
            let targets: usize = batches.iter().map(|batch| batch.targets.len()).sum();
            grads.fill(0.0);
            let mut totals = Totals::default();
            for batch in &batches {
                let network = Network {
                    model,
                    adapter: Some(adapter),
                    dropout: None,
                };
                totals.add(workspace.train(network, batch, 1.0 / targets as f32, Trained::Adapter, grads));
            }
            let scale = clip_scale(norm(grads), 1.0);
            optimizer.update(&mut adapter.values, grads, scale, 2e-4, 0.0, &[]);
            totals.loss / totals.count as f64
        })
    }
}
