//! Reading everything that a run needs: settings, data, model, and adapter.

use super::{
    emitter::Emitter,
    estimate::{self, Plan},
    resume::Resumed,
};
use crate::{
    Error, Model,
    chat::ChatTokenizer,
    checkpoint::{self, Saved, State},
    data::{self, Examples, Role},
    lora::Adapter,
    model::read_config,
    optimizer::AdamW,
    schedule::{LearningRate, warmup_steps},
    storage,
};
use sha2::{Digest, Sha256};
use shared::{
    event::Level,
    run::{GradientCheckpointing, MethodSpec, RunEvent, RunSpec, SPEC_VERSION, Stage, Warmup, is_beta},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A run ready to train.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) spec: RunSpec,
    pub(super) model_folder: PathBuf,
    pub(super) model: Model,
    pub(super) adapter: Adapter,
    pub(super) optimizer: AdamW,
    pub(super) state: State,
    pub(super) saved: Vec<Saved>,
    pub(super) rate: LearningRate,
    pub(super) steps_per_epoch: u64,
    pub(super) training: Examples,
    pub(super) validation: Examples,
    pub(super) plan: Plan,
}

/// Reads `spec.json` and checks its numbers.
pub(super) fn read_spec(run_dir: &Path) -> Result<RunSpec, Error> {
    let path = run_dir.join("spec.json");
    let text = fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::InvalidSpec(format!(
            "`{}` holds no `spec.json`; give a run directory",
            run_dir.display()
        )),
        _ => Error::read(&path)(error),
    })?;
    let spec: RunSpec = serde_json::from_slice(&text)
        .map_err(|error| Error::InvalidSpec(format!("`spec.json` can't be used: {error}")))?;
    check(&spec)?;
    Ok(spec)
}

pub(super) fn check(spec: &RunSpec) -> Result<(), Error> {
    let problem = if spec.version != SPEC_VERSION {
        format!(
            "`version` is {}; this program reads version {SPEC_VERSION}",
            spec.version
        )
    } else if spec.epochs == 0 {
        "`epochs` must be at least 1".to_owned()
    } else if spec.batch_size == 0 {
        "`batch_size` must be at least 1".to_owned()
    } else if spec.gradient_accumulation == 0 || spec.gradient_accumulation > spec.batch_size {
        "`gradient_accumulation` must be from 1 to `batch_size`".to_owned()
    } else if !(spec.learning_rate > 0.0 && spec.learning_rate <= 1.0) {
        "`learning_rate` must be above 0 and at most 1".to_owned()
    } else if !(spec.weight_decay >= 0.0 && spec.weight_decay.is_finite()) {
        "`weight_decay` must be a number from 0 on".to_owned()
    } else if !(spec.max_gradient_norm >= 0.0 && spec.max_gradient_norm.is_finite()) {
        "`max_gradient_norm` must be a number from 0 on".to_owned()
    } else if matches!(spec.warmup, Warmup::Ratio(ratio) if !(0.0..=1.0).contains(&ratio)) {
        "`warmup.ratio` must be in [0, 1]".to_owned()
    } else if matches!(spec.method, MethodSpec::Dpo { beta } if !is_beta(beta)) {
        "`method.dpo.beta` must be above 0 and at most 2".to_owned()
    } else if spec.max_sequence_length < 2 {
        "`max_sequence_length` must be at least 2".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::InvalidSpec(format!("`spec.json`: {problem}")))
}

/// Digest of all settings that decide the result; those that don't may change between attempts.
pub(super) fn spec_digest(spec: &RunSpec) -> Result<String, Error> {
    let mut deciding = spec.clone();
    deciding.threads = 0;
    deciding.merge = false;
    deciding.gradient_checkpointing = GradientCheckpointing::default();
    deciding.memory_limit_bytes = None;
    deciding.checkpoints = shared::run::CheckpointSpec {
        every_steps: 0,
        keep_last: 0,
    };
    for path in [&mut deciding.model_path, &mut deciding.training_file] {
        path.clear();
    }
    for path in [&mut deciding.validation_file, &mut deciding.start_adapter]
        .into_iter()
        .flatten()
    {
        path.clear();
    }
    let text = serde_json::to_vec(&deciding).map_err(|error| Error::InvalidSpec(error.to_string()))?;
    Ok(storage::hex(&Sha256::digest(text)))
}

/// What is read before the model is.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) model_folder: PathBuf,
    /// Longest text that the model was made for.
    pub(super) model_length: usize,
    pub(super) training: Examples,
    pub(super) validation: Examples,
    pub(super) steps_per_epoch: u64,
    pub(super) total_steps: u64,
}

/// Reads configuration, tokenizer and data.
pub(super) fn read_inputs(run_dir: &Path, spec: &RunSpec) -> Result<Inputs, Error> {
    let model_folder = run_dir.join(&spec.model_path);
    let config = read_config(&model_folder)?;
    let tokenizer = ChatTokenizer::load(&model_folder, &config)?;
    let longest = spec.max_sequence_length as usize;
    let load = |file: &String, role| {
        let path = run_dir.join(file);
        data::load(&path, role, spec.method.method(), &tokenizer, longest)
    };
    let training = load(&spec.training_file, Role::Training)?;
    let validation = match &spec.validation_file {
        Some(file) => load(file, Role::Validation)?,
        None => Examples::none(),
    };
    let steps_per_epoch = data::steps_per_epoch(training.len(), spec.batch_size);
    Ok(Inputs {
        model_folder,
        model_length: config.max_position_embeddings,
        training,
        validation,
        steps_per_epoch,
        total_steps: steps_per_epoch * u64::from(spec.epochs),
    })
}

/// Reads data, model, and adapter.
pub(super) fn prepare(
    run_dir: &Path,
    spec: RunSpec,
    resumed: Resumed,
    emitter: &mut Emitter,
) -> Result<Prepared, Error> {
    emitter.stage(Stage::Preparing, None);
    let inputs = read_inputs(run_dir, &spec)?;
    let plan = estimate::plan(&spec, &inputs)?;
    let Inputs {
        model_folder,
        model_length,
        training,
        validation,
        steps_per_epoch,
        total_steps,
    } = inputs;
    emitter.emit(&RunEvent::Estimate {
        step: emitter.step(),
        memory_bytes: plan.memory_bytes,
        trained_tokens: training.targets() * u64::from(spec.epochs),
    });
    let longest = spec.max_sequence_length as usize;
    if longest > model_length {
        emitter.log(
            Level::Warn,
            format!(
                "`max_sequence_length` ({longest}) is beyond the length that the model was made for ({model_length})"
            ),
        );
    }
    if plan.gradient_checkpointing && spec.gradient_checkpointing == GradientCheckpointing::Auto {
        emitter.log(
            Level::Info,
            "gradient checkpointing is on, because the run would not fit its memory without; steps take about a third longer"
                .to_owned(),
        );
    }
    let rate = LearningRate {
        peak: spec.learning_rate,
        schedule: spec.schedule,
        warmup_steps: warmup_steps(spec.warmup, steps_per_epoch, total_steps),
        total_steps,
    };
    emitter.stage(Stage::Loading, Some(total_steps));
    let model = Model::load(&model_folder)?;
    let adapter = match (&resumed.state, &spec.start_adapter) {
        (None, Some(folder)) => Adapter::load(&run_dir.join(folder), &model, &spec.lora)?,
        _ => Adapter::random(&model, &spec.lora, spec.seed)?,
    };
    let (state, (adapter, optimizer)) = match resumed.state {
        Some(state) => {
            if state.schedule.total_steps != total_steps {
                return Err(Error::InvalidSpec(format!(
                    "the checkpoint belongs to a run of {} steps, but this data makes {total_steps}; restore the data, or remove `checkpoints` to begin again",
                    state.schedule.total_steps
                )));
            }
            let restored = checkpoint::restore(run_dir, &state, adapter)?;
            (state, restored)
        }
        None => {
            let optimizer = AdamW::new(adapter.parameters());
            (
                State::new(spec_digest(&spec)?, spec.seed, rate),
                (adapter, optimizer),
            )
        }
    };
    Ok(Prepared {
        spec,
        model_folder,
        model,
        adapter,
        optimizer,
        state,
        saved: resumed.saved,
        rate,
        steps_per_epoch,
        training,
        validation,
        plan,
    })
}
