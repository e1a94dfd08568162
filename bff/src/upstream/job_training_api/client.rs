//! The HTTP of the Job Training API: its key, its time-outs, and what its failures mean.

use super::super::{Answer, UpstreamError, error::Cause};
use crate::config::RemoteConfig;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
/// A read is tried once more after a failure that another try may mend.
const READ_ATTEMPTS: u32 = 2;

/// Why the client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The key can't stand in a header.
    #[error("the upstream's key has characters that a header can't carry")]
    Key,
    /// The HTTP client can't be built.
    #[error("can't build the HTTP client")]
    Http(#[from] reqwest::Error),
}

/// Speaks to one Job Training API. It follows no redirect, so the key never leaves for another host.
pub(super) struct Client {
    http: reqwest::Client,
    base_url: Url,
    timeout: Duration,
    max_answer_bytes: usize,
}

impl Client {
    pub(super) fn new(config: &RemoteConfig) -> Result<Self, ClientError> {
        let mut key = HeaderValue::from_str(config.api_key.expose()).map_err(|_| ClientError::Key)?;
        key.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(KEY_HEADER, key)]))
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            base_url: config.base_url.clone(),
            timeout: config.timeout,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Reads something; tried again once, within the same total time, where that may help.
    pub(super) async fn get(&self, path: &str) -> Answer<Value> {
        let deadline = Instant::now() + self.timeout;
        for attempt in 1.. {
            let answer = self.send(self.request(Method::GET, path), deadline).await;
            let may_help = matches!(
                answer,
                Err(UpstreamError::Unreachable(_) | UpstreamError::Failed(502..=504))
            );
            if !may_help || attempt >= READ_ATTEMPTS {
                return answer;
            }
            tokio::time::sleep(pause()).await;
        }
        Err(UpstreamError::TimedOut)
    }

    /// Sends a change, once.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer<Value> {
        self.send(
            self.request(Method::POST, path).json(body),
            Instant::now() + self.timeout,
        )
        .await
    }

    /// Deletes something, once; whatever a success says is fine.
    pub(super) async fn delete(&self, path: &str) -> Answer<()> {
        let deadline = Instant::now() + self.timeout;
        let (status, headers, body) = self
            .exchange(self.request(Method::DELETE, path), deadline)
            .await?;
        if status.is_success() {
            return Ok(());
        }
        Err(refusal(status, &headers, &body))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // `path` is made of literals and of segments that are encoded already.
        let address = format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'));
        self.http.request(method, address)
    }

    async fn send(&self, request: RequestBuilder, deadline: Instant) -> Answer<Value> {
        let (status, headers, body) = self.exchange(request, deadline).await?;
        if !status.is_success() {
            return Err(refusal(status, &headers, &body));
        }
        serde_json::from_slice(&body).map_err(|_| UpstreamError::InvalidResponse("it is not JSON".to_owned()))
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        deadline: Instant,
    ) -> Answer<(StatusCode, HeaderMap, Vec<u8>)> {
        let whole = async {
            let response = request.send().await.map_err(unreachable)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = self.body(response).await?;
            Ok((status, headers, body))
        };
        tokio::time::timeout_at(deadline.into(), whole)
            .await
            .unwrap_or(Err(UpstreamError::TimedOut))
    }

    async fn body(&self, mut response: Response) -> Answer<Vec<u8>> {
        let too_large =
            || UpstreamError::InvalidResponse(format!("it is larger than {} bytes", self.max_answer_bytes));
        if response
            .content_length()
            .is_some_and(|length| length > self.max_answer_bytes as u64)
        {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > self.max_answer_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// 50 to 150 ms, so that many waiters don't come back at once.
fn pause() -> Duration {
    Duration::from_millis(50 + u64::from(getrandom::u32().unwrap_or(50) % 101))
}

fn unreachable(error: reqwest::Error) -> UpstreamError {
    if error.is_timeout() && !error.is_connect() {
        return UpstreamError::TimedOut;
    }
    // The address tells nothing that the operator doesn't know, but it has no place in an answer or a log.
    UpstreamError::Unreachable(Cause::new(error.without_url()))
}

/// What an answer that isn't a success means.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> UpstreamError {
    let said = Refusal::read(body);
    match status.as_u16() {
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

/// Seconds, as the header tells them; a date isn't read.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// A refusal's body: `error`, `message` and messages by field.
#[derive(Default)]
struct Refusal {
    error: Option<String>,
    message: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Refusal {
    fn read(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(body) else {
            return None;
        };
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(short);
        let fields = object
            .get("fields")
            .and_then(Value::as_object)
            .map(|fields| {
                fields
                    .iter()
                    .filter_map(|(name, said)| {
                        Some((super::read::field_name(name).to_owned(), short(said.as_str()?)))
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
