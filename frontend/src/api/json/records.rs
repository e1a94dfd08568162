//! The shared types that the page reads, field by field.

use super::record::{At, FromTree, record};
use crate::api::notifications::Unread;
use shared::{
    alert::{AlertAction, AlertCondition, AlertParameters, AlertRule, AlertRules},
    api_key::{ApiKey, ApiKeyList, CreatedApiKey},
    attempt::{Attempt, AttemptList, AttemptOutcome, FailureCause, RetryJob},
    capabilities::{Bounds, Capabilities, JobBounds, UpstreamKind},
    chat::{
        ChatDone, ChatModel, ChatModelKind, ChatModelList, ChatText, FinishReason, TokenLogprob, TopLogprob,
    },
    cost::TokenPrice,
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, DatasetStatus, PreviewExample,
        PreviewMessage, UploadProgress, UploadTarget,
    },
    estimate::Estimate,
    event::{Checkpoint, CheckpointList, EventList, JobEvent, Level, MeasuredStep},
    id::{ApiKeyId, ArtifactId, CheckpointId, DatasetId, EventId, JobId, Subject, WebhookId},
    job::{
        DatasetRef, Hyperparameters, Imported, Job, JobEstimate, JobFailure, JobList, JobSummary, Outlook,
        Progress,
    },
    metrics::{Curve, Metrics, Series, Times},
    model::{
        AdditionFailure, AdditionStage, Artifact, ArtifactFile, ArtifactList, BaseModel, CatalogueEntry,
        DownloadLink, InstalledModel, JobDefaults, ModelAddition, ModelList, ModelObstacle,
    },
    notification::{Notification, NotificationKind, NotificationList},
    problem::{FieldCode, Problem},
    queue::Priority,
    run::{LoraSpec, Method, Projection, Rewards, Schedule, Stage},
    session::Session,
    status::JobStatus,
    step_examples::{StepExample, StepExamples},
    timeline::{Phase, Timeline},
    training_line::{Finding, LineFormat, Severity},
    wandb::Wandb,
    webhook::{CreatedWebhook, Delivery, DeliveryList, DeliveryStatus, Webhook, WebhookEvent, WebhookList},
};

/// Reads an enum whose variants hold nothing, written as a word. The compiler refuses a list that forgets one.
macro_rules! words {
    ($name:ident { $first:literal => $otherwise:ident $(, $word:literal => $variant:ident)* $(,)? }) => {
        impl FromTree for $name {
            fn from_tree(at: At<'_>) -> Self {
                match at.tree.as_str() {
                    Some($first) => Self::$otherwise,
                    $(Some($word) => Self::$variant,)*
                    _ => {
                        at.expected("a word that is known");
                        Self::$otherwise
                    }
                }
            }
        }

        const _: fn($name) = |value| match value {
            $name::$otherwise $(| $name::$variant)* => (),
        };

        #[cfg(test)]
        impl tests::Words for $name {
            const WORDS: &[(&str, Self)] = &[($first, Self::$otherwise) $(, ($word, Self::$variant))*];
        }
    };
}

words!(AdditionStage { "waiting" => Waiting, "fetching" => Fetching, "preparing" => Preparing, "failed" => Failed });
words!(AlertAction { "notify" => Notify, "pause" => Pause });
words!(AlertCondition { "not_finite" => NotFinite, "divergence" => Divergence, "plateau" => Plateau, "validation_rising" => ValidationRising, "no_progress" => NoProgress, "low_disk" => LowDisk, "late" => Late });
words!(AttemptOutcome { "done" => Done, "paused" => Paused, "requeued" => Requeued, "lost" => Lost, "died" => Died, "failed" => Failed, "cancelled" => Cancelled });
words!(ChatModelKind { "base" => Base, "tuned" => Tuned, "checkpoint" => Checkpoint });
words!(DeliveryStatus { "pending" => Pending, "delivered" => Delivered, "failed" => Failed });
words!(DatasetStatus { "uploading" => Uploading, "validating" => Validating, "ready" => Ready, "error" => Error });
words!(FailureCause { "signal" => Signal, "out_of_memory" => OutOfMemory, "disk_full" => DiskFull, "storage" => Storage, "bad_data" => BadData, "diverged" => Diverged, "unresponsive" => Unresponsive, "unusable" => Unusable, "bug" => Bug });
words!(FinishReason { "stop" => Stop, "length" => Length });
words!(JobStatus { "validating_files" => ValidatingFiles, "queued" => Queued, "running" => Running, "pausing" => Pausing, "paused" => Paused, "succeeded" => Succeeded, "failed" => Failed, "cancelled" => Cancelled });
words!(Level { "info" => Info, "warn" => Warn, "error" => Error });
words!(LineFormat { "chat" => Chat, "conversation" => Conversation, "prompt_completion" => PromptCompletion, "preference" => Preference });
words!(Method { "supervised" => Supervised, "dpo" => Dpo });
words!(ModelObstacle { "unknown_architecture" => UnknownArchitecture, "quantised" => Quantised, "not_enough_memory" => NotEnoughMemory });
words!(NotificationKind { "succeeded" => Succeeded, "failed" => Failed, "cancelled" => Cancelled, "alert" => Alert });
words!(Priority { "normal" => Normal, "low" => Low, "high" => High });
words!(Projection { "q_proj" => QProj, "k_proj" => KProj, "v_proj" => VProj, "o_proj" => OProj, "gate_proj" => GateProj, "up_proj" => UpProj, "down_proj" => DownProj });
words!(Schedule { "constant" => Constant, "linear" => Linear, "cosine" => Cosine });
words!(Series { "train_loss" => TrainLoss, "train_token_accuracy" => TrainTokenAccuracy, "learning_rate" => LearningRate, "gradient_norm" => GradientNorm, "tokens" => Tokens, "valid_loss" => ValidLoss, "valid_token_accuracy" => ValidTokenAccuracy, "reward_margin" => RewardMargin, "reward_accuracy" => RewardAccuracy, "reward_chosen" => RewardChosen, "reward_rejected" => RewardRejected, "valid_reward_margin" => ValidRewardMargin, "valid_reward_accuracy" => ValidRewardAccuracy, "valid_reward_chosen" => ValidRewardChosen, "valid_reward_rejected" => ValidRewardRejected });
words!(Severity { "error" => Error, "warning" => Warning });
words!(Stage { "preparing" => Preparing, "loading" => Loading, "training" => Training, "saving" => Saving });
words!(UpstreamKind { "engine" => Engine, "openai" => Openai, "job-training-api" => JobTrainingApi });
words!(WebhookEvent { "fine_tuning.job.succeeded" => JobSucceeded, "fine_tuning.job.failed" => JobFailed, "fine_tuning.job.cancelled" => JobCancelled });

macro_rules! ids {
    ($($name:ty),* $(,)?) => {
        $(impl FromTree for $name {
            fn from_tree(at: At<'_>) -> Self {
                Self::new(String::from_tree(at))
            }
        })*
    };
}

ids!(
    ApiKeyId,
    ArtifactId,
    CheckpointId,
    DatasetId,
    EventId,
    JobId,
    Subject,
    WebhookId
);

record!(AdditionFailure { code, message });
record!(AlertParameters {
    count,
    factor,
    minutes,
    bytes,
});
record!(AlertRule { condition, action } or default { parameters });
record!(AlertRules { rules });
record!(ApiKey { id, name, created_at, last_used_at } or default { admin });
record!(ApiKeyList { keys });
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
record!(Attempt {
    attempt,
    started_at,
    from_step,
    ended_at,
    outcome,
    message,
} or default { log });
record!(AttemptList { attempts });
record!(BaseModel {
    id,
    display_name,
    architecture,
    parameters,
    context_length,
    installed,
} or default { defaults });
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
    price,
    max_jobs,
    max_dataset_bytes,
} or default { checkpoint_downloads, attempts, timeline, stop, queue, recipe, add_models, step_examples, estimates, chat, webhooks, keys, alerts, browser_reports, methods });
record!(CatalogueEntry {
    source,
    id,
    display_name,
    parameters,
    bytes,
    licence,
});
record!(ChatDone {
    finish_reason,
    prompt_tokens,
    completion_tokens,
    first_token_ms,
    duration_ms,
});
record!(ChatModel {
    id,
    kind,
    name,
    base_model,
    job_id,
    step,
    created_at,
});
record!(ChatModelList { models });
record!(ChatText { text } or default { logprobs });
record!(Checkpoint {
    id,
    step,
    created_at,
    bytes,
    train_loss,
    valid_loss,
});
record!(CheckpointList {
    checkpoints,
    keep_last,
});
record!(CreatedApiKey { key, secret });
record!(CreatedDataset { dataset, upload });
record!(CreatedWebhook { webhook, secret });
record!(Curve {
    series,
    total_points,
    steps,
    values,
});
record!(Dataset { id, name, filename, bytes, status, created_at, examples, errors, method } or default { used_by });
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
record!(Delivery {
    event_id,
    event,
    job_id,
    created_at,
    status,
    tries,
    tried_at,
    next_try_at,
    response_status,
    error,
});
record!(DeliveryList { deliveries });
record!(DownloadLink { url, expires_at });
record!(Estimate {
    memory_bytes,
    available_bytes,
    gradient_checkpointing,
    fits,
    total_steps,
    training_tokens,
    longest_tokens,
    duration_ms,
} or default { trained_tokens });
record!(EventList { events, next_cursor } or default { total, incomplete });
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
    beta,
    batch_size,
    gradient_accumulation,
    learning_rate_multiplier,
    schedule,
    lora,
    max_sequence_length,
    seed,
} or default { auto });
record!(Imported {
    host,
    id,
    fine_tuned_model,
});
record!(InstalledModel {
    bytes,
    licence,
    training_memory_bytes,
    obstacle,
    removable,
});
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
    starts_in_ms,
    estimate,
    peak_memory_bytes,
    priority,
    parent,
    parent_step,
    imported,
    wandb,
} or default { attempt, stopped });
record!(JobBounds {
    epochs,
    batch_size,
    lora_rank,
    beta,
});
record!(JobEvent {
    id,
    created_at,
    level,
    message,
});
record!(JobEstimate {
    trained_tokens,
    memory_bytes,
    duration_ms
});
record!(JobFailure {
    code,
    message,
    param,
    line,
    cause,
    change,
});
record!(JobList {
    jobs,
    summary,
    next_cursor,
    newest,
    outlook,
} or default { incomplete });
record!(Outlook {
    next_starts_in_ms,
    completed_in_week,
    failed_in_week,
    trained_tokens_in_month,
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
record!(Metrics {
    from,
    to,
    curves,
    times,
} or default { incomplete });
record!(ModelAddition {
    id,
    source,
    stage,
    bytes_done,
    bytes_total,
    failure,
});
record!(ModelList { models, memory_bytes } or default { additions, catalogue });
record!(Notification {
    id,
    created_at,
    kind,
    job_id,
    job_name,
    condition,
    message,
    read,
});
record!(NotificationList {
    notifications,
    unread,
    next_cursor,
});
record!(Phase { status, started_at });
record!(PreviewExample {
    line,
    messages,
    non_preferred,
});
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
record!(RetryJob {
    name,
    from_step,
    epochs,
    evaluation_epochs,
    warmup_epochs,
    learning_rate,
    batch_size,
    lora,
    schedule,
    seed,
});
record!(Rewards {
    chosen,
    rejected,
    margin,
    accuracy,
});
record!(Session { subject, provider });
record!(MeasuredStep {
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
    rewards,
    valid_rewards,
});
record!(StepExample {
    example,
    tokens,
    target_tokens
});
record!(StepExamples {
    step,
    epoch,
    total_steps,
    examples
});
record!(Times { steps, elapsed_ms });
record!(Unread { unread });
record!(Timeline { phases });
/// The chosen token's own fields stand beside what else could have stood there.
impl FromTree for TokenLogprob {
    fn from_tree(at: At<'_>) -> Self {
        Self {
            chosen: TopLogprob::from_tree(at),
            top_logprobs: at.field_or("top_logprobs", Vec::new()),
        }
    }
}

/// What has no chance has no number.
impl FromTree for TopLogprob {
    fn from_tree(at: At<'_>) -> Self {
        Self {
            token: at.field("token"),
            logprob: at.field::<Option<f64>>("logprob").unwrap_or(f64::NEG_INFINITY),
            bytes: None,
        }
    }
}

record!(TokenPrice { micros, currency });
record!(UploadProgress { received, bytes });
record!(UploadTarget {
    url,
    method,
    expires_at,
});
record!(Wandb { project, name, entity } or default { tags });
record!(Webhook {
    id,
    url,
    events,
    created_at,
});
record!(WebhookList { webhooks });

impl<T: FromTree> FromTree for Bounds<T> {
    fn from_tree(at: At<'_>) -> Self {
        Self {
            min: at.field("min"),
            max: at.field("max"),
        }
    }
}

impl FromTree for JobDefaults {
    fn from_tree(at: At<'_>) -> Self {
        let otherwise = Self::default();
        Self {
            epochs: at.field_or("epochs", otherwise.epochs),
            evaluation_epochs: at.field_or("evaluation_epochs", otherwise.evaluation_epochs),
            warmup_epochs: at.field_or("warmup_epochs", otherwise.warmup_epochs),
            learning_rate: at.field_or("learning_rate", otherwise.learning_rate),
            batch_size: at.field_or("batch_size", otherwise.batch_size),
            lora: at.field_or("lora", otherwise.lora),
        }
    }
}

impl FromTree for Problem {
    fn from_tree(at: At<'_>) -> Self {
        Self {
            kind: at.field_or("type", "about:blank".to_owned()),
            title: at.field("title"),
            status: at.field("status"),
            detail: at.field("detail"),
            code: at.field("code"),
            request_id: at.field("request_id"),
            fields: at.field_or("fields", Default::default()),
            field_codes: at.field_or("field_codes", Default::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json::read;
    use std::fmt::Debug;

    pub(super) trait Words: Sized + 'static {
        const WORDS: &[(&str, Self)];
    }

    fn are_serdes<T: Words + FromTree + serde::Serialize + PartialEq + Debug>() {
        for (word, value) in T::WORDS {
            let written = serde_json::to_string(value).expect("it is written");
            assert_eq!(written, format!("\"{word}\""));
            assert_eq!(read::<T>(&written).as_ref(), Ok(value));
        }
        assert!(read::<T>("\"nonsense\"").is_err());
        assert!(read::<T>("1").is_err());
    }

    #[test]
    fn every_word_is_the_one_that_serde_writes() {
        are_serdes::<AlertAction>();
        are_serdes::<AlertCondition>();
        are_serdes::<AttemptOutcome>();
        are_serdes::<DatasetStatus>();
        are_serdes::<DeliveryStatus>();
        are_serdes::<FailureCause>();
        are_serdes::<JobStatus>();
        are_serdes::<Level>();
        are_serdes::<ChatModelKind>();
        are_serdes::<FinishReason>();
        are_serdes::<LineFormat>();
        are_serdes::<Method>();
        are_serdes::<NotificationKind>();
        are_serdes::<Projection>();
        are_serdes::<Schedule>();
        are_serdes::<Series>();
        are_serdes::<Severity>();
        are_serdes::<Stage>();
        are_serdes::<UpstreamKind>();
        are_serdes::<WebhookEvent>();
    }
}
