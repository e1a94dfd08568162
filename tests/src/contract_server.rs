//! A Job Training API to stand in front of: the contract's calls over a list in memory, and ways to misbehave.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, task::JoinHandle};

/// The key that it wants in `x-api-key`.
pub const KEY: &str = "workspace-key-that-no-browser-may-see";
/// Jobs that a workspace holds at most.
const MAX_JOBS: usize = 10;

/// How it answers what it would otherwise do.
#[derive(Debug, Clone, Default)]
pub enum Mood {
    /// As the contract says.
    #[default]
    Fair,
    /// The key may only read.
    ReadOnly,
    /// The key isn't known.
    UnknownKey,
    /// Every create is refused for these fields.
    Refusing(Value),
    /// Every call fails inside.
    Broken,
    /// What comes back isn't JSON.
    Garbled,
}

#[derive(Debug, Default)]
struct Workspace {
    jobs: Vec<Value>,
    mood: Mood,
    created: usize,
    bodies: Vec<Value>,
}

type Shared = Arc<Mutex<Workspace>>;

/// A running contract server; ended when dropped.
#[derive(Debug)]
pub struct ContractServer {
    /// The base URL, which ends in `/api`.
    pub base_url: String,
    workspace: Shared,
    task: JoinHandle<()>,
}

impl ContractServer {
    /// Starts one with an empty workspace.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let workspace = Shared::default();
        let router = Router::new()
            .route("/api/health", get(|| async { Json(json!({"status": "ok"})) }))
            .route("/api/jobs", get(list_jobs).post(create_job))
            .route("/api/jobs/{id}", get(find_job).delete(delete_job))
            .route("/api/models", get(list_models))
            .with_state(workspace.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self {
            base_url: format!("http://{address}/api"),
            workspace,
            task,
        }
    }

    /// How it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.workspace.lock().expect("not poisoned").mood = mood;
    }

    /// Puts a job into the workspace, as if another client had.
    pub fn add_job(&self, name: &str, status: &str) {
        let mut workspace = self.workspace.lock().expect("not poisoned");
        let input = json!({"name": name, "baseModel": "Qwen/QwQ-32B", "epochs": 5, "evaluationEpochs": 1,
            "warmupEpochs": 1, "learningRate": 0.001});
        insert(&mut workspace, &input, status);
    }

    /// The bodies of every create that came in.
    #[must_use]
    pub fn bodies(&self) -> Vec<Value> {
        self.workspace.lock().expect("not poisoned").bodies.clone()
    }

    /// The names of the jobs in the workspace.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let workspace = self.workspace.lock().expect("not poisoned");
        workspace
            .jobs
            .iter()
            .filter_map(|job| job["name"].as_str().map(str::to_owned))
            .collect()
    }

    /// Ends it: from now on nobody listens on its port.
    pub async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for ContractServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn insert(workspace: &mut Workspace, input: &Value, status: &str) -> Value {
    workspace.created += 1;
    let mut job = input.clone();
    let time = format!("2026-01-02T03:04:{:02}.000Z", workspace.created % 60);
    job["id"] = json!(format!("job/{}", workspace.created));
    job["status"] = json!(status);
    job["date"] = json!(time);
    job["createdAt"] = json!(time);
    workspace.jobs.insert(0, job.clone());
    job
}

/// What the mood or the key answers before the call is looked at.
fn refusal(workspace: &Workspace, headers: &HeaderMap, writes: bool) -> Option<Response> {
    let known = headers.get("x-api-key").is_some_and(|key| key == KEY);
    match workspace.mood {
        Mood::Broken => Some(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Mood::Garbled => Some("<html>a proxy's page</html>".into_response()),
        Mood::ReadOnly if writes => {
            let body = json!({"error": "Insufficient permissions to create jobs"});
            Some((StatusCode::FORBIDDEN, Json(body)).into_response())
        }
        _ if !known || matches!(workspace.mood, Mood::UnknownKey) => {
            Some(StatusCode::UNAUTHORIZED.into_response())
        }
        _ => None,
    }
}

async fn list_jobs(State(workspace): State<Shared>, headers: HeaderMap) -> Response {
    let workspace = workspace.lock().expect("not poisoned");
    if let Some(refusal) = refusal(&workspace, &headers, false) {
        return refusal;
    }
    let count = |status: &str| {
        workspace
            .jobs
            .iter()
            .filter(|job| job["status"] == status)
            .count()
    };
    let summary =
        json!({"completed": count("Completed"), "running": count("Running"), "failed": count("Failed")});
    Json(json!({"jobs": workspace.jobs, "summary": summary})).into_response()
}

async fn find_job(State(workspace): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let workspace = workspace.lock().expect("not poisoned");
    if let Some(refusal) = refusal(&workspace, &headers, false) {
        return refusal;
    }
    let job = workspace.jobs.iter().find(|job| job["id"] == id.as_str());
    job.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |job| Json(job.clone()).into_response(),
    )
}

async fn create_job(
    State(workspace): State<Shared>,
    headers: HeaderMap,
    Json(input): Json<Value>,
) -> Response {
    let mut workspace = workspace.lock().expect("not poisoned");
    workspace.bodies.push(input.clone());
    if let Some(refusal) = refusal(&workspace, &headers, true) {
        return refusal;
    }
    if let Mood::Refusing(fields) = &workspace.mood {
        let body = json!({"error": "Validation failed", "fields": fields});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    if workspace.jobs.len() >= MAX_JOBS {
        let message = "Your workspace has reached the maximum limit of 10 jobs. Please delete some jobs before creating new ones.";
        let body = json!({"error": "Too Many Jobs", "message": message});
        return (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    }
    let job = insert(&mut workspace, &input, "Running");
    (StatusCode::CREATED, Json(job)).into_response()
}

async fn delete_job(State(workspace): State<Shared>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let mut workspace = workspace.lock().expect("not poisoned");
    if let Some(refusal) = refusal(&workspace, &headers, true) {
        return refusal;
    }
    let before = workspace.jobs.len();
    workspace.jobs.retain(|job| job["id"] != id.as_str());
    if workspace.jobs.len() == before {
        return StatusCode::NOT_FOUND.into_response();
    }
    Json(json!({"message": "Job deleted successfully"})).into_response()
}

async fn list_models(State(workspace): State<Shared>, headers: HeaderMap) -> Response {
    let workspace = workspace.lock().expect("not poisoned");
    refusal(&workspace, &headers, false).unwrap_or_else(|| {
        Json(json!([
            {"id": "meta-llama/Llama-3.1-8B-Instruct", "displayName": "Llama 3.1 8B Instruct"},
            {"id": "Qwen/QwQ-32B", "displayName": "QwQ 32B"},
        ]))
        .into_response()
    })
}
