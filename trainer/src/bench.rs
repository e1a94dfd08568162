//! One optimizer step at a time, for measuring: what a run does in a step, without files and events; and how fast the
//! processor multiplies matrices of the same shapes at best.

use crate::{
    Error, Model,
    batching::{TOKENS_PER_PASS, pack},
    lora::Adapter,
    matmul::{Matrix, multiply},
    model::Group,
    network::{Dropout, Network, Trained, Workspace},
    ops::loss::Totals,
    optimizer::{AdamW, clip_scale, norm},
    pretrain::thread_pool,
};

/// How often each product is repeated to be measured: its time is told in hundredths of a second.
const PRODUCTS: usize = 20;

/// The largest resident memory of this process so far, in bytes; nothing where the system doesn't tell.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

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
    /// This adapter on this model.
    ///
    /// # Errors
    /// [`Error::Threads`].
    pub fn new(
        model: Model,
        adapter: Adapter,
        threads: usize,
        gradient_checkpointing: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            optimizer: AdamW::new(adapter.parameters()),
            grads: vec![0.0; adapter.parameters()],
            workspace: Workspace::new(gradient_checkpointing),
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
            let probability = adapter.spec().dropout;
            let dropout = (probability > 0.0).then_some(Dropout {
                seed: 0,
                step: optimizer.step,
                probability,
            });
            grads.fill(0.0);
            let mut totals = Totals::default();
            for batch in &batches {
                let network = Network {
                    model,
                    adapter: Some(adapter),
                    dropout,
                };
                totals.add(workspace.train(network, batch, 1.0 / targets as f32, Trained::Adapter, grads));
            }
            let scale = clip_scale(norm(grads), 1.0);
            optimizer.update(&mut adapter.values, grads, scale, 2e-4, 0.0, &[]);
            totals.loss / totals.count as f64
        })
    }

    /// Floating-point operations of the matrix products that a step over texts of these lengths can't do without: each
    /// frozen matrix forward and backward, the head likewise for each target, attention below the diagonal (two
    /// products forward, five backward), and of the adapter's two matrices three products each.
    #[must_use]
    pub fn step_operations(&self, lengths: &[usize]) -> f64 {
        let config = &self.model.config;
        let rows: usize = lengths.iter().sum();
        let targets = rows - lengths.len();
        let mut per_row = 0;
        for group in &self.model.layout.layers[0].groups {
            per_row += 2 * group.inputs * group.outputs;
            for (projection, outputs) in &group.parts {
                if self.adapter.spec().targets.contains(projection) {
                    per_row += 3 * self.adapter.spec().rank as usize * (group.inputs + outputs.len());
                }
            }
        }
        let layers = rows * per_row * config.num_hidden_layers;
        let head = 2 * targets * config.vocab_size * config.hidden_size;
        let pairs: usize = lengths.iter().map(|length| length * (length + 1) / 2).sum();
        let attention = 7 * pairs * config.query_size() * config.num_hidden_layers;
        2.0 * (layers + head + attention) as f64
    }

    /// Floating-point operations of the matrix product itself in a second of one thread at this model's shapes, while all
    /// threads do the same. `time` tells how much time of all threads together something takes.
    ///
    /// # Errors
    /// Those of `time`.
    pub fn product_rate<E>(
        &self,
        rows: usize,
        time: impl Fn(&mut dyn FnMut()) -> Result<f64, E>,
    ) -> Result<f64, E> {
        let layer = &self.model.layout.layers[0];
        let shapes = Group::ALL.map(|group| {
            let layout = &layer.groups[group as usize];
            (layout.inputs, layout.outputs)
        });
        let (mut operations, mut seconds) = (0.0, 0.0);
        for (inputs, outputs) in shapes {
            let (input, weight) = (vec![0.5_f32; rows * inputs], vec![0.25_f32; inputs * outputs]);
            let mut products = || {
                self.pool.broadcast(|_| {
                    let mut out = vec![0.0; rows * outputs];
                    for _ in 0..PRODUCTS {
                        let left = Matrix::new(&input, rows, inputs);
                        let right = Matrix::new(&weight, outputs, inputs).transposed();
                        multiply(&mut out, outputs, left, right, 1.0, false);
                    }
                });
            };
            let each = 2 * rows * inputs * outputs;
            operations += (PRODUCTS * each * self.pool.current_num_threads()) as f64;
            seconds += time(&mut products)?;
        }
        Ok(operations / seconds)
    }
}
