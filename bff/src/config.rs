//! Configuration: flags, then `ATTUNE_…` environment variables, then `attune.toml`.
//!
//! Reading ([`settings`]) knows where a value came from, `check` what the values mean together and
//! which types they become. A value that can't be used is an error that names the setting and its source.

mod check;
pub mod settings;
mod source;

use crate::secret::Secret;
use reqwest::Url;
use settings::Settings;
use shared::{capabilities::UpstreamKind, cost::TokenPrice};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value is missing or can't be used.
    #[error("setting `{setting}` ({source_name}): {problem}")]
    Setting {
        /// The setting's name, levels joined by dots.
        setting: String,
        /// Where its value came from.
        source_name: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A needed value is nowhere.
    #[error("setting `{setting}` is missing: {problem}")]
    Missing {
        /// The setting's name.
        setting: String,
        /// What to do.
        problem: String,
    },
    /// The file has a key that isn't a setting.
    #[error("unknown key `{key}` in `{file}`: {hint}")]
    UnknownKey {
        /// The key, levels joined by dots.
        key: String,
        /// The file.
        file: String,
        /// What to do.
        hint: String,
    },
    /// The file can't be read.
    #[error("configuration file `{file}`: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// Everything that a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// A folder of base models in Hugging Face format, besides the bundled one.
    pub models_dir: Option<PathBuf>,
    /// Fixes the local sign-in token.
    pub local_token: Option<Secret>,
    /// The address that browsers use, where it isn't the listener's own.
    pub public_url: Option<Url>,
    /// Further origins that may use `/api` with credentials.
    pub allowed_origins: Vec<String>,
    /// Which upstream.
    pub upstream: UpstreamConfig,
    /// How the embedded engine trains.
    pub engine: EngineConfig,
    /// How the embedded engine's models answer.
    pub inference: InferenceConfig,
    /// Where base models can be fetched from.
    pub hub: HubAccess,
    /// What trained tokens cost, where that is set.
    pub price: Option<TokenPrice>,
    /// Largest dataset file in bytes.
    pub upload_bytes: u64,
    /// Largest other request body in bytes.
    pub body_bytes: usize,
    /// How long a connection may take over the head of a request, and lie idle between two.
    pub header_timeout: Duration,
    /// What whoever reads `/metrics` has to show.
    pub metrics_token: Option<Secret>,
    /// Pages may tell how quick they are.
    pub browser_metrics: bool,
    /// Hosts that webhooks may reach in private networks and without encryption.
    pub webhook_private_hosts: Vec<String>,
    /// How long a shutdown may take before it is cut short.
    pub shutdown: Duration,
    /// How logs are written.
    pub log: LogConfig,
}

/// How the embedded engine trains.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many trainers run at a time.
    pub max_running: u32,
    /// Worker threads of a trainer; 0 takes as many as the machine has.
    pub threads: u32,
    /// How long a trainer may tell nothing before it is taken for dead.
    pub silence: Duration,
    /// How long a job stays this server's unless prolonged.
    pub lease: Duration,
    /// How often a trainer is asked for a checkpoint.
    pub checkpoint_interval: Duration,
    /// How many of a run's newest checkpoints stay besides the best; 0 keeps all.
    pub keep_checkpoints: u32,
    /// Bytes that a trainer may allocate, where that is limited.
    pub memory_bytes: Option<u64>,
    /// By how much a trainer yields the processor to others, from 0 to 19.
    pub niceness: u8,
}

/// How the embedded engine's models answer.
#[derive(Debug, Clone)]
pub struct InferenceConfig {
    /// Threads of the process that decodes; 0 takes half of the machine's cores.
    pub threads: u32,
    /// By how much it yields the processor to others, from 0 to 19.
    pub niceness: u8,
    /// Bytes that it may allocate, where that is limited.
    pub memory_bytes: Option<u64>,
    /// How long it stays when nobody asks.
    pub idle: Duration,
    /// Requests that may wait for their turn.
    pub queue: u32,
}

/// How to reach the Hugging Face Hub, by the variables that all its tools read.
#[derive(Debug, Clone, Default)]
pub struct HubAccess {
    /// `HF_ENDPOINT`.
    pub endpoint: Option<String>,
    /// `HF_TOKEN`.
    pub token: Option<Secret>,
}

/// How logs are written, to standard error.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// One JSON object a line instead of text.
    pub json: bool,
    /// What is logged, in the words of `tracing`'s filter.
    pub filter: String,
}

/// Which upstream stands behind the console.
#[derive(Debug, Clone)]
pub enum UpstreamConfig {
    /// The embedded engine.
    Engine,
    /// An API over the network.
    Remote(RemoteApi, RemoteConfig),
}

/// What an upstream over the network speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteApi {
    /// The Job Training API.
    JobTrainingApi,
    /// Any OpenAI-compatible fine-tuning API.
    OpenAi,
}

/// How to reach an upstream over the network.
#[derive(Debug, Clone)]
pub struct RemoteConfig {
    /// Its base address, without a slash at the end.
    pub base_url: Url,
    /// The key that the browser must never see.
    pub api_key: Secret,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer, retries included.
    pub timeout: Duration,
    /// Largest answer.
    pub max_answer_bytes: usize,
    /// How long an answer serves everybody who asks for the same; 0: nobody else.
    pub cache: Duration,
}

/// Values that the command line gives.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
}

/// What was read, and what to tell about it once there is a log.
#[derive(Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Sentences for the log, such as unknown environment variables.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and checks the configuration of this process.
    ///
    /// # Errors
    /// The first setting that is missing or can't be used.
    pub fn load(flags: &Flags, environment: &[(String, String)]) -> Result<Loaded, ConfigError> {
        let settings = Settings::read(flags, environment)?;
        let mut config = check::check(&settings)?;
        config.hub = HubAccess::of(environment)?;
        Ok(Loaded {
            config,
            warnings: settings.warnings,
        })
    }

    /// Whether only this machine can reach the listener.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.listen.ip().is_loopback()
    }
}

impl HubAccess {
    fn of(environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let of = |wanted: &str| {
            environment
                .iter()
                .find(|(name, value)| name == wanted && !value.trim().is_empty())
                .map(|(_, value)| value.trim().to_owned())
        };
        let bad = |setting: &str, problem: &str| ConfigError::Setting {
            setting: setting.to_owned(),
            source_name: "environment".to_owned(),
            problem: problem.to_owned(),
        };
        let endpoint = of("HF_ENDPOINT");
        let is_address = |text: &String| {
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        };
        if endpoint.as_ref().is_some_and(|text| !is_address(text)) {
            return Err(bad(
                "HF_ENDPOINT",
                "is no web address; write for example `https://huggingface.co`",
            ));
        }
        let token = of("HF_TOKEN");
        if token
            .as_ref()
            .is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(bad(
                "HF_TOKEN",
                "must be one line of printable characters without spaces",
            ));
        }
        Ok(Self {
            endpoint,
            token: token.map(Secret::new),
        })
    }
}

impl UpstreamConfig {
    /// The kind, as `Capabilities` tells it.
    #[must_use]
    pub const fn kind(&self) -> UpstreamKind {
        match self {
            Self::Engine => UpstreamKind::Engine,
            Self::Remote(RemoteApi::JobTrainingApi, _) => UpstreamKind::JobTrainingApi,
            Self::Remote(RemoteApi::OpenAi, _) => UpstreamKind::Openai,
        }
    }
}

/// A web address as settings take it; otherwise what is wrong with it.
pub(crate) fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no web address: {error}"))?;
    let problem = if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        "must start with `http://` or `https://` and name a host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "must not contain a user name or password"
    } else if url.query().is_some() || url.fragment().is_some() {
        "must not contain `?` or `#`"
    } else {
        return Ok(url);
    };
    Err(problem.to_owned())
}

#[cfg(test)]
mod tests;
