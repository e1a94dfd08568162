//! The embedded engine: a thin layer over `engine::Service`.

mod chat;
mod figures;

use super::{
    Answer, ByteStream, ChatStream, Download, Figures, FrameStream, UploadRange, Upstream, UpstreamError,
    error::Cause, frame::frame,
};
use async_trait::async_trait;
use engine::{Error, Service};
use futures_util::{StreamExt as _, TryStreamExt as _};
use shared::{
    alert::AlertRules,
    api_key::{ApiKeyList, CreatedApiKey, NewApiKey},
    attempt::{AttemptList, RetryJob},
    capabilities::Capabilities,
    chat::{ChatModelList, ChatRequest},
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, NewDataset, PreviewQuery,
        UploadProgress,
    },
    estimate::{Estimate, EstimateQuery},
    event::{CheckpointList, EventList, EventQuery, StreamStart},
    id::{ApiKeyId, ArtifactId, DatasetId, JobId, Subject, WebhookId, encode_segment},
    job::{Created, Job, JobList, JobQuery, NewJob},
    metrics::{Metrics, MetricsQuery},
    model::{AddModel, Artifact, ArtifactList, DownloadLink, ModelAddition, ModelList},
    notification::{NotificationList, NotificationQuery},
    queue::JobChange,
    step_examples::StepExamples,
    timeline::Timeline,
    webhook::{CreatedWebhook, Delivery, DeliveryList, NewWebhook, WebhookList},
};
use std::io;

/// The engine as an upstream.
pub struct Embedded {
    service: Service,
    upload_bytes: u64,
}

impl Embedded {
    /// Over a service that has been started. `upload_bytes` is the largest file that this server takes.
    #[must_use]
    pub const fn new(service: Service, upload_bytes: u64) -> Self {
        Self {
            service,
            upload_bytes,
        }
    }
}

#[async_trait]
impl Upstream for Embedded {
    async fn capabilities(&self) -> Capabilities {
        Capabilities {
            cores: Some(self.service.trainer_cores()),
            max_dataset_bytes: Some(self.upload_bytes),
            ..Capabilities::engine()
        }
    }

    async fn ping(&self) -> Answer<()> {
        Ok(self.service.ping().await?)
    }

    async fn figures(&self) -> Answer<Figures> {
        let counters = self.service.counters().await?;
        let jobs = counters.jobs;
        Ok(Figures {
            jobs,
            others: figures::figures(counters),
        })
    }

    async fn list_jobs(&self, subject: &Subject, query: &JobQuery) -> Answer<JobList> {
        Ok(self.service.list_jobs(subject, query).await?)
    }

    async fn find_job(&self, subject: &Subject, id: &JobId) -> Answer<Job> {
        // Read before the job: what is recorded in between is told again rather than never.
        let place = self.service.last_place(subject, id).await?;
        let mut job = self.service.find_job(subject, id).await?;
        job.last_event_id = Some(place.to_string()).filter(|_| !job.status.is_terminal());
        Ok(job)
    }

    async fn create_job(
        &self,
        subject: &Subject,
        job: NewJob,
        idempotency_key: Option<&str>,
    ) -> Answer<Created> {
        Ok(self.service.create_job(subject, job, idempotency_key).await?)
    }

    async fn delete_job(&self, subject: &Subject, id: &JobId) -> Answer<()> {
        Ok(self.service.delete_job(subject, id).await?)
    }

    async fn cancel_job(&self, subject: &Subject, id: &JobId) -> Answer<Job> {
        Ok(self.service.cancel_job(subject, id).await?)
    }

    async fn pause_job(&self, subject: &Subject, id: &JobId) -> Answer<Job> {
        Ok(self.service.pause_job(subject, id).await?)
    }

    async fn resume_job(&self, subject: &Subject, id: &JobId) -> Answer<Job> {
        Ok(self.service.resume_job(subject, id).await?)
    }

    async fn stop_job(&self, subject: &Subject, id: &JobId) -> Answer<Job> {
        Ok(self.service.stop_job(subject, id).await?)
    }

    async fn retry_job(
        &self,
        subject: &Subject,
        id: &JobId,
        retry: RetryJob,
        idempotency_key: Option<&str>,
    ) -> Answer<Created> {
        Ok(self
            .service
            .retry_job(subject, id, retry, idempotency_key)
            .await?)
    }

    async fn change_job(&self, subject: &Subject, id: &JobId, change: JobChange) -> Answer<Job> {
        Ok(self.service.change_job(subject, id, change).await?)
    }

    async fn list_attempts(&self, subject: &Subject, id: &JobId) -> Answer<AttemptList> {
        Ok(self.service.list_attempts(subject, id).await?)
    }

    async fn find_timeline(&self, subject: &Subject, id: &JobId) -> Answer<Timeline> {
        Ok(self.service.find_timeline(subject, id).await?)
    }

    async fn list_models(&self, _subject: &Subject) -> Answer<ModelList> {
        Ok(self.service.list_models().await?)
    }

    async fn estimate(&self, subject: &Subject, query: &EstimateQuery) -> Answer<Estimate> {
        Ok(self.service.estimate(subject, query).await?)
    }

    async fn add_model(&self, _subject: &Subject, model: AddModel) -> Answer<ModelAddition> {
        Ok(self.service.add_model(&model).await?)
    }

    async fn remove_model(&self, _subject: &Subject, id: &str) -> Answer<()> {
        Ok(self.service.remove_model(id).await?)
    }

    async fn list_events(&self, subject: &Subject, id: &JobId, query: &EventQuery) -> Answer<EventList> {
        Ok(self.service.list_events(subject, id, query).await?)
    }

    async fn list_checkpoints(&self, subject: &Subject, id: &JobId) -> Answer<CheckpointList> {
        Ok(self.service.list_checkpoints(subject, id).await?)
    }

    async fn create_checkpoint_download(
        &self,
        subject: &Subject,
        id: &JobId,
        step: u64,
    ) -> Answer<DownloadLink> {
        Ok(self.service.create_checkpoint_download(subject, id, step).await?)
    }

    async fn job_metrics(&self, subject: &Subject, id: &JobId, query: MetricsQuery) -> Answer<Metrics> {
        Ok(self.service.job_metrics(subject, id, &query).await?)
    }

    async fn step_examples(&self, subject: &Subject, id: &JobId, step: u64) -> Answer<StepExamples> {
        Ok(self.service.step_examples(subject, id, step).await?)
    }

    async fn metrics_csv(&self, subject: &Subject, id: &JobId) -> Answer<Download> {
        let content = self.service.metrics_csv(subject, id).await?;
        let lacks_steps = self.service.lacks_steps(subject, id).await?;
        let mark = if lacks_steps { "-incomplete" } else { "" };
        Ok(Download {
            filename: format!("{}-metrics{mark}.csv", encode_segment(id.as_str())),
            content_type: "text/csv; charset=utf-8".to_owned(),
            bytes: None,
            content: content.map_err(io::Error::other).boxed(),
        })
    }

    async fn stream(&self, subject: &Subject, id: &JobId, start: StreamStart<&str>) -> Answer<FrameStream> {
        let start = match start {
            StreamStart::Beginning => StreamStart::Beginning,
            // An id that isn't ours tells nothing about what arrived: everything is sent.
            StreamStart::After(id) => id.parse().map_or(StreamStart::Beginning, StreamStart::After),
            StreamStart::Now => StreamStart::Now,
        };
        let messages = self.service.stream(subject, id, start).await?;
        Ok(messages
            .map(|told| {
                told.rendered(|told| frame(told.seq.map(|seq| seq.to_string()).as_deref(), &told.message))
            })
            .boxed())
    }

    async fn list_datasets(&self, subject: &Subject) -> Answer<DatasetList> {
        Ok(self.service.list_datasets(subject).await?)
    }

    async fn find_dataset(&self, subject: &Subject, id: &DatasetId) -> Answer<Dataset> {
        Ok(self.service.find_dataset(subject, id).await?)
    }

    async fn create_dataset(&self, subject: &Subject, dataset: NewDataset) -> Answer<CreatedDataset> {
        Ok(self.service.create_dataset(subject, dataset).await?)
    }

    async fn create_example_datasets(&self, subject: &Subject) -> Answer<DatasetList> {
        Ok(self.service.create_example_datasets(subject).await?)
    }

    /// The token is the permission: it was given to the subject alone.
    async fn write_upload(
        &self,
        _subject: &Subject,
        token: &str,
        range: Option<UploadRange>,
        content: ByteStream,
    ) -> Answer<UploadProgress> {
        let (start, total) = range.map_or((0, None), |range| (range.start, range.total));
        Ok(self.service.write_upload(token, start, total, content).await?)
    }

    async fn upload_progress(&self, _subject: &Subject, token: &str) -> Answer<UploadProgress> {
        Ok(self.service.upload_progress(token).await?)
    }

    async fn confirm_dataset(&self, subject: &Subject, id: &DatasetId) -> Answer<Dataset> {
        Ok(self.service.confirm_dataset(subject, id).await?)
    }

    async fn delete_dataset(&self, subject: &Subject, id: &DatasetId) -> Answer<()> {
        Ok(self.service.delete_dataset(subject, id).await?)
    }

    async fn dataset_report(&self, subject: &Subject, id: &DatasetId) -> Answer<DatasetReport> {
        Ok(self.service.dataset_report(subject, id).await?)
    }

    async fn dataset_preview(
        &self,
        subject: &Subject,
        id: &DatasetId,
        query: &PreviewQuery,
    ) -> Answer<DatasetPreview> {
        Ok(self.service.dataset_preview(subject, id, query).await?)
    }

    async fn list_artifacts(&self, subject: &Subject) -> Answer<ArtifactList> {
        Ok(self.service.list_artifacts(subject).await?)
    }

    async fn find_artifact(&self, subject: &Subject, id: &ArtifactId) -> Answer<Artifact> {
        Ok(self.service.find_artifact(subject, id).await?)
    }

    async fn create_download(&self, subject: &Subject, id: &ArtifactId) -> Answer<DownloadLink> {
        Ok(self.service.create_download(subject, id).await?)
    }

    async fn create_wandb_download(&self, subject: &Subject, id: &JobId) -> Answer<DownloadLink> {
        Ok(self.service.create_wandb_download(subject, id).await?)
    }

    async fn open_download(&self, token: &str) -> Answer<Download> {
        let download = self.service.open_download(token).await?;
        Ok(Download {
            filename: download.filename,
            content_type: "application/zip".to_owned(),
            bytes: Some(download.bytes),
            content: download.content,
        })
    }

    async fn list_chat_models(&self, subject: &Subject) -> Answer<ChatModelList> {
        Ok(self.service.chat_models(subject).await?)
    }

    async fn chat(&self, subject: &Subject, request: ChatRequest) -> Answer<ChatStream> {
        chat::chat(&self.service, subject, request).await
    }

    async fn list_webhooks(&self, subject: &Subject) -> Answer<WebhookList> {
        Ok(self.service.list_webhooks(subject).await?)
    }

    async fn create_webhook(&self, subject: &Subject, webhook: NewWebhook) -> Answer<CreatedWebhook> {
        Ok(self.service.create_webhook(subject, webhook).await?)
    }

    async fn delete_webhook(&self, subject: &Subject, id: &WebhookId) -> Answer<()> {
        Ok(self.service.delete_webhook(subject, id).await?)
    }

    async fn list_deliveries(&self, subject: &Subject, id: &WebhookId) -> Answer<DeliveryList> {
        Ok(self.service.list_deliveries(subject, id).await?)
    }

    async fn test_webhook(&self, subject: &Subject, id: &WebhookId) -> Answer<Delivery> {
        Ok(self.service.test_webhook(subject, id).await?)
    }

    async fn list_keys(&self, subject: &Subject) -> Answer<ApiKeyList> {
        Ok(self.service.list_api_keys(subject).await?)
    }

    /// One that administers is made on the command line alone: a session has no such power to give.
    async fn create_key(&self, subject: &Subject, key: NewApiKey) -> Answer<CreatedApiKey> {
        Ok(self.service.create_api_key(&key.name, subject, false).await?)
    }

    async fn delete_key(&self, subject: &Subject, id: &ApiKeyId) -> Answer<()> {
        Ok(self.service.delete_api_key(subject, id).await?)
    }

    async fn list_notifications(
        &self,
        subject: &Subject,
        query: &NotificationQuery,
    ) -> Answer<NotificationList> {
        Ok(self.service.list_notifications(subject, query).await?)
    }

    async fn read_notification(&self, subject: &Subject, id: &str) -> Answer<()> {
        Ok(self.service.read_notification(subject, id).await?)
    }

    async fn read_all_notifications(&self, subject: &Subject) -> Answer<()> {
        Ok(self.service.read_all_notifications(subject).await?)
    }

    async fn alert_defaults(&self, subject: &Subject) -> Answer<AlertRules> {
        Ok(self.service.alert_defaults(subject).await?)
    }

    async fn set_alert_defaults(&self, subject: &Subject, rules: AlertRules) -> Answer<AlertRules> {
        Ok(self.service.set_alert_defaults(subject, rules).await?)
    }

    async fn job_alerts(&self, subject: &Subject, id: &JobId) -> Answer<AlertRules> {
        Ok(self.service.job_alerts(subject, id).await?)
    }

    async fn set_job_alerts(&self, subject: &Subject, id: &JobId, rules: AlertRules) -> Answer<AlertRules> {
        Ok(self.service.set_job_alerts(subject, id, rules).await?)
    }

    async fn shutdown(&self) {
        self.service.shutdown().await;
    }
}

impl From<Error> for UpstreamError {
    fn from(error: Error) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        let refused = |status, retry_after| Self::Refused {
            status,
            code,
            detail: detail.clone(),
            retry_after,
        };
        match error {
            Error::NotFound(what) => Self::NotFound(what),
            Error::Invalid(ref findings) => Self::Invalid {
                detail,
                fields: error.fields(),
                codes: findings.clone(),
            },
            Error::Conflict { .. } | Error::Range { .. } => refused(409, None),
            Error::ModelNotFound(_) => refused(404, None),
            Error::Unanswerable { .. } => refused(400, None),
            Error::Busy { retry_after } => refused(429, Some(retry_after)),
            Error::Unavailable { .. } => refused(503, None),
            Error::TooLarge { .. } => refused(413, None),
            Error::LinkExpired => refused(404, None),
            Error::Interrupted(_) => refused(400, None),
            Error::Stopping => refused(503, Some(1)),
            Error::DiskFull(_) => Self::Full {
                detail,
                cause: Cause::new(error),
            },
            Error::Storage { .. } => Self::Internal(Cause::new(error)),
        }
    }
}

#[cfg(test)]
mod tests;
