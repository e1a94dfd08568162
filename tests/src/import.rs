//! `attune import` as somebody runs it, and jobs that are worth taking over.

use crate::{api::Api, openai_server::OpenAiServer, server::Setup};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use shared::{
    dataset::{Dataset, DatasetList},
    job::{Job, JobList},
};
use std::process::Output;

/// Where an import's key is taken from.
pub const KEY_VARIABLE: &str = "ATTUNE_IMPORT_API_KEY";

/// What a command said, and whether it was content.
#[derive(Debug)]
pub struct Outcome {
    /// It ended with 0.
    pub succeeded: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Self {
            succeeded: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Outcome {
    /// That it went well, and what it told.
    pub fn well(self) -> String {
        assert!(self.succeeded, "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }
}

/// Imports from an account, and answers what was said.
pub async fn import(setup: &Setup, base_url: &str, key: &str, more: &[&str]) -> Outcome {
    let mut words = vec!["import", "--from-openai", "--base-url", base_url];
    words.extend(more);
    setup.clone().with(KEY_VARIABLE, key).run(&words).await.into()
}

/// A job that has ended, with a record, checkpoints and a result in base64; answers its id.
pub fn trained_job(upstream: &OpenAiServer, name: &str, training: &str) -> String {
    let id = upstream.add_job(name, "succeeded");
    let hyperparameters = json!({"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 1.8});
    for (field, value) in [
        ("training_file", json!(training)),
        ("finished_at", json!(1_790_000_500)),
        ("trained_tokens", json!(1_234)),
        ("fine_tuned_model", json!(format!("ft:gpt-4.1-mini:org:{name}:1"))),
        ("metadata", json!({"name": name, "team": "a"})),
        ("hyperparameters", hyperparameters.clone()),
        (
            "method",
            json!({"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}),
        ),
    ] {
        upstream.set(&id, field, value);
    }
    upstream.tell(&id, "info", "Fine-tuning job started");
    upstream.step(&id, 1, 2.5, None);
    upstream.step(&id, 2, 1.5, Some(1.75));
    upstream.tell(&id, "warn", "Moderation is taking long");
    upstream.tell(&id, "info", "The job has successfully completed");
    upstream.checkpoint(&id, 2);
    let table = BASE64_STANDARD.encode("step,train_loss,train_accuracy\n1,2.5,0.5\n2,1.5,0.5\n");
    let results = upstream.add_file("step_metrics.csv", "fine-tune-results", table);
    upstream.set(&id, "result_files", json!([results]));
    id
}

/// The jobs that are here.
pub async fn jobs(api: &Api) -> Vec<Job> {
    api.get("/api/jobs").await.expect::<JobList>(200).jobs
}

/// The datasets that are here.
pub async fn datasets(api: &Api) -> Vec<Dataset> {
    api.get("/api/datasets").await.expect::<DatasetList>(200).datasets
}
