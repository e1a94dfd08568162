//! Any OpenAI-compatible fine-tuning API: OpenAI's own, another Attune's `/v1`, `FakeAI`, and others that speak like it.
//!
//! It is read tolerantly and written exactly. What its lists can't do (search, filters, sort, counts) is done here over
//! what was read of them; a job's record is read once and then only what is new of it. Where such APIs differ is found
//! out at first use and remembered for as long as this process lives ([`Differences`]).

#[cfg(feature = "embedded")]
pub(crate) mod account;
mod create;
mod curves;
mod files;
mod follow;
mod listing;
mod read;
mod record;
mod timeline;
mod uploads;

use super::{
    Answer, ByteStream, ClientError, Download, Figures, FrameStream, UploadRange, Upstream, UpstreamError,
    remote::{
        client::{Client, Dialect},
        creations::{Creations, Creator as _},
        jobs_page, no_such_call, path_of,
        single_flight::SingleFlight,
    },
};
use crate::{clock::Clock, config::RemoteConfig};
use async_trait::async_trait;
use listing::Listing;
use record::{Record, Records};
use reqwest::header::AUTHORIZATION;
use shared::{
    capabilities::Capabilities,
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, NewDataset, PreviewQuery,
        UploadProgress,
    },
    event::{CheckpointList, EventList, EventQuery, StreamStart},
    id::{DatasetId, JobId, Subject},
    job::{Created, Job, JobList, JobQuery, JobSummary, NewJob},
    metrics::{Metrics, MetricsQuery},
    model::{BaseModel, JobDefaults, ModelList},
    timeline::Timeline,
};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use uploads::Uploads;

/// An OpenAI-compatible API behind its key.
pub struct OpenAi(Arc<Inner>);

/// What the calls share, those that outlive their request too.
struct Inner {
    client: Client,
    clock: Clock,
    /// How long an answer serves everybody.
    cache: Duration,
    differences: Differences,
    listing: listing::Ledger,
    jobs: SingleFlight<(), Listing>,
    job: SingleFlight<JobId, Job>,
    models: SingleFlight<(), read::Models>,
    files: SingleFlight<(), Vec<Dataset>>,
    file: SingleFlight<DatasetId, Dataset>,
    reports: SingleFlight<DatasetId, (DatasetReport, DatasetPreview)>,
    lines: SingleFlight<(DatasetId, u64), DatasetPreview>,
    records: Records,
    record: SingleFlight<JobId, Arc<Record>>,
    checkpoints: SingleFlight<JobId, CheckpointList>,
    creations: Creations,
    uploads: Uploads,
}

/// What was found out about this upstream.
#[derive(Default)]
struct Differences {
    /// It is another Attune, which takes and tells more; unset until it could be asked.
    is_attune: OnceLock<bool>,
    /// Pausing a job is a call that it doesn't know.
    no_pause: AtomicBool,
    /// So are a job's checkpoints.
    no_checkpoints: AtomicBool,
    /// A page of a job's events can't be as large as is asked for.
    small_pages: AtomicBool,
}

/// Reads a mark that is only ever set.
fn is_set(mark: &AtomicBool) -> bool {
    mark.load(Ordering::Relaxed)
}

fn set(mark: &AtomicBool) {
    mark.store(true, Ordering::Relaxed);
}

impl OpenAi {
    /// Prepares to speak to it; nothing is sent yet.
    ///
    /// # Errors
    /// The key can't stand in a header, or the HTTP client can't be built.
    pub fn new(config: &RemoteConfig) -> Result<Self, ClientError> {
        let dialect = Dialect {
            key_header: AUTHORIZATION,
            key_prefix: "Bearer ",
            field_name: read::field_name,
        };
        Ok(Self(Arc::new(Inner {
            client: Client::new(config, dialect)?,
            clock: Clock::system(),
            cache: config.cache,
            differences: Differences::default(),
            listing: listing::Ledger::default(),
            jobs: SingleFlight::new(config.cache),
            job: SingleFlight::new(config.cache),
            models: SingleFlight::new(config.cache),
            files: SingleFlight::new(config.cache),
            file: SingleFlight::new(config.cache),
            reports: SingleFlight::new(config.cache),
            lines: SingleFlight::new(config.cache),
            records: Records::default(),
            record: SingleFlight::new(config.cache),
            checkpoints: SingleFlight::new(config.cache),
            creations: Creations::default(),
            uploads: Uploads::default(),
        })))
    }
}

impl Inner {
    async fn all_models(self: &Arc<Self>) -> Answer<Arc<read::Models>> {
        let inner = Arc::clone(self);
        let read = || async move { read::models(&inner.client.get("models").await.map_err(no_such_call)?) };
        self.models.get((), read).await
    }

    /// Whether it is another Attune. One that lists no models is none.
    async fn find_out_whether_attune(self: &Arc<Self>) -> Answer<bool> {
        let known = &self.differences.is_attune;
        if let Some(known) = known.get() {
            return Ok(*known);
        }
        match self.all_models().await {
            Ok(models) => Ok(*known.get_or_init(|| models.is_attune)),
            Err(UpstreamError::InvalidResponse(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same for reading alone: until it can be asked it counts as none.
    async fn is_attune(self: &Arc<Self>) -> bool {
        self.find_out_whether_attune().await.unwrap_or(false)
    }

    /// One job, with the names of its files where they are known.
    async fn find(self: &Arc<Self>, id: &JobId) -> Answer<Job> {
        let (inner, path) = (Arc::clone(self), job_path(id, "")?);
        let read = || async move {
            let mut job = read::job(&inner.client.get(&path).await?, inner.clock.now())?;
            inner.name_files(&mut job).await;
            Ok(job)
        };
        Ok(self.job.get(id.clone(), read).await?.as_ref().clone())
    }

    /// A job as its page shows it: how far it is comes from what was measured, where the job itself doesn't tell. Only then
    /// its record is read, so only then the job names its newest entry.
    async fn find_with_progress(self: &Arc<Self>, id: &JobId) -> Answer<Job> {
        let mut job = self.find(id).await?;
        if job.progress.is_some() {
            return Ok(job);
        }
        let (record, checkpoints) = if job.status.is_terminal() {
            (self.record_of(id).await, None)
        } else {
            let (record, checkpoints) = tokio::join!(self.record_of(id), self.checkpoints_if_any(id));
            (record, checkpoints.ok())
        };
        if let Ok(record) = record {
            job.progress = record.progress(&job);
            job.last_event_id =
                checkpoints.and_then(|checkpoints| follow::place_behind(&record, &checkpoints));
        }
        Ok(job)
    }

    /// What was read of records is read anew by whoever asks next.
    fn forget_record(&self) {
        self.record.forget();
        self.checkpoints.forget();
    }

    /// What moves a job: `cancel`, `pause` or `resume`.
    async fn act(self: &Arc<Self>, id: &JobId, verb: &str) -> Answer<Job> {
        let answer = self.client.post(&job_path(id, verb)?).await;
        self.forget_jobs();
        match answer {
            Ok(answer) => match read::job(&answer, self.clock.now()) {
                Ok(mut job) => {
                    self.name_files(&mut job).await;
                    Ok(job)
                }
                // Done all the same: what it looks like now is asked for.
                Err(_) => self.find(id).await,
            },
            Err(error) if is_unknown_call(&error) => {
                // It may be the job that isn't there.
                self.find(id).await?;
                if verb != "/cancel" {
                    set(&self.differences.no_pause);
                }
                Err(UpstreamError::Unsupported)
            }
            Err(error) => Err(error),
        }
    }
}

/// What such a server answers where it knows no such path: 404, 405 or 501.
fn is_unknown_call(error: &UpstreamError) -> bool {
    matches!(
        error,
        UpstreamError::NotFound(_) | UpstreamError::Refused { status: 405, .. } | UpstreamError::Failed(501)
    )
}

fn job_path(id: &JobId, below: &str) -> Answer<String> {
    path_of("fine_tuning/jobs", "job", id.as_str(), below)
}

#[async_trait]
impl Upstream for OpenAi {
    async fn capabilities(&self) -> Capabilities {
        let is_attune = self.0.is_attune().await;
        let differences = &self.0.differences;
        Capabilities {
            pause: !is_set(&differences.no_pause),
            checkpoints: !is_set(&differences.no_checkpoints),
            recipe: is_attune,
            ..Capabilities::openai()
        }
    }

    async fn ping(&self) -> Answer<()> {
        self.0.all_models().await.map(|_| ())
    }

    async fn figures(&self) -> Answer<Figures> {
        let mut summary = JobSummary::default();
        for job in &self.0.all_jobs().await?.jobs {
            summary.add(job.status, 1);
        }
        Ok(Figures {
            jobs: summary,
            others: Vec::new(),
        })
    }

    async fn list_jobs(&self, _subject: &Subject, query: &JobQuery) -> Answer<JobList> {
        let listing = self.0.all_jobs().await?;
        let list = jobs_page::page(&listing.jobs, query)?.to_list();
        Ok(JobList {
            incomplete: !listing.complete,
            // Jobs that aren't read may have ended a minute ago.
            outlook: list.outlook.filter(|_| listing.complete),
            ..list
        })
    }

    async fn find_job(&self, _subject: &Subject, id: &JobId) -> Answer<Job> {
        self.0.find_with_progress(id).await
    }

    async fn create_job(
        &self,
        subject: &Subject,
        job: NewJob,
        idempotency_key: Option<&str>,
    ) -> Answer<Created> {
        let creations = &self.0.creations;
        creations.create(&self.0, subject, job, idempotency_key).await
    }

    async fn delete_job(&self, _subject: &Subject, _id: &JobId) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }

    async fn list_models(&self, _subject: &Subject) -> Answer<ModelList> {
        let models = self.0.all_models().await?;
        let model = |(id, defaults): &(String, Option<JobDefaults>)| BaseModel {
            id: id.clone(),
            display_name: id.clone(),
            architecture: None,
            parameters: None,
            context_length: None,
            // Evaluation and warm-up are left to a foreign upstream.
            defaults: defaults.clone().unwrap_or_else(|| JobDefaults {
                evaluation_epochs: 0,
                ..JobDefaults::default()
            }),
            installed: None,
        };
        Ok(ModelList::of(models.base.iter().map(model).collect()))
    }

    async fn cancel_job(&self, _subject: &Subject, id: &JobId) -> Answer<Job> {
        self.0.act(id, "/cancel").await
    }

    async fn pause_job(&self, _subject: &Subject, id: &JobId) -> Answer<Job> {
        self.0.act(id, "/pause").await
    }

    async fn resume_job(&self, _subject: &Subject, id: &JobId) -> Answer<Job> {
        self.0.act(id, "/resume").await
    }

    async fn find_timeline(&self, _subject: &Subject, id: &JobId) -> Answer<Timeline> {
        let (job, record) = tokio::try_join!(self.0.find(id), self.0.record_of(id))?;
        Ok(timeline::timeline(&job, &record))
    }

    async fn list_events(&self, _subject: &Subject, id: &JobId, query: &EventQuery) -> Answer<EventList> {
        Ok(self.0.record_of(id).await?.page(query))
    }

    async fn list_checkpoints(&self, _subject: &Subject, id: &JobId) -> Answer<CheckpointList> {
        Ok(self.0.checkpoints_of(id).await?.as_ref().clone())
    }

    async fn job_metrics(&self, _subject: &Subject, id: &JobId, query: MetricsQuery) -> Answer<Metrics> {
        let record = self.0.record_of(id).await?;
        let metrics = curves::reduced(&record.steps(), query)?;
        Ok(Metrics {
            times: query.times.then(|| record.times(&metrics)),
            incomplete: record.incomplete,
            ..metrics
        })
    }

    /// The upstream's own result file of a job that has ended with one; of any other what was measured so far.
    async fn metrics_csv(&self, _subject: &Subject, id: &JobId) -> Answer<Download> {
        self.0.result_file(id).await
    }

    async fn stream(&self, _subject: &Subject, id: &JobId, start: StreamStart<&str>) -> Answer<FrameStream> {
        follow::follow(Arc::clone(&self.0), id, start).await
    }

    async fn list_datasets(&self, _subject: &Subject) -> Answer<DatasetList> {
        Ok(DatasetList {
            datasets: self.0.datasets().await?,
        })
    }

    async fn find_dataset(&self, subject: &Subject, id: &DatasetId) -> Answer<Dataset> {
        let uploaded = self.0.uploads.dataset(subject, id);
        self.0.dataset_or_upload(id, uploaded).await
    }

    async fn create_dataset(&self, subject: &Subject, dataset: NewDataset) -> Answer<CreatedDataset> {
        self.0.uploads.begin(subject, dataset, self.0.clock.now())
    }

    async fn write_upload(
        &self,
        subject: &Subject,
        token: &str,
        range: Option<UploadRange>,
        content: ByteStream,
    ) -> Answer<UploadProgress> {
        self.0.write_upload(subject, token, range, content).await
    }

    async fn upload_progress(&self, subject: &Subject, token: &str) -> Answer<UploadProgress> {
        self.0.uploads.progress(subject, token, self.0.clock.now())
    }

    async fn confirm_dataset(&self, subject: &Subject, id: &DatasetId) -> Answer<Dataset> {
        let uploaded = self.0.uploads.confirm(subject, id)?;
        self.0.dataset_or_upload(id, uploaded).await
    }

    async fn delete_dataset(&self, _subject: &Subject, id: &DatasetId) -> Answer<()> {
        self.0.delete_file(id).await
    }

    async fn dataset_report(&self, _subject: &Subject, id: &DatasetId) -> Answer<DatasetReport> {
        Ok(self.0.looked_into(id).await?.0.clone())
    }

    async fn dataset_preview(
        &self,
        _subject: &Subject,
        id: &DatasetId,
        query: &PreviewQuery,
    ) -> Answer<DatasetPreview> {
        match query.line {
            Some(line) => Ok(self.0.lines_around(id, line.get().into()).await?.as_ref().clone()),
            None => Ok(self.0.looked_into(id).await?.1.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
