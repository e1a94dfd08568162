//! What is shipped: the page in `dist/`, and the server that holds the same page.

use crate::{arguments::DistOptions, browser_build, process, project, stage::stage};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, process::ExitCode};

/// Builds everything in release mode. With options for a static host, only the page is for that host: the server
/// embeds one that asks its own origin.
///
/// # Errors
/// Something can't be built or written.
pub(crate) fn dist(options: &DistOptions) -> Result<ExitCode> {
    let server = build()?;
    println!("server: {}", server.display());
    if options.api_url.is_some() || options.public_url.is_some() {
        stage("page for the static host", || static_host(options))?;
    }
    println!("page:   {}", project::dist().display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the page and then the server, which takes the page in. Answers where the server is.
///
/// # Errors
/// Something can't be built.
pub(crate) fn build() -> Result<PathBuf> {
    stage("page", || browser_build::build(None))?;
    stage("server", || {
        process::run(process::cargo()?.args(["build", "--release", "--package", "bff"]))
    })?;
    Ok(project::target().join("release/attune"))
}

fn static_host(options: &DistOptions) -> Result<()> {
    browser_build::build(options.public_url.as_deref())?;
    if let Some(api_url) = &options.api_url {
        let config = project::dist().join("config.json");
        let text = format!(
            "{{\"api_url\":\"{}\"}}\n",
            api_url.replace('\\', "\\\\").replace('"', "\\\"")
        );
        fs::write(&config, text).with_context(|| format!("can't write `{}`", config.display()))?;
        browser_build::compress()?;
    }
    Ok(())
}
