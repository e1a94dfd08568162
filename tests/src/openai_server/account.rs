//! What the server holds.

use crate::contract_server::{Mood, Said};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The parameters that a create knows; any other is refused, as OpenAI does.
const PARAMETERS: [&str; 8] = [
    "model",
    "training_file",
    "validation_file",
    "suffix",
    "seed",
    "metadata",
    "method",
    "integrations",
];

/// In what such APIs differ.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Events come as server-sent events, always.
    pub events_as_stream: bool,
    /// Jobs can be paused.
    pub can_pause: bool,
    /// Jobs have checkpoints.
    pub has_checkpoints: bool,
    /// Entries of a page at most; more is 422.
    pub largest_page: usize,
}

impl Default for Habits {
    /// OpenAI's.
    fn default() -> Self {
        Self {
            events_as_stream: false,
            can_pause: true,
            has_checkpoints: true,
            largest_page: 1_000,
        }
    }
}

impl Habits {
    /// `FakeAI`'s.
    #[must_use]
    pub fn fakeai() -> Self {
        Self {
            events_as_stream: true,
            can_pause: false,
            largest_page: 100,
            ..Self::default()
        }
    }

    /// The figures of a checkpoint, by the names that the API has for them.
    fn measured_at(self, step: u64) -> Value {
        if self.events_as_stream {
            json!({"train_loss": 1.5, "valid_loss": 1.75, "train_accuracy": 0.5})
        } else {
            json!({"step": step, "train_loss": 1.5, "full_valid_loss": 1.75})
        }
    }
}

#[derive(Debug)]
pub(super) struct Account {
    pub(super) habits: Habits,
    pub(super) mood: Mood,
    /// Said before the mood has its say, one to each call.
    pub(super) next_answers: VecDeque<Said>,
    /// Calls with this in their address get no answer.
    pub(super) stalled: Option<String>,
    pub(super) calls: Vec<String>,
    pub(super) bodies: Vec<Value>,
    /// Newest first.
    pub(super) jobs: Vec<Value>,
    /// By job, newest first.
    pub(super) events: BTreeMap<String, Vec<Value>>,
    /// By job, newest first.
    pub(super) checkpoints: BTreeMap<String, Vec<Value>>,
    /// What its models propose, as another Attune tells it.
    pub(super) proposals: Option<Value>,
    /// With their contents, newest first.
    pub(super) files: Vec<(Value, Vec<u8>)>,
    made: u64,
}

impl Account {
    pub(super) fn new(habits: Habits) -> Self {
        Self {
            habits,
            mood: Mood::Fair,
            next_answers: VecDeque::new(),
            stalled: None,
            calls: Vec::new(),
            bodies: Vec::new(),
            jobs: Vec::new(),
            events: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            proposals: None,
            files: Vec::new(),
            made: 0,
        }
    }

    /// A number that no other thing has; it is a time too.
    fn next(&mut self) -> u64 {
        self.made += 1;
        1_790_000_000 + self.made
    }

    pub(super) fn job(&self, id: &str) -> Option<&Value> {
        self.jobs.iter().find(|job| job["id"] == id)
    }

    pub(super) fn set(&mut self, id: &str, field: &str, value: Value) {
        let job = self.jobs.iter_mut().find(|job| job["id"] == id);
        job.expect("there is such a job")[field] = value;
    }

    pub(super) fn add_job(&mut self, name: &str, status: &str) -> String {
        let input = json!({"model": "gpt-4.1-mini-2025-04-14", "training_file": "file-elsewhere",
            "metadata": {"name": name}, "method": {"type": "supervised"}});
        let job = self.create(&input);
        let id = job["id"].as_str().expect("an id").to_owned();
        self.set(&id, "status", json!(status));
        id
    }

    pub(super) fn create(&mut self, input: &Value) -> Value {
        let now = self.next();
        let kind = input["method"]["type"].as_str().unwrap_or("supervised");
        let chosen = &input["method"][kind]["hyperparameters"];
        let hyperparameters = json!({
            "n_epochs": chosen.get("n_epochs").cloned().unwrap_or(json!("auto")),
            "batch_size": chosen.get("batch_size").cloned().unwrap_or(json!("auto")),
            "learning_rate_multiplier": chosen.get("learning_rate_multiplier").cloned().unwrap_or(json!("auto")),
        });
        let job = json!({
            "id": format!("ftjob-{now}"), "object": "fine_tuning.job", "created_at": now, "model": input["model"],
            "organization_id": "org-1", "status": "validating_files", "training_file": input["training_file"],
            "validation_file": input["validation_file"], "result_files": [], "fine_tuned_model": null,
            "finished_at": null, "trained_tokens": null, "error": {}, "hyperparameters": hyperparameters,
            "method": {"type": kind, kind: {"hyperparameters": hyperparameters}}, "seed": 42,
            "metadata": input["metadata"], "integrations": [], "user_provided_suffix": input["suffix"],
        });
        self.jobs.insert(0, job.clone());
        job
    }

    /// Refuses what OpenAI refuses.
    pub(super) fn check(&self, input: &Value) -> Result<(), (String, String)> {
        if let Mood::Refusing(fields) = &self.mood
            && let Some((param, message)) = fields.as_object().and_then(|fields| fields.iter().next())
        {
            return Err((param.clone(), message.as_str().unwrap_or_default().to_owned()));
        }
        let names = input.as_object().into_iter().flat_map(serde_json::Map::keys);
        for name in names {
            if !PARAMETERS.contains(&name.as_str()) {
                return Err((
                    name.clone(),
                    format!("Unrecognized request argument supplied: {name}"),
                ));
            }
        }
        let file = input["training_file"].as_str().unwrap_or_default();
        if self.file(file).is_none() {
            return Err((
                "training_file".to_owned(),
                format!("invalid training_file: {file}"),
            ));
        }
        Ok(())
    }

    pub(super) fn event(&mut self, job: &str, level: &str, message: &str, kind: &str, data: &Value) {
        let now = self.next();
        let event = json!({"id": format!("ftevent-{now}"), "object": "fine_tuning.job.event", "created_at": now,
            "level": level, "message": message, "type": kind, "data": data});
        self.events.entry(job.to_owned()).or_default().insert(0, event);
    }

    pub(super) fn checkpoint(&mut self, job: &str, step: u64) {
        let now = self.next();
        let checkpoint = json!({"id": format!("ftckpt_{now}"), "object": "fine_tuning.job.checkpoint",
            "created_at": now, "fine_tuning_job_id": job, "step_number": step,
            "fine_tuned_model_checkpoint": format!("ft:model:org::{now}"),
            "metrics": self.habits.measured_at(step)});
        let checkpoints = self.checkpoints.entry(job.to_owned()).or_default();
        checkpoints.insert(0, checkpoint);
    }

    /// A page after `after`, of at most `limit`.
    pub(super) fn page(&self, items: &[Value], query: &HashMap<String, String>) -> Response {
        let limit = query.get("limit").map_or(20, |limit| limit.parse().unwrap_or(0));
        if limit == 0 || limit > self.habits.largest_page {
            let detail = json!([{"type": "less_than_equal", "loc": ["query", "limit"],
                "msg": format!("Input should be less than or equal to {}", self.habits.largest_page)}]);
            return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"detail": detail}))).into_response();
        }
        let start = query.get("after").map_or(0, |after| {
            let last = items.iter().position(|item| item["id"] == **after);
            last.map_or(items.len(), |last| last + 1)
        });
        let rest = &items[start..];
        let data: Vec<_> = rest.iter().take(limit).collect();
        Json(json!({"object": "list", "data": data, "has_more": rest.len() > limit})).into_response()
    }

    /// The newest events in the order in which they happened.
    pub(super) fn event_stream(&self, job: &str, query: &HashMap<String, String>) -> Response {
        let limit = query.get("limit").map_or(20, |limit| limit.parse().unwrap_or(0));
        if limit > self.habits.largest_page {
            return self.page(&[], query);
        }
        let events = self.events.get(job).map_or(&[][..], Vec::as_slice);
        let newest = events.iter().take(limit).rev();
        let body: String = newest.map(|event| format!("data: {event}\n\n")).collect();
        ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
    }

    pub(super) fn file(&self, id: &str) -> Option<&Value> {
        self.files
            .iter()
            .map(|(file, _)| file)
            .find(|file| file["id"] == id)
    }

    pub(super) fn content(&self, id: &str) -> Option<Vec<u8>> {
        let found = self.files.iter().find(|(file, _)| file["id"] == id);
        found.map(|(_, content)| content.clone())
    }

    pub(super) fn add_file(&mut self, filename: &str, purpose: &str, content: Vec<u8>) -> String {
        let now = self.next();
        let id = format!("file-{now}");
        let file = json!({"id": id, "object": "file", "bytes": content.len(), "created_at": now,
            "filename": filename, "purpose": purpose, "status": "processed"});
        self.files.insert(0, (file, content));
        id
    }

    pub(super) fn remove_file(&mut self, id: &str) -> bool {
        let before = self.files.len();
        self.files.retain(|(file, _)| file["id"] != id);
        self.files.len() < before
    }
}
