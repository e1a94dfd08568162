//! The page for a static host: below a path, and with its server at another origin of the same site.
//!
//! It is the page of the server with three changes: addresses in index.html get the path, a mark tells the page where it
//! stands, and `config.json` tells where its server is. That file is the operator's: it can be changed without a build.
//! The headers that the host has to send come with it, as configuration for nginx and for Caddy.

mod headers;

use crate::{arguments::DistOptions, browser_build};
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the page is served and where it finds its server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// What stands before every path: `/console`, or nothing at the root.
    path: String,
    /// The server's address without a slash at its end, or nothing for the page's own origin.
    api_url: String,
}

impl Place {
    /// Reads what the command line says.
    ///
    /// # Errors
    /// The path or the address can't be one.
    pub(crate) fn new(options: &DistOptions) -> Result<Self> {
        let path = options.public_url.as_deref().unwrap_or("/").trim_end_matches('/');
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
        };
        if !(path.is_empty() || path.starts_with('/')) || path.starts_with("//") || !plain(path) {
            bail!("`--public-url` takes a path such as `/console/`");
        }
        let api_url = options.api_url.as_deref().unwrap_or("").trim_end_matches('/');
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| api_url.strip_prefix(scheme));
        let is_host = host.is_some_and(|host| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
        });
        if !(api_url.is_empty() || is_host) {
            bail!("`--api-url` takes an address without a path, such as `https://api.example.com`");
        }
        Ok(Self {
            path: path.to_owned(),
            api_url: api_url.to_owned(),
        })
    }
}

/// Makes the static host's page out of the server's, which stays as it is: into `page` of a folder that holds nothing else
/// then but the host's configuration. Answers where the page is.
///
/// # Errors
/// A file can't be read or written, or the page isn't what trunk is known to write.
pub(crate) fn write(place: &Place, servers: &Path, folder: &Path) -> Result<PathBuf> {
    let page = folder.join("page");
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("can't empty `{}`", folder.display()))?;
    }
    fs::create_dir_all(&page).with_context(|| format!("can't make `{}`", page.display()))?;
    for file in browser_build::files_in(servers)? {
        let copy = page.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &copy).with_context(|| format!("can't write `{}`", copy.display()))?;
    }
    let index = page.join("index.html");
    let text = fs::read_to_string(&index).with_context(|| format!("can't read `{}`", index.display()))?;
    let text = moved(&text, place)?;
    write_file(&index, &text)?;
    write_file(
        &page.join("config.json"),
        &format!("{{\"api_url\":\"{}\"}}\n", place.api_url),
    )?;
    for file in [&index, &page.join("config.json")] {
        browser_build::compress_file(file)?;
    }
    let headers = headers::of(&text, &place.api_url)?;
    write_file(&folder.join("nginx.conf"), &headers::nginx(&headers, &place.path))?;
    write_file(&folder.join("Caddyfile"), &headers::caddy(&headers, &place.path))?;
    Ok(page)
}

fn write_file(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("can't write `{}`", file.display()))
}

/// index.html with the path before each of its addresses, and the mark by which the page knows it.
fn moved(index: &str, place: &Place) -> Result<String> {
    // The mark stands before this, and so before boot.js, which looks for it.
    const TITLE: &str = "<title>";
    ensure!(
        index.contains(TITLE) && index.contains("src=/") && index.contains("from '/"),
        "index.html is not written as trunk is known to: look at `xtask/src/static_host.rs`"
    );
    let mut text = index.to_owned();
    for before in [
        "href=",
        "src=",
        "href=\"",
        "src=\"",
        "from '",
        "module_or_path: '",
    ] {
        text = text.replace(&format!("{before}/"), &format!("{before}{}/", place.path));
    }
    let mark = format!("<meta name=\"attune-page\" content=\"{}\">{TITLE}", place.path);
    Ok(text.replacen(TITLE, &mark, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "<!doctype html><meta charset=utf-8><title>Attune</title><link href=/icon-1.svg rel=icon><script src=/boot-1.js></script>\
        <script type=module>import init from '/frontend-1.js';\nawait init({ module_or_path: '/frontend-1_bg.wasm' });</script>\
        <a href=/>Dashboard</a><a href=/jobs>Jobs</a><a href=#main>Skip</a>";

    fn place(api_url: &str, public_url: &str) -> Result<Place> {
        Place::new(&DistOptions {
            api_url: Some(api_url.to_owned()),
            public_url: Some(public_url.to_owned()),
        })
    }

    #[test]
    fn below_a_path_every_address_of_the_page_has_it() {
        let place = place("https://api.example.com/", "/console/").unwrap();
        let moved = moved(INDEX, &place).unwrap();
        for expected in [
            "<meta name=\"attune-page\" content=\"/console\"><title>",
            "href=/console/icon-1.svg",
            "src=/console/boot-1.js",
            "from '/console/frontend-1.js'",
            "module_or_path: '/console/frontend-1_bg.wasm'",
            "<a href=/console/>",
            "<a href=/console/jobs>",
            "<a href=#main>",
        ] {
            assert!(moved.contains(expected), "{expected} in {moved}");
        }
    }

    #[test]
    fn at_the_root_only_the_mark_is_new() {
        let place = place("https://api.example.com", "/").unwrap();
        let moved = moved(INDEX, &place).unwrap();
        assert_eq!(
            moved.replace("<meta name=\"attune-page\" content=\"\">", ""),
            INDEX
        );
    }

    #[test]
    fn what_is_no_path_and_no_address_is_refused() {
        for (api_url, public_url) in [
            ("https://api.example.com/attune", "/"),
            ("api.example.com", "/"),
            ("https://api.example.com\" x", "/"),
            ("https://api.example.com", "console"),
            ("https://api.example.com", "https://app.example.com/console/"),
            ("https://api.example.com", "//evil.example"),
            ("https://api.example.com", "/con sole"),
        ] {
            assert!(place(api_url, public_url).is_err(), "{api_url} {public_url}");
        }
    }

    #[test]
    fn a_page_that_is_written_otherwise_is_refused_and_not_half_changed() {
        let place = place("", "/console/").unwrap();
        assert!(moved("<!doctype html><html></html>", &place).is_err());
    }

    #[test]
    fn page_configuration_and_headers_are_written_and_the_servers_page_stays_as_it_is() {
        let scratch = std::env::temp_dir().join(format!("attune-static-host-{}", std::process::id()));
        let (dist, folder) = (scratch.join("dist"), scratch.join("static-host"));
        fs::create_dir_all(&dist).unwrap();
        fs::create_dir_all(folder.join("page")).unwrap();
        fs::write(dist.join("index.html"), INDEX).unwrap();
        fs::write(folder.join("page/of-an-earlier-build.js"), "").unwrap();
        let place = place("https://api.example.com", "/console/").unwrap();
        let page = write(&place, &dist, &folder).unwrap();
        assert_eq!(
            fs::read_to_string(dist.join("index.html")).unwrap(),
            INDEX,
            "a server that is built later embeds its own page"
        );
        assert!(!dist.join("config.json").exists());
        assert!(!page.join("of-an-earlier-build.js").exists());
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(
            read("page/config.json"),
            "{\"api_url\":\"https://api.example.com\"}\n"
        );
        assert!(page.join("index.html.br").is_file());
        for name in ["nginx.conf", "Caddyfile"] {
            let text = read(name);
            assert!(
                text.contains("connect-src 'self' https://api.example.com;"),
                "{text}"
            );
            assert!(text.contains("/console"), "{text}");
            assert!(text.contains("'sha256-"), "{text}");
        }
        fs::remove_dir_all(scratch).unwrap();
    }
}
