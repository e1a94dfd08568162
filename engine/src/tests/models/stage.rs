//! A stand-in for the Hub that can cut connections, lie and refuse; a tool that is a script; and where models go.

use crate::{
    Config,
    models::{AddError, Models, Progress, Source},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(super) const CONFIG: &[u8] = br#"{"model_type": "llama", "max_position_embeddings": 512}"#;

/// How the stand-in behaves.
#[derive(Default)]
pub(super) struct Mood {
    /// Connections for the weights that are still to be cut in the middle.
    pub(super) cuts: usize,
    /// Says this of everything.
    pub(super) status: Option<StatusCode>,
    /// Sends other bytes than it announces.
    pub(super) lies: bool,
    /// Ignores ranges.
    pub(super) whole: bool,
    /// Sends nothing until told.
    pub(super) held: bool,
    /// Sends whoever wants the weights to this address.
    pub(super) elsewhere: Option<String>,
    /// Gives the weights to nobody, and says that they are gated.
    pub(super) gated: bool,
    /// Range and authorization of each request for the weights.
    pub(super) asked: Vec<(Option<String>, Option<String>)>,
}

#[derive(Clone)]
pub(super) struct Hub {
    pub(super) files: Arc<BTreeMap<String, Vec<u8>>>,
    pub(super) mood: Arc<Mutex<Mood>>,
    pub(super) go: Arc<Notify>,
}

/// A hub, an engine's configuration that knows it, and where models lie.
pub(super) struct Stage {
    pub(super) hub: Hub,
    pub(super) config: Config,
    pub(super) folder: TempDir,
}

impl Stage {
    pub(super) async fn start() -> Self {
        Self::start_with(CONFIG).await
    }

    pub(super) async fn start_with(configuration: &[u8]) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let weights: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let files = BTreeMap::from([
            ("config.json".to_owned(), configuration.to_vec()),
            ("model.safetensors".to_owned(), weights),
            ("tokenizer.json".to_owned(), b"{}".to_vec()),
            ("model.bin".to_owned(), b"not wanted".to_vec()),
            ("../outside".to_owned(), b"not wanted".to_vec()),
            ("LICENSES/MIT".to_owned(), b"not wanted".to_vec()),
            ("model-/../x.safetensors".to_owned(), b"not wanted".to_vec()),
            ("README.md".to_owned(), Vec::new()),
        ]);
        let hub = Hub {
            files: Arc::new(files),
            mood: Arc::default(),
            go: Arc::default(),
        };
        let app = Router::new()
            .route("/api/models/{owner}/{name}/revision/{revision}", get(list))
            .route("/{owner}/{name}/resolve/{commit}/{file}", get(resolve))
            .with_state(hub.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let folder = tempfile::tempdir().unwrap();
        let mut config = crate::testing::config(folder.path());
        config.hub.endpoint = format!("http://{address}");
        config.hub.token = Some("hf_secret".to_owned());
        config.hub.retry_delay = Duration::from_millis(1);
        let ready = json!({
            "type": "ready", "architecture": "llama", "parameters": 300_000, "precision": "f32",
            "context_length": 512, "bytes": 1_200_000
        });
        config.prepare_model = script(&folder, &format!("echo '{ready}'"));
        Self { hub, config, folder }
    }

    pub(super) fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.hub.mood.lock().unwrap());
    }

    pub(super) async fn add(&self, source: &str) -> Result<(), AddError> {
        let source = Source::parse(source)?;
        let (told, _progress) = watch::channel(Progress::default());
        let id = source.default_id();
        Models::new(&self.config).add(&source, &id, &told).await.map(drop)
    }

    /// What lies in the folder of models, files of hidden folders among them.
    pub(super) fn lies_there(&self) -> Vec<String> {
        let root = self.folder.path().join("models");
        let mut names = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    names.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        names.sort();
        names
    }
}

/// A program that says so.
pub(super) fn script(folder: &TempDir, body: &str) -> Vec<String> {
    let path = folder.path().join("tool.sh");
    fs::write(&path, body).unwrap();
    vec!["/bin/sh".to_owned(), path.display().to_string()]
}

async fn list(
    State(hub): State<Hub>,
    Path((owner, name, revision)): Path<(String, String, String)>,
) -> Response {
    if let Some(status) = hub.mood.lock().unwrap().status {
        return status.into_response();
    }
    if (owner.as_str(), name.as_str(), revision.as_str()) != ("owner", "model", "main") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let siblings: Vec<Value> = hub
        .files
        .iter()
        .map(|(name, bytes)| {
            let git = Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize();
            let mut file = json!({
                "rfilename": name, "size": bytes.len(), "blobId": crate::secret::hex(&git)
            });
            if name == "model.safetensors" {
                file["lfs"] = json!({
                    "sha256": crate::secret::hex(&Sha256::digest(bytes)), "size": bytes.len(), "pointerSize": 135
                });
            }
            file
        })
        .collect();
    axum::Json(json!({ "sha": COMMIT, "siblings": siblings, "cardData": { "license": "apache-2.0" } }))
        .into_response()
}

async fn resolve(
    State(hub): State<Hub>,
    Path((_, _, commit, file)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Response {
    assert_eq!(commit, COMMIT);
    let Some(bytes) = hub.files.get(&file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let is_held = file == "model.safetensors" && hub.mood.lock().unwrap().held;
    if is_held {
        hub.go.notified().await;
    }
    let mut mood = hub.mood.lock().unwrap();
    let start = match text(header::RANGE) {
        Some(range) if !mood.whole => range
            .trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse()
            .unwrap(),
        _ => 0,
    };
    let mut rest = bytes[start..].to_vec();
    let mut is_cut = false;
    if file == "model.safetensors" {
        mood.asked
            .push((text(header::RANGE), text(header::AUTHORIZATION)));
        if mood.gated {
            return (StatusCode::UNAUTHORIZED, [("x-error-code", "GatedRepo")]).into_response();
        }
        if let Some(elsewhere) = &mood.elsewhere {
            let place = format!("{elsewhere}/owner/model/resolve/{commit}/{file}");
            return (StatusCode::FOUND, [(header::LOCATION, place)]).into_response();
        }
        if mood.lies {
            rest[0] ^= 1;
        }
        if mood.cuts > 0 {
            mood.cuts -= 1;
            rest.truncate(rest.len() / 2);
            is_cut = true;
        }
    }
    let pieces: Vec<std::io::Result<bytes::Bytes>> = rest
        .chunks(1 << 14)
        .map(|piece| Ok(bytes::Bytes::copy_from_slice(piece)))
        .chain(is_cut.then(|| Err(std::io::Error::other("cut"))))
        .collect();
    let mut answer = Response::new(Body::from_stream(futures_util::stream::iter(pieces)));
    if start > 0 {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        answer
            .headers_mut()
            .insert(header::CONTENT_RANGE, range.parse().unwrap());
    }
    answer
}
