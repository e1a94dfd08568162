//! Creating a job on an upstream that has no idempotency keys, so that one draft becomes one job.
//!
//! Before a job is sent, the ids that the upstream already has are noted. After an unknown outcome (no answer, or one
//! that can't be read) a job that is new since then and equal in every field is the one that was asked for. What is
//! noted by key is a memo of requests, not of jobs: without it, nothing worse happens than with an upstream
//! that is called directly.

use super::{JobTrainingApi, read};
use crate::upstream::{Answer, UpstreamError};
use serde_json::json;
use shared::{
    id::{JobId, Subject},
    job::{Created, Job, NewJob},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// Keys remembered; the oldest are forgotten first.
const REMEMBERED: usize = 1_000;

/// What is known by subject and key.
#[derive(Default)]
pub(super) struct Creations(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    by_key: HashMap<String, Arc<tokio::sync::Mutex<Attempt>>>,
    order: VecDeque<String>,
}

/// One draft's way to becoming a job.
#[derive(Default)]
struct Attempt {
    /// The ids that were there before it was first sent; none while it never was.
    before: Option<HashSet<JobId>>,
    /// The body it was sent with and the job that it became.
    created: Option<(NewJob, Job)>,
}

impl Creations {
    pub(super) async fn create(
        &self,
        api: &JobTrainingApi,
        subject: &Subject,
        job: NewJob,
        key: Option<&str>,
    ) -> Answer<Created> {
        let attempt = match key {
            Some(key) => self.attempt(&format!("{}\n{key}", subject.as_str())),
            None => Arc::default(),
        };
        // Held over the call: a repeated request waits for the first one's outcome.
        let mut attempt = attempt.lock().await;
        if let Some((body, created)) = &attempt.created {
            if *body != job {
                return Err(UpstreamError::Refused {
                    status: 409,
                    code: "idempotency_key_reused",
                    detail: "this draft was already submitted with other values; start a new one".to_owned(),
                    retry_after: None,
                });
            }
            return Ok(Created {
                job: created.clone(),
                repeated: true,
            });
        }
        let created = submit(api, &job, &mut attempt).await?;
        attempt.created = Some((job, created.job.clone()));
        Ok(created)
    }

    fn attempt(&self, key: &str) -> Arc<tokio::sync::Mutex<Attempt>> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = memory.by_key.get(key) {
            return Arc::clone(attempt);
        }
        if memory.order.len() >= REMEMBERED
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.by_key.remove(&oldest);
        }
        let attempt = Arc::default();
        memory.by_key.insert(key.to_owned(), Arc::clone(&attempt));
        memory.order.push_back(key.to_owned());
        attempt
    }
}

async fn submit(api: &JobTrainingApi, job: &NewJob, attempt: &mut Attempt) -> Answer<Created> {
    let before = match &attempt.before {
        Some(before) => {
            // Sent before with an unknown outcome: it may have arrived.
            api.forget_jobs();
            if let Some(found) = look_for(api, job, before).await? {
                return Ok(Created {
                    job: found,
                    repeated: true,
                });
            }
            before.clone()
        }
        None => api.all_jobs().await?.iter().map(|job| job.id.clone()).collect(),
    };
    attempt.before = Some(before.clone());
    let answer = api
        .client
        .post("jobs", &body(job))
        .await
        .map_err(super::no_such_call)
        .and_then(|answer| read::job(&answer));
    api.forget_jobs();
    let created = match answer {
        Err(error) if error.outcome_unknown() => match look_for(api, job, &before).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(_) => Err(error),
        },
        Err(error) => {
            attempt.before = None;
            Err(error)
        }
        Ok(created) => Ok(created),
    };
    created.map(|job| Created { job, repeated: false })
}

async fn look_for(api: &JobTrainingApi, job: &NewJob, before: &HashSet<JobId>) -> Answer<Option<Job>> {
    let jobs = api.all_jobs().await?;
    Ok(jobs
        .iter()
        .find(|candidate| !before.contains(&candidate.id) && is_same(candidate, job))
        .cloned())
}

fn is_same(found: &Job, asked: &NewJob) -> bool {
    fn agrees(found: Option<u32>, asked: u32) -> bool {
        found.is_none_or(|found| found == asked)
    }
    found.name == asked.name
        && found.base_model == asked.base_model
        && agrees(found.epochs, asked.epochs)
        && agrees(found.evaluation_epochs, asked.evaluation_epochs)
        && agrees(found.warmup_epochs, asked.warmup_epochs)
        && found
            .learning_rate
            .is_none_or(|rate| (rate - asked.learning_rate).abs() <= 1e-9 * asked.learning_rate)
}

/// The six fields by their exact names, and nothing else.
fn body(job: &NewJob) -> serde_json::Value {
    json!({
        "name": job.name,
        "baseModel": job.base_model,
        "epochs": job.epochs,
        "evaluationEpochs": job.evaluation_epochs,
        "warmupEpochs": job.warmup_epochs,
        "learningRate": job.learning_rate,
    })
}
