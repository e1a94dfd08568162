//! The shared types that the page reads, field by field.

use super::{
    Tree, Unreadable,
    record::{FromTree, field, field_or, record, word},
};
use shared::{
    capabilities::{Bounds, Capabilities, JobBounds, UpstreamKind},
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, DatasetStatus, PreviewExample,
        PreviewMessage, UploadProgress, UploadTarget,
    },
    event::{Checkpoint, CheckpointList, EventList, JobEvent, Level},
    id::{ArtifactId, CheckpointId, DatasetId, EventId, JobId, Subject},
    job::{DatasetRef, Hyperparameters, Job, JobFailure, JobList, JobSummary, Progress},
    metrics::{Curve, Metrics, Series},
    model::{Artifact, ArtifactFile, ArtifactList, BaseModel, DownloadLink, JobDefaults, ModelList},
    problem::{FieldCode, Problem},
    run::{LoraSpec, Projection, Schedule, Stage, StepMetrics},
    session::Session,
    status::JobStatus,
    training_line::{Finding, LineFormat, Severity},
};

macro_rules! words {
    ($($name:ty),* $(,)?) => {
        $(impl FromTree for $name {
            fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
                word(tree)
            }
        })*
    };
}

words!(
    DatasetStatus,
    JobStatus,
    Level,
    LineFormat,
    Projection,
    Schedule,
    Series,
    Severity,
    Stage,
    UpstreamKind,
);

macro_rules! ids {
    ($($name:ty),* $(,)?) => {
        $(impl FromTree for $name {
            fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
                String::from_tree(tree).map(Self::new)
            }
        })*
    };
}

ids!(ArtifactId, CheckpointId, DatasetId, EventId, JobId, Subject);

record!(Artifact {
    id,
    job_id,
    name,
    fine_tuned_model,
    base_model,
    created_at,
    bytes,
    files,
});
record!(ArtifactFile { name, bytes, sha256 });
record!(ArtifactList { artifacts });
record!(BaseModel { id, display_name, architecture, parameters, context_length } or default { defaults });
record!(Capabilities {
    upstream,
    datasets,
    events,
    metrics,
    checkpoints,
    artifacts,
    stream,
    cancel,
    delete,
    pause,
    retry,
    hyperparameters,
    statuses,
    bounds,
    max_jobs,
    max_dataset_bytes,
});
record!(Checkpoint {
    id,
    step,
    created_at,
    bytes,
    train_loss,
    valid_loss,
});
record!(CheckpointList { checkpoints });
record!(CreatedDataset { dataset, upload });
record!(Curve {
    series,
    total_points,
    steps,
    values,
});
record!(Dataset { id, name, filename, bytes, status, created_at, examples, errors } or default { used_by });
record!(DatasetList { datasets });
record!(DatasetPreview { examples });
record!(DatasetRef { id, name });
record!(DatasetReport {
    format,
    lines,
    examples,
    messages,
    duplicates,
    errors,
    warnings,
    findings,
});
record!(DownloadLink { url, expires_at });
record!(EventList { events, next_cursor });
record!(FieldCode { code } or default { params });
record!(Finding {
    line,
    severity,
    code,
    message,
    advice,
});
record!(Hyperparameters {
    method,
    batch_size,
    gradient_accumulation,
    schedule,
    lora,
    max_sequence_length,
    seed,
} or default { auto });
record!(Job {
    id,
    name,
    base_model,
    status,
    created_at,
    started_at,
    finished_at,
    epochs,
    evaluation_epochs,
    warmup_epochs,
    learning_rate,
    training_dataset,
    validation_dataset,
    hyperparameters,
    progress,
    failure,
    trained_tokens,
    fine_tuned_model,
    artifact,
    queue_position,
} or default { attempt });
record!(JobBounds {
    epochs,
    batch_size,
    lora_rank,
});
record!(JobEvent {
    id,
    created_at,
    level,
    message,
});
record!(JobFailure { code, message, param });
record!(JobList {
    jobs,
    summary,
    next_cursor,
    newest,
});
record!(JobSummary {
    running,
    queued,
    paused,
    completed,
    failed,
    cancelled,
    total,
});
record!(LoraSpec { rank, alpha, targets } or default { dropout });
record!(Metrics { from, to, curves });
record!(ModelList { models });
record!(PreviewExample { line, messages });
record!(PreviewMessage { role, content } or default { cut });
record!(Progress {
    stage,
    step,
    total_steps,
    epoch,
    remaining_ms,
    tokens_per_second,
    train_loss,
    valid_loss,
});
record!(Session { subject, provider });
record!(StepMetrics {
    step,
    total_steps,
    epoch,
    train_loss,
    train_token_accuracy,
    learning_rate,
    gradient_norm,
    tokens,
    valid_loss,
    valid_token_accuracy,
});
record!(UploadProgress { received, bytes });
record!(UploadTarget {
    url,
    method,
    expires_at,
});

impl<T: FromTree> FromTree for Bounds<T> {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            min: field(tree, "min")?,
            max: field(tree, "max")?,
        })
    }
}

impl FromTree for JobDefaults {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        let otherwise = Self::default();
        Ok(Self {
            epochs: field_or(tree, "epochs", otherwise.epochs)?,
            evaluation_epochs: field_or(tree, "evaluation_epochs", otherwise.evaluation_epochs)?,
            warmup_epochs: field_or(tree, "warmup_epochs", otherwise.warmup_epochs)?,
            learning_rate: field_or(tree, "learning_rate", otherwise.learning_rate)?,
            batch_size: field_or(tree, "batch_size", otherwise.batch_size)?,
            lora: field_or(tree, "lora", otherwise.lora)?,
        })
    }
}

impl FromTree for Problem {
    fn from_tree(tree: &Tree<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            kind: field_or(tree, "type", "about:blank".to_owned())?,
            title: field(tree, "title")?,
            status: field(tree, "status")?,
            detail: field(tree, "detail")?,
            code: field(tree, "code")?,
            request_id: field(tree, "request_id")?,
            fields: field_or(tree, "fields", Default::default())?,
            field_codes: field_or(tree, "field_codes", Default::default())?,
        })
    }
}
