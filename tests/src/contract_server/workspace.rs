//! A workspace: its jobs, newest first, and what its server has seen.

use super::Mood;
use serde_json::{Value, json};

/// Jobs that a workspace holds at most.
pub(super) const MAX_JOBS: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Workspace {
    pub(super) mood: Mood,
    pub(super) bodies: Vec<Value>,
    pub(super) calls: Vec<String>,
    jobs: Vec<Value>,
    created: usize,
}

impl Workspace {
    pub(super) fn is_full(&self) -> bool {
        self.jobs.len() >= MAX_JOBS
    }

    /// Its ids hold a slash: they are opaque, and must stay inside one segment.
    pub(super) fn insert(&mut self, input: &Value, status: &str) -> Value {
        self.created += 1;
        let mut job = input.clone();
        let time = format!("2026-01-02T03:04:{:02}.000Z", self.created % 60);
        job["id"] = json!(format!("job/{}", self.created));
        job["status"] = json!(status);
        job["date"] = json!(time);
        job["createdAt"] = json!(time);
        self.jobs.insert(0, job.clone());
        job
    }

    pub(super) fn date_newest(&mut self, created_at: &str) {
        if let Some(job) = self.jobs.first_mut() {
            job["date"] = json!(created_at);
            job["createdAt"] = json!(created_at);
        }
    }

    pub(super) fn finish(&mut self, name: &str) {
        for job in self.jobs.iter_mut().filter(|job| job["name"] == name) {
            job["status"] = json!("Completed");
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.jobs.iter().find(|job| job["id"] == id)
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.jobs.len();
        self.jobs.retain(|job| job["id"] != id);
        self.jobs.len() < before
    }

    pub(super) fn names(&self) -> Vec<String> {
        let names = self.jobs.iter().filter_map(|job| job["name"].as_str());
        names.map(str::to_owned).collect()
    }

    pub(super) fn list(&self) -> Value {
        let count = |status: &str| self.jobs.iter().filter(|job| job["status"] == status).count();
        let summary =
            json!({"completed": count("Completed"), "running": count("Running"), "failed": count("Failed")});
        json!({"jobs": self.jobs, "summary": summary})
    }
}
