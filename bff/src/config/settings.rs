//! The settings as they are written, before anybody has thought about what they mean.

use super::{ConfigError, Flags, source};
use crate::secret::Secret;
use figment::{
    Figment,
    providers::{Format as _, Toml},
};
use serde::Deserialize;
use shared::plain;
use std::path::PathBuf;

/// How a setting's text in an environment variable is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As it is.
    Text,
    /// As an unsigned number.
    Number,
    /// As `true` or `false`.
    Switch,
    /// As texts separated by commas.
    List,
}

/// Every setting. The environment variable of `a.b` is `ATTUNE_A__B`.
pub(super) const KEYS: [(&str, Shape); 37] = [
    ("listen", Shape::Text),
    ("data_dir", Shape::Text),
    ("models_dir", Shape::Text),
    ("local_token", Shape::Text),
    ("public_url", Shape::Text),
    ("allowed_origins", Shape::List),
    ("price_per_1000_tokens", Shape::Text),
    ("shutdown_ms", Shape::Number),
    ("browser_metrics", Shape::Switch),
    ("upstream.kind", Shape::Text),
    ("upstream.base_url", Shape::Text),
    ("upstream.api_key", Shape::Text),
    ("upstream.api_key_file", Shape::Text),
    ("upstream.connect_timeout_ms", Shape::Number),
    ("upstream.timeout_ms", Shape::Number),
    ("upstream.max_answer_bytes", Shape::Number),
    ("upstream.cache_ms", Shape::Number),
    ("engine.max_running", Shape::Number),
    ("engine.threads", Shape::Number),
    ("engine.silence_ms", Shape::Number),
    ("engine.checkpoint_ms", Shape::Number),
    ("engine.keep_checkpoints", Shape::Number),
    ("engine.memory_bytes", Shape::Number),
    ("engine.niceness", Shape::Number),
    ("engine.lease_ms", Shape::Number),
    ("inference.threads", Shape::Number),
    ("inference.niceness", Shape::Number),
    ("inference.memory_bytes", Shape::Number),
    ("inference.idle_ms", Shape::Number),
    ("inference.queue", Shape::Number),
    ("limits.upload_bytes", Shape::Number),
    ("limits.body_bytes", Shape::Number),
    ("limits.header_timeout_ms", Shape::Number),
    ("metrics.token", Shape::Text),
    ("webhooks.private_hosts", Shape::List),
    ("log.format", Shape::Text),
    ("log.filter", Shape::Text),
];

/// The settings as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSettings {
    pub(super) listen: String,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) models_dir: Option<PathBuf>,
    pub(super) local_token: Option<Secret>,
    pub(super) public_url: Option<String>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) price_per_1000_tokens: Option<String>,
    pub(super) shutdown_ms: u64,
    pub(super) browser_metrics: bool,
    pub(super) upstream: RawUpstream,
    pub(super) engine: RawEngine,
    pub(super) inference: RawInference,
    pub(super) limits: RawLimits,
    pub(super) metrics: RawMetrics,
    pub(super) webhooks: RawWebhooks,
    pub(super) log: RawLog,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawUpstream {
    pub(super) kind: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<Secret>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) connect_timeout_ms: u64,
    pub(super) timeout_ms: u64,
    pub(super) max_answer_bytes: u64,
    pub(super) cache_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawEngine {
    pub(super) max_running: u32,
    pub(super) threads: u32,
    pub(super) silence_ms: u64,
    pub(super) checkpoint_ms: u64,
    pub(super) keep_checkpoints: u32,
    pub(super) memory_bytes: u64,
    pub(super) niceness: u8,
    pub(super) lease_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawInference {
    pub(super) threads: u32,
    pub(super) niceness: u8,
    pub(super) memory_bytes: u64,
    pub(super) idle_ms: u64,
    pub(super) queue: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) upload_bytes: u64,
    pub(super) body_bytes: u64,
    pub(super) header_timeout_ms: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMetrics {
    pub(super) token: Option<Secret>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawWebhooks {
    pub(super) private_hosts: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: String,
    pub(super) filter: String,
}

impl Default for RawSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: None,
            models_dir: None,
            local_token: None,
            public_url: None,
            allowed_origins: Vec::new(),
            price_per_1000_tokens: None,
            shutdown_ms: 30_000,
            browser_metrics: true,
            upstream: RawUpstream::default(),
            engine: RawEngine::default(),
            inference: RawInference::default(),
            limits: RawLimits::default(),
            metrics: RawMetrics::default(),
            webhooks: RawWebhooks::default(),
            log: RawLog::default(),
        }
    }
}

impl Default for RawUpstream {
    fn default() -> Self {
        Self {
            kind: None,
            base_url: None,
            api_key: None,
            api_key_file: None,
            connect_timeout_ms: 2_000,
            timeout_ms: 10_000,
            max_answer_bytes: 4 << 20,
            cache_ms: 1_000,
        }
    }
}

impl Default for RawEngine {
    fn default() -> Self {
        Self {
            max_running: 1,
            threads: 0,
            silence_ms: 600_000,
            checkpoint_ms: 30_000,
            keep_checkpoints: 3,
            memory_bytes: 0,
            // Pages are answered while a trainer has every core.
            niceness: 5,
            lease_ms: 30_000,
        }
    }
}

impl Default for RawInference {
    fn default() -> Self {
        Self {
            threads: 0,
            // More than a trainer's: somebody waits for an answer, but training was there before.
            niceness: 10,
            memory_bytes: 0,
            idle_ms: 300_000,
            queue: 16,
        }
    }
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            upload_bytes: 8 << 30,
            body_bytes: 1 << 20,
            // Above the idle times of the usual reverse proxies: who keeps connections should be the one to end them.
            header_timeout_ms: 75_000,
        }
    }
}

impl Default for RawLog {
    fn default() -> Self {
        Self {
            format: "text".to_owned(),
            filter: "info".to_owned(),
        }
    }
}

/// The settings with their provenance.
pub struct Settings {
    /// As written.
    pub(super) raw: RawSettings,
    /// What to tell about them.
    pub(super) warnings: Vec<String>,
    figment: Figment,
}

impl Settings {
    /// Reads flags, environment and file.
    ///
    /// # Errors
    /// A file that can't be read, an unknown key in it, a value of the wrong kind.
    pub(super) fn read(flags: &Flags, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let file = file_path(flags, environment)?;
        let mut figment = Figment::new();
        if let Some(file) = &file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let variables = source::Environment::read(environment);
        let warnings = variables.warnings();
        let figment = figment.merge(variables).merge(source::Flags::new(flags));
        let raw = figment
            .extract::<RawSettings>()
            .map_err(|error| explain(error, file.as_ref()))?;
        Ok(Self {
            raw,
            warnings,
            figment,
        })
    }

    /// A complaint about a setting's value, with its source.
    pub(super) fn bad(&self, setting: &str, problem: &str) -> ConfigError {
        let source_name = self.figment.find_metadata(setting).map_or_else(
            || "by default".to_owned(),
            |metadata| source::tell(metadata, setting),
        );
        ConfigError::Setting {
            setting: setting.to_owned(),
            source_name,
            problem: problem.to_owned(),
        }
    }
}

/// `--config`, else `ATTUNE_CONFIG`, else `attune.toml` in the working directory where there is one.
fn file_path(flags: &Flags, environment: &[(String, String)]) -> Result<Option<PathBuf>, ConfigError> {
    let named = flags.config.clone().or_else(|| {
        environment
            .iter()
            .find(|(name, _)| name == "ATTUNE_CONFIG")
            .map(|(_, value)| PathBuf::from(value))
    });
    match named {
        Some(path) if path.is_file() => Ok(Some(path)),
        Some(path) => Err(ConfigError::File {
            file: path.display().to_string(),
            problem: "there is no such file".to_owned(),
        }),
        None => Ok(Some(PathBuf::from("attune.toml")).filter(|path| path.is_file())),
    }
}

/// Turns figment's error into ours: the first complaint, with the setting's name and source.
fn explain(error: figment::Error, file: Option<&PathBuf>) -> ConfigError {
    let Some(first) = error.into_iter().next() else {
        return ConfigError::File {
            file: String::new(),
            problem: "can't be read".to_owned(),
        };
    };
    let file = file.map_or_else(|| "attune.toml".to_owned(), |path| path.display().to_string());
    let setting = first.path.join(".");
    if let figment::error::Kind::UnknownField(key, known) = &first.kind {
        let known = known
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let key = if first.path.last() == Some(key) {
            setting
        } else {
            format!("{setting}.{key}")
        };
        return ConfigError::UnknownKey {
            key: key.trim_start_matches('.').to_owned(),
            file,
            hint: format!("known here: {known}"),
        };
    }
    if setting.is_empty() {
        // No value is quoted here: a syntax error's excerpt could show a secret.
        return ConfigError::File {
            file,
            problem: first_line(&first.kind.to_string()),
        };
    }
    let source_name = first.metadata.as_ref().map_or_else(
        || "by default".to_owned(),
        |metadata| source::tell(metadata, &setting),
    );
    let problem = match (&first.kind, setting.as_str()) {
        // The value of a secret is never told.
        (
            figment::error::Kind::InvalidType(_, expected),
            "local_token" | "upstream.api_key" | "metrics.token",
        ) => {
            format!("must be {}", in_a_file(expected))
        }
        (
            figment::error::Kind::InvalidType(found, expected)
            | figment::error::Kind::InvalidValue(found, expected),
            _,
        ) => {
            format!(
                "must be {}, not {}",
                in_a_file(expected),
                plain::told(&found.to_string())
            )
        }
        (other, _) => other.to_string(),
    };
    ConfigError::Setting {
        setting,
        source_name,
        problem,
    }
}

/// What a setting must be. An object is a table there.
fn in_a_file(expected: &str) -> String {
    match plain::expected(expected).as_str() {
        "an object" => "a table of settings".to_owned(),
        words => words.to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("can't be read").to_owned()
}
