//! OpenAI's shapes of what the engine has.

use crate::{
    inference::checkpoint_name,
    parameters::Parameters,
    store::{
        checkpoints::CheckpointRow,
        events::{self, EventRow},
        files::FileRow,
        from_sql,
        jobs::{JobRow, ORGANIZATION},
        permissions::PermissionRow,
        steps::StepRow,
        uploads::UploadRow,
    },
};
use serde_json::{Map, Value, json};
use shared::{
    dataset::DatasetStatus, id::JobId, job::Imported, run::Warmup, status::JobStatus, timestamp::Timestamp,
    wandb::Wandb,
};
use std::collections::BTreeMap;

/// Milliseconds as /v1 tells instants: whole seconds.
fn seconds(unix_ms: i64) -> i64 {
    Timestamp::from_unix_ms(unix_ms).unix_seconds()
}

/// A job.
pub(crate) fn job(row: &JobRow, metadata: &BTreeMap<String, String>, now: Timestamp) -> Value {
    if let Some(imported) = row.imported() {
        return imported_job(row, &imported, metadata);
    }
    let parameters = row.parameters();
    // What the engine chose is told once the files are validated.
    let settled = row.status() != JobStatus::ValidatingFiles;
    let hyperparameters = parameters
        .as_ref()
        .map(|parameters| hyperparameters(parameters, settled));
    let running = row.status() == JobStatus::Running;
    let estimated = row
        .remaining_ms
        .filter(|_| running)
        .map(|left| seconds(now.unix_ms().saturating_add(left)));
    let own = json!({
        "fine_tuned_model": row.fine_tuned_model,
        // As OpenAI has it: told once it is final.
        "trained_tokens": row.trained_tokens.filter(|_| row.status() == JobStatus::Succeeded),
        "hyperparameters": hyperparameters,
        "method": parameters.as_ref().map(|parameters| method(parameters, settled)),
        "seed": parameters.as_ref().map(|parameters| parameters.seed),
        "integrations": row.wandb().iter().map(integration).collect::<Vec<_>>(),
        "estimated_finish": estimated,
        "x_attune": parameters.as_ref().map(|parameters| extras(row, parameters)),
    });
    with_own(row, metadata, own)
}

/// A job that was trained elsewhere. Its model can't be asked here, so it isn't named as one that can.
fn imported_job(row: &JobRow, imported: &Imported, metadata: &BTreeMap<String, String>) -> Value {
    let recipe = row.recipe();
    let chosen = recipe.as_ref().map(|recipe| &recipe.hyperparameters);
    // What nobody told was the API's choice.
    let told = |value: Option<u32>| value.map_or_else(|| json!("auto"), |value| json!(value));
    let hyperparameters = json!({
        "n_epochs": told(recipe.as_ref().and_then(|recipe| recipe.epochs)),
        "batch_size": told(chosen.and_then(|chosen| chosen.batch_size)),
        "learning_rate_multiplier": chosen.and_then(|chosen| chosen.learning_rate_multiplier),
    });
    let method = chosen.map(|chosen| {
        let mut of_method = hyperparameters.clone();
        if let Some(beta) = chosen.beta {
            of_method["beta"] = json!(beta);
        }
        let word = chosen.method.as_str();
        json!({ "type": word, word: { "hyperparameters": of_method } })
    });
    let own = json!({
        "fine_tuned_model": null,
        "trained_tokens": row.trained_tokens,
        "hyperparameters": hyperparameters,
        "method": method,
        "seed": chosen.and_then(|chosen| chosen.seed),
        "integrations": [],
        "estimated_finish": null,
        "x_attune": { "name": row.name, "imported": imported },
    });
    with_own(row, metadata, own)
}

/// What every job has, and what this one has of its own.
fn with_own(row: &JobRow, metadata: &BTreeMap<String, String>, own: Value) -> Value {
    let mut job = json!({
        "id": row.id,
        "object": "fine_tuning.job",
        "created_at": seconds(row.created_at),
        "model": row.base_model,
        "organization_id": ORGANIZATION,
        "status": row.status,
        "training_file": row.training_file,
        "validation_file": row.validation_file,
        "result_files": row.result_file.iter().collect::<Vec<_>>(),
        "finished_at": row.finished_at.map(seconds),
        "error": row.failure().map(|failure| json!({
            "code": failure.code, "message": failure.message, "param": failure.param
        })),
        "metadata": metadata,
        "user_provided_suffix": row.suffix,
    });
    if let (Value::Object(job), Value::Object(own)) = (&mut job, own) {
        job.extend(own);
    }
    job
}

fn integration(wandb: &Wandb) -> Value {
    json!({ "type": "wandb", "wandb": wandb })
}

fn method(parameters: &Parameters, settled: bool) -> Value {
    let mut hyperparameters = hyperparameters(parameters, settled);
    if let Some(beta) = parameters.method.beta() {
        hyperparameters["beta"] = told(parameters, settled, "beta", json!(beta));
    }
    let word = parameters.method.method().as_str();
    json!({ "type": word, word: { "hyperparameters": hyperparameters } })
}

/// A value, or `auto` where the engine chose it and hasn't told yet.
fn told(parameters: &Parameters, settled: bool, name: &str, value: Value) -> Value {
    if !settled && parameters.auto.iter().any(|auto| auto == name) {
        json!("auto")
    } else {
        value
    }
}

fn hyperparameters(parameters: &Parameters, settled: bool) -> Value {
    let told = |name: &str, value: Value| told(parameters, settled, name, value);
    json!({
        "n_epochs": told("n_epochs", json!(parameters.epochs)),
        "batch_size": told("batch_size", json!(parameters.batch_size)),
        "learning_rate_multiplier":
            told("learning_rate_multiplier", json!(parameters.learning_rate_multiplier)),
    })
}

fn extras(row: &JobRow, parameters: &Parameters) -> Value {
    let mut extras = json!({
        "name": row.name,
        "learning_rate": parameters.learning_rate,
        "evaluation_epochs": parameters.evaluation_epochs,
        "schedule": parameters.schedule,
        "gradient_accumulation": parameters.gradient_accumulation,
        "gradient_checkpointing": parameters.gradient_checkpointing,
        "lora": parameters.lora,
        "attempt": row.attempt,
        "stage": row.stage,
        "step": row.step,
        "total_steps": row.total_steps,
    });
    let (name, value) = match parameters.warmup {
        Warmup::Epochs(epochs) => ("warmup_epochs", json!(epochs)),
        Warmup::Ratio(ratio) => ("warmup_ratio", json!(ratio)),
    };
    if let Some(extras) = extras.as_object_mut() {
        extras.insert(name.to_owned(), value);
    }
    extras
}

/// One page of a list.
pub(crate) fn list(data: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more })
}

/// One page of a list that names its ends.
pub(crate) fn list_with_ends(data: &[Value], has_more: bool) -> Value {
    let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
    let (first_id, last_id) = (id(data.first()), id(data.last()));
    json!({ "object": "list", "data": data, "first_id": first_id, "last_id": last_id, "has_more": has_more })
}

/// An entry of a job's event log.
pub(crate) fn message_event(row: &EventRow) -> Value {
    let event = row.to_event();
    json!({
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": event.created_at.unix_seconds(),
        "level": event.level,
        "message": event.message,
        "type": "message",
        "data": {},
    })
}

/// A step, which /v1 tells as an event too.
pub(crate) fn step_event(job_id: &JobId, row: &StepRow) -> Value {
    let metrics = row.to_metrics();
    let mut message = format!(
        "Step {}/{}: training loss={:.2}",
        metrics.step, metrics.total_steps, metrics.train_loss
    );
    if let Some(valid_loss) = metrics.valid_loss {
        message.push_str(&format!(", validation loss={valid_loss:.2}"));
    }
    let mut data = step_metrics(row);
    data.insert("total_steps".to_owned(), json!(metrics.total_steps));
    json!({
        "id": events::event_id(job_id, from_sql(row.seq)),
        "object": "fine_tuning.job.event",
        "created_at": seconds(row.recorded_at),
        "level": "info",
        "message": message,
        "type": "metrics",
        "data": data,
        // What OpenAI's API has no words for: the rest of another console's curves.
        "x_attune": {
            "epoch": metrics.epoch,
            "learning_rate": metrics.learning_rate,
            "gradient_norm": metrics.gradient_norm,
            "tokens": Some(metrics.tokens).filter(|tokens| *tokens > 0),
        },
    })
}

/// What was measured at a step; validation reads the whole file, so its figures have both names.
fn step_metrics(row: &StepRow) -> Map<String, Value> {
    let metrics = row.to_metrics();
    let measured = [
        ("train_loss", Some(metrics.train_loss)),
        ("train_mean_token_accuracy", Some(metrics.train_token_accuracy)),
        ("valid_loss", metrics.valid_loss),
        ("valid_mean_token_accuracy", metrics.valid_token_accuracy),
        ("full_valid_loss", metrics.valid_loss),
        ("full_valid_mean_token_accuracy", metrics.valid_token_accuracy),
    ];
    let rewards = [
        ("reward", metrics.rewards),
        ("valid_reward", metrics.valid_rewards),
    ];
    let rewards = rewards
        .into_iter()
        .filter_map(|(kind, rewards)| Some((kind, rewards?)));
    let rewards = rewards.flat_map(|(kind, rewards)| {
        [
            (format!("{kind}_chosen"), json!(rewards.chosen)),
            (format!("{kind}_rejected"), json!(rewards.rejected)),
            (format!("{kind}_margin"), json!(rewards.margin)),
            (format!("{kind}_accuracy"), json!(rewards.accuracy)),
        ]
    });
    let mut told = Map::from_iter([("step".to_owned(), json!(metrics.step))]);
    told.extend(rewards);
    told.extend(
        measured
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))),
    );
    told
}

/// A checkpoint; `step` is what was measured at its step, where that is stored.
pub(crate) fn checkpoint(job: &JobRow, row: &CheckpointRow, step: Option<&StepRow>) -> Value {
    let checkpoint = row.to_checkpoint();
    let tuned = job.imported_model.clone().unwrap_or_else(|| job.tuned_name());
    let metrics = step.map_or_else(
        || Map::from_iter([("step".to_owned(), json!(checkpoint.step))]),
        step_metrics,
    );
    json!({
        "id": checkpoint.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": checkpoint.created_at.unix_seconds(),
        "fine_tuning_job_id": job.id,
        "fine_tuned_model_checkpoint": checkpoint_name(&tuned, checkpoint.step),
        "step_number": checkpoint.step,
        "metrics": metrics,
    })
}

/// A file.
pub(crate) fn file(row: &FileRow) -> Value {
    let status = match row.status() {
        DatasetStatus::Uploading | DatasetStatus::Validating => "uploaded",
        DatasetStatus::Ready => "processed",
        DatasetStatus::Error => "error",
    };
    let details = row.fault().map(|finding| match finding.line {
        // Of the whole file.
        0 => finding.message,
        line => format!("line {line}: {}", finding.message),
    });
    json!({
        "id": row.id,
        "object": "file",
        "bytes": row.bytes,
        "created_at": seconds(row.created_at),
        "expires_at": row.expires_at.map(seconds),
        "filename": row.filename,
        "purpose": row.purpose,
        "status": status,
        "status_details": details,
    })
}

/// An upload, with the file that it became.
pub(crate) fn upload(row: &UploadRow, file: &Value, now: Timestamp) -> Value {
    json!({
        "id": row.id,
        "object": "upload",
        "bytes": row.bytes,
        "created_at": seconds(row.created_at),
        "expires_at": seconds(row.expires_at),
        "filename": row.filename,
        "purpose": row.purpose,
        "status": row.status(now).as_str(),
        "file": file,
    })
}

/// A model. What training made belongs to the organisation of its jobs; what it starts from came with the system.
pub(crate) fn model(id: &str, created: i64, tuned: bool) -> Value {
    let owned_by = if tuned { ORGANIZATION } else { "system" };
    json!({ "id": id, "object": "model", "created": created, "owned_by": owned_by })
}

/// A permission to use a model of somebody else's.
pub(crate) fn permission(row: &PermissionRow) -> Value {
    json!({
        "id": row.id,
        "object": "checkpoint.permission",
        "created_at": seconds(row.created_at),
        "project_id": row.project,
    })
}
