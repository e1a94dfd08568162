//! Reading what an upstream says: what can't be read is told by the field's name.

use super::json::{Fields, Json};
use crate::upstream::{Answer, UpstreamError};
use shared::{id::JobId, job::Job, status::JobStatus, timestamp::Timestamp};

/// The answer as JSON.
pub(in crate::upstream) fn json(answer: &[u8]) -> Answer<Json<'_>> {
    // All of it is checked to be text at once rather than each text in it.
    let json = str::from_utf8(answer).ok().map(serde_json::from_str);
    json.and_then(Result::ok)
        .ok_or_else(|| UpstreamError::InvalidResponse("it is not JSON".to_owned()))
}

/// A job with only what every job has.
pub(in crate::upstream) fn bare_job(
    id: JobId,
    name: String,
    base_model: String,
    status: JobStatus,
    created_at: Timestamp,
) -> Job {
    Job {
        id,
        name,
        base_model,
        status,
        created_at,
        started_at: None,
        finished_at: None,
        epochs: None,
        evaluation_epochs: None,
        warmup_epochs: None,
        learning_rate: None,
        training_dataset: None,
        validation_dataset: None,
        hyperparameters: None,
        progress: None,
        failure: None,
        attempt: 0,
        trained_tokens: None,
        fine_tuned_model: None,
        artifact: None,
        queue_position: None,
        starts_in_ms: None,
        last_event_id: None,
        estimate: None,
        peak_memory_bytes: None,
        priority: None,
        stopped: false,
        parent: None,
        parent_step: None,
        imported: None,
        wandb: None,
    }
}

pub(in crate::upstream) fn unreadable(field: &str, how: &str) -> UpstreamError {
    let field = if field.is_empty() {
        "the job".to_owned()
    } else {
        format!("`{field}`")
    };
    UpstreamError::InvalidResponse(format!("{field} {how}"))
}

/// The first of these fields that is there and isn't `null`.
pub(in crate::upstream) fn find<'a>(fields: &'a Fields<'a>, spellings: &[&str]) -> Option<&'a Json<'a>> {
    spellings
        .iter()
        .find_map(|name| fields.get(name).filter(|value| **value != Json::Null))
}

/// A text that isn't empty.
pub(in crate::upstream) fn text(value: Option<&Json<'_>>) -> Option<String> {
    value?
        .as_text()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// An id is text; some imitations count.
pub(in crate::upstream) fn identifier(value: Option<&Json<'_>>) -> Option<String> {
    match value? {
        Json::Count(count) => Some(count.to_string()),
        other => text(Some(other)),
    }
}

/// A whole number that isn't negative, also as text or as `3.0`.
pub(in crate::upstream) fn whole(value: &Json<'_>) -> Option<u64> {
    match value {
        Json::Count(count) => Some(*count),
        Json::Number(number) => whole_number(*number),
        Json::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `3.0` is 3.
fn whole_number(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole and small"
    )]
    (number.fract() == 0.0 && (0.0..=4_294_967_295.0).contains(&number)).then_some(number as u64)
}

/// A finite number, also as text.
pub(in crate::upstream) fn number(value: &Json<'_>) -> Option<f64> {
    value
        .as_number()
        .or_else(|| value.as_text()?.trim().parse().ok())
        .filter(|number| number.is_finite())
}

/// RFC 3339, or a day alone.
pub(in crate::upstream) fn instant(value: &Json<'_>) -> Option<Timestamp> {
    let text = value.as_text()?;
    Timestamp::parse_rfc3339(text).or_else(|| {
        let day = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
        day.then(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
            .flatten()
    })
}

/// Whether a word begins with one of these, without case.
pub(in crate::upstream) fn begins(word: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| {
        word.get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    })
}
