//! A Job Training API to stand in front of: the contract's calls over a list in memory, and switches to misbehave.

mod mood;
mod validation;
mod workspace;

pub use mood::{Mood, Said, malformed_lists};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{net::TcpListener, task::JoinHandle};
use workspace::Workspace;

/// The key that it wants in `x-api-key`.
pub const KEY: &str = "workspace-key-that-no-browser-may-see";

#[derive(Debug, Default, Clone)]
struct Shared(Arc<Mutex<Workspace>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.0.lock().expect("not poisoned")
    }
}

/// A running contract server; ended when dropped.
#[derive(Debug)]
pub struct ContractServer {
    /// The base URL, which ends in `/api`.
    pub base_url: String,
    address: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

impl ContractServer {
    /// Starts one with an empty workspace.
    pub async fn start() -> Self {
        Self::on(([127, 0, 0, 1], 0).into(), Shared::default()).await
    }

    async fn on(address: SocketAddr, shared: Shared) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/api/jobs", get(list_jobs).post(create_job))
            .route("/api/jobs/{id}", get(find_job).delete(delete_job))
            .route("/api/models", get(list_models))
            .layer(middleware::from_fn_with_state(shared.clone(), in_its_mood))
            .route("/api/health", get(|| async { Json(json!({"status": "ok"})) }))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self {
            base_url: format!("http://{address}/api"),
            address,
            shared,
            task,
        }
    }

    /// How it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.shared.lock().mood = mood;
    }

    /// Puts a job into the workspace, as if another client had.
    pub fn add_job(&self, name: &str, status: &str) {
        let input = json!({"name": name, "baseModel": "Qwen/QwQ-32B", "epochs": 5, "evaluationEpochs": 1,
            "warmupEpochs": 1, "learningRate": 0.001});
        self.shared.lock().insert(&input, status);
    }

    /// Puts a job into the workspace that was created at a time of the test's choice.
    pub fn add_job_of(&self, name: &str, status: &str, created_at: &str) {
        self.add_job(name, status);
        self.shared.lock().date_newest(created_at);
    }

    /// Fills the workspace to its last place.
    pub fn fill(&self) {
        for number in 0..10 {
            if self.names().len() < workspace::MAX_JOBS {
                self.add_job(&format!("job-{number}"), "Running");
            }
        }
    }

    /// Ends a running job well, as time would.
    pub fn finish_job(&self, name: &str) {
        self.shared.lock().finish(name);
    }

    /// The bodies of every create that came in.
    #[must_use]
    pub fn bodies(&self) -> Vec<Value> {
        self.shared.lock().bodies.clone()
    }

    /// Every call that came in, such as `GET /api/jobs`.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.lock().calls.clone()
    }

    /// The names of the jobs in the workspace.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.shared.lock().names()
    }

    /// Ends it: from now on nobody listens on its port.
    pub async fn stop(mut self) -> Stopped {
        self.task.abort();
        let _ = (&mut self.task).await;
        Stopped {
            address: self.address,
            shared: self.shared.clone(),
        }
    }
}

impl Drop for ContractServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that was ended, with its workspace.
#[derive(Debug)]
pub struct Stopped {
    address: SocketAddr,
    shared: Shared,
}

impl Stopped {
    /// The same server again, on the same port.
    pub async fn start(self) -> ContractServer {
        ContractServer::on(self.address, self.shared).await
    }
}

/// Looks at the key, and answers as the mood says before the call is looked at.
async fn in_its_mood(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let writes = request.method() != Method::GET;
    let known = request.headers().get("x-api-key").is_some_and(|key| key == KEY);
    let mood = {
        let mut workspace = shared.lock();
        workspace
            .calls
            .push(format!("{} {}", request.method(), request.uri().path()));
        workspace.mood.clone()
    };
    match mood {
        _ if !known => StatusCode::UNAUTHORIZED.into_response(),
        Mood::ReadOnly if writes => {
            let what = if *request.method() == Method::DELETE {
                "delete"
            } else {
                "create"
            };
            let body = json!({"error": format!("Insufficient permissions to {what} jobs")});
            (StatusCode::FORBIDDEN, Json(body)).into_response()
        }
        Mood::Fair | Mood::ReadOnly | Mood::Refusing(_) => next.run(request).await,
        Mood::Forgetful if writes => {
            // The job is made, and nobody is told.
            next.run(request).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        Mood::Forgetful => next.run(request).await,
        Mood::Says(said) => said.into_response(),
        Mood::SaysOfWrites(said) if writes => said.into_response(),
        Mood::SaysOfWrites(_) => next.run(request).await,
        Mood::Slow => std::future::pending().await,
    }
}

async fn list_jobs(State(shared): State<Shared>) -> Response {
    Json(shared.lock().list()).into_response()
}

async fn find_job(
    State(shared): State<Shared>,
    axum::extract::Path(id): axum::extract::Path<String>,
) -> Response {
    let found = shared.lock().find(&id).cloned();
    found.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |job| Json(job).into_response(),
    )
}

async fn create_job(State(shared): State<Shared>, body: Bytes) -> Response {
    let mut workspace = shared.lock();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    workspace.bodies.push(input.clone());
    let fields = match &workspace.mood {
        Mood::Refusing(fields) => fields.clone(),
        _ => validation::findings(&input),
    };
    if fields.as_object().is_some_and(|fields| !fields.is_empty()) {
        let body = json!({"error": "Validation failed", "fields": fields});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    if workspace.is_full() {
        let message = "Your workspace has reached the maximum limit of 10 jobs. Please delete some jobs before creating new ones.";
        let body = json!({"error": "Too Many Jobs", "message": message});
        return (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    }
    let job = workspace.insert(&input, "Running");
    (StatusCode::CREATED, Json(job)).into_response()
}

async fn delete_job(
    State(shared): State<Shared>,
    axum::extract::Path(id): axum::extract::Path<String>,
) -> Response {
    if shared.lock().remove(&id) {
        Json(json!({"message": "Job deleted successfully"})).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

async fn list_models() -> Response {
    Json(json!([
        {"id": "meta-llama/Llama-3.1-8B-Instruct", "displayName": "Llama 3.1 8B Instruct"},
        {"id": "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "displayName": "DeepSeek R1 Distill Llama 70B"},
        {"id": "Qwen/QwQ-32B", "displayName": "QwQ 32B"},
    ]))
    .into_response()
}
