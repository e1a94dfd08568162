//! The HTTP of the Job Training API: its key, its time-outs, and what its failures mean.

mod refusal;

use super::{
    super::{Answer, UpstreamError, error::Cause},
    read,
};
use crate::{config::RemoteConfig, secret::Secret};
use memchr::{memchr, memmem};
use refusal::refusal;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use std::time::{Duration, Instant};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");
/// A read is tried once more after a failure that another try may mend.
const READ_ATTEMPTS: u32 = 2;
/// Connections that are kept for the next call: enough for all that are made at once, since to open one costs more than
/// a call. Those for the same thing are one.
const POOLED: usize = 32;
/// How long an idle one is kept: less than servers commonly wait, so that they don't close it under a request.
const POOLED_FOR: Duration = Duration::from_secs(30);
/// Proxies add a charset or parameters of their own; what counts is that it is said to be JSON.
const JSON: &str = "json";

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
    key: Secret,
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
            .pool_max_idle_per_host(POOLED)
            .pool_idle_timeout(POOLED_FOR)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            key: config.api_key.clone(),
            base_url: config.base_url.clone(),
            timeout: config.timeout,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Reads something; tried again once, within the same total time, where that may help.
    pub(super) async fn get(&self, path: &str) -> Answer<Vec<u8>> {
        let deadline = Instant::now() + self.timeout;
        for attempt in 1.. {
            let answer = self.exchange(self.request(Method::GET, path), deadline).await;
            let may_help = match &answer {
                Ok(received) => matches!(received.status.as_u16(), 502..=504),
                Err(failure) => matches!(failure, UpstreamError::Unreachable(_) | UpstreamError::BrokenOff),
            };
            if !may_help || attempt >= READ_ATTEMPTS {
                return answer?.success();
            }
            tokio::time::sleep(pause()).await;
        }
        Err(UpstreamError::TimedOut)
    }

    /// Sends a change, once.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer<Vec<u8>> {
        let request = self.request(Method::POST, path).json(body);
        self.exchange(request, Instant::now() + self.timeout)
            .await?
            .success()
    }

    /// Deletes something, once. A success may say anything in JSON, or nothing; a page in between that says "200"
    /// in HTML has deleted nothing.
    pub(super) async fn delete(&self, path: &str) -> Answer<()> {
        let request = self.request(Method::DELETE, path);
        let received = self.exchange(request, Instant::now() + self.timeout).await?;
        if received.status.is_success() && received.body.is_empty() {
            return Ok(());
        }
        read::json(&received.success()?).map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // `path` is made of literals and of segments that are encoded already.
        let mut address = self.base_url.clone();
        address.set_path(&format!("{}/{path}", address.path().trim_end_matches('/')));
        self.http.request(method, address)
    }

    async fn exchange(&self, request: RequestBuilder, deadline: Instant) -> Answer<Received> {
        let whole = async {
            let mut response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            let headers = std::mem::take(response.headers_mut());
            let body = self.body(response).await?;
            Ok(Received {
                status,
                headers,
                body,
            })
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
        let expected = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(expected.unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|_| UpstreamError::BrokenOff)? {
            if body.len() + chunk.len() > self.max_answer_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let key = self.key.expose().as_bytes();
        let body = without_key(body, key);
        if memmem::find(&unescaped(&body), key).is_some() {
            return Err(UpstreamError::InvalidResponse(
                "it repeats our key in JSON's escapes".to_owned(),
            ));
        }
        Ok(body)
    }
}

/// What an upstream says may repeat our key ("the key … is unknown"): nobody behind here gets to see it.
fn without_key(body: Vec<u8>, key: &[u8]) -> Vec<u8> {
    let finder = memmem::Finder::new(key);
    let Some(first) = finder.find(&body) else {
        return body;
    };
    tracing::warn!("the upstream repeats its key in an answer; it is hidden");
    let mut hidden = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    let mut next = Some(first);
    while let Some(position) = next {
        hidden.extend_from_slice(&rest[..position]);
        hidden.extend_from_slice(b"[hidden]");
        rest = &rest[position + key.len()..];
        next = finder.find(rest);
    }
    hidden.extend_from_slice(rest);
    hidden
}

/// The body with JSON's escapes undone, for a search alone; empty where it has none.
fn unescaped(body: &[u8]) -> Vec<u8> {
    if memchr(b'\\', body).is_none() {
        return Vec::new();
    }
    let mut plain = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        let unit = after
            .get(..4)
            .filter(|_| letter == b'u')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match unit {
            Some(unit) => {
                rest = &after[4..];
                // A key is ASCII: a half of a surrogate pair is no part of it.
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => plain.push(letter),
        }
    }
    plain
}

/// A whole answer, whatever it says.
struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Received {
    /// What a success says; an error what anything else means.
    fn success(self) -> Answer<Vec<u8>> {
        if !self.status.is_success() {
            return Err(refusal(&self));
        }
        self.check_kind()?;
        Ok(self.body)
    }

    /// A body that is said to be something else than JSON isn't looked at; one of which nothing is said is.
    fn check_kind(&self) -> Answer<()> {
        let Some(kind) = self.headers.get(CONTENT_TYPE) else {
            return Ok(());
        };
        let kind = kind.to_str().unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let ending = kind
            .len()
            .checked_sub(JSON.len())
            .and_then(|start| kind.get(start..));
        if ending.is_some_and(|ending| ending.eq_ignore_ascii_case(JSON)) {
            return Ok(());
        }
        let kind = kind.get(..60).unwrap_or(kind).to_ascii_lowercase();
        Err(UpstreamError::InvalidResponse(format!(
            "it is `{kind}`, not JSON"
        )))
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

#[cfg(test)]
mod tests {
    use super::{unescaped, without_key};
    use memchr::memmem;

    #[test]
    fn a_key_that_is_repeated_is_hidden_each_time_and_nothing_else_changes() {
        let hidden = |text: &str| {
            let bytes = without_key(text.as_bytes().to_vec(), b"the-key");
            String::from_utf8(bytes).expect("text")
        };
        assert_eq!(
            hidden(r#"{"error":"the-key, the-key? the-ke"}"#),
            r#"{"error":"[hidden], [hidden]? the-ke"}"#
        );
        assert_eq!(hidden("the-key"), "[hidden]");
        assert_eq!(hidden("no key"), "no key");
    }

    #[test]
    fn a_key_in_jsons_escapes_is_found() {
        let found = |body: &str| memmem::find(&unescaped(body.as_bytes()), b"ab+c/d").is_some();
        for body in [
            r#"{"error":"ab+c\/d"}"#,
            r#"{"error":"x ab\u002bc/d"}"#,
            r#"{"error":"\u0061\u0062\u002Bc\/d y"}"#,
        ] {
            assert!(found(body), "{body}");
        }
        for body in [r#"{"error":"a\nb"}"#, r#"{"error":"ab\u00"#, "\\", "ab\\u"] {
            assert!(!found(body), "{body}");
        }
    }
}
