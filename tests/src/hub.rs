//! A Hugging Face Hub to stand in front of: one repository with the files of a folder, and switches to misbehave.

use axum::{
    Json, Router,
    body::Body,
    extract::{Path as Segments, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// How it behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manners {
    /// So many connections bring half of what is asked of the weights, and break.
    pub cuts: u32,
    /// The weights aren't those announced.
    pub lies: bool,
}

/// A running stand-in; ended when dropped.
#[derive(Debug)]
pub struct Hub {
    /// What `HF_ENDPOINT` is set to.
    pub address: String,
    shelf: Shelf,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Shelf {
    files: Arc<BTreeMap<String, Vec<u8>>>,
    manners: Arc<Mutex<Manners>>,
    asked: Arc<Mutex<Vec<u64>>>,
    /// While it holds false, the second half of the weights waits.
    open: Arc<watch::Sender<bool>>,
}

impl Hub {
    /// Serves the files of a folder as whichever repository is asked for.
    pub async fn start(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let name = entry.file_name().into_string().expect("a name");
            files.insert(name, fs::read(entry.path()).expect("a file"));
        }
        let shelf = Shelf {
            files: Arc::new(files),
            manners: Arc::default(),
            asked: Arc::default(),
            open: Arc::new(watch::channel(true).0),
        };
        let router = Router::new()
            .route("/api/models/{owner}/{name}/revision/{revision}", get(list))
            .route("/{owner}/{name}/resolve/{commit}/{file}", get(resolve))
            .with_state(shelf.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { address, shelf, task }
    }

    /// How it behaves from now on.
    pub fn set_manners(&self, manners: Manners) {
        *self.shelf.manners.lock().expect("not poisoned") = manners;
    }

    /// Where each request for the weights asked to begin.
    #[must_use]
    pub fn asked(&self) -> Vec<u64> {
        self.shelf.asked.lock().expect("not poisoned").clone()
    }

    /// Whether the second half of the weights comes.
    pub fn set_open(&self, open: bool) {
        self.shelf.open.send_replace(open);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn list(State(shelf): State<Shelf>) -> Json<Value> {
    let siblings: Vec<Value> = shelf
        .files
        .iter()
        .map(|(name, bytes)| {
            let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "rfilename": name, "size": bytes.len(), "lfs": { "sha256": sha256, "size": bytes.len() } })
        })
        .collect();
    Json(json!({
        "sha": "0123456789abcdef0123456789abcdef01234567", "siblings": siblings,
        "cardData": { "license": "apache-2.0" }
    }))
}

async fn resolve(
    State(shelf): State<Shelf>,
    Segments((_, _, _, file)): Segments<(String, String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(bytes) = shelf.files.get(&file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let start: usize = range
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
        .unwrap_or(0);
    let mut manners = *shelf.manners.lock().expect("not poisoned");
    let mut first = bytes[start..].to_vec();
    let mut second = Vec::new();
    if file == "model.safetensors" {
        if manners.lies {
            first.iter_mut().for_each(|byte| *byte ^= 1);
        }
        second = first.split_off(first.len() / 2);
        shelf.manners.lock().expect("not poisoned").cuts = manners.cuts.saturating_sub(1);
        shelf.asked.lock().expect("not poisoned").push(start as u64);
    } else {
        manners.cuts = 0;
    }
    let open = shelf.open.subscribe();
    let body = futures_util::stream::unfold(
        (Some(first), Some(second), open),
        move |(first, second, mut open)| async move {
            if let Some(first) = first {
                return Some((Ok(first), (None, second, open)));
            }
            let second = second.filter(|second| !second.is_empty())?;
            if manners.cuts > 0 {
                return Some((Err(std::io::Error::other("cut")), (None, None, open)));
            }
            open.wait_for(|open| *open).await.ok()?;
            Some((Ok(second), (None, None, open)))
        },
    );
    let mut answer = Body::from_stream(body).into_response();
    if start > 0 {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        answer
            .headers_mut()
            .insert(header::CONTENT_RANGE, range.parse().expect("a header"));
    }
    answer
}
