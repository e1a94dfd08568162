//! Creating a job.

use super::{Service, job_validation::file_fault};
use crate::{
    error::{Error, one_finding},
    models::FoundModel,
    parameters::Parameters,
    secret,
    store::{
        alerts, files,
        jobs::{self, InsertJob, JobRow},
        metadata,
    },
};
use serde::Serialize;
use shared::{
    capabilities::Capabilities,
    dataset::DatasetStatus,
    event::Level,
    id::{DatasetId, JobId, Subject},
    job::{Created, NewJob},
    run::Method,
    training_line::LineFormat,
    validate::{Findings, validate_new_job},
    wandb::Wandb,
};
use sqlx::SqliteExecutor;
use std::{collections::BTreeMap, time::Duration};

/// How long a retried create of /v1 is taken for the first one.
const RETRY_WINDOW: Duration = Duration::from_secs(15 * 60);

/// A job to be, all of it decided.
#[derive(Debug, Clone)]
pub(crate) struct CreateJob<'a> {
    /// A fresh one unless told.
    pub(crate) id: Option<JobId>,
    /// Its identifier unless told.
    pub(crate) name: Option<&'a str>,
    pub(crate) base_model: &'a str,
    pub(crate) training_file: &'a str,
    pub(crate) validation_file: Option<&'a str>,
    pub(crate) parameters: Parameters,
    pub(crate) suffix: Option<&'a str>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) idempotency: Option<Idempotency<'a>>,
    /// Tells the same request from another.
    pub(crate) request_hash: Option<&'a str>,
    /// The caller says that this request was sent before.
    pub(crate) is_retry: bool,
    /// The job that it tries again, and the checkpoint of it that it starts from.
    pub(crate) parent: Option<(&'a str, Option<u64>)>,
    /// Its run at Weights & Biases.
    pub(crate) wandb: Option<Wandb>,
}

/// What makes a repeated request find the first one's job.
#[derive(Debug, Clone)]
pub(crate) struct Idempotency<'a> {
    key: &'a str,
    /// Tells whether the same is asked for.
    digest: String,
}

impl<'a> Idempotency<'a> {
    /// Of a key and the bytes that say what is asked for under it.
    pub(crate) fn new(key: &'a str, request: &[u8]) -> Self {
        Self {
            key,
            digest: secret::hash_bytes(request),
        }
    }

    /// Of the key, where there is one, and what is asked for under it.
    pub(super) fn of(key: Option<&'a str>, request: &impl Serialize) -> Result<Option<Self>, Error> {
        let request = serde_json::to_vec(request)
            .map_err(|error| Error::storage("a request could not be written as JSON", error))?;
        Ok(key.map(|key| Self::new(key, &request)))
    }

    /// The job of the subject's that the key stands for, if there is one.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `idempotency_key_reused` where something else was asked for then.
    pub(super) async fn find(
        &self,
        executor: impl SqliteExecutor<'_>,
        subject: &Subject,
    ) -> Result<Option<JobRow>, Error> {
        let found = jobs::find_by_idempotency_key(executor, subject, self.key).await?;
        let digest = found.as_ref().and_then(|row| row.idempotency_digest.as_ref());
        if digest.is_some_and(|digest| *digest != self.digest) {
            return Err(Error::conflict(
                "idempotency_key_reused",
                "a job was created with this `Idempotency-Key` and other values: take another key",
            ));
        }
        Ok(found)
    }
}

/// A job's row, and whether it was there already.
#[derive(Debug)]
pub(crate) struct Inserted {
    pub(crate) row: JobRow,
    pub(crate) repeated: bool,
}

impl Service {
    /// Creates a job and starts to validate its files. With an idempotency key that the subject has used before,
    /// answers the job of that time.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field: what `shared::validate` finds, `unknown_model`, `unknown_file`, `not_uploaded`,
    /// `has_errors`, `wrong_format`; [`Error::Conflict`] with `idempotency_key_reused` where the key was used for another job.
    pub async fn create_job(
        &self,
        subject: &Subject,
        job: NewJob,
        idempotency_key: Option<&str>,
    ) -> Result<Created, Error> {
        let idempotency = Idempotency::of(idempotency_key, &job)?;
        if let Some(repeated) = self.find_repeated(subject, idempotency.as_ref()).await? {
            return Ok(repeated);
        }
        let mut findings = validate_new_job(&job, &Capabilities::engine());
        let model = self.find_model(&job.base_model).await?;
        if model.is_none() && !findings.contains_key("base_model") {
            findings.extend(one_finding("base_model", "unknown_model", &[]));
        }
        if model.as_ref().is_some_and(FoundModel::is_untrainable) {
            findings.extend(one_finding("base_model", "model_not_trainable", &[]));
        }
        let method = job.method.unwrap_or_default();
        let datasets = [
            ("training_dataset", &job.training_dataset),
            ("validation_dataset", &job.validation_dataset),
        ];
        for (field, dataset) in datasets {
            if let Some(id) = dataset
                && !findings.contains_key(field)
                && let Some(found) = self.dataset_fault(subject, field, id.as_str(), method).await?
            {
                findings.extend(found);
            }
        }
        let (Some(model), Some(training), true) = (model, &job.training_dataset, findings.is_empty()) else {
            if findings.is_empty() {
                findings.extend(one_finding("training_dataset", "required", &[]));
            }
            return Err(Error::Invalid(findings));
        };
        let create = CreateJob {
            id: None,
            name: Some(&job.name),
            base_model: &job.base_model,
            training_file: training.as_str(),
            validation_file: job.validation_dataset.as_ref().map(DatasetId::as_str),
            parameters: Parameters::resolve(&job, &model.model, fresh_seed()?),
            suffix: Some(&job.name),
            metadata: BTreeMap::new(),
            idempotency,
            request_hash: None,
            is_retry: false,
            parent: None,
            wandb: None,
        };
        let inserted = self.insert_job(subject, create).await?;
        self.describe_created(&inserted).await
    }

    /// What the request came to when it came first, if it did.
    pub(super) async fn find_repeated(
        &self,
        subject: &Subject,
        idempotency: Option<&Idempotency<'_>>,
    ) -> Result<Option<Created>, Error> {
        let Some(idempotency) = idempotency else {
            return Ok(None);
        };
        match idempotency.find(self.inner.store.read(), subject).await? {
            Some(row) => self
                .describe_created(&Inserted { row, repeated: true })
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn describe_created(&self, inserted: &Inserted) -> Result<Created, Error> {
        Ok(Created {
            job: self.describe_job(&inserted.row).await?,
            repeated: inserted.repeated,
        })
    }

    async fn dataset_fault(
        &self,
        subject: &Subject,
        field: &str,
        id: &str,
        method: Method,
    ) -> Result<Option<Findings>, Error> {
        let Some(file) = self.find_live_file(subject, id).await? else {
            return Ok(Some(one_finding(field, "unknown_file", &[])));
        };
        let fault = match file.status() {
            _ if file.purpose != files::FINE_TUNE => Some("wrong_purpose"),
            DatasetStatus::Uploading => Some("not_uploaded"),
            DatasetStatus::Validating | DatasetStatus::Ready => None,
            DatasetStatus::Error => {
                let param = if field == "training_dataset" {
                    "training_file"
                } else {
                    "validation_file"
                };
                let report = self.report_of(subject, id).await?.unwrap_or_default();
                file_fault(param, &file, &report).map(|_| "has_errors")
            }
        };
        let is_wrong = |format: LineFormat| format.fault_for(method).is_some();
        if fault.is_none() && file.format().is_some_and(is_wrong) {
            let finding = one_finding(field, "wrong_format", &[("method", method.as_str())]);
            return Ok(Some(finding));
        }
        Ok(fault.map(|code| one_finding(field, code, &[])))
    }

    /// Adds a job and starts to validate its files; a repeated request gives the job of the first.
    pub(crate) async fn insert_job(
        &self,
        subject: &Subject,
        create: CreateJob<'_>,
    ) -> Result<Inserted, Error> {
        let now = self.distinct_now();
        let mut transaction = self.inner.store.begin().await?;
        if let Some(idempotency) = &create.idempotency
            && let Some(row) = idempotency.find(&mut *transaction, subject).await?
        {
            return Ok(Inserted { row, repeated: true });
        }
        if let (Some(hash), true) = (create.request_hash, create.is_retry) {
            let window = i64::try_from(RETRY_WINDOW.as_millis()).unwrap_or(i64::MAX);
            let since = now.plus_ms(-window);
            if let Some(row) = jobs::find_by_request(&mut *transaction, subject, hash, since).await? {
                return Ok(Inserted { row, repeated: true });
            }
        }
        // Whoever removes models is alone with the store while it looks for jobs that need them, as we are now.
        if !self.has_model(create.base_model).await? {
            return Err(Error::Invalid(one_finding("base_model", "unknown_model", &[])));
        }
        let id = match create.id {
            Some(id) => id,
            None => JobId::new(secret::new_id("ftjob-")?),
        };
        let insert = InsertJob {
            id: id.as_str(),
            owner: subject,
            name: create.name.unwrap_or(id.as_str()),
            base_model: create.base_model,
            created_at: now,
            training_file: create.training_file,
            validation_file: create.validation_file,
            parameters: &create.parameters,
            suffix: create.suffix,
            idempotency_key: create.idempotency.as_ref().map(|idempotency| idempotency.key),
            idempotency_digest: create
                .idempotency
                .as_ref()
                .map(|idempotency| idempotency.digest.as_str()),
            request_hash: create.request_hash,
            parent: create.parent,
            wandb: create.wandb.as_ref(),
        };
        jobs::insert(&mut transaction, &insert).await?;
        alerts::begin(&mut transaction, subject, id.as_str()).await?;
        metadata::insert(&mut transaction, id.as_str(), &create.metadata).await?;
        let mut messages = vec![format!("Created fine-tuning job: {id}")];
        messages.extend(create.parent.map(|(parent, step)| match step {
            Some(step) => format!("It tries {parent} again from its checkpoint of step {step}"),
            None => format!("It tries {parent} again"),
        }));
        messages.push(format!("Validating training file: {}", create.training_file));
        messages.extend(
            create
                .validation_file
                .map(|file| format!("Validating validation file: {file}")),
        );
        for message in messages {
            jobs::add_event(&mut transaction, id.as_str(), subject, now, Level::Info, &message).await?;
        }
        let row = jobs::find(&mut *transaction, subject, &id)
            .await?
            .ok_or(Error::NotFound("job"))?;
        transaction.commit().await?;
        self.start_job_validation(subject.clone(), id);
        Ok(Inserted { row, repeated: false })
    }
}

/// A seed for a caller who gave none: 31 random bits, which is within what /v1 takes.
///
/// # Errors
/// The system gives no random bytes.
pub fn fresh_seed() -> Result<u64, Error> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| Error::storage("the system gave no random bytes", error))?;
    Ok(u64::from(u32::from_le_bytes(bytes) >> 1))
}
