//! What an answer of the Job Training API that isn't a success means.

use super::Received;
use crate::{
    clock::Clock,
    upstream::{UpstreamError, job_training_api::read},
};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// What an answer that isn't a success means.
pub(super) fn refusal(received: &Received) -> UpstreamError {
    let (said, headers) = (Refusal::read(received), &received.headers);
    match received.status.as_u16() {
        401 => UpstreamError::KeyRejected,
        403 => match said.and_then(|said| said.message()) {
            Some(message) if speaks_of_permission(&message) => UpstreamError::Refused {
                status: 403,
                code: "upstream_forbidden",
                detail: message,
                retry_after: None,
            },
            _ => UpstreamError::KeyRejected,
        },
        404 => UpstreamError::NotFound("job"),
        429 => UpstreamError::Refused {
            status: 429,
            code: "upstream_limit",
            detail: said
                .and_then(|said| said.message())
                .unwrap_or_else(|| "the upstream takes no more for now; try again later".to_owned()),
            retry_after: retry_after(headers),
        },
        400 | 422 if said.as_ref().is_some_and(|said| !said.fields.is_empty()) => {
            let said = said.unwrap_or_default();
            UpstreamError::Invalid {
                detail: said
                    .message()
                    .unwrap_or_else(|| "some fields need another value".to_owned()),
                fields: said.fields,
                codes: BTreeMap::new(),
            }
        }
        code @ 400..=499 => match said.and_then(|said| said.message()) {
            Some(detail) => UpstreamError::Refused {
                status: code,
                code: "upstream_refused",
                detail,
                retry_after: retry_after(headers),
            },
            None => UpstreamError::InvalidResponse(format!("status {code} comes without a reason")),
        },
        code @ 300..=399 => UpstreamError::InvalidResponse(format!("it redirects with status {code}")),
        code => UpstreamError::Failed(code),
    }
}

fn speaks_of_permission(message: &str) -> bool {
    message.to_ascii_lowercase().contains("permission")
}

/// Seconds to wait: the header tells them, or a date, which is taken against the date of the answer itself, so that
/// the two clocks needn't agree.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| {
        let until = date(text)?.unix_timestamp();
        let now = text_of(headers, &DATE).and_then(date).map_or_else(
            || Clock::system().now().unix_seconds(),
            OffsetDateTime::unix_timestamp,
        );
        u64::try_from(until.saturating_sub(now)).ok()
    })
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text.trim(), &Rfc2822).ok()
}

/// A refusal's body: `error`, `message` and messages by field.
#[derive(Default)]
struct Refusal {
    error: Option<String>,
    message: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Refusal {
    fn read(received: &Received) -> Option<Self> {
        received.check_kind().ok()?;
        let object = serde_json::from_slice::<Map<String, Value>>(&received.body).ok()?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(short);
        let fields = object
            .get("fields")
            .and_then(Value::as_object)
            .map(|fields| {
                fields
                    .iter()
                    .filter_map(|(name, said)| {
                        Some((read::field_name(name).to_owned(), short(said.as_str()?)))
                    })
                    .collect()
            })
            .unwrap_or_default();
        Some(Self {
            error: text("error"),
            message: text("message"),
            fields,
        })
    }

    /// The sentence says more than the title.
    fn message(&self) -> Option<String> {
        self.message.clone().or_else(|| self.error.clone())
    }
}

/// An upstream's text, cut to what a form can show.
fn short(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(500)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_wait_is_read_in_seconds_and_as_a_date() {
        let told = |retry: &str, now: &str| {
            let headers = [(RETRY_AFTER, retry), (DATE, now)]
                .map(|(name, value)| (name, value.parse().expect("a header's value")));
            retry_after(&HeaderMap::from_iter(headers))
        };
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(told("17", now), Some(17));
        assert_eq!(told("Sun, 06 Nov 1994 08:51:07 GMT", now), Some(90));
        assert_eq!(told("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(0));
        for nonsense in ["", "soon", "-5", "Sun, 06 Nov 1994 08:49:00 GMT"] {
            assert_eq!(told(nonsense, now), None, "{nonsense}");
        }
        let years = told("Wed, 01 Jan 2200 00:00:00 GMT", "no date").expect("against our own clock");
        assert!(years > 86_400, "{years}");
    }
}
