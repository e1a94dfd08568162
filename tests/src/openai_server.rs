//! An OpenAI-compatible fine-tuning API to stand in front of: its calls over an account in memory, habits in which such APIs
//! differ, and the moods of [`crate::contract_server`] to misbehave.

mod account;

pub use account::Habits;

use crate::contract_server::{Mood, Said};
use account::Account;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Multipart, Path, Query, Request, State},
    http::{Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{interval, timeout},
};

/// The key that it wants after `Bearer`.
pub const KEY: &str = "sk-account-key-that-no-browser-may-see";

/// Far above what any call takes to come.
const PATIENCE: Duration = Duration::from_secs(60);

type Pairs = Query<HashMap<String, String>>;

#[derive(Debug, Clone)]
struct Shared(Arc<Mutex<Account>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.lock().expect("not poisoned")
    }
}

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct OpenAiServer {
    /// The base URL, which ends in `/v1`.
    pub base_url: String,
    shared: Shared,
    task: JoinHandle<()>,
}

impl OpenAiServer {
    /// Starts one with an empty account.
    pub async fn start(habits: Habits) -> Self {
        let shared = Shared(Arc::new(Mutex::new(Account::new(habits))));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let jobs = Router::new()
            .route("/", get(list_jobs).post(create_job))
            .route("/{id}", get(find_job))
            .route("/{id}/{verb}", get(job_record).post(move_job));
        let router = Router::new()
            .nest("/v1/fine_tuning/jobs", jobs)
            .route("/v1/models", get(list_models))
            .route("/v1/files", get(list_files).post(create_file))
            .route("/v1/files/{id}", get(find_file).delete(delete_file))
            .route("/v1/files/{id}/content", get(file_content))
            .layer(middleware::from_fn_with_state(shared.clone(), in_its_mood))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self {
            base_url: format!("http://{address}/v1"),
            shared,
            task,
        }
    }

    /// How it answers from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.shared.lock().mood = mood;
    }

    /// Answers the next calls so, one each, whatever they ask.
    pub fn say_next(&self, said: Said) {
        self.shared.lock().next_answers.push_back(said);
    }

    /// Calls whose address has this in it get no answer; nothing for none.
    pub fn stall(&self, part: Option<&str>) {
        self.shared.lock().stalled = part.map(str::to_owned);
    }

    /// Waits until a call came whose address has this in it.
    pub async fn was_asked_for(&self, part: &str) {
        let asked = async {
            let mut ticks = interval(Duration::from_millis(20));
            while !self.calls().iter().any(|call| call.contains(part)) {
                ticks.tick().await;
            }
        };
        timeout(PATIENCE, asked).await.expect("it is asked for in time");
    }

    /// Its models propose this from now on, as those of another Attune do.
    pub fn propose(&self, defaults: Value) {
        self.shared.lock().proposals = Some(defaults);
    }

    /// Puts a job into the account, as if another client had; answers its id.
    pub fn add_job(&self, name: &str, status: &str) -> String {
        self.shared.lock().add_job(name, status)
    }

    /// Changes a field of a job.
    pub fn set(&self, job: &str, field: &str, value: Value) {
        self.shared.lock().set(job, field, value);
    }

    /// Tells a message in a job's events.
    pub fn tell(&self, job: &str, level: &str, message: &str) {
        self.shared
            .lock()
            .event(job, level, message, "message", &Value::Null);
    }

    /// Tells a step in a job's events.
    pub fn step(&self, job: &str, step: u64, train_loss: f64, valid_loss: Option<f64>) {
        let mut data = json!({"step": step, "total_steps": 100, "train_loss": train_loss,
            "train_mean_token_accuracy": 0.5});
        if let Some(loss) = valid_loss {
            data["full_valid_loss"] = json!(loss);
        }
        let message = format!("Step {step}/100: training loss={train_loss:.2}");
        self.shared.lock().event(job, "info", &message, "metrics", &data);
    }

    /// Adds a checkpoint.
    pub fn checkpoint(&self, job: &str, step: u64) {
        self.shared.lock().checkpoint(job, step);
    }

    /// Puts a file into the account; answers its id.
    pub fn add_file(&self, filename: &str, purpose: &str, content: impl Into<Vec<u8>>) -> String {
        self.shared.lock().add_file(filename, purpose, content.into())
    }

    /// The bodies of every create that came in.
    #[must_use]
    pub fn bodies(&self) -> Vec<Value> {
        self.shared.lock().bodies.clone()
    }

    /// Every call that came in, such as `GET /v1/models`, with its query.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.lock().calls.clone()
    }

    /// Forgets the calls that came in so far.
    pub fn forget_calls(&self) {
        self.shared.lock().calls.clear();
    }

    /// The content of a file, if there is such a file.
    #[must_use]
    pub fn content(&self, id: &str) -> Option<Vec<u8>> {
        self.shared.lock().content(id)
    }
}

impl Drop for OpenAiServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Looks at the key, and answers as the mood says before the call is looked at.
async fn in_its_mood(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let writes = request.method() != Method::GET;
    let key = request.headers().get(header::AUTHORIZATION);
    let known = key.is_some_and(|key| key == &format!("Bearer {KEY}"));
    let told_cookie = request.headers().contains_key(header::COOKIE);
    let mood = {
        let mut account = shared.lock();
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        account.calls.push(format!("{} {path}", request.method()));
        let stalls = account.stalled.as_ref().is_some_and(|part| path.contains(part));
        match account.next_answers.pop_front() {
            Some(said) => Mood::Says(said),
            None if stalls => Mood::Slow,
            None => account.mood.clone(),
        }
    };
    assert!(!told_cookie, "the browser's cookie stays with the console");
    match mood {
        _ if !known => refusal(StatusCode::UNAUTHORIZED, "Incorrect API key provided", None),
        Mood::ReadOnly if writes => refusal(
            StatusCode::FORBIDDEN,
            "You have insufficient permissions for this operation",
            None,
        ),
        Mood::Forgetful if writes => {
            next.run(request).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        Mood::Says(said) => said.into_response(),
        Mood::SaysOfWrites(said) if writes => said.into_response(),
        Mood::Slow => std::future::pending().await,
        Mood::Fair | Mood::ReadOnly | Mood::Refusing(_) | Mood::Forgetful | Mood::SaysOfWrites(_) => {
            next.run(request).await
        }
    }
}

/// OpenAI's envelope.
fn refusal(status: StatusCode, message: &str, param: Option<&str>) -> Response {
    let error = json!({"message": message, "type": "invalid_request_error", "param": param, "code": null});
    (status, Json(json!({"error": error}))).into_response()
}

fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "there is no such thing", None)
}

fn or_not_found(found: Option<Value>) -> Response {
    found.map_or_else(not_found, |found| Json(found).into_response())
}

async fn list_jobs(State(shared): State<Shared>, Query(query): Pairs) -> Response {
    let account = shared.lock();
    account.page(&account.jobs, &query)
}

async fn find_job(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    or_not_found(shared.lock().job(&id).cloned())
}

async fn create_job(State(shared): State<Shared>, body: Bytes) -> Response {
    let mut account = shared.lock();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    account.bodies.push(input.clone());
    if let Err((param, message)) = account.check(&input) {
        return refusal(StatusCode::BAD_REQUEST, &message, Some(&param));
    }
    Json(account.create(&input)).into_response()
}

async fn job_record(
    State(shared): State<Shared>,
    Path((id, what)): Path<(String, String)>,
    Query(query): Pairs,
) -> Response {
    let account = shared.lock();
    if account.job(&id).is_none() {
        return not_found();
    }
    match what.as_str() {
        "events" if account.habits.events_as_stream => account.event_stream(&id, &query),
        "events" => account.page(account.events.get(&id).map_or(&[], Vec::as_slice), &query),
        "checkpoints" if account.habits.has_checkpoints => {
            account.page(account.checkpoints.get(&id).map_or(&[], Vec::as_slice), &query)
        }
        _ => not_found(),
    }
}

async fn move_job(State(shared): State<Shared>, Path((id, verb)): Path<(String, String)>) -> Response {
    let mut account = shared.lock();
    let status = match verb.as_str() {
        "cancel" => "cancelled",
        "pause" if account.habits.can_pause => "paused",
        "resume" if account.habits.can_pause => "queued",
        _ => return not_found(),
    };
    match account.job(&id).map(|job| job["status"].clone()) {
        None => not_found(),
        Some(now) if now == "succeeded" || now == "cancelled" => {
            refusal(StatusCode::BAD_REQUEST, "the job has ended already", None)
        }
        Some(_) => {
            account.set(&id, "status", json!(status));
            or_not_found(account.job(&id).cloned())
        }
    }
}

async fn list_models(State(shared): State<Shared>) -> Response {
    let proposals = shared.lock().proposals.clone();
    let model = |id: &str| {
        let mut model = json!({"id": id, "object": "model", "created": 1, "owned_by": "openai"});
        if let Some(proposals) = &proposals {
            model["x_attune"] = json!({"defaults": proposals});
        }
        model
    };
    let models = [
        "gpt-4.1-mini-2025-04-14",
        "ft:gpt-4.1-mini:org:mine:1",
        "gpt-4.1-nano-2025-04-14",
    ];
    Json(json!({"object": "list", "data": models.map(model)})).into_response()
}

async fn list_files(State(shared): State<Shared>, Query(query): Pairs) -> Response {
    let account = shared.lock();
    let purpose = query.get("purpose");
    let files: Vec<Value> = (account.files.iter())
        .map(|(file, _)| file)
        .filter(|file| purpose.is_none_or(|purpose| file["purpose"] == **purpose))
        .cloned()
        .collect();
    Json(json!({"object": "list", "data": files, "has_more": false})).into_response()
}

async fn create_file(State(shared): State<Shared>, mut form: Multipart) -> Response {
    let (mut purpose, mut filename, mut content) = (String::new(), String::new(), Vec::new());
    while let Ok(Some(field)) = form.next_field().await {
        match field.name() {
            Some("purpose") => purpose = field.text().await.unwrap_or_default(),
            Some("file") => {
                filename = field.file_name().unwrap_or_default().to_owned();
                content = field.bytes().await.unwrap_or_default().to_vec();
            }
            _ => {}
        }
    }
    if purpose != "fine-tune" || content.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "send `file` and `purpose`", Some("file"));
    }
    let mut account = shared.lock();
    let id = account.add_file(&filename, &purpose, content);
    or_not_found(account.file(&id).cloned())
}

async fn find_file(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    or_not_found(shared.lock().file(&id).cloned())
}

async fn delete_file(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    if shared.lock().remove_file(&id) {
        Json(json!({"id": id, "object": "file", "deleted": true})).into_response()
    } else {
        not_found()
    }
}

async fn file_content(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let content = shared.lock().content(&id);
    content.map_or_else(not_found, |content| {
        Said::typed(200, "application/octet-stream", content).into_response()
    })
}
