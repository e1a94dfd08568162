//! Webhooks: who is told when a job ends, and what came of telling them.

use crate::{id::WebhookId, status::JobStatus, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// What can be told; the words are `OpenAI`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WebhookEvent {
    /// A job has succeeded.
    #[serde(rename = "fine_tuning.job.succeeded")]
    JobSucceeded,
    /// A job has failed.
    #[serde(rename = "fine_tuning.job.failed")]
    JobFailed,
    /// A job was cancelled.
    #[serde(rename = "fine_tuning.job.cancelled")]
    JobCancelled,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [Self; 3] = [Self::JobSucceeded, Self::JobFailed, Self::JobCancelled];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobSucceeded => "fine_tuning.job.succeeded",
            Self::JobFailed => "fine_tuning.job.failed",
            Self::JobCancelled => "fine_tuning.job.cancelled",
        }
    }

    /// The event of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == word)
    }

    /// What is told of a job that comes to stand there; nothing where it goes on.
    #[must_use]
    pub const fn of(status: JobStatus) -> Option<Self> {
        match status {
            JobStatus::Succeeded => Some(Self::JobSucceeded),
            JobStatus::Failed => Some(Self::JobFailed),
            JobStatus::Cancelled => Some(Self::JobCancelled),
            JobStatus::ValidatingFiles
            | JobStatus::Queued
            | JobStatus::Running
            | JobStatus::Pausing
            | JobStatus::Paused => None,
        }
    }
}

/// An address that is told. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// Names it, `wh-…`.
    pub id: WebhookId,
    /// Where the events go.
    pub url: String,
    /// Which events.
    pub events: Vec<WebhookEvent>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `GET /api/webhooks`, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// All of the subject's.
    pub webhooks: Vec<Webhook>,
}

/// The body of `POST /api/webhooks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where the events go, `https://…`.
    pub url: String,
    /// Which events; every one where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
}

/// A webhook as its maker sees it, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedWebhook {
    /// What was made.
    pub webhook: Webhook,
    /// What its events are signed with, `whsec_…`; it can't be seen again.
    pub secret: String,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It will be tried, or tried again.
    Pending,
    /// The address has taken it.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// The event's identifier, `evt_…`: its header `webhook-id`, the same at every try.
    pub event_id: String,
    /// What is told.
    pub event: WebhookEvent,
    /// The job that it tells of; a test names none that exists.
    pub job_id: String,
    /// When it came about.
    pub created_at: Timestamp,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
    /// When it will be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// The HTTP status of the last answer, where one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u16>,
    /// Why the last try failed, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `GET /api/webhooks/{id}/deliveries`: the newest hundred, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryList {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_wire_and_every_end_has_one() {
        for event in WebhookEvent::ALL {
            let word = serde_json::to_value(event).expect("JSON");
            assert_eq!(word, event.as_str());
            assert_eq!(WebhookEvent::parse(event.as_str()), Some(event));
        }
        for status in JobStatus::ALL {
            assert_eq!(WebhookEvent::of(status).is_some(), status.is_terminal());
        }
    }
}
