//! What is shipped: the page in `dist/`, and the server that holds the same page.

use crate::{arguments::DistOptions, browser_build, process, project, stage::stage};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

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

/// The mark stands before this, and so before boot.js, which looks for it. (trunk's minifier drops `<head>`.)
const TITLE: &str = "<title>";

/// The page for a static host: below `public_url`, with `config.json`, which names the server, beside it.
fn static_host(options: &DistOptions) -> Result<()> {
    let page = page_path(options.public_url.as_deref().unwrap_or("/"))?;
    let api = api_address(options.api_url.as_deref().unwrap_or_default())?;
    browser_build::build(Some(&format!("{page}/")))?;
    let index = project::dist().join("index.html");
    let text = fs::read_to_string(&index).with_context(|| format!("can't read `{}`", index.display()))?;
    write(&index, &marked(&text, &page)?)?;
    let config = format!("{{\"api_url\":\"{api}\"}}\n");
    write(&project::dist().join("config.json"), &config)?;
    browser_build::compress()
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("can't write `{}`", file.display()))
}

/// The path that the page is served at, without its last slash: `/console`, or nothing at the root of an origin.
fn page_path(given: &str) -> Result<String> {
    let path = given.trim_matches('/');
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~/".contains(letter);
    ensure!(
        (given.starts_with('/') || given.is_empty()) && path.chars().all(plain),
        "`--public-url {given}` is no path: give one such as `/console/`"
    );
    Ok(if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    })
}

/// The server's address without its last slash; nothing means the page's own origin.
fn api_address(given: &str) -> Result<&str> {
    let address = given.trim_end_matches('/');
    let known = ["https://", "http://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "\"\\?#".contains(letter);
    ensure!(
        (known || address.is_empty()) && !address.contains(odd),
        "`--api-url {given}` is no address: give one such as `https://api.example.org`"
    );
    Ok(address)
}

/// index.html with the mark of a static host's page (boot.js reads it), and with the links of the frame that it shows
/// until the app stands led below the page's path.
fn marked(index: &str, page: &str) -> Result<String> {
    let mark = format!("<meta name=\"attune-page\" content=\"{page}\">{TITLE}");
    ensure!(index.contains(TITLE), "index.html has no `{TITLE}`");
    let links = index.replace(
        "<a class=\"nav-link\" href=\"/",
        &format!("<a class=\"nav-link\" href=\"{page}/"),
    );
    // trunk's minifier leaves out quotes where it can.
    let links = links.replace(
        "<a class=nav-link href=/",
        &format!("<a class=nav-link href={page}/"),
    );
    Ok(links.replacen(TITLE, &mark, 1))
}

#[cfg(test)]
mod tests {
    use super::{api_address, marked, page_path};

    #[test]
    fn the_mark_stands_first_and_links_lead_below_the_path() {
        let index = "<!doctype html><html lang=en><meta charset=utf-8><title>Attune</title><script src=/console/boot.js></script>\
            <a class=nav-link href=/jobs>Jobs</a><a class=\"nav-link\" href=\"/\">Dashboard</a>";
        let marked = marked(index, "/console").unwrap();
        assert!(
            marked.contains("<meta name=\"attune-page\" content=\"/console\"><title>"),
            "{marked}"
        );
        assert!(marked.contains("href=/console/jobs>"), "{marked}");
        assert!(marked.contains("href=\"/console/\">"), "{marked}");
    }

    #[test]
    fn paths_and_addresses_lose_their_last_slash() {
        assert_eq!(page_path("/console/").unwrap(), "/console");
        assert_eq!(page_path("/a/b").unwrap(), "/a/b");
        assert_eq!(page_path("/").unwrap(), "");
        assert_eq!(
            api_address("https://api.example.org/").unwrap(),
            "https://api.example.org"
        );
        assert_eq!(api_address("").unwrap(), "");
    }

    #[test]
    fn what_is_no_path_and_no_address_is_refused() {
        for wrong in ["console", "https://example.org/", "/a\"b", "/a b"] {
            assert!(page_path(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "api.example.org",
            "javascript:x",
            "https://a\"b",
            "https://a b",
            "https://a/?x",
        ] {
            assert!(api_address(wrong).is_err(), "{wrong}");
        }
    }
}
