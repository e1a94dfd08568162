//! What an answer that isn't a success means. Its body is read in the forms that are met: `error` and `message` as texts
//! with `fields` beside them, OpenAI's `{"error": {…}}`, and `FastAPI`'s `detail`, a sentence or a list of findings.

use super::{Dialect, Received};
use crate::{
    clock::Clock,
    upstream::{UpstreamError, remote::no_such_call},
};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// What servers say of a path that they don't know, where they say anything.
const NO_SUCH_PATH: [&str; 3] = ["", "not found", "404 not found"];

/// What an answer that isn't a success means.
pub(super) fn refusal(received: &Received, dialect: &Dialect) -> UpstreamError {
    let (said, headers) = (Refusal::read(received, dialect), &received.headers);
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
        // Such a call it doesn't know, whether it says so or not.
        405 => UpstreamError::Refused {
            status: 405,
            code: "upstream_refused",
            detail: said
                .and_then(|said| said.message())
                .unwrap_or_else(|| "the upstream does not know this call".to_owned()),
            retry_after: None,
        },
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

/// What a 404 means where something was to be made: what it names isn't there, such as a model. Where it doesn't say
/// what, there is no such collection.
pub(super) fn refusal_to_create(received: &Received, dialect: &Dialect) -> UpstreamError {
    let said = Refusal::read(received, dialect).and_then(|said| said.message());
    match said
        .filter(|said| !NO_SUCH_PATH.contains(&said.trim_end_matches('.').to_ascii_lowercase().as_str()))
    {
        Some(detail) => UpstreamError::Refused {
            status: 404,
            code: "upstream_refused",
            detail,
            retry_after: None,
        },
        None => no_such_call(UpstreamError::NotFound("collection")),
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

/// What a refusal's body tells.
#[derive(Default)]
struct Refusal {
    message: Option<String>,
    /// By `/api`'s names.
    fields: BTreeMap<String, String>,
}

impl Refusal {
    fn read(received: &Received, dialect: &Dialect) -> Option<Self> {
        received.check_kind().ok()?;
        let object = serde_json::from_slice::<Map<String, Value>>(&received.body).ok()?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(short);
        let said = match (object.get("error"), object.get("detail")) {
            (Some(Value::Object(envelope)), _) => Self::of_envelope(envelope, dialect),
            (_, Some(Value::Array(findings))) => Self::of_findings(findings, dialect),
            // The sentence says more than the title.
            _ => Self {
                message: text("message")
                    .or_else(|| text("detail"))
                    .or_else(|| text("error")),
                fields: BTreeMap::new(),
            },
        };
        let Some(Value::Object(fields)) = object.get("fields") else {
            return Some(said);
        };
        let fields = fields
            .iter()
            .filter_map(|(name, said)| Some(((dialect.field_name)(name).to_owned(), short(said.as_str()?))))
            .collect();
        Some(Self { fields, ..said })
    }

    /// OpenAI's: one message, and the parameter at fault.
    fn of_envelope(envelope: &Map<String, Value>, dialect: &Dialect) -> Self {
        let text = |name: &str| {
            envelope
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let message = text("message").map(short);
        let field = text("param").map(|param| (dialect.field_name)(param).to_owned());
        Self {
            fields: field.zip(message.clone()).into_iter().collect(),
            message,
        }
    }

    /// `FastAPI`'s: a place and a message each.
    fn of_findings(findings: &[Value], dialect: &Dialect) -> Self {
        let mut said = Self::default();
        for finding in findings {
            let Some(message) = finding.get("msg").and_then(Value::as_str).map(short) else {
                continue;
            };
            let place = finding.get("loc").and_then(Value::as_array);
            let field = place.and_then(|place| place.iter().filter_map(Value::as_str).next_back());
            if let Some(field) = field.filter(|field| *field != "body") {
                said.fields
                    .insert((dialect.field_name)(field).to_owned(), message.clone());
            }
            said.message.get_or_insert(message);
        }
        said
    }

    fn message(&self) -> Option<String> {
        self.message.clone()
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
    use reqwest::StatusCode;

    fn received(status: u16, body: &str) -> Received {
        Received {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    const DIALECT: Dialect = Dialect {
        key_header: reqwest::header::AUTHORIZATION,
        key_prefix: "",
        field_name: |name| name,
    };

    #[test]
    fn what_a_new_job_names_and_is_not_there_is_told_in_the_upstreams_words() {
        let told = |body: &str| refusal_to_create(&received(404, body), &DIALECT);
        let openai = r#"{"error":{"message":"The model `x` does not exist","type":"invalid_request_error"}}"#;
        match told(openai) {
            UpstreamError::Refused {
                status: 404, detail, ..
            } => {
                assert_eq!(detail, "The model `x` does not exist");
            }
            other => panic!("{other:?}"),
        }
        for bare in [
            "",
            "<html>",
            "{}",
            r#"{"detail":"Not Found"}"#,
            r#"{"error":"Not found."}"#,
        ] {
            assert!(
                matches!(told(bare), UpstreamError::InvalidResponse(_)),
                "{bare}: {:?}",
                told(bare)
            );
        }
    }

    #[test]
    fn a_call_that_is_not_known_is_known_by_its_status_alone() {
        for body in [
            "",
            "<html>Method Not Allowed",
            r#"{"detail":"Method Not Allowed"}"#,
        ] {
            let told = refusal(&received(405, body), &DIALECT);
            assert!(
                matches!(told, UpstreamError::Refused { status: 405, .. }),
                "{told:?}"
            );
        }
    }

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
