//! A static host for the page: files below a path, index.html for whatever isn't a file, and the headers of the
//! configuration that `cargo xtask dist` writes. It answers under every host name.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The path of the page that `cargo xtask test` writes for this.
pub const PATH: &str = "/console";
/// The server's address in that page's configuration.
const API_URL: &str = "http://api.attune.localhost:8080";

/// A running host; ended when dropped.
#[derive(Debug)]
pub struct StaticHost {
    /// Its port; the host name is the caller's choice.
    pub port: u16,
    task: JoinHandle<()>,
}

struct Site {
    folder: PathBuf,
    headers: Vec<(HeaderName, HeaderValue)>,
    config: String,
}

/// A port for a host whose server has to know it first.
#[derive(Debug)]
pub struct Lot(TcpListener);

impl Lot {
    /// Takes a free port.
    pub async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    /// Serves the page with its server at `api_url`.
    #[must_use]
    pub fn serve(self, api_url: &str) -> StaticHost {
        let folder = folder();
        let site = Arc::new(Site {
            folder: folder.join("page"),
            headers: headers(&folder.join("nginx.conf"), api_url),
            config: format!("{{\"api_url\":\"{api_url}\"}}\n"),
        });
        let port = self.port();
        let router = Router::new().fallback(answer).with_state(site);
        let task = tokio::spawn(async move { axum::serve(self.0, router).await.expect("it serves") });
        StaticHost { port, task }
    }
}

impl Drop for StaticHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where `cargo xtask test` puts page and configuration.
#[must_use]
pub fn folder() -> PathBuf {
    let folder = env::var_os("ATTUNE_TEST_STATIC_HOST").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/static-host-for-tests"),
        PathBuf::from,
    );
    assert!(
        folder.join("nginx.conf").is_file(),
        "`{}` has no page for a static host: `cargo xtask test` writes one",
        folder.display()
    );
    folder
}

/// The headers that the configuration adds to every file, with the server where it is in this test.
#[must_use]
pub fn headers(nginx: &Path, api_url: &str) -> Vec<(HeaderName, HeaderValue)> {
    let text = fs::read_to_string(nginx).expect("nginx.conf");
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("add_header ")?.strip_suffix(" always;"))
        .filter_map(|line| {
            let (name, value) = line.split_once(" \"")?;
            let value = value.trim_end_matches('"').replace(API_URL, api_url);
            Some((
                name.parse().expect("a header's name"),
                value.parse().expect("a header's value"),
            ))
        })
        .collect()
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let Some(path) = request
        .uri()
        .path()
        .strip_prefix(PATH)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let file = site.folder.join(path);
    let name = if !path.is_empty() && !path.contains("..") && file.is_file() {
        path
    } else {
        "index.html"
    };
    let content = if name == "config.json" {
        site.config.clone().into_bytes()
    } else {
        fs::read(site.folder.join(name)).expect("a file of the page")
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    let mut response = ([(header::CONTENT_TYPE, kind)], content).into_response();
    response.headers_mut().extend(site.headers.iter().cloned());
    response
}
