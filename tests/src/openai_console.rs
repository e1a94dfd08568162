//! The console in front of an OpenAI-compatible API.

use crate::{
    api::Api,
    openai_server::{Habits, KEY, OpenAiServer},
    server::{Server, Setup},
};
use serde_json::{Value, json};

/// The model that [`new_job`] starts from.
pub const MODEL: &str = "gpt-4.1-mini-2025-04-14";

/// A console in front of whatever answers at this address, not started yet.
#[must_use]
pub fn setup(base_url: &str, key: &str, cache_ms: &str) -> Setup {
    Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "openai")
        .with("ATTUNE_UPSTREAM__BASE_URL", base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", key)
        .with("ATTUNE_UPSTREAM__CACHE_MS", cache_ms)
}

/// The console, and a client that is signed in.
pub async fn console(setup: Setup) -> (Server, Api) {
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    (server, api)
}

/// An account and the console in front of it; nothing is kept, so that what a test changes there is seen at once.
pub async fn account(habits: Habits) -> (OpenAiServer, Server, Api) {
    let upstream = OpenAiServer::start(habits).await;
    let (server, api) = console(setup(&upstream.base_url, KEY, "0")).await;
    (upstream, server, api)
}

/// A job as a form sends it.
#[must_use]
pub fn new_job(name: &str, file: &str) -> Value {
    json!({"name": name, "base_model": MODEL, "epochs": 4, "evaluation_epochs": 0, "warmup_epochs": 0,
        "learning_rate": 0.0002, "training_dataset": file})
}
