//! The console over an engine in a temporary folder, and what its tests do again and again.

use crate::{
    test_app::{Answer, Persona, TestApp},
    upstream::engine::Embedded,
};
use axum::http::{Method, StatusCode};
use engine::played::{Played, PlayedExecutor};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::{Mutex, mpsc};

pub(super) struct Console {
    pub(super) app: TestApp,
    trainers: Mutex<mpsc::UnboundedReceiver<Played>>,
    _folder: TempDir,
}

impl Console {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let model = folder.path().join("models/tiny");
        std::fs::create_dir_all(&model).expect("made");
        std::fs::write(
            model.join("config.json"),
            r#"{"model_type": "llama", "max_position_embeddings": 512}"#,
        )
        .expect("written");
        let mut config = engine::Config::new(folder.path().join("data"));
        config.models_dir = Some(folder.path().join("models"));
        let (executor, trainers) = PlayedExecutor::new();
        let service = engine::Service::start(config, Arc::new(engine::SystemClock), Arc::new(executor))
            .await
            .expect("starts");
        Self {
            app: TestApp::over(Arc::new(Embedded::new(service, 1_000))),
            trainers: Mutex::new(trainers),
            _folder: folder,
        }
    }

    pub(super) async fn trainer(&self) -> Played {
        self.trainers
            .lock()
            .await
            .recv()
            .await
            .expect("the engine starts a trainer")
    }
}

pub(super) const LINE: &str =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"ho\"}]}\n";

/// Uploads a dataset of a few lines and waits until it has been read.
pub(super) async fn dataset(user: &Persona<'_>) -> String {
    let content = LINE.repeat(10);
    let body = json!({ "name": "data", "filename": "data.jsonl", "bytes": content.len() });
    let created = user.post("/api/datasets", &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let created = created.json();
    let url = created["upload"]["url"].as_str().expect("an address").to_owned();
    let id = created["dataset"]["id"].as_str().expect("an id").to_owned();
    let put = user.request(Method::PUT, &url).body(content.clone()).send().await;
    assert_eq!(
        put.json(),
        json!({ "received": content.len(), "bytes": content.len() })
    );
    assert_eq!(
        user.request(Method::POST, &format!("/api/datasets/{id}/confirm"))
            .send()
            .await
            .status,
        StatusCode::OK
    );
    loop {
        let found = user.get(&format!("/api/datasets/{id}")).await.json();
        match found["status"].as_str() {
            Some("ready") => return id,
            Some("validating" | "uploading") => tokio::task::yield_now().await,
            other => panic!("the dataset became {other:?}"),
        }
    }
}

/// A form on a dataset of its own.
pub(super) async fn form(user: &Persona<'_>) -> Value {
    json!({
        "name": "my-job", "base_model": "tiny", "epochs": 1, "evaluation_epochs": 0, "warmup_epochs": 0,
        "learning_rate": 0.001, "training_dataset": dataset(user).await
    })
}

pub(super) async fn submit(user: &Persona<'_>, key: &str, form: &Value) -> Answer {
    user.request(Method::POST, "/api/jobs")
        .header("idempotency-key", key)
        .json(form)
        .send()
        .await
}

pub(super) async fn create(user: &Persona<'_>, key: &str) -> Answer {
    submit(user, key, &form(user).await).await
}

pub(super) async fn new_job(user: &Persona<'_>) -> String {
    let created = create(user, "draft").await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    created.json()["id"].as_str().expect("an id").to_owned()
}

/// The frames of a stream, until it ends.
pub(super) async fn frames(
    user: &Persona<'_>,
    path: &str,
    last_event_id: Option<&str>,
) -> Vec<(Option<String>, Value)> {
    let mut asking = user
        .request(Method::GET, path)
        .header("accept-encoding", "br, gzip");
    if let Some(id) = last_event_id {
        asking = asking.header("last-event-id", id);
    }
    let answer = asking.send().await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("content-encoding"), "");
    answer
        .text()
        .split("\n\n")
        .filter(|frame| !frame.is_empty() && !frame.starts_with(':'))
        .map(|frame| {
            let field = |name: &str| {
                frame
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .map(str::to_owned)
            };
            let data: Value = serde_json::from_str(&field("data: ").expect("data")).expect("JSON");
            assert_eq!(field("event: ").as_deref(), data["type"].as_str());
            (field("id: "), data)
        })
        .collect()
}
