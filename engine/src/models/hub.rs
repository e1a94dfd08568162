//! The Hugging Face Hub: which files a repository has, and fetching one of them so that a cut connection costs nothing
//! but time.
//!
//! Facts: `GET /api/models/{id}/revision/{revision}?blobs=true` names the commit and each file with its size and hash
//! (SHA-256 of what Git LFS keeps, git's own SHA-1 of the rest); `GET /{id}/resolve/{commit}/{file}` gives the bytes and
//! takes ranges.

mod fetch;

use super::{AddError, source::Repository};
use futures_util::StreamExt as _;
use reqwest::{Client, Response, StatusCode, Url, header};
use serde::Deserialize;
use std::{fmt, time::Duration};

/// Where the Hub is unless told otherwise.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// Connections in a row that bring nothing before a file is given up.
const FRUITLESS: u32 = 5;
/// Largest list of files that is read.
const MAX_LISTING: usize = 8 << 20;

/// How to reach the Hub.
#[derive(Clone)]
pub struct HubConfig {
    /// Its address, `HF_ENDPOINT`.
    pub endpoint: String,
    /// Who asks, `HF_TOKEN`; never told to anybody else.
    pub token: Option<String>,
    /// How long the second try of a cut transfer waits; doubled from one to the next.
    pub retry_delay: Duration,
}

impl fmt::Debug for HubConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HubConfig")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            token: None,
            retry_delay: Duration::from_secs(1),
        }
    }
}

/// Speaks to the Hub.
pub(super) struct Hub<'a> {
    config: &'a HubConfig,
    endpoint: Url,
    client: Client,
}

/// A revision of a repository.
#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) commit: String,
    pub(super) licence: Option<String>,
    pub(super) files: Vec<HubFile>,
}

/// One file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HubFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) hash: Hash,
}

/// What a file's content is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hash {
    /// SHA-256 of the content.
    Sha256(String),
    /// SHA-1 of git's header and the content.
    GitBlob(String),
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
    #[serde(default, rename = "cardData")]
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    license: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

impl<'a> Hub<'a> {
    pub(super) fn new(config: &'a HubConfig) -> Result<Self, AddError> {
        let mut headers = header::HeaderMap::new();
        if let Some(token) = &config.token {
            let mut value = header::HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
                AddError::InvalidSource("`HF_TOKEN` has characters that no header can carry".to_owned())
            })?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        let client = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            // The Hub's own: large files lie elsewhere. The client doesn't show the token to another host.
            .redirect(reqwest::redirect::Policy::limited(5))
            .build()
            .map_err(|error| AddError::Tool(error.to_string()))?;
        let endpoint = Url::parse(&config.endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| AddError::InvalidSource("`HF_ENDPOINT` is no web address".to_owned()))?;
        Ok(Self {
            config,
            endpoint,
            client,
        })
    }

    fn host(&self) -> String {
        self.endpoint.host_str().unwrap_or_default().to_owned()
    }

    fn odd(&self, problem: impl Into<String>) -> AddError {
        AddError::HubAnswer {
            host: self.host(),
            problem: problem.into(),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> AddError {
        AddError::Unreachable {
            host: self.host(),
            // The address may carry a signature.
            source: Some(error.without_url().into()),
        }
    }

    /// An address below the Hub's own.
    fn address(&self, parts: &[&str]) -> Result<Url, AddError> {
        let mut url = self.endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| AddError::InvalidSource("`HF_ENDPOINT` is no web address".to_owned()))?
            .pop_if_empty()
            .extend(parts);
        Ok(url)
    }

    /// What a repository has in a revision.
    pub(super) async fn revision(&self, repository: &Repository) -> Result<Revision, AddError> {
        let (owner, name) = repository.id.split_once('/').unwrap_or_default();
        let mut url = self.address(&["api", "models", owner, name, "revision", &repository.revision])?;
        url.set_query(Some("blobs=true"));
        let answer = self.ask(url, None, repository).await?;
        let text = read_bounded(answer)
            .await
            .map_err(|error| self.unreachable(error))?
            .ok_or_else(|| self.odd("lists more files than anybody could want"))?;
        let listing: Listing = serde_json::from_slice(&text).map_err(|error| {
            self.odd(format!(
                "answered with something that is no list of files: {error}"
            ))
        })?;
        let is_commit =
            (7..=64).contains(&listing.sha.len()) && listing.sha.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_commit {
            return Err(self.odd("doesn't name the commit of its list of files"));
        }
        Ok(Revision {
            licence: listing
                .card
                .and_then(|card| card.license)
                .and_then(|licence| licence.as_str().map(str::to_owned)),
            files: listing
                .siblings
                .into_iter()
                .filter_map(Sibling::into_file)
                .collect(),
            commit: listing.sha,
        })
    }

    async fn ask(&self, url: Url, start: Option<u64>, repository: &Repository) -> Result<Response, AddError> {
        let mut request = self.client.get(url);
        if let Some(start) = start {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(answer),
            StatusCode::FORBIDDEN => Err(AddError::Gated(repository.to_string())),
            // The Hub says 401 of what doesn't exist, so that nobody learns of private ones; of gated ones to strangers;
            // and of everything to whoever shows a token that isn't one.
            StatusCode::UNAUTHORIZED if is_gated(&answer) => Err(AddError::Gated(repository.to_string())),
            StatusCode::UNAUTHORIZED if self.config.token.is_some() => Err(AddError::BadToken),
            StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED => {
                Err(AddError::NotOnHub(repository.to_string()))
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(AddError::Unreachable {
                    host: self.host(),
                    source: Some(format!("it answered {status}").into()),
                })
            }
            status => Err(self.odd(format!("answered {status}"))),
        }
    }
}

impl Sibling {
    fn into_file(self) -> Option<HubFile> {
        let (bytes, hash) = match (self.lfs, self.blob_id) {
            (Some(lfs), _) => (lfs.size, Hash::Sha256(lfs.sha256)),
            (None, Some(blob)) => (self.size?, Hash::GitBlob(blob)),
            (None, None) => return None,
        };
        Some(HubFile {
            name: self.rfilename,
            bytes,
            hash,
        })
    }
}

fn is_gated(answer: &Response) -> bool {
    let code = answer.headers().get("x-error-code");
    code.is_some_and(|code| code == "GatedRepo")
}

async fn read_bounded(answer: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    let mut pieces = answer.bytes_stream();
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece?);
        if text.len() > MAX_LISTING {
            return Ok(None);
        }
    }
    Ok(Some(text))
}
