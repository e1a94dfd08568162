//! `attune doctor`: checks the configuration and what it points at, without changing anything of it.

use crate::{
    config::{Config, Flags, UpstreamConfig},
    problem::chain,
    upstream::over_network,
};
use std::{path::Path, process::ExitCode};

/// Below this much free space, checkpoints may soon not fit.
const LITTLE_SPACE: u64 = 1 << 30;

/// What one check found.
enum Finding {
    Good(String),
    Odd(String),
    Bad(String),
}

/// Runs all checks and prints a line for each; fails if one of them did.
pub(super) async fn check(flags: &Flags) -> anyhow::Result<ExitCode> {
    let loaded = match Config::load(flags, &super::environment()) {
        Ok(loaded) => loaded,
        Err(error) => {
            super::print(&format!("bad   configuration: {error}"))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let config = &loaded.config;
    let mut findings = vec![Finding::Good(format!(
        "configuration: can be used, listens on {}",
        config.listen
    ))];
    findings.extend(loaded.warnings.iter().cloned().map(Finding::Odd));
    findings.extend(config.price.as_ref().map(|price| {
        let amount = shared::cost::decimal(price.micros);
        Finding::Good(format!(
            "price: 1,000 trained tokens cost {amount} {}",
            price.currency
        ))
    }));
    findings.push(port(config).await);
    findings.push(writable(&config.data_dir));
    findings.extend(space(&config.data_dir));
    if let Some(folder) = &config.models_dir {
        findings.push(models(folder));
    }
    findings.push(upstream(config).await);

    let mut failed = false;
    for finding in &findings {
        let (word, text) = match finding {
            Finding::Good(text) => ("good ", text),
            Finding::Odd(text) => ("odd  ", text),
            Finding::Bad(text) => {
                failed = true;
                ("bad  ", text)
            }
        };
        super::print(&format!("{word} {text}"))?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn port(config: &Config) -> Finding {
    match tokio::net::TcpListener::bind(config.listen).await {
        Ok(_) => Finding::Good(format!("port: {} is free", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::Odd(format!(
            "port: {} is in use, perhaps by a running attune",
            config.listen
        )),
        Err(error) => Finding::Bad(format!("port: can't listen on {}: {error}", config.listen)),
    }
}

fn writable(data_dir: &Path) -> Finding {
    let shown = data_dir.display();
    if !data_dir.exists() {
        return Finding::Odd(format!(
            "data folder: `{shown}` is not there yet; `attune serve` makes it"
        ));
    }
    match tempfile_in(data_dir) {
        Ok(()) => Finding::Good(format!("data folder: `{shown}` can be written")),
        Err(error) => Finding::Bad(format!("data folder: `{shown}` can't be written: {error}")),
    }
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!("doctor-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&path, b"attune")?;
    std::fs::remove_file(&path)
}

#[cfg(unix)]
fn space(data_dir: &Path) -> Option<Finding> {
    let there = data_dir.ancestors().find(|folder| folder.exists())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let text = format!("disk: {} MB free", free >> 20);
    Some(if free < LITTLE_SPACE {
        Finding::Odd(format!("{text}, which is little"))
    } else {
        Finding::Good(text)
    })
}

#[cfg(not(unix))]
fn space(_data_dir: &Path) -> Option<Finding> {
    None
}

fn models(folder: &Path) -> Finding {
    let shown = folder.display();
    match std::fs::read_dir(folder) {
        Err(error) => Finding::Bad(format!("models: `{shown}` can't be read: {error}")),
        Ok(entries) => {
            let count = entries
                .flatten()
                .filter(|entry| entry.path().join("config.json").is_file())
                .count();
            if count == 0 {
                Finding::Odd(format!("models: no folder in `{shown}` has a `config.json`"))
            } else {
                Finding::Good(format!("models: {count} in `{shown}`"))
            }
        }
    }
}

async fn upstream(config: &Config) -> Finding {
    match &config.upstream {
        UpstreamConfig::Engine => Finding::Good("upstream: the embedded engine".to_owned()),
        UpstreamConfig::Remote(api, remote) => {
            let client = match over_network(*api, remote) {
                Ok(client) => client,
                Err(error) => return Finding::Bad(format!("upstream: {}", chain(&error))),
            };
            match client.ping().await {
                Ok(()) => Finding::Good(format!(
                    "upstream: `{}` answers and takes the key",
                    remote.base_url
                )),
                Err(error) => Finding::Bad(format!("upstream: `{}`: {}", remote.base_url, chain(&error))),
            }
        }
    }
}
