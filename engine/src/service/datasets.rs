//! Datasets: create, confirm, list, report, preview, delete. The bytes come in through `uploads`.

use super::Service;
use crate::{
    error::{Error, one_finding},
    secret,
    store::files::{self, FINE_TUNE, FileRow, NewFile},
};
use shared::{
    dataset::{CreatedDataset, Dataset, DatasetList, DatasetReport, DatasetStatus, NewDataset, UploadTarget},
    id::{DatasetId, Subject},
    validate::Findings,
};

/// How long an upload's address works.
const UPLOAD_MS: i64 = 60 * 60 * 1000;

impl Service {
    /// Announces a dataset: answers where to put its bytes. The address works for one hour.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `name`, `filename`, `bytes`; [`Error::TooLarge`].
    pub async fn create_dataset(
        &self,
        subject: &Subject,
        dataset: NewDataset,
    ) -> Result<CreatedDataset, Error> {
        let limit = self.inner.config.max_file_bytes;
        if dataset.bytes > limit {
            return Err(Error::TooLarge { limit });
        }
        let name = dataset.name.trim();
        let findings = check_names(name, &dataset.filename, dataset.bytes);
        if !findings.is_empty() {
            return Err(Error::Invalid(findings));
        }
        let now = self.distinct_now();
        let expires_at = now.plus_ms(UPLOAD_MS);
        let id = secret::new_id("file-")?;
        let token = secret::new_secret("up-")?;
        let hash = secret::hash(&token);
        let file = NewFile {
            id: &id,
            owner: subject,
            purpose: FINE_TUNE,
            name,
            filename: &dataset.filename,
            bytes: dataset.bytes,
            status: DatasetStatus::Uploading,
            created_at: now,
            expires_at: None,
            example: None,
            upload: Some((&hash, expires_at)),
        };
        let mut transaction = self.inner.store.begin().await?;
        files::insert(&mut transaction, &file).await?;
        transaction.commit().await?;
        let dataset = self.find_dataset(subject, &DatasetId::new(&id)).await?;
        let upload = UploadTarget {
            url: format!("/api/uploads/{token}"),
            method: "PUT".to_owned(),
            expires_at,
        };
        Ok(CreatedDataset { dataset, upload })
    }

    /// Ends an upload whose bytes are all there and starts to read its lines: `validating`, then `ready` or `error`.
    /// Of a dataset that is past that, answers where it stands.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `upload_incomplete`.
    pub async fn confirm_dataset(&self, subject: &Subject, id: &DatasetId) -> Result<Dataset, Error> {
        let row = self.find_file_row(subject, id.as_str()).await?;
        if row.status() == DatasetStatus::Uploading {
            let received = self.received(id.as_str()).await?;
            let announced = u64::try_from(row.bytes).unwrap_or(0);
            if received != announced {
                let message = format!("{received} of {announced} bytes have arrived: upload the rest first");
                return Err(Error::conflict("upload_incomplete", message));
            }
            self.accept_upload(subject, id.as_str()).await?;
        }
        self.find_dataset(subject, id).await
    }

    /// Adds a file whose bytes are staged, and reads its lines beside everything else.
    pub(crate) async fn insert_file(&self, file: &NewFile<'_>) -> Result<(), Error> {
        let mut transaction = self.inner.store.begin().await?;
        files::insert(&mut transaction, file).await?;
        transaction.commit().await?;
        self.start_file_validation(file.owner.clone(), file.id.to_owned());
        Ok(())
    }

    /// Marks an upload as whole and reads its lines beside everything else.
    pub(crate) async fn accept_upload(&self, owner: &Subject, id: &str) -> Result<(), Error> {
        let mut transaction = self.inner.store.begin().await?;
        let accepted = files::start_validation(&mut transaction, owner, id).await?;
        transaction.commit().await?;
        if accepted {
            self.start_file_validation(owner.clone(), id.to_owned());
        }
        Ok(())
    }

    /// All of the subject's datasets, newest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_datasets(&self, subject: &Subject) -> Result<DatasetList, Error> {
        let rows = files::list_datasets(self.inner.store.read(), subject, self.now()).await?;
        Ok(DatasetList {
            datasets: rows.iter().map(FileRow::to_dataset).collect(),
        })
    }

    /// One dataset of the subject's.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for other people's and for files with another purpose.
    pub async fn find_dataset(&self, subject: &Subject, id: &DatasetId) -> Result<Dataset, Error> {
        let row = self.find_file_row(subject, id.as_str()).await?;
        if row.purpose != FINE_TUNE {
            return Err(Error::NotFound("dataset"));
        }
        Ok(row.to_dataset())
    }

    pub(crate) async fn find_file_row(&self, subject: &Subject, id: &str) -> Result<FileRow, Error> {
        self.find_live_file(subject, id)
            .await?
            .ok_or(Error::NotFound("dataset"))
    }

    /// A file of the subject's that is neither deleted nor expired; one that a job needs stays until the job has ended.
    pub(crate) async fn find_live_file(&self, subject: &Subject, id: &str) -> Result<Option<FileRow>, Error> {
        let found = files::find(self.inner.store.read(), subject, id).await?;
        let now = self.now();
        Ok(found.filter(|row| !row.has_expired(now)))
    }

    /// Deletes a dataset. Jobs that have ended keep telling its name.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `dataset_in_use` while a job that hasn't ended names it.
    pub async fn delete_dataset(&self, subject: &Subject, id: &DatasetId) -> Result<(), Error> {
        self.find_dataset(subject, id).await?;
        self.delete_file(subject, id.as_str()).await
    }

    /// Deletes a file of any purpose.
    pub(crate) async fn delete_file(&self, subject: &Subject, id: &str) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let unfinished = files::count_unfinished_jobs(&mut *transaction, subject, id).await?;
        if unfinished > 0 {
            let message =
                format!("{unfinished} unfinished job(s) use it: cancel them, or wait until they end");
            return Err(Error::conflict("dataset_in_use", message));
        }
        if !files::delete(&mut transaction, subject, id, now).await? {
            return Err(Error::NotFound("file"));
        }
        transaction.commit().await?;
        self.inner.files_changed.changed(id);
        self.inner.blobs.delete(id).await?;
        self.remove_staged(id).await;
        Ok(())
    }

    /// What reading the file's lines found.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `not_validated` while that isn't known yet.
    pub async fn dataset_report(&self, subject: &Subject, id: &DatasetId) -> Result<DatasetReport, Error> {
        self.find_dataset(subject, id).await?;
        self.report_of(subject, id.as_str())
            .await?
            .ok_or_else(not_validated)
    }

    /// A file's report, once there is one.
    pub(crate) async fn report_of(&self, owner: &Subject, id: &str) -> Result<Option<DatasetReport>, Error> {
        let found = files::findings(self.inner.store.read(), owner, id).await?;
        let Some(report) = found.and_then(|(report, _)| report) else {
            return Ok(None);
        };
        serde_json::from_str(&report)
            .map(Some)
            .map_err(|error| Error::storage("a stored report can't be read", error))
    }
}

pub(super) fn not_validated() -> Error {
    Error::conflict(
        "not_validated",
        "the file has not been read yet: try again in a moment",
    )
}

fn check_names(name: &str, filename: &str, bytes: u64) -> Findings {
    let mut findings = Findings::new();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        findings.extend(one_finding("name", "name_length", &[]));
    }
    if !is_filename(filename) {
        findings.extend(one_finding("filename", "filename_length", &[]));
    }
    if bytes == 0 {
        findings.extend(one_finding("bytes", "no_bytes", &[]));
    }
    findings
}

/// Whether a file's name can be kept: it is only ever shown, never used as a path.
pub(crate) fn is_filename(filename: &str) -> bool {
    (1..=255).contains(&filename.chars().count()) && !filename.chars().any(char::is_control)
}
