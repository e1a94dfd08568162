//! Creating a job on a Job Training API.

use super::{JobTrainingApi, read};
use crate::upstream::{Answer, remote::creations::Creator};
use async_trait::async_trait;
use serde_json::json;
use shared::job::{Job, NewJob};
use std::sync::Arc;

#[async_trait]
impl Creator for JobTrainingApi {
    async fn known_jobs(&self) -> Answer<Arc<Vec<Job>>> {
        self.all_jobs().await
    }

    fn forget_jobs(&self) {
        self.jobs.forget();
        self.job.forget();
    }

    async fn send(&self, job: &NewJob, _key: Option<&str>) -> Answer<Job> {
        read::job(&self.client.create("jobs", &body(job), None).await?)
    }

    fn is_same(&self, found: &Job, asked: &NewJob) -> bool {
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
