//! The run directory before its first trainer: data, then `spec.json`, written once.

use super::run::Supervised;
use crate::{
    config::Config, error::Error, models::FoundModel, parameters::Parameters, service::job_retry::START,
    store::files,
};
use shared::{
    attempt::FailureCause,
    job::JobFailure,
    run::{CheckpointSpec, RunSpec, SPEC_VERSION},
};
use std::path::Path;
use tokio::{fs, io::AsyncWriteExt as _};

/// The data in a run directory.
pub(crate) const TRAINING: &str = "data/training.jsonl";
/// The validation data there.
pub(crate) const VALIDATION: &str = "data/validation.jsonl";

/// Checkpoints over a whole run besides those asked for by the clock, at most.
const CHECKPOINTS: u64 = 20;

/// Brings a job's run directory to where a trainer can start; a reason to fail where that can't be done.
pub(crate) async fn prepare(job: &Supervised<'_>) -> Result<Option<JobFailure>, Error> {
    let spec_path = job.run_dir.join("spec.json");
    let failed = |error| Error::storage("the run directory could not be prepared", error);
    if fs::try_exists(&spec_path).await.map_err(failed)? {
        return Ok(None);
    }
    let Some(parameters) = job.row.parameters() else {
        let message = "the job's parameters can't be read: create the job again".to_owned();
        return Ok(Some(
            JobFailure::new("invalid_job", message).because(FailureCause::Unusable),
        ));
    };
    let Some(model) = job.service.find_model(&job.row.base_model).await? else {
        let message = format!("the base model `{}` is not there any more", job.row.base_model);
        return Ok(Some(
            JobFailure::new("model_not_found", message)
                .of("model")
                .because(FailureCause::Unusable),
        ));
    };
    let data = job.run_dir.join("data");
    fs::create_dir_all(&data).await.map_err(failed)?;
    let read = job.service.inner.store.read();
    let mut examples = 0;
    let wanted = [
        ("training_file", Some(&job.row.training_file), TRAINING),
        ("validation_file", job.row.validation_file.as_ref(), VALIDATION),
    ];
    for (param, id, name) in wanted {
        let Some(id) = id else { continue };
        let Some(file) = files::find(read, &job.owner, id).await? else {
            let message = format!("`{id}` was deleted before the job could use it");
            return Ok(Some(
                JobFailure::new(format!("invalid_{param}"), message)
                    .of(param)
                    .because(FailureCause::BadData),
            ));
        };
        if param == "training_file" {
            examples = file.examples.map_or(0, crate::store::from_sql);
        }
        let target = job.run_dir.join(name);
        // Left by a server that ended in mid-way.
        if fs::try_exists(&target).await.map_err(failed)? {
            fs::remove_file(&target).await.map_err(failed)?;
        }
        job.service.inner.blobs.place(id, &target).await?;
    }
    // Whoever finds `spec.json` after a loss of power finds the data, too, and the run itself.
    flush_folder(&data).await.map_err(failed)?;
    if let Some(runs) = job.run_dir.parent() {
        flush_folder(runs).await.map_err(failed)?;
    }
    let spec = run_spec(&parameters, &model, examples, &job.service.inner.config);
    let spec = RunSpec {
        validation_file: job.row.validation_file.as_ref().map(|_| VALIDATION.to_owned()),
        // Put there when the job was created, and only then.
        start_adapter: job.run_dir.join(START).is_dir().then(|| START.to_owned()),
        ..spec
    };
    let text = serde_json::to_vec_pretty(&spec)
        .map_err(|error| Error::storage("`spec.json` can't be written", error))?;
    write_whole(&spec_path, &text).await.map_err(failed)?;
    Ok(None)
}

/// The specification of a run without validation, from the beginning.
pub(crate) fn run_spec(
    parameters: &Parameters,
    model: &FoundModel,
    examples: u64,
    config: &Config,
) -> RunSpec {
    let steps_per_epoch = examples.div_ceil(u64::from(parameters.batch_size.max(1)));
    let total_steps = steps_per_epoch * u64::from(parameters.epochs);
    // At the ends of epochs where there are few of them, else spread over the run.
    let every_steps = steps_per_epoch.max(total_steps.div_ceil(CHECKPOINTS)).max(1);
    RunSpec {
        version: SPEC_VERSION,
        base_model: model.model.id.clone(),
        model_path: model.path.display().to_string(),
        training_file: TRAINING.to_owned(),
        validation_file: None,
        start_adapter: None,
        method: parameters.method,
        lora: parameters.lora.clone(),
        epochs: parameters.epochs,
        evaluation_epochs: parameters.evaluation_epochs,
        warmup: parameters.warmup,
        learning_rate: parameters.learning_rate,
        schedule: parameters.schedule,
        batch_size: parameters.batch_size,
        gradient_accumulation: parameters.gradient_accumulation.min(parameters.batch_size),
        max_gradient_norm: 1.0,
        weight_decay: 0.0,
        max_sequence_length: parameters.max_sequence_length,
        seed: parameters.seed,
        shuffle: true,
        checkpoints: CheckpointSpec {
            every_steps: u32::try_from(every_steps).unwrap_or(u32::MAX),
            keep_last: config.keep_checkpoints,
        },
        threads: config.threads,
        merge: false,
        gradient_checkpointing: parameters.gradient_checkpointing,
        memory_limit_bytes: config.memory_bytes,
    }
}

/// Writes a file so that it is there whole or not at all.
async fn write_whole(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_extension("json.new");
    let mut file = fs::File::create(&fresh).await?;
    file.write_all(text).await?;
    file.sync_all().await?;
    fs::rename(&fresh, path).await?;
    match path.parent() {
        Some(folder) => flush_folder(folder).await,
        None => Ok(()),
    }
}

/// Flushes a folder's list of names, so that what was put there outlives a loss of power.
async fn flush_folder(path: &Path) -> std::io::Result<()> {
    fs::File::open(path).await?.sync_all().await
}
