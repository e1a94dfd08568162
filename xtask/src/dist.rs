//! What is shipped: the server, which holds the page of `dist/`, and on request a page for a static host beside it.

use crate::{
    arguments::DistOptions,
    browser_build, example, project,
    stage::stage,
    static_host::{self, Place},
};
use anyhow::Result;
use std::{path::PathBuf, process::ExitCode};

/// Builds everything in release mode. The page for a static host has a folder of its own: what lies in `dist/` asks its
/// own origin, whoever embeds it.
///
/// # Errors
/// Something can't be built or written.
pub(crate) fn dist(options: &DistOptions) -> Result<ExitCode> {
    // Refused before anything is built.
    let place = Place::new(options)?;
    let server = build()?;
    println!("server: {}", server.display());
    if *options == DistOptions::default() {
        println!("page:   {}", project::dist().display());
    } else {
        let folder = project::target().join("static-host");
        let page = stage("page for the static host", || {
            static_host::write(&place, &project::dist(), &folder)
        })?;
        println!("page:   {}", page.display());
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
    example::server()
}

/// The page as a static host would get it, for the tests that put it on one: below a path.
///
/// # Errors
/// There is no page in `dist/`, or the copy can't be written.
pub(crate) fn for_tests() -> Result<()> {
    let options = DistOptions {
        api_url: Some("http://api.attune.localhost:8080".to_owned()),
        public_url: Some("/console/".to_owned()),
    };
    static_host::write(&Place::new(&options)?, &project::dist(), &for_tests_folder()).map(drop)
}

/// Where that page goes: apart from the one that is shipped.
pub(crate) fn for_tests_folder() -> PathBuf {
    project::target().join("static-host-for-tests")
}
