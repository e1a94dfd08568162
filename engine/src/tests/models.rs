//! Adding base models: a stand-in for the Hub that can cut connections, lie and refuse, and a tool that is a script.

use crate::{
    Config, Service,
    error::Error,
    models::{AddError, Models, Progress, Source},
    testing::{TestEngine, alice, new_job},
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
use shared::model::{AddModel, AdditionStage, ModelAddition};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const CONFIG: &[u8] = br#"{"model_type": "llama", "max_position_embeddings": 512}"#;

/// How the stand-in behaves.
#[derive(Default)]
struct Mood {
    /// Connections for the weights that are still to be cut in the middle.
    cuts: usize,
    /// Says this of everything.
    status: Option<StatusCode>,
    /// Sends other bytes than it announces.
    lies: bool,
    /// Ignores ranges.
    whole: bool,
    /// Sends nothing until told.
    held: bool,
    /// Range and authorization of each request for the weights.
    asked: Vec<(Option<String>, Option<String>)>,
}

#[derive(Clone)]
struct Hub {
    files: Arc<BTreeMap<String, Vec<u8>>>,
    mood: Arc<Mutex<Mood>>,
    go: Arc<Notify>,
}

/// A hub, an engine's configuration that knows it, and where models lie.
struct Stage {
    hub: Hub,
    config: Config,
    folder: TempDir,
}

impl Stage {
    async fn start() -> Self {
        Self::start_with(CONFIG).await
    }

    async fn start_with(configuration: &[u8]) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let weights: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let files = BTreeMap::from([
            ("config.json".to_owned(), configuration.to_vec()),
            ("model.safetensors".to_owned(), weights),
            ("tokenizer.json".to_owned(), b"{}".to_vec()),
            ("model.bin".to_owned(), b"not wanted".to_vec()),
            ("../outside".to_owned(), b"not wanted".to_vec()),
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

    fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.hub.mood.lock().unwrap());
    }

    async fn add(&self, source: &str) -> Result<(), AddError> {
        let source = Source::parse(source)?;
        let (told, _progress) = watch::channel(Progress::default());
        let id = source.default_id();
        Models::new(&self.config).add(&source, &id, &told).await.map(drop)
    }

    /// What lies in the folder of models, files of hidden folders among them.
    fn lies_there(&self) -> Vec<String> {
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
fn script(folder: &TempDir, body: &str) -> Vec<String> {
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

#[tokio::test]
async fn a_model_of_the_hub_arrives_over_cut_connections_and_nothing_else_does() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.cuts = 3);
    stage.add("hf:owner/model").await.unwrap();
    let files = [
        "attune.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ];
    assert_eq!(
        stage.lies_there(),
        files.map(|name| format!("owner/model/{name}"))
    );
    let model = stage.folder.path().join("models/owner/model");
    assert_eq!(
        fs::read(model.join("model.safetensors")).unwrap(),
        stage.hub.files["model.safetensors"]
    );
    let note: Value = serde_json::from_slice(&fs::read(model.join("attune.json")).unwrap()).unwrap();
    assert_eq!(
        note,
        json!({ "source": "hf:owner/model", "licence": "apache-2.0" })
    );
    let mood = stage.hub.mood.lock().unwrap();
    assert_eq!(mood.asked.len(), 4, "{:?}", mood.asked);
    assert_eq!(mood.asked[0].0, None);
    assert!(
        mood.asked[1..].iter().all(|(range, _)| range.is_some()),
        "{:?}",
        mood.asked
    );
    assert!(
        mood.asked
            .iter()
            .all(|(_, token)| token.as_deref() == Some("Bearer hf_secret"))
    );
    let listed = Models::new(&stage.config).list();
    assert_eq!(listed.models[0].id, "owner/model");
}

#[tokio::test]
async fn a_transfer_that_was_given_up_goes_on_with_the_next_try() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.cuts = usize::MAX);
    // Each connection brings half of what is missing: it ends when that is nothing.
    assert_eq!(
        stage.add("hf:owner/model").await.unwrap_err().code(),
        "unreachable"
    );
    assert!(
        stage.lies_there().iter().all(|name| name.starts_with(".adding/")),
        "{:?}",
        stage.lies_there()
    );
    stage.mood(|mood| {
        mood.cuts = 0;
        mood.asked.clear();
    });
    stage.add("hf:owner/model").await.unwrap();
    assert!(
        stage.hub.mood.lock().unwrap().asked[0].0.is_some(),
        "it asks for the rest alone"
    );
}

#[tokio::test]
async fn a_server_that_gives_the_whole_again_is_taken_at_its_word() {
    let stage = Stage::start().await;
    stage.mood(|mood| (mood.cuts, mood.whole) = (1, true));
    stage.add("hf:owner/model").await.unwrap();
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_leaves_nothing() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.lies = true);
    let error = stage.add("hf:owner/model").await.unwrap_err();
    assert_eq!(error.code(), "damaged");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    assert_eq!(stage.lies_there(), [""; 0]);
    stage.mood(|mood| *mood = Mood::default());
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "not_on_hub"),
        (StatusCode::FORBIDDEN, "gated"),
        (StatusCode::IM_A_TEAPOT, "hub_answer"),
    ] {
        stage.mood(|mood| mood.status = Some(status));
        let error = stage.add("hf:owner/model").await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains("hf_secret"));
        assert_eq!(stage.lies_there(), [""; 0]);
    }
    stage.mood(|mood| mood.status = None);
    assert_eq!(
        stage.add("hf:owner/other").await.unwrap_err().code(),
        "not_on_hub"
    );
    let mut refusing = Stage::start().await;
    let refused =
        json!({ "type": "refused", "code": "invalid_model", "message": "the weights lack a tensor" });
    refusing.config.prepare_model = script(&refusing.folder, &format!("echo '{refused}'; exit 1"));
    let error = refusing.add("hf:owner/model").await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("invalid_model", "the weights lack a tensor")
    );
    assert_eq!(refusing.lies_there(), [""; 0]);
    refusing.config.prepare_model = script(&refusing.folder, "echo dead >&2; kill -9 $$");
    let error = refusing.add("hf:owner/model").await.unwrap_err();
    assert_eq!(error.code(), "prepare_failed");
    assert!(error.to_string().contains("dead"), "{error}");
    assert_eq!(refusing.lies_there(), [""; 0]);
}

#[tokio::test]
async fn a_configuration_that_can_not_be_trained_is_refused_before_the_weights_come() {
    let other = Stage::start_with(br#"{"model_type": "mamba"}"#).await;
    assert_eq!(
        other.add("hf:owner/model").await.unwrap_err().code(),
        "unknown_architecture"
    );
    assert!(other.hub.mood.lock().unwrap().asked.is_empty());
    assert_eq!(other.lies_there(), [""; 0]);
}

#[tokio::test]
async fn a_folder_is_copied_without_what_training_has_no_use_for() {
    let stage = Stage::start().await;
    let source = stage.folder.path().join("mine");
    fs::create_dir(&source).unwrap();
    for name in ["config.json", "model-00001-of-00001.safetensors", "notes.txt"] {
        fs::write(source.join(name), CONFIG).unwrap();
    }
    stage.add(source.to_str().unwrap()).await.unwrap();
    assert_eq!(
        stage.lies_there(),
        [
            "mine/attune.json",
            "mine/config.json",
            "mine/model-00001-of-00001.safetensors"
        ]
    );
    assert_eq!(
        stage.add(source.to_str().unwrap()).await.unwrap_err().code(),
        "model_exists"
    );
    let empty = stage.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(
        stage.add(empty.to_str().unwrap()).await.unwrap_err().code(),
        "invalid_model"
    );
}

fn wanted(source: &str) -> AddModel {
    AddModel {
        source: source.to_owned(),
    }
}

async fn addition(service: &Service) -> Option<ModelAddition> {
    service.list_models().await.unwrap().additions.into_iter().next()
}

/// Waits until the one addition is as wanted, or gone.
async fn until(service: &Service, is_it: impl Fn(Option<&ModelAddition>) -> bool) {
    loop {
        if is_it(addition(service).await.as_ref()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_console_follows_gives_up_and_tries_again() {
    let stage = Stage::start().await;
    let (hub, prepare) = (stage.config.hub.clone(), stage.config.prepare_model.clone());
    let engine = TestEngine::start_with(|config| (config.hub, config.prepare_model) = (hub, prepare)).await;
    let service = &engine.service;
    for bad in ["/etc", "owner/model", "hf:owner", "hf:../x"] {
        let refused = service.add_model(&wanted(bad)).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{bad}: {refused}");
    }
    stage.mood(|mood| mood.held = true);
    let begun = service.add_model(&wanted("hf:owner/model")).await.unwrap();
    assert_eq!(
        (begun.id.as_str(), begun.stage),
        ("owner/model", AdditionStage::Fetching)
    );
    // The same again is the same addition.
    assert_eq!(
        service.add_model(&wanted("hf:owner/model")).await.unwrap().id,
        begun.id
    );
    until(service, |addition| {
        addition.is_some_and(|addition| addition.bytes_total.is_some())
    })
    .await;
    service.remove_model("owner/model").await.unwrap();
    assert_eq!(addition(service).await, None);
    // Tried again while the Hub says no.
    stage.mood(|mood| (mood.held, mood.status) = (false, Some(StatusCode::FORBIDDEN)));
    while service.add_model(&wanted("hf:owner/model")).await.is_err() {
        tokio::task::yield_now().await;
    }
    until(service, |addition| {
        addition.is_some_and(|addition| addition.stage == AdditionStage::Failed)
    })
    .await;
    let failure = addition(service).await.unwrap().failure.unwrap();
    assert!(failure.message.contains("HF_TOKEN"), "{failure:?}");
    // And when it says yes.
    stage.mood(|mood| mood.status = None);
    service.add_model(&wanted("hf:owner/model")).await.unwrap();
    until(service, |addition| addition.is_none()).await;
    let list = service.list_models().await.unwrap();
    assert!(list.models.iter().any(|model| model.id == "owner/model"));
    let again = service.add_model(&wanted("hf:owner/model")).await.unwrap_err();
    assert_eq!(again.code(), "model_exists");
}

#[tokio::test]
async fn a_server_shows_what_the_one_before_it_left_unfinished() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.held = true);
    let hub = stage.config.hub.clone();
    let engine = TestEngine::start_with(|config| config.hub = hub).await;
    engine.service.add_model(&wanted("hf:owner/model")).await.unwrap();
    until(&engine.service, |addition| {
        addition.is_some_and(|addition| addition.bytes_total.is_some())
    })
    .await;
    let engine = engine.restart().await;
    let left = addition(&engine.service).await.unwrap();
    assert_eq!(
        (left.id.as_str(), left.source.as_str()),
        ("owner/model", "hf:owner/model")
    );
    assert_eq!(left.failure.unwrap().code, "interrupted");
    engine.service.remove_model("owner/model").await.unwrap();
    let engine = engine.restart().await;
    assert_eq!(addition(&engine.service).await, None);
}

#[tokio::test]
async fn a_model_that_something_needs_is_not_removed() {
    let engine = TestEngine::start().await;
    let job = engine.job(&alice(), "needs-it").await;
    let refused = engine.service.remove_model("tiny").await.unwrap_err();
    assert_eq!(refused.code(), "model_in_use");
    assert!(refused.to_string().contains("1 unfinished job"), "{refused}");
    engine.service.cancel_job(&alice(), &job.id).await.unwrap();
    engine.service.remove_model("tiny").await.unwrap();
    assert_eq!(
        engine.service.remove_model("tiny").await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(
        engine
            .service
            .remove_model("attune-tiny")
            .await
            .unwrap_err()
            .code(),
        "model_bundled"
    );
    let dataset = job.training_dataset.unwrap();
    let refused = engine
        .service
        .create_job(&alice(), new_job("later", &dataset.id), None)
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}
