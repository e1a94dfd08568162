//! Creating a job on an upstream that may have no idempotency keys, so that one draft becomes one job.
//!
//! Before a job is sent, the ids that the upstream already has are noted. After an unknown outcome (no answer, or one
//! that can't be read) a job that is new since then and equal in every field is the one that was asked for. What is
//! noted by key is a memo of requests, not of jobs: without it, nothing worse happens than with an upstream
//! that is called directly.

use crate::upstream::{Answer, UpstreamError};
use async_trait::async_trait;
use shared::{
    id::{JobId, Subject},
    job::{Created, Job, NewJob},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

/// An upstream as far as creating a job on it goes.
#[async_trait]
pub(in crate::upstream) trait Creator: Sync {
    /// The jobs that it has, at least the newest ones; kept for a short time.
    async fn known_jobs(&self) -> Answer<Arc<Vec<Job>>>;

    /// Drops what is kept: something was changed, or may have been.
    fn forget_jobs(&self);

    /// Asks for a job, once.
    async fn send(&self, job: &NewJob, key: Option<&str>) -> Answer<Job>;

    /// Whether a job of the list may be the one that was asked for.
    fn is_same(&self, found: &Job, asked: &NewJob) -> bool;
}

/// Keys remembered; the oldest are forgotten first.
const REMEMBERED: usize = 1_000;

/// What is known by subject and key.
#[derive(Default)]
pub(in crate::upstream) struct Creations(Mutex<Memory>);

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
    pub(in crate::upstream) async fn create(
        &self,
        api: &impl Creator,
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
        let created = submit(api, &job, key, &mut attempt).await?;
        attempt.created = Some((job, created.job.clone()));
        // Only an open outcome needs them.
        attempt.before = None;
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

async fn submit(
    api: &impl Creator,
    job: &NewJob,
    key: Option<&str>,
    attempt: &mut Attempt,
) -> Answer<Created> {
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
        None => api.known_jobs().await?.iter().map(|job| job.id.clone()).collect(),
    };
    attempt.before = Some(before.clone());
    let answer = api.send(job, key).await;
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

async fn look_for(api: &impl Creator, job: &NewJob, before: &HashSet<JobId>) -> Answer<Option<Job>> {
    let jobs = api.known_jobs().await?;
    Ok(jobs
        .iter()
        .find(|candidate| !before.contains(&candidate.id) && api.is_same(candidate, job))
        .cloned())
}
