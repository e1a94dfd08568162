//! The Job Training API: list, create, delete and models; no paging, log, metric or stream.
//!
//! It is read tolerantly and written exactly. Its list is short (a workspace holds at most ten jobs), so search,
//! filters, sort and pages are done here, over one list that everybody who asks within a short time shares (a second,
//! unless the setting says otherwise). Every change drops what is shared.

mod create;
mod read;

use super::{
    Answer, Figures, Upstream,
    remote::{
        client::{Client, ClientError, Dialect},
        creations::{Creations, Creator as _},
        jobs_page, no_such_call, path_of,
        single_flight::SingleFlight,
        unchanged::{Unchanged, WrittenPages},
    },
};
use crate::config::RemoteConfig;
use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::HeaderName;
use shared::{
    capabilities::Capabilities,
    id::{JobId, Subject},
    job::{Created, Job, JobList, JobQuery, JobSummary, NewJob},
    model::{BaseModel, ModelList},
};
use std::sync::Arc;

/// A Job Training API behind its key.
pub struct JobTrainingApi {
    client: Arc<Client>,
    jobs: SingleFlight<(), Arc<Vec<Job>>>,
    /// The newest list and its pages: polling mostly brings the same again.
    list: Arc<Unchanged<Vec<Job>>>,
    pages: WrittenPages,
    job: SingleFlight<JobId, Job>,
    models: SingleFlight<(), Vec<BaseModel>>,
    creations: Creations,
}

impl JobTrainingApi {
    /// Prepares to speak to it; nothing is sent yet.
    ///
    /// # Errors
    /// The key can't stand in a header, or the HTTP client can't be built.
    pub fn new(config: &RemoteConfig) -> Result<Self, ClientError> {
        Ok(Self {
            client: Arc::new(Client::new(config, dialect())?),
            jobs: SingleFlight::new(config.cache),
            list: Arc::default(),
            pages: WrittenPages::default(),
            job: SingleFlight::new(config.cache),
            models: SingleFlight::new(config.cache),
            creations: Creations::default(),
        })
    }

    async fn all_jobs(&self) -> Answer<Arc<Vec<Job>>> {
        let (client, list) = (Arc::clone(&self.client), Arc::clone(&self.list));
        let read = || async move { list.read(client.get("jobs").await.map_err(no_such_call)?, read::jobs) };
        Ok(Arc::clone(&*self.jobs.get((), read).await?))
    }

    async fn all_models(&self) -> Answer<Arc<Vec<BaseModel>>> {
        let client = Arc::clone(&self.client);
        self.models
            .get((), || async move {
                read::models(&client.get("models").await.map_err(no_such_call)?)
            })
            .await
    }
}

fn dialect() -> Dialect {
    Dialect {
        key_header: HeaderName::from_static("x-api-key"),
        key_prefix: "",
        field_name: read::field_name,
    }
}

#[async_trait]
impl Upstream for JobTrainingApi {
    async fn capabilities(&self) -> Capabilities {
        Capabilities::job_training_api()
    }

    async fn ping(&self) -> Answer<()> {
        // `/health` is public and would not tell that the key is refused.
        self.all_models().await.map(|_| ())
    }

    async fn figures(&self) -> Answer<Figures> {
        let mut summary = JobSummary::default();
        for job in self.all_jobs().await?.iter() {
            summary.add(job.status, 1);
        }
        Ok(Figures {
            jobs: summary,
            others: Vec::new(),
        })
    }

    async fn list_jobs(&self, _subject: &Subject, query: &JobQuery) -> Answer<JobList> {
        Ok(jobs_page::page(&self.all_jobs().await?, query)?.to_list())
    }

    async fn list_jobs_json(&self, _subject: &Subject, query: &JobQuery) -> Answer<Bytes> {
        self.pages.page(&self.all_jobs().await?, query)
    }

    async fn find_job(&self, _subject: &Subject, id: &JobId) -> Answer<Job> {
        let (client, path) = (Arc::clone(&self.client), job_path(id)?);
        let job = self
            .job
            .get(id.clone(), || async move { read::job(&client.get(&path).await?) })
            .await?;
        Ok(job.as_ref().clone())
    }

    async fn create_job(
        &self,
        subject: &Subject,
        job: NewJob,
        idempotency_key: Option<&str>,
    ) -> Answer<Created> {
        self.creations.create(self, subject, job, idempotency_key).await
    }

    /// A running job too: this upstream has no cancel, so deleting is the only way to end one.
    async fn delete_job(&self, _subject: &Subject, id: &JobId) -> Answer<()> {
        let deleted = self.client.delete(&job_path(id)?).await;
        self.forget_jobs();
        deleted
    }

    async fn list_models(&self, _subject: &Subject) -> Answer<ModelList> {
        Ok(ModelList::of(self.all_models().await?.as_ref().clone()))
    }
}

fn job_path(id: &JobId) -> Answer<String> {
    path_of("jobs", "job", id.as_str(), "")
}

#[cfg(test)]
mod tests;
