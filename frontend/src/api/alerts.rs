//! `/api/alerts` and `/api/jobs/{id}/alerts`: what is watched for.

use super::{ApiError, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    alert::AlertRules,
    id::{JobId, encode_segment},
};

fn path(job: Option<&JobId>) -> String {
    job.map_or_else(
        || "/api/alerts".to_owned(),
        |id| format!("/api/jobs/{}/alerts", encode_segment(id.as_str())),
    )
}

/// A job's rules; those that new jobs begin with where none is named.
#[must_use]
pub fn rules(job: Option<&JobId>) -> Query<AlertRules> {
    Query::new(path(job), Resource::Alerts)
}

/// Puts other rules in place of those that are there.
///
/// # Errors
/// 400 where they can't be meant.
pub(crate) async fn put(job: Option<&JobId>, rules: &AlertRules) -> Result<(), ApiError> {
    send(Method::PUT, &path(job), write(rules), &[], None)
        .await
        .map(drop)
}
