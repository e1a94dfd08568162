//! What stands behind the console: one trait, one file for each upstream.
//!
//! How upstreams differ lives here and nowhere else. A method that an upstream can't offer keeps its default,
//! [`UpstreamError::Unsupported`], and the upstream's `Capabilities` say so.

#[cfg(feature = "embedded")]
pub mod engine;
mod error;
mod figures;
mod frame;
pub mod job_training_api;
pub mod openai;
mod remote;

use error::Cause;
pub use error::UpstreamError;
pub use figures::{Figure, FigureValue, Figures};
pub use remote::client::ClientError;
#[cfg(feature = "embedded")]
pub(crate) use remote::client::Reading;

use crate::config::{RemoteApi, RemoteConfig};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use shared::{
    alert::AlertRules,
    api_key::{ApiKeyList, CreatedApiKey, NewApiKey},
    attempt::{AttemptList, RetryJob},
    capabilities::Capabilities,
    chat::{ChatEvent, ChatModelList, ChatRequest},
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, NewDataset, PreviewQuery,
        UploadProgress,
    },
    estimate::{Estimate, EstimateQuery},
    event::{CheckpointList, EventList, EventQuery, StreamStart},
    id::{ApiKeyId, ArtifactId, DatasetId, JobId, Subject, WebhookId},
    job::{Created, Job, JobList, JobQuery, NewJob},
    metrics::{Metrics, MetricsQuery},
    model::{AddModel, Artifact, ArtifactList, DownloadLink, ModelAddition, ModelList},
    notification::{NotificationList, NotificationQuery},
    queue::JobChange,
    step_examples::StepExamples,
    timeline::Timeline,
    webhook::{CreatedWebhook, Delivery, DeliveryList, NewWebhook, WebhookList},
};
use std::sync::Arc;

/// A client for an upstream over the network; nothing is sent yet.
///
/// # Errors
/// The key can't stand in a header, or the HTTP client can't be built.
pub fn over_network(api: RemoteApi, config: &RemoteConfig) -> Result<Arc<dyn Upstream>, ClientError> {
    Ok(match api {
        RemoteApi::OpenAi => Arc::new(openai::OpenAi::new(config)?),
        RemoteApi::JobTrainingApi => Arc::new(job_training_api::JobTrainingApi::new(config)?),
    })
}

/// What every call of an upstream answers.
pub type Answer<T> = Result<T, UpstreamError>;

/// A job's live stream: server-sent events, each whole, with the id to resume from where it is stored. Shared by all
/// who follow the job.
pub type FrameStream = BoxStream<'static, Bytes>;

/// An answer as it comes; an error is the last, and dropping it gives the answer up.
pub type ChatStream = BoxStream<'static, Answer<ChatEvent>>;

/// Bytes of a file as they come.
pub type ByteStream = BoxStream<'static, Result<Bytes, std::io::Error>>;

/// A file on its way to the browser.
pub struct Download {
    /// What to save it as.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size, where known before the end.
    pub bytes: Option<u64>,
    /// Its content.
    pub content: ByteStream,
}

/// Where the bytes of an upload belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadRange {
    /// Position of the first byte.
    pub start: u64,
    /// Size of the whole file, where the caller told it.
    pub total: Option<u64>,
}

/// An upstream. Every call is made for a subject; a thing of somebody else's is [`UpstreamError::NotFound`].
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// What it can do and within which bounds.
    async fn capabilities(&self) -> Capabilities;

    /// Whether it can be reached and takes our key.
    async fn ping(&self) -> Answer<()>;

    /// Figures over everybody's work, for the operator.
    async fn figures(&self) -> Answer<Figures>;

    /// One page of jobs and the counts by status.
    async fn list_jobs(&self, subject: &Subject, query: &JobQuery) -> Answer<JobList>;

    /// The same as it travels: an upstream whose lists are mostly the same again needn't write them each time.
    async fn list_jobs_json(&self, subject: &Subject, query: &JobQuery) -> Answer<Bytes> {
        let list = self.list_jobs(subject, query).await?;
        let json = serde_json::to_vec(&list).map_err(|error| UpstreamError::Internal(Cause::new(error)))?;
        Ok(Bytes::from(json))
    }

    /// One job.
    async fn find_job(&self, subject: &Subject, id: &JobId) -> Answer<Job>;

    /// Creates a job; the same key again gives the first job, and with another job it is refused.
    async fn create_job(
        &self,
        subject: &Subject,
        job: NewJob,
        idempotency_key: Option<&str>,
    ) -> Answer<Created>;

    /// Deletes a job that isn't running.
    async fn delete_job(&self, subject: &Subject, id: &JobId) -> Answer<()>;

    /// Base models to choose from.
    async fn list_models(&self, subject: &Subject) -> Answer<ModelList>;

    /// What a job would take in steps, tokens and memory.
    async fn estimate(&self, _subject: &Subject, _query: &EstimateQuery) -> Answer<Estimate> {
        Err(UpstreamError::Unsupported)
    }

    /// Starts to fetch a base model.
    async fn add_model(&self, _subject: &Subject, _model: AddModel) -> Answer<ModelAddition> {
        Err(UpstreamError::Unsupported)
    }

    /// Removes a base model, or gives up one that is being fetched.
    async fn remove_model(&self, _subject: &Subject, _id: &str) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// Ends a job early.
    async fn cancel_job(&self, _subject: &Subject, _id: &JobId) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }

    /// Asks a job to save and to wait.
    async fn pause_job(&self, _subject: &Subject, _id: &JobId) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }

    /// Lets a paused job go on.
    async fn resume_job(&self, _subject: &Subject, _id: &JobId) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }

    /// Ends a job early and keeps what is trained.
    async fn stop_job(&self, _subject: &Subject, _id: &JobId) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }

    /// Tries a job again as a new one; the same key again gives that one.
    async fn retry_job(
        &self,
        _subject: &Subject,
        _id: &JobId,
        _retry: RetryJob,
        _idempotency_key: Option<&str>,
    ) -> Answer<Created> {
        Err(UpstreamError::Unsupported)
    }

    /// Changes the turn of a job that waits.
    async fn change_job(&self, _subject: &Subject, _id: &JobId, _change: JobChange) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }

    /// The trainers that were started on a job, oldest first.
    async fn list_attempts(&self, _subject: &Subject, _id: &JobId) -> Answer<AttemptList> {
        Err(UpstreamError::Unsupported)
    }

    /// When a job came to stand where.
    async fn find_timeline(&self, _subject: &Subject, _id: &JobId) -> Answer<Timeline> {
        Err(UpstreamError::Unsupported)
    }

    /// What of a job's event log is wanted, newest first.
    async fn list_events(&self, _subject: &Subject, _id: &JobId, _query: &EventQuery) -> Answer<EventList> {
        Err(UpstreamError::Unsupported)
    }

    /// A job's checkpoints, newest first.
    async fn list_checkpoints(&self, _subject: &Subject, _id: &JobId) -> Answer<CheckpointList> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes a link that downloads a checkpoint's adapter once.
    async fn create_checkpoint_download(
        &self,
        _subject: &Subject,
        _id: &JobId,
        _step: u64,
    ) -> Answer<DownloadLink> {
        Err(UpstreamError::Unsupported)
    }

    /// A job's curves, reduced.
    async fn job_metrics(&self, _subject: &Subject, _id: &JobId, _query: MetricsQuery) -> Answer<Metrics> {
        Err(UpstreamError::Unsupported)
    }

    /// The training examples that a recorded step was made of.
    async fn step_examples(&self, _subject: &Subject, _id: &JobId, _step: u64) -> Answer<StepExamples> {
        Err(UpstreamError::Unsupported)
    }

    /// A job's metrics, every step, as CSV.
    async fn metrics_csv(&self, _subject: &Subject, _id: &JobId) -> Answer<Download> {
        Err(UpstreamError::Unsupported)
    }

    /// A job's live stream; each event's data is a `StreamMessage`.
    async fn stream(
        &self,
        _subject: &Subject,
        _id: &JobId,
        _start: StreamStart<&str>,
    ) -> Answer<FrameStream> {
        Err(UpstreamError::Unsupported)
    }

    /// The subject's datasets.
    async fn list_datasets(&self, _subject: &Subject) -> Answer<DatasetList> {
        Err(UpstreamError::Unsupported)
    }

    /// One dataset.
    async fn find_dataset(&self, _subject: &Subject, _id: &DatasetId) -> Answer<Dataset> {
        Err(UpstreamError::Unsupported)
    }

    /// Records a dataset and says where to put its bytes.
    async fn create_dataset(&self, _subject: &Subject, _dataset: NewDataset) -> Answer<CreatedDataset> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes the example datasets, or finds them where they exist.
    async fn create_example_datasets(&self, _subject: &Subject) -> Answer<DatasetList> {
        Err(UpstreamError::Unsupported)
    }

    /// Writes bytes of an upload.
    async fn write_upload(
        &self,
        _subject: &Subject,
        _token: &str,
        _range: Option<UploadRange>,
        _content: ByteStream,
    ) -> Answer<UploadProgress> {
        Err(UpstreamError::Unsupported)
    }

    /// How much of an upload is safe.
    async fn upload_progress(&self, _subject: &Subject, _token: &str) -> Answer<UploadProgress> {
        Err(UpstreamError::Unsupported)
    }

    /// Says that an upload is whole, so that reading it begins.
    async fn confirm_dataset(&self, _subject: &Subject, _id: &DatasetId) -> Answer<Dataset> {
        Err(UpstreamError::Unsupported)
    }

    /// Deletes a dataset that no unfinished job names.
    async fn delete_dataset(&self, _subject: &Subject, _id: &DatasetId) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// What reading a dataset found.
    async fn dataset_report(&self, _subject: &Subject, _id: &DatasetId) -> Answer<DatasetReport> {
        Err(UpstreamError::Unsupported)
    }

    /// A dataset's first examples, or the lines around one.
    async fn dataset_preview(
        &self,
        _subject: &Subject,
        _id: &DatasetId,
        _query: &PreviewQuery,
    ) -> Answer<DatasetPreview> {
        Err(UpstreamError::Unsupported)
    }

    /// What training made.
    async fn list_artifacts(&self, _subject: &Subject) -> Answer<ArtifactList> {
        Err(UpstreamError::Unsupported)
    }

    /// One artifact.
    async fn find_artifact(&self, _subject: &Subject, _id: &ArtifactId) -> Answer<Artifact> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes a link that downloads an artifact once.
    async fn create_download(&self, _subject: &Subject, _id: &ArtifactId) -> Answer<DownloadLink> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes a link that downloads an ended job's run for Weights & Biases once.
    async fn create_wandb_download(&self, _subject: &Subject, _id: &JobId) -> Answer<DownloadLink> {
        Err(UpstreamError::Unsupported)
    }

    /// Takes such a link: it works once.
    async fn open_download(&self, _token: &str) -> Answer<Download> {
        Err(UpstreamError::Unsupported)
    }

    /// What can be asked: base models, then what the subject's jobs made, newest first.
    async fn list_chat_models(&self, _subject: &Subject) -> Answer<ChatModelList> {
        Err(UpstreamError::Unsupported)
    }

    /// Asks a model to answer messages; the stream begins when it does. The values were validated.
    async fn chat(&self, _subject: &Subject, _request: ChatRequest) -> Answer<ChatStream> {
        Err(UpstreamError::Unsupported)
    }

    /// The subject's webhooks.
    async fn list_webhooks(&self, _subject: &Subject) -> Answer<WebhookList> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes a webhook, and tells its secret this once.
    async fn create_webhook(&self, _subject: &Subject, _webhook: NewWebhook) -> Answer<CreatedWebhook> {
        Err(UpstreamError::Unsupported)
    }

    /// Removes a webhook.
    async fn delete_webhook(&self, _subject: &Subject, _id: &WebhookId) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// What a webhook was told and will be.
    async fn list_deliveries(&self, _subject: &Subject, _id: &WebhookId) -> Answer<DeliveryList> {
        Err(UpstreamError::Unsupported)
    }

    /// Tells a webhook something now, and what came of it.
    async fn test_webhook(&self, _subject: &Subject, _id: &WebhookId) -> Answer<Delivery> {
        Err(UpstreamError::Unsupported)
    }

    /// The subject's keys of `/v1`, the oldest first.
    async fn list_keys(&self, _subject: &Subject) -> Answer<ApiKeyList> {
        Err(UpstreamError::Unsupported)
    }

    /// Makes a key of `/v1`, whose secret is told this once.
    async fn create_key(&self, _subject: &Subject, _key: NewApiKey) -> Answer<CreatedApiKey> {
        Err(UpstreamError::Unsupported)
    }

    /// Takes a key of `/v1` back.
    async fn delete_key(&self, _subject: &Subject, _id: &ApiKeyId) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// One page of what the subject is told about their jobs, newest first.
    async fn list_notifications(
        &self,
        _subject: &Subject,
        _query: &NotificationQuery,
    ) -> Answer<NotificationList> {
        Err(UpstreamError::Unsupported)
    }

    /// Marks a notification as read.
    async fn read_notification(&self, _subject: &Subject, _id: &str) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// Marks all of the subject's notifications as read.
    async fn read_all_notifications(&self, _subject: &Subject) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    /// What the subject's new jobs are watched for.
    async fn alert_defaults(&self, _subject: &Subject) -> Answer<AlertRules> {
        Err(UpstreamError::Unsupported)
    }

    /// Sets what the subject's new jobs are watched for.
    async fn set_alert_defaults(&self, _subject: &Subject, _rules: AlertRules) -> Answer<AlertRules> {
        Err(UpstreamError::Unsupported)
    }

    /// What a job is watched for.
    async fn job_alerts(&self, _subject: &Subject, _id: &JobId) -> Answer<AlertRules> {
        Err(UpstreamError::Unsupported)
    }

    /// Sets what a job is watched for.
    async fn set_job_alerts(
        &self,
        _subject: &Subject,
        _id: &JobId,
        _rules: AlertRules,
    ) -> Answer<AlertRules> {
        Err(UpstreamError::Unsupported)
    }

    /// Stops work and keeps what is done; called once, at the end.
    async fn shutdown(&self) {}
}
