//! The HTTP of an upstream over the network: its key, its time-outs, and what its failures mean.

mod events;
mod key;
mod refusal;

use super::read;
use crate::{
    config::RemoteConfig,
    secret::Secret,
    upstream::{Answer, UpstreamError, error::Cause},
};
use key::{repeats_key, without_key};
use refusal::{refusal, refusal_to_create};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    multipart,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A read is tried once more after a failure that another try may mend.
const READ_ATTEMPTS: u32 = 2;
/// Connections that are kept for the next call: enough for all that are made at once, since to open one costs more than
/// a call. Those for the same thing are one.
const POOLED: usize = 32;
/// How long an idle one is kept: less than servers commonly wait, so that they don't close it under a request.
const POOLED_FOR: Duration = Duration::from_secs(30);
/// Bytes a second that an upload takes at the least; below that it is given up some time.
const SLOWEST_UPLOAD: u64 = 32 << 10;
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

impl From<ClientError> for UpstreamError {
    fn from(error: ClientError) -> Self {
        Self::Internal(Cause::new(error))
    }
}

/// What differs between the kinds of API, as far as HTTP goes.
#[derive(Clone)]
pub(in crate::upstream) struct Dialect {
    /// The header that carries the key.
    pub(in crate::upstream) key_header: HeaderName,
    /// What stands before the key in it.
    pub(in crate::upstream) key_prefix: &'static str,
    /// `/api`'s name of one of their fields, for messages by field.
    pub(in crate::upstream) field_name: fn(&str) -> &str,
}

/// Speaks to one upstream. It follows no redirect, so the key never leaves for another host.
pub(in crate::upstream) struct Client {
    http: reqwest::Client,
    dialect: Dialect,
    key: Secret,
    base_url: Url,
    timeout: Duration,
    max_answer_bytes: usize,
}

impl Client {
    pub(in crate::upstream) fn new(config: &RemoteConfig, dialect: Dialect) -> Result<Self, ClientError> {
        let key = format!("{}{}", dialect.key_prefix, config.api_key.expose());
        let mut key = HeaderValue::try_from(key).map_err(|_| ClientError::Key)?;
        key.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(dialect.key_header.clone(), key)]))
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(POOLED)
            .pool_idle_timeout(POOLED_FOR)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            dialect,
            key: config.api_key.clone(),
            base_url: config.base_url.clone(),
            timeout: config.timeout,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Reads something; tried again once, within the same total time, where that may help.
    pub(in crate::upstream) async fn get(&self, path: &str) -> Answer<Vec<u8>> {
        self.get_with(path, &[]).await
    }

    /// The same with a query.
    pub(in crate::upstream) async fn get_with(&self, path: &str, query: &[(&str, &str)]) -> Answer<Vec<u8>> {
        self.read(path, query).await?.success(&self.dialect)
    }

    /// The same where the answer may be a stream of events; tells whether it is one.
    pub(in crate::upstream) async fn get_events(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Answer<(Vec<u8>, bool)> {
        let received = self.read(path, query).await?;
        if received.status.is_success() && events::is_stream(&received.headers) {
            return Ok((received.body, true));
        }
        Ok((received.success(&self.dialect)?, false))
    }

    async fn read(&self, path: &str, query: &[(&str, &str)]) -> Answer<Received> {
        let deadline = Instant::now() + self.timeout;
        for attempt in 1.. {
            let request = self.request(Method::GET, path, query);
            let answer = self.exchange(request, deadline).await;
            let may_help = match &answer {
                Ok(received) => matches!(received.status.as_u16(), 502..=504),
                Err(failure) => matches!(failure, UpstreamError::Unreachable(_) | UpstreamError::BrokenOff),
            };
            if !may_help || attempt >= READ_ATTEMPTS {
                return answer;
            }
            tokio::time::sleep(pause()).await;
        }
        Err(UpstreamError::TimedOut)
    }

    /// Sends what moves something, once.
    pub(in crate::upstream) async fn post(&self, path: &str) -> Answer<Vec<u8>> {
        let request = self.request(Method::POST, path, &[]);
        self.exchange(request, Instant::now() + self.timeout)
            .await?
            .success(&self.dialect)
    }

    /// Sends what makes something new in a collection, once; with the key by which the upstream knows it again, where
    /// there is one.
    pub(in crate::upstream) async fn create(
        &self,
        collection: &str,
        body: &Value,
        idempotency_key: Option<&str>,
    ) -> Answer<Vec<u8>> {
        let mut request = self.request(Method::POST, collection, &[]).json(body);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let received = self.exchange(request, Instant::now() + self.timeout).await?;
        if received.status == StatusCode::NOT_FOUND {
            return Err(refusal_to_create(&received, &self.dialect));
        }
        received.success(&self.dialect)
    }

    /// Sends a form of so many bytes, once, as they come. The time that this may take grows with them.
    pub(in crate::upstream) async fn post_form(
        &self,
        path: &str,
        form: multipart::Form,
        bytes: u64,
    ) -> Answer<Vec<u8>> {
        let request = self.request(Method::POST, path, &[]).multipart(form);
        let patience = self.timeout + Duration::from_secs(bytes / SLOWEST_UPLOAD);
        self.exchange(request, Instant::now() + patience)
            .await?
            .success(&self.dialect)
    }

    /// Deletes something, once. A success may say anything in JSON, or nothing; a page in between that says "200"
    /// in HTML has deleted nothing.
    pub(in crate::upstream) async fn delete(&self, path: &str) -> Answer<()> {
        let request = self.request(Method::DELETE, path, &[]);
        let received = self.exchange(request, Instant::now() + self.timeout).await?;
        if received.status.is_success() && received.body.is_empty() {
            return Ok(());
        }
        read::json(&received.success(&self.dialect)?).map(drop)
    }

    /// Reads a file, piece by piece, for as long as `take` wants more of it; each piece may take as long as a whole answer.
    pub(in crate::upstream) async fn get_file(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> Reading,
    ) -> Answer<()> {
        let request = self.request(Method::GET, path, &[]);
        let begun = async {
            let mut response = request.send().await.map_err(unreachable)?;
            if response.status().is_success() {
                return Ok(response);
            }
            let received = Received {
                status: response.status(),
                headers: std::mem::take(response.headers_mut()),
                body: self.body(response, false).await?,
            };
            Err(refusal(&received, &self.dialect))
        };
        let begun = tokio::time::timeout(self.timeout, begun).await;
        let mut response = begun.unwrap_or(Err(UpstreamError::TimedOut))?;
        loop {
            let chunk = tokio::time::timeout(self.timeout, response.chunk()).await;
            let chunk = chunk.map_err(|_elapsed| UpstreamError::TimedOut)?;
            match chunk.map_err(|_| UpstreamError::BrokenOff)? {
                None => return Ok(()),
                Some(chunk) => {
                    if take(&chunk) == Reading::Enough {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// A text with our key hidden wherever it is repeated.
    pub(in crate::upstream) fn without_key(&self, text: Vec<u8>) -> Vec<u8> {
        without_key(text, self.key.expose().as_bytes())
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        // `path` is made of literals and of segments that are encoded already.
        let mut address = self.base_url.clone();
        address.set_path(&format!("{}/{path}", address.path().trim_end_matches('/')));
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        self.http.request(method, address)
    }

    async fn exchange(&self, request: RequestBuilder, deadline: Instant) -> Answer<Received> {
        let whole = async {
            let mut response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            let headers = std::mem::take(response.headers_mut());
            let body = self.body(response, events::is_stream(&headers)).await?;
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

    /// The whole body within the limit; of a stream of events what comes without a pause.
    async fn body(&self, mut response: Response, is_stream: bool) -> Answer<Vec<u8>> {
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
        while let Some(chunk) = next_chunk(&mut response, is_stream).await? {
            if body.len() + chunk.len() > self.max_answer_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let body = self.without_key(body);
        if repeats_key(&body, self.key.expose().as_bytes()) {
            return Err(UpstreamError::InvalidResponse(
                "it repeats our key in JSON's escapes".to_owned(),
            ));
        }
        Ok(body)
    }
}

/// Whether more of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Go on.
    More,
    /// The rest needn't come.
    Enough,
}

/// The next piece of a body. A stream of events that stays open has told what there was once it pauses.
async fn next_chunk(response: &mut Response, is_stream: bool) -> Answer<Option<bytes::Bytes>> {
    let next = response.chunk();
    let chunk = if is_stream {
        match tokio::time::timeout(events::PAUSE, next).await {
            Ok(chunk) => chunk,
            Err(_elapsed) => return Ok(None),
        }
    } else {
        next.await
    };
    chunk.map_err(|_| UpstreamError::BrokenOff)
}

/// A whole answer, whatever it says.
struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Received {
    /// What a success says; an error what anything else means.
    fn success(self, dialect: &Dialect) -> Answer<Vec<u8>> {
        if !self.status.is_success() {
            return Err(refusal(&self, dialect));
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
