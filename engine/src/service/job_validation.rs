//! Validating a job's files before it may queue. A job leaves this state whatever happens: what storage refuses is tried
//! again, and what won't pass fails the job with its reason.

use super::{Service, backoff::Backoff};
use crate::{
    error::{Error, chain},
    store::{
        files::{self, FileRow},
        jobs,
    },
};
use shared::{
    attempt::FailureCause,
    dataset::{DatasetReport, DatasetStatus},
    event::Level,
    id::{JobId, Subject},
    job::JobFailure,
    run::Method,
    status::JobStatus,
    training_line::{Finding, MIN_EXAMPLES, Severity},
};

impl Service {
    /// Validates a job's files beside everything else.
    pub(crate) fn start_job_validation(&self, owner: Subject, id: JobId) {
        let service = self.clone();
        self.inner
            .tasks
            .spawn(async move { service.see_job_through(&owner, &id).await });
    }

    /// Tries until the job's files are validated, or its failure is recorded.
    async fn see_job_through(&self, owner: &Subject, id: &JobId) {
        let mut backoff = Backoff::new(self);
        loop {
            let error = match self.validate_job(owner, id).await {
                // Of a deleted job there is nothing to validate.
                Ok(()) | Err(Error::Stopping | Error::NotFound(_)) => return,
                Err(error) => error,
            };
            tracing::error!(error = %chain(&error), job = %id, "validating a job's files failed");
            let recorded = if backoff.may_help(&error) {
                self.tell_of_trouble(owner, id, &error, &backoff).await
            } else {
                let failed = self.leave_validation(owner, id, Some(&error.to_failure())).await;
                if failed.is_ok() {
                    return;
                }
                failed
            };
            if let Err(error) = recorded {
                tracing::error!(error = %chain(&error), job = %id, "nor could that be recorded");
            }
            if !backoff.wait().await {
                return;
            }
        }
    }

    /// Says once why the job waits.
    async fn tell_of_trouble(
        &self,
        owner: &Subject,
        id: &JobId,
        error: &Error,
        backoff: &Backoff<'_>,
    ) -> Result<(), Error> {
        if !backoff.is_first() {
            return Ok(());
        }
        let message = format!("Validating the files failed: {error}. Trying again");
        let mut transaction = self.inner.store.begin().await?;
        let row = jobs::find(&mut *transaction, owner, id).await?;
        // Cancelled meanwhile: its record is closed.
        if row.is_none_or(|row| row.status() != JobStatus::ValidatingFiles) {
            return Ok(());
        }
        jobs::add_event(
            &mut transaction,
            id.as_str(),
            owner,
            self.now(),
            Level::Warn,
            &message,
        )
        .await?;
        transaction.commit().await?;
        self.inner.jobs_changed.changed(id.as_str());
        Ok(())
    }

    /// Waits until a job's files have been read, then queues the job or lets it fail.
    async fn validate_job(&self, owner: &Subject, id: &JobId) -> Result<(), Error> {
        let row = self.find_job_row(owner, id).await?;
        let method = row
            .parameters()
            .map_or_else(Method::default, |parameters| parameters.method.method());
        let mut failure = self
            .file_failure(owner, "training_file", &row.training_file, method)
            .await?;
        if let (None, Some(file)) = (&failure, &row.validation_file) {
            failure = self.file_failure(owner, "validation_file", file, method).await?;
        }
        self.leave_validation(owner, id, failure.as_ref()).await
    }

    /// Queues a job whose files can be used, and fails one whose can't.
    async fn leave_validation(
        &self,
        owner: &Subject,
        id: &JobId,
        failure: Option<&JobFailure>,
    ) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let to = if failure.is_some() {
            JobStatus::Failed
        } else {
            JobStatus::Queued
        };
        let from = JobStatus::ValidatingFiles;
        // False where the job was cancelled meanwhile.
        if jobs::change_status(&mut transaction, owner, id, from, to, now).await? {
            let (level, message) = match failure {
                Some(failure) => (Level::Error, failure.message.as_str()),
                None => (Level::Info, "Files validated, moving job to queued state"),
            };
            jobs::add_event(&mut transaction, id.as_str(), owner, now, level, message).await?;
            if let Some(failure) = failure {
                jobs::set_failure(&mut transaction, owner, id, failure).await?;
            }
        }
        transaction.commit().await?;
        self.job_has_changed(id).await;
        self.inner.work.notify_one();
        Ok(())
    }

    /// Why a file can't be used, once its lines have been read.
    async fn file_failure(
        &self,
        owner: &Subject,
        param: &str,
        file: &str,
        method: Method,
    ) -> Result<Option<JobFailure>, Error> {
        let Some(row) = self.wait_for_file(owner, file).await? else {
            let message = format!("`{file}` was deleted before the job could use it");
            return Ok(Some(failure(param, None, message)));
        };
        let report = self.report_of(owner, file).await?.unwrap_or_default();
        Ok(file_fault(param, &row, &report).or_else(|| format_fault(param, &row, method)))
    }

    /// The file once nobody reads or writes it any more; nothing where it was deleted.
    pub(crate) async fn wait_for_file(&self, owner: &Subject, file: &str) -> Result<Option<FileRow>, Error> {
        let mut changed = self.inner.files_changed.subscribe(file);
        loop {
            let found = files::find(self.inner.store.read(), owner, file).await?;
            match found.as_ref().map(FileRow::status) {
                Some(DatasetStatus::Uploading | DatasetStatus::Validating) => {}
                None | Some(DatasetStatus::Ready | DatasetStatus::Error) => return Ok(found),
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = self.inner.stopping.cancelled() => return Err(Error::Stopping),
            }
        }
    }
}

/// What a file's report says against using it; a validation file may be short.
pub(super) fn file_fault(param: &str, file: &FileRow, report: &DatasetReport) -> Option<JobFailure> {
    let title = title(param);
    if let Some(unread) = report.findings.iter().find_map(unread) {
        return Some(unread.of(param));
    }
    let examples = report.examples;
    let line_errors = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && finding.line > 0);
    if let Some(first) = line_errors.clone().next() {
        let message = format!(
            "{title} file has {} line(s) that can't be used; line {}: {} ({})",
            report.errors.max(1),
            first.line,
            first.message,
            first.advice
        );
        return Some(failure(param, None, message).at_line(Some(first.line)));
    }
    let least = if param == "training_file" { MIN_EXAMPLES } else { 1 };
    if examples < least {
        let message =
            format!("{title} file has {examples} example(s), but must have at least {least} examples");
        return Some(failure(param, Some("invalid_n_examples"), message));
    }
    if file.status() == DatasetStatus::Error && param == "training_file" {
        let reason = report
            .findings
            .first()
            .map_or("it could not be read", |finding| finding.message.as_str());
        return Some(failure(
            param,
            None,
            format!("{title} file can't be used: {reason}"),
        ));
    }
    None
}

/// What its format says against using a file for a method.
fn format_fault(param: &str, file: &FileRow, method: Method) -> Option<JobFailure> {
    let (fault, advice) = file.format()?.fault_for(method)?;
    let message = format!("{} file {fault}: {advice}", title(param));
    Some(failure(param, Some("wrong_format"), message))
}

fn title(param: &str) -> &'static str {
    if param == "training_file" {
        "Training"
    } else {
        "Validation"
    }
}

/// What kept a file from being read at all: nothing in it, but the storage that it is on.
fn unread(finding: &Finding) -> Option<JobFailure> {
    let cause = match finding.code.as_str() {
        "storage" => FailureCause::Storage,
        "disk_full" => FailureCause::DiskFull,
        _ => return None,
    };
    Some(JobFailure::new(&finding.code, &finding.message).because(cause))
}

fn failure(param: &str, code: Option<&str>, message: String) -> JobFailure {
    let code = code.map_or_else(|| format!("invalid_{param}"), str::to_owned);
    JobFailure::new(code, message)
        .of(param)
        .because(FailureCause::BadData)
}
