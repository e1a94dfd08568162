//! What a run will take, from its real examples: known once they are tokenised, before any weight is read.

use super::prepare::{self, Inputs};
use crate::{
    Error,
    batching::{TOKENS_PER_PASS, parts, passes},
    chat::Tokens,
    data::{self, Examples},
    model::read_shape,
    pretrain::thread_pool,
};
use shared::{
    memory::{ModelShape, RunShape, peak},
    run::{GradientCheckpointing, RunEstimate, RunSpec},
};
use std::path::Path;

/// How a run goes about its memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Tokens of the largest batch that goes through the model at once.
    pub(super) rows: usize,
    pub(super) gradient_checkpointing: bool,
    /// Peak memory of the process that goes about it so.
    pub(super) memory_bytes: u64,
}

/// What the run that this specification describes will take: it reads configuration, tokenizer and data exactly as the run
/// would, and of the weights only how they are stored. `run_dir` is what relative paths begin at.
///
/// # Errors
/// As the run's own before it loads the model, except that nothing is refused for want of memory.
pub fn estimate(spec: &RunSpec, run_dir: &Path) -> Result<RunEstimate, Error> {
    prepare::check(spec)?;
    thread_pool(spec.threads as usize)?.install(|| {
        let inputs = prepare::read_inputs(run_dir, spec)?;
        let model = read_shape(&inputs.model_folder)?;
        let shape = run_shape(spec, &inputs);
        let bytes = |gradient_checkpointing| peak(&model, &shape, gradient_checkpointing).total();
        Ok(RunEstimate {
            memory_bytes: bytes(false),
            memory_bytes_with_gradient_checkpointing: bytes(true),
            total_steps: inputs.total_steps,
            training_tokens: inputs.training.lengths().sum(),
            target_tokens: inputs.training.targets(),
            longest_tokens: shape.longest,
        })
    })
}

/// Decides how the run goes about its memory.
///
/// # Errors
/// [`Error::NotEnoughMemory`] where it can't be done within the limit.
pub(super) fn plan(spec: &RunSpec, inputs: &Inputs) -> Result<Plan, Error> {
    let model = read_shape(&inputs.model_folder)?;
    let shape = run_shape(spec, inputs);
    let (gradient_checkpointing, memory_bytes) = choose(spec, &model, &shape)?;
    Ok(Plan {
        rows: shape.rows as usize,
        gradient_checkpointing,
        memory_bytes,
    })
}

/// Whether activations are computed again, and the memory that the run then takes.
fn choose(spec: &RunSpec, model: &ModelShape, shape: &RunShape) -> Result<(bool, u64), Error> {
    let needed = |on: bool| peak(model, shape, on).total();
    let limit = spec.memory_limit_bytes.unwrap_or(u64::MAX);
    let on = match spec.gradient_checkpointing {
        GradientCheckpointing::On => true,
        GradientCheckpointing::Off => false,
        GradientCheckpointing::Auto => needed(false) > limit,
    };
    if needed(on) > limit {
        return Err(Error::NotEnoughMemory {
            needed_mb: needed(on).div_ceil(1_000_000),
            limit_mb: limit / 1_000_000,
            gradient_checkpointing: on,
        });
    }
    Ok((on, needed(on)))
}

/// The run's shape, from every batch that it will see.
fn run_shape(spec: &RunSpec, inputs: &Inputs) -> RunShape {
    let Inputs {
        training, validation, ..
    } = inputs;
    let (mut rows, mut target_rows) = (0, 0);
    let mut see = |all: &Examples, examples: &[usize]| {
        let texts = || examples.iter().flat_map(|example| all.texts(*example));
        rows = rows.max(texts().map(|tokens| tokens.ids.len()).sum());
        target_rows = target_rows.max(texts().map(Tokens::targets).sum());
    };
    let epochs = if spec.shuffle { u64::from(spec.epochs) } else { 1 };
    for epoch in 0..epochs {
        let order = data::order(training.len(), spec.seed, epoch, spec.shuffle);
        for step in order.chunks(spec.batch_size as usize) {
            for part in parts(step, spec.gradient_accumulation as usize) {
                let lengths = part.iter().map(|example| training.tokens_of(*example));
                for pass in passes(lengths, TOKENS_PER_PASS) {
                    see(training, &part[pass]);
                }
            }
        }
    }
    // Validation goes by batches of no more rows, unless one example is longer.
    (0..validation.len()).for_each(|example| see(validation, &[example]));
    let lengths = || training.lengths().chain(validation.lengths());
    RunShape {
        rows: rows as u64,
        target_rows: target_rows as u64,
        longest: lengths().max().unwrap_or(0),
        data_tokens: lengths().sum(),
        rank: u64::from(spec.lora.rank),
        targets: spec.lora.targets.clone(),
        dropout: spec.lora.dropout > 0.0,
        threads: rayon::current_num_threads() as u64,
    }
}
