//! Training of all weights, for making a base model. The caller gives the sequences of each step; everything else
//! (optimizer, schedule, clipping, checkpoints) is here. A pure function of start, options and sequences.

use crate::{
    Error, Model,
    batching::{TOKENS_PER_PASS, pack},
    network::{Batch, Network, Trained, Workspace},
    ops::loss::Totals,
    optimizer::{AdamW, clip_scale, norm},
    schedule::LearningRate,
    storage::PendingFolder,
    tensor_file::{self, Precision, Tensor, TensorFile},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fs, ops::ControlFlow, ops::Range, path::PathBuf};

/// One training text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Its tokens, each below the vocabulary's size.
    pub tokens: Vec<u32>,
    /// For each token whether the loss counts it; as long as `tokens`. The first token never counts, because nothing
    /// predicts it.
    pub counts: Vec<bool>,
}

/// How to train.
#[derive(Debug, Clone)]
pub struct PretrainOptions {
    /// The learning rate of each step; its `total_steps` is the length of the run.
    pub learning_rate: LearningRate,
    /// `AdamW`'s decoupled weight decay on matrices; norms and biases have none.
    pub weight_decay: f64,
    /// Gradients are scaled down to this L2 norm; 0 turns clipping off.
    pub max_gradient_norm: f64,
    /// Worker threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Where to keep the state, if it's to survive the process.
    pub checkpoint: Option<PretrainCheckpoint>,
}

/// Where and how often the state is kept.
#[derive(Debug, Clone)]
pub struct PretrainCheckpoint {
    /// A folder of its own; one that exists is resumed from.
    pub folder: PathBuf,
    /// After how many steps it is written again, at least 1.
    pub every_steps: u64,
}

/// What was measured in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PretrainStep {
    /// Steps done, from 1.
    pub step: u64,
    /// Mean cross-entropy over the step's targets, in nats.
    pub loss: f64,
    /// Share of targets whose most likely prediction was right.
    pub token_accuracy: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// L2 norm of all gradients before clipping.
    pub gradient_norm: f64,
    /// Tokens processed in this step.
    pub tokens: u64,
}

/// Trains all weights of `start` (see [`Model::random`]).
///
/// `sequences` gives the texts of a step, which counts from 0; it must be a pure function of the step, so that a
/// resumed run sees the same texts. `observe` is told of every step and may end the run early with
/// [`ControlFlow::Break`], after which a checkpoint is written.
///
/// # Errors
/// [`Error::NotFinite`] where training diverges, [`Error::Write`] and [`Error::Read`] for the checkpoint,
/// [`Error::InvalidModel`] where the checkpoint is of another model or a token is beyond the vocabulary.
pub fn pretrain(
    start: Model,
    options: &PretrainOptions,
    mut sequences: impl FnMut(u64) -> Vec<Sequence> + Send,
    mut observe: impl FnMut(&PretrainStep, &Model) -> ControlFlow<()> + Send,
) -> Result<Model, Error> {
    let pool = thread_pool(options.threads)?;
    let mut start = start.into_f32();
    pool.install(|| {
        let model = &mut start;
        let mut optimizer = AdamW::new(model.parameters());
        if let Some(checkpoint) = &options.checkpoint {
            restore(checkpoint, model, &mut optimizer)?;
        }
        let undecayed = undecayed(model);
        let mut workspace = Workspace::default();
        let mut grads = vec![0.0; model.parameters()];
        let total = options.learning_rate.total_steps;
        while optimizer.step < total {
            let step = optimizer.step;
            let learning_rate = options.learning_rate.at(step);
            let texts = sequences(step);
            check(model, &texts)?;
            let (totals, tokens) = gradients(model, &texts, &mut workspace, &mut grads);
            let gradient_norm = norm(&grads);
            let loss = totals.loss / totals.count.max(1) as f64;
            ensure_finite(loss, gradient_norm, step + 1)?;
            let scale = clip_scale(gradient_norm, options.max_gradient_norm);
            optimizer.update(
                &mut model.weights.full,
                &grads,
                scale,
                learning_rate,
                options.weight_decay,
                &undecayed,
            );
            let token_accuracy = totals.correct as f64 / totals.count.max(1) as f64;
            let done = PretrainStep {
                step: step + 1,
                loss,
                token_accuracy,
                learning_rate,
                gradient_norm,
                tokens,
            };
            let flow = observe(&done, model);
            if let Some(checkpoint) = &options.checkpoint {
                let due = done.step.is_multiple_of(checkpoint.every_steps.max(1)) || done.step == total;
                if due || flow.is_break() {
                    save(checkpoint, model, &optimizer)?;
                }
            }
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    })?;
    Ok(start)
}

/// Mean loss and token accuracy of a model over texts.
///
/// # Errors
/// [`Error::InvalidModel`] where a token is beyond the vocabulary, [`Error::Threads`].
pub fn evaluate(model: &Model, texts: &[Sequence], threads: usize) -> Result<(f64, f64), Error> {
    check(model, texts)?;
    let mut workspace = Workspace::default();
    let mut totals = Totals::default();
    thread_pool(threads)?.install(|| {
        for batch in batches(texts) {
            totals.add(workspace.evaluate(Network::frozen(model), &batch));
        }
    });
    let count = totals.count.max(1) as f64;
    Ok((totals.loss / count, totals.correct as f64 / count))
}

/// A pool of this many threads; 0 takes as many as the machine has.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("trainer-{index}"))
        .build()
        .map_err(|error| Error::Threads(error.to_string()))
}

pub(crate) fn ensure_finite(loss: f64, gradient_norm: f64, step: u64) -> Result<(), Error> {
    for (what, value) in [("the loss", loss), ("the gradient norm", gradient_norm)] {
        if !value.is_finite() {
            return Err(Error::NotFinite { what, value, step });
        }
    }
    Ok(())
}

fn check(model: &Model, texts: &[Sequence]) -> Result<(), Error> {
    for text in texts {
        if text.tokens.len() != text.counts.len() {
            return Err(Error::InvalidModel(
                "a sequence's `counts` must be as long as its `tokens`".to_owned(),
            ));
        }
        if let Some(token) = text
            .tokens
            .iter()
            .find(|token| **token as usize >= model.config.vocab_size)
        {
            let size = model.config.vocab_size;
            return Err(Error::InvalidModel(format!(
                "token {token} is beyond the model's vocabulary of {size}"
            )));
        }
    }
    Ok(())
}

fn batches(texts: &[Sequence]) -> Vec<Batch> {
    pack(
        texts
            .iter()
            .map(|text| (text.tokens.as_slice(), text.counts.as_slice())),
        0,
        TOKENS_PER_PASS,
    )
}

fn gradients(
    model: &Model,
    texts: &[Sequence],
    workspace: &mut Workspace,
    grads: &mut [f32],
) -> (Totals, u64) {
    grads.fill(0.0);
    let batches = batches(texts);
    let targets: usize = batches.iter().map(|batch| batch.targets.len()).sum();
    let scale = 1.0 / targets.max(1) as f32;
    let (mut totals, mut tokens) = (Totals::default(), 0);
    for batch in &batches {
        totals.add(workspace.train(Network::frozen(model), batch, scale, Trained::Everything, grads));
        tokens += batch.tokens.len() as u64;
    }
    (totals, tokens)
}

/// Norms and biases, in the order in which they lie.
fn undecayed(model: &Model) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = model
        .layout
        .tensors(&model.config)
        .into_iter()
        .filter(|tensor| tensor.shape.len() == 1)
        .map(|tensor| tensor.range)
        .collect();
    ranges.sort_by_key(|range| range.start);
    ranges
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    step: u64,
    sha256: String,
}

fn save(checkpoint: &PretrainCheckpoint, model: &Model, optimizer: &AdamW) -> Result<(), Error> {
    let pending = PendingFolder::create(&checkpoint.folder)?;
    let parts = [
        ("weights", &model.weights.full),
        ("first", &optimizer.first),
        ("second", &optimizer.second),
    ];
    let tensors = parts
        .into_iter()
        .map(|(name, values)| Tensor {
            name: name.to_owned(),
            shape: vec![values.len()],
            values: Cow::Borrowed(values.as_slice()),
        })
        .collect();
    let written = pending.write("state.safetensors", |mut out| {
        tensor_file::write(&mut out, tensors, Precision::F32)
    })?;
    let state = State {
        step: optimizer.step,
        sha256: written.sha256,
    };
    pending.write("state.json", |out| Ok(serde_json::to_writer(out, &state)?))?;
    pending.commit()
}

fn restore(checkpoint: &PretrainCheckpoint, model: &mut Model, optimizer: &mut AdamW) -> Result<(), Error> {
    let folder = &checkpoint.folder;
    let (state, tensors) = (folder.join("state.json"), folder.join("state.safetensors"));
    if !state.exists() {
        return Ok(());
    }
    let broken = || {
        let folder = folder.display();
        Error::InvalidModel(format!(
            "the checkpoint `{folder}` is broken; remove it to begin again"
        ))
    };
    let text = fs::read_to_string(&state).map_err(Error::read(&state))?;
    let state: State = serde_json::from_str(&text).map_err(|_| broken())?;
    if crate::storage::digest(&tensors)? != state.sha256 {
        return Err(broken());
    }
    let mut file = TensorFile::open(&tensors)?;
    let shape = [model.parameters()];
    file.read("weights", &shape, &mut model.weights.full)?;
    file.read("first", &shape, &mut optimizer.first)?;
    file.read("second", &shape, &mut optimizer.second)?;
    optimizer.step = state.step;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        random::{Purpose, Stream},
        testing::tiny_model,
    };
    use shared::run::Schedule;

    fn options(folder: Option<PathBuf>) -> PretrainOptions {
        PretrainOptions {
            learning_rate: LearningRate {
                peak: 1e-2,
                schedule: Schedule::Cosine,
                warmup_steps: 3,
                total_steps: 40,
            },
            weight_decay: 0.1,
            max_gradient_norm: 1.0,
            threads: 1,
            checkpoint: folder.map(|folder| PretrainCheckpoint {
                folder,
                every_steps: 10,
            }),
        }
    }

    /// Texts in which every token is followed by the next.
    fn texts(step: u64) -> Vec<Sequence> {
        let stream = Stream::new(1, Purpose::Caller, &[step]);
        (0..4)
            .map(|index| {
                let first = stream.below(index, 40) as u32;
                Sequence {
                    tokens: (first..first + 8).collect(),
                    counts: vec![true; 8],
                }
            })
            .collect()
    }

    #[test]
    fn loss_falls_and_an_interrupted_run_ends_with_the_same_bits() {
        let mut losses = Vec::new();
        let observe = |step: &PretrainStep, _: &Model| {
            losses.push(step.loss);
            ControlFlow::Continue(())
        };
        let whole = pretrain(tiny_model("llama", 1), &options(None), texts, observe).unwrap();
        assert!(losses[39] < losses[0] * 0.5, "{losses:?}");
        let (loss, accuracy) = evaluate(&whole, &texts(99), 1).unwrap();
        assert!(loss < losses[0] * 0.5 && accuracy > 0.5, "{loss} {accuracy}");

        let folder = tempfile::tempdir().unwrap();
        let options = options(Some(folder.path().join("state")));
        let stop = |step: &PretrainStep, _: &Model| match step.step {
            17 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        pretrain(tiny_model("llama", 1), &options, texts, stop).unwrap();
        let mut first = 0;
        let note = |step: &PretrainStep, _: &Model| {
            first = if first == 0 { step.step } else { first };
            ControlFlow::Continue(())
        };
        let resumed = pretrain(tiny_model("llama", 1), &options, texts, note).unwrap();
        assert_eq!(first, 18);
        assert_eq!(resumed.weights, whole.weights);
    }

    #[test]
    fn a_token_beyond_the_vocabulary_is_refused() {
        let bad = |_| {
            vec![Sequence {
                tokens: vec![1, 48],
                counts: vec![true, true],
            }]
        };
        let observe = |_: &PretrainStep, _: &Model| ControlFlow::Continue(());
        let error = pretrain(tiny_model("llama", 1), &options(None), bad, observe).unwrap_err();
        assert!(error.to_string().contains("48"));
    }
}
