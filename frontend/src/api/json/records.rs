//! The shared types that the page reads, field by field.

mod jobs;
mod words;

use super::record::{At, FromTree, record};
use crate::api::notifications::Unread;
use shared::{
    alert::{AlertParameters, AlertRule, AlertRules},
    api_key::{ApiKey, ApiKeyList, CreatedApiKey},
    capabilities::{Bounds, Capabilities, JobBounds},
    chat::{ChatDone, ChatModel, ChatModelList, ChatText, TokenLogprob, TopLogprob},
    cost::TokenPrice,
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, PreviewExample, PreviewMessage,
        UploadProgress, UploadTarget,
    },
    estimate::Estimate,
    id::{ApiKeyId, ArtifactId, CheckpointId, DatasetId, EventId, JobId, Subject, WebhookId},
    model::{
        AdditionFailure, Artifact, ArtifactFile, ArtifactList, BaseModel, CatalogueEntry, DownloadLink,
        InstalledModel, JobDefaults, ModelAddition, ModelList,
    },
    notification::{Notification, NotificationList},
    problem::{FieldCode, Problem},
    session::Session,
    training_line::Finding,
    webhook::{CreatedWebhook, Delivery, DeliveryList, Webhook, WebhookList},
};

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
    cores,
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
record!(CreatedApiKey { key, secret });
record!(CreatedDataset { dataset, upload });
record!(CreatedWebhook { webhook, secret });
record!(Dataset { id, name, filename, bytes, status, created_at, examples, errors, method } or default { used_by });
record!(DatasetList { datasets });
record!(DatasetPreview { examples });
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
record!(FieldCode { code } or default { params });
record!(Finding {
    line,
    severity,
    code,
    message,
    advice,
});
record!(InstalledModel {
    bytes,
    licence,
    training_memory_bytes,
    obstacle,
    removable,
});
record!(JobBounds {
    epochs,
    batch_size,
    lora_rank,
    beta,
});
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
record!(PreviewExample {
    line,
    messages,
    non_preferred,
});
record!(PreviewMessage { role, content } or default { cut });
record!(Session { subject, provider });
record!(Unread { unread });
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
