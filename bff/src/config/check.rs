//! What the settings mean together: each value becomes a type, or an error that names it.

use super::{
    Config, ConfigError, EngineConfig, InferenceConfig, LogConfig, RemoteApi, RemoteConfig, UpstreamConfig,
    settings::Settings,
};
use crate::secret::Secret;
use reqwest::Url;
use shared::cost::TokenPrice;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Requests that may be let wait: each holds its conversation in memory.
const MOST_WAITING: u32 = 10_000;

pub(super) fn check(settings: &Settings) -> Result<Config, ConfigError> {
    let raw = &settings.raw;
    let listen = listen_address(&raw.listen).ok_or_else(|| {
        settings.bad(
            "listen",
            "is no address with a port; write for example `127.0.0.1:8080`",
        )
    })?;
    let public_url = raw
        .public_url
        .as_deref()
        .map(|text| web_address(settings, "public_url", text))
        .transpose()?;
    let allowed_origins = raw
        .allowed_origins
        .iter()
        .map(|text| allowed_origin(settings, text))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(token) = &raw.local_token
        && token.expose().len() < 16
    {
        return Err(settings.bad(
            "local_token",
            "is shorter than 16 characters; use a long random text",
        ));
    }
    if let Some(token) = &raw.metrics.token
        && token.expose().len() < 16
    {
        return Err(settings.bad(
            "metrics.token",
            "is shorter than 16 characters; use a long random text",
        ));
    }
    if raw
        .webhooks
        .private_hosts
        .iter()
        .any(|host| host.is_empty() || host.contains(['/', '@', ' ']))
    {
        let problem =
            "takes names or addresses of hosts, separated by commas, without a scheme, port or path";
        return Err(settings.bad("webhooks.private_hosts", problem));
    }
    refuse_unsafe_listen(settings, listen, public_url.as_ref())?;
    let upstream = upstream(settings)?;
    let json = match raw.log.format.as_str() {
        "text" => false,
        "json" => true,
        _ => return Err(settings.bad("log.format", "must be `text` or `json`")),
    };
    at_least(
        settings,
        "engine.max_running",
        u64::from(raw.engine.max_running),
        1,
    )?;
    // Loading a model tells nothing while it takes its time.
    at_least(settings, "engine.silence_ms", raw.engine.silence_ms, 1_000)?;
    at_least(settings, "engine.checkpoint_ms", raw.engine.checkpoint_ms, 1_000)?;
    for (setting, bytes) in [
        ("engine.memory_bytes", raw.engine.memory_bytes),
        ("inference.memory_bytes", raw.inference.memory_bytes),
    ] {
        if cfg!(not(target_os = "linux")) && bytes > 0 {
            return Err(settings.bad(setting, "can be set on Linux alone; leave it out"));
        }
    }
    for (setting, niceness) in [
        ("engine.niceness", raw.engine.niceness),
        ("inference.niceness", raw.inference.niceness),
    ] {
        if niceness > 19 {
            return Err(settings.bad(setting, "must be at most 19"));
        }
    }
    if raw.inference.queue > MOST_WAITING {
        return Err(settings.bad("inference.queue", &format!("must be at most {MOST_WAITING}")));
    }
    // Shorter, and a busy machine would take its own jobs for lost.
    at_least(settings, "engine.lease_ms", raw.engine.lease_ms, 1_000)?;
    at_least(settings, "limits.upload_bytes", raw.limits.upload_bytes, 1)?;
    at_least(settings, "limits.body_bytes", raw.limits.body_bytes, 1024)?;
    at_least(
        settings,
        "limits.header_timeout_ms",
        raw.limits.header_timeout_ms,
        1,
    )?;
    let price = match raw.price_per_1000_tokens.as_deref() {
        None | Some("") => None,
        Some(text) => Some(TokenPrice::parse(text).ok_or_else(|| {
            settings.bad(
                "price_per_1000_tokens",
                "must be an amount with at most six digits after the point and a currency's code, such as `0.008 USD`",
            )
        })?),
    };
    let data_dir = raw
        .data_dir
        .clone()
        .or_else(default_data_dir)
        .ok_or_else(|| ConfigError::Missing {
            setting: "data_dir".to_owned(),
            problem: "this platform tells no data folder; set `ATTUNE_DATA_DIR` or `--data-dir`".to_owned(),
        })?;
    Ok(Config {
        listen,
        data_dir: absolute(data_dir),
        models_dir: raw.models_dir.clone().map(absolute),
        local_token: raw.local_token.clone(),
        public_url,
        allowed_origins,
        upstream,
        engine: EngineConfig {
            max_running: raw.engine.max_running,
            threads: raw.engine.threads,
            silence: Duration::from_millis(raw.engine.silence_ms),
            lease: Duration::from_millis(raw.engine.lease_ms),
            checkpoint_interval: Duration::from_millis(raw.engine.checkpoint_ms),
            keep_checkpoints: raw.engine.keep_checkpoints,
            memory_bytes: Some(raw.engine.memory_bytes).filter(|bytes| *bytes > 0),
            niceness: raw.engine.niceness,
        },
        inference: InferenceConfig {
            threads: raw.inference.threads,
            niceness: raw.inference.niceness,
            memory_bytes: Some(raw.inference.memory_bytes).filter(|bytes| *bytes > 0),
            idle: Duration::from_millis(raw.inference.idle_ms),
            queue: raw.inference.queue,
        },
        hub: super::HubAccess::default(),
        price,
        upload_bytes: raw.limits.upload_bytes,
        body_bytes: usize::try_from(raw.limits.body_bytes).unwrap_or(usize::MAX),
        header_timeout: Duration::from_millis(raw.limits.header_timeout_ms),
        metrics_token: raw.metrics.token.clone(),
        browser_metrics: raw.browser_metrics,
        webhook_private_hosts: raw.webhooks.private_hosts.clone(),
        shutdown: Duration::from_millis(raw.shutdown_ms),
        log: LogConfig {
            json,
            filter: raw.log.filter.clone(),
        },
    })
}

fn at_least(settings: &Settings, setting: &str, value: u64, least: u64) -> Result<(), ConfigError> {
    if value < least {
        return Err(settings.bad(setting, &format!("must be at least {least}")));
    }
    Ok(())
}

fn listen_address(text: &str) -> Option<SocketAddr> {
    let spelled = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    spelled.as_deref().unwrap_or(text).parse().ok()
}

/// Only the local sign-in exists: beyond loopback it must be strong and travel encrypted.
fn refuse_unsafe_listen(
    settings: &Settings,
    listen: SocketAddr,
    public_url: Option<&Url>,
) -> Result<(), ConfigError> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let strong = settings
        .raw
        .local_token
        .as_ref()
        .is_some_and(|token| token.strength_bits() >= 128);
    let encrypted = public_url.is_some_and(|url| url.scheme() == "https");
    if strong && encrypted {
        return Ok(());
    }
    Err(settings.bad(
        "listen",
        "other machines can reach this address: set `ATTUNE_LOCAL_TOKEN` to a random text of 128 bits or more \
         (32 hexadecimal digits) and `ATTUNE_PUBLIC_URL` to the `https://` address that browsers use, or listen on \
         `127.0.0.1`",
    ))
}

fn web_address(settings: &Settings, setting: &str, text: &str) -> Result<Url, ConfigError> {
    super::web_address(text).map_err(|problem| settings.bad(setting, &problem))
}

fn allowed_origin(settings: &Settings, text: &str) -> Result<String, ConfigError> {
    let url = web_address(settings, "allowed_origins", text)?;
    if url.path() != "/" {
        return Err(settings.bad(
            "allowed_origins",
            "takes origins without a path, such as `https://app.example.com`",
        ));
    }
    Ok(url.origin().ascii_serialization())
}

fn upstream(settings: &Settings) -> Result<UpstreamConfig, ConfigError> {
    let kind = settings.raw.upstream.kind.as_deref();
    match kind {
        Some("job-training-api") => Ok(UpstreamConfig::Remote(
            RemoteApi::JobTrainingApi,
            remote(settings)?,
        )),
        Some("openai") => Ok(UpstreamConfig::Remote(RemoteApi::OpenAi, remote(settings)?)),
        Some("engine") | None if cfg!(feature = "embedded") => Ok(UpstreamConfig::Engine),
        None => Err(ConfigError::Missing {
            setting: "upstream.kind".to_owned(),
            problem:
                "this build has no engine; set `ATTUNE_UPSTREAM__KIND` to `openai` or `job-training-api`"
                    .to_owned(),
        }),
        Some("engine") => Err(settings.bad(
            "upstream.kind",
            "this build has no engine; use `openai` or `job-training-api`",
        )),
        Some(_) => Err(settings.bad(
            "upstream.kind",
            "must be `engine`, `openai` or `job-training-api`",
        )),
    }
}

fn remote(settings: &Settings) -> Result<RemoteConfig, ConfigError> {
    let raw = &settings.raw.upstream;
    let base_url = raw.base_url.as_deref().ok_or_else(|| ConfigError::Missing {
        setting: "upstream.base_url".to_owned(),
        problem:
            "set `ATTUNE_UPSTREAM__BASE_URL` to the upstream's address, such as `https://example.com/v1`"
                .to_owned(),
    })?;
    let mut base_url = web_address(settings, "upstream.base_url", base_url)?;
    let path = base_url.path().trim_end_matches('/').to_owned();
    base_url.set_path(&path);
    let api_key = match (&raw.api_key, &raw.api_key_file) {
        (Some(_), Some(_)) => {
            return Err(settings.bad(
                "upstream.api_key_file",
                "is set beside `upstream.api_key`; keep one of them",
            ));
        }
        (Some(key), None) => key.clone(),
        (None, Some(file)) => Secret::from_file(file).map_err(|error| {
            settings.bad(
                "upstream.api_key_file",
                &format!("can't read `{}`: {error}", file.display()),
            )
        })?,
        (None, None) => {
            return Err(ConfigError::Missing {
                setting: "upstream.api_key".to_owned(),
                problem: "set `ATTUNE_UPSTREAM__API_KEY`, or `ATTUNE_UPSTREAM__API_KEY_FILE` to a file that holds it"
                    .to_owned(),
            });
        }
    };
    if !api_key.fits_a_header() {
        let setting = if raw.api_key.is_some() {
            "upstream.api_key"
        } else {
            "upstream.api_key_file"
        };
        return Err(settings.bad(setting, "must be one line of printable characters without spaces"));
    }
    at_least(settings, "upstream.connect_timeout_ms", raw.connect_timeout_ms, 1)?;
    at_least(settings, "upstream.timeout_ms", raw.timeout_ms, 1)?;
    at_least(settings, "upstream.max_answer_bytes", raw.max_answer_bytes, 1024)?;
    Ok(RemoteConfig {
        base_url,
        api_key,
        connect_timeout: Duration::from_millis(raw.connect_timeout_ms),
        timeout: Duration::from_millis(raw.timeout_ms),
        max_answer_bytes: usize::try_from(raw.max_answer_bytes).unwrap_or(usize::MAX),
        cache: Duration::from_millis(raw.cache_ms),
    })
}

/// A folder from the root on: a trainer works in a folder of its own, where a relative one would lead elsewhere.
fn absolute(folder: PathBuf) -> PathBuf {
    std::path::absolute(&folder).unwrap_or(folder)
}

/// The platform's data folder.
fn default_data_dir() -> Option<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(|folder| folder.join("attune"));
    }
    if cfg!(target_os = "macos") {
        return variable("HOME").map(|home| home.join("Library/Application Support/attune"));
    }
    variable("XDG_DATA_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join("attune"))
}
