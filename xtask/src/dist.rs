//! What is shipped: the page in `dist/`, and the server that holds the same page.

use crate::{
    arguments::DistOptions,
    browser_build, process, project,
    stage::stage,
    static_host::{self, Place},
};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, process::ExitCode};

/// Builds everything in release mode. With options for a static host, only the page is for that host: the server
/// embeds one that asks its own origin.
///
/// # Errors
/// Something can't be built or written.
pub(crate) fn dist(options: &DistOptions) -> Result<ExitCode> {
    // Refused before anything is built.
    let place = Place::new(options)?;
    let server = build()?;
    println!("server: {}", server.display());
    println!("page:   {}", project::dist().display());
    if *options != DistOptions::default() {
        let folder = static_host_folder();
        stage("page for the static host", || {
            static_host::write(&place, &project::dist(), &folder)
        })?;
        println!("host:   {} (nginx.conf, Caddyfile)", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the page and then the server, which takes the page in. Answers where the server is.
///
/// # Errors
/// Something can't be built.
pub(crate) fn build() -> Result<PathBuf> {
    stage("page", browser_build::build)?;
    stage("server", || {
        process::run(process::cargo()?.args(["build", "--release", "--package", "bff"]))
    })?;
    Ok(project::target().join("release/attune"))
}

/// The page as a static host would get it, for the tests that put it on one: below a path, beside the server's.
///
/// # Errors
/// There is no page in `dist/`, or the copy can't be written.
pub(crate) fn for_tests() -> Result<()> {
    let options = DistOptions {
        api_url: Some("http://api.attune.localhost:8080".to_owned()),
        public_url: Some("/console/".to_owned()),
    };
    let folder = static_host_folder();
    let page = folder.join("page");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("can't empty `{}`", folder.display()))?;
    }
    fs::create_dir_all(&page).with_context(|| format!("can't make `{}`", page.display()))?;
    for file in browser_build::files()? {
        let copy = page.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &copy).with_context(|| format!("can't write `{}`", copy.display()))?;
    }
    static_host::write(&Place::new(&options)?, &page, &folder)
}

/// Where the configuration for a static host goes.
pub(crate) fn static_host_folder() -> PathBuf {
    project::target().join("static-host")
}
