//! Notifications: what somebody should know about their jobs without looking at each.

use crate::{alert::AlertCondition, id::JobId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// What a notification tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A job has its result.
    Succeeded,
    /// A job has failed.
    Failed,
    /// A job was cancelled.
    Cancelled,
    /// A condition that was watched for has come true.
    Alert,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Names it; opaque.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it tells of.
    pub kind: NotificationKind,
    /// The job that it concerns.
    pub job_id: JobId,
    /// What that job is called.
    pub job_name: String,
    /// Of an alert, what was watched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<AlertCondition>,
    /// What happened, in English.
    pub message: String,
    /// Whether somebody has read it.
    pub read: bool,
}

/// `GET /api/notifications`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationList {
    /// One page.
    pub notifications: Vec<Notification>,
    /// How many in all are unread.
    pub unread: u64,
    /// Where the next page starts, if there is one.
    pub next_cursor: Option<String>,
}

/// The query of `GET /api/notifications`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[serde(default)]
pub struct NotificationQuery {
    /// Notifications a page, 1 to 200; 50 unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// From `next_cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those that nobody has read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
}
