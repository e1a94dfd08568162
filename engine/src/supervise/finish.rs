//! The end of a job: what it made, or why it failed. Each end is one transaction that the fence guards, and that is tried
//! again where storage refuses it: what was trained is safe on disk.

use super::{run::Supervised, watch};
use crate::{
    error::Error,
    secret,
    service::artifacts::ADAPTER,
    store::{
        artifacts::{self, NewArtifact},
        attempts::{self, Ended},
        checkpoints,
        files::{self, NewFile, RESULTS},
        jobs::{self, Outcome},
        leases, queue,
    },
};
use sha2::{Digest as _, Sha256};
use shared::{
    attempt::{AttemptOutcome, FailureCause},
    dataset::DatasetStatus,
    event::Level,
    id::JobId,
    job::JobFailure,
    model::ArtifactFile,
    status::JobStatus,
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    path::Path,
};

/// Records that a job has failed, and why, with the last lines of its trainer's log.
pub(crate) async fn fail(job: &Supervised<'_>, failure: &JobFailure) -> Result<(), Error> {
    job.persist(|| record_failure(job, failure)).await
}

async fn record_failure(job: &Supervised<'_>, failure: &JobFailure) -> Result<(), Error> {
    let now = job.service.now();
    let id = JobId::new(&job.row.id);
    let log = job.log_tail().await;
    let mut transaction = job.service.inner.store.begin().await?;
    if !leases::end(&mut transaction, &job.fence, JobStatus::Failed, false, now).await? {
        return Ok(());
    }
    jobs::set_failure(&mut transaction, &job.owner, &id, failure).await?;
    if failure.cause == Some(FailureCause::Diverged) {
        watch::tell_divergence(job, &mut transaction, now).await?;
    }
    let ended = Ended {
        outcome: AttemptOutcome::Failed,
        message: Some(&failure.message),
        log: log.as_deref(),
    };
    attempts::end(&mut transaction, &job.row.id, now, ended).await?;
    jobs::add_event(
        &mut transaction,
        &job.row.id,
        &job.owner,
        now,
        Level::Error,
        &failure.message,
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// Records that a job is paused; false where the checkpoint that makes it so isn't recorded, or the job isn't ours.
pub(crate) async fn pause(job: &Supervised<'_>, step: u64) -> Result<bool, Error> {
    job.persist(|| record_pause(job, step)).await
}

async fn record_pause(job: &Supervised<'_>, step: u64) -> Result<bool, Error> {
    let now = job.service.now();
    let mut transaction = job.service.inner.store.begin().await?;
    if !checkpoints::is_kept(&mut *transaction, &job.row.id, step).await?
        || !leases::end(&mut transaction, &job.fence, JobStatus::Paused, false, now).await?
    {
        return Ok(false);
    }
    let paused = Ended::well(AttemptOutcome::Paused);
    attempts::end(&mut transaction, &job.row.id, now, paused).await?;
    let message = format!("Paused: the checkpoint of step {step} is saved");
    jobs::add_event(
        &mut transaction,
        &job.row.id,
        &job.owner,
        now,
        Level::Info,
        &message,
    )
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Records a job's result: the artifact, the tuned model's name, the result file. `complete` is false where it ended
/// early as asked.
pub(crate) async fn succeed(job: &Supervised<'_>, trained_tokens: u64, complete: bool) -> Result<(), Error> {
    job.persist(|| record_result(job, trained_tokens, complete)).await
}

/// Bytes of a try that comes to nothing have no row, so the sweep clears them away.
async fn record_result(job: &Supervised<'_>, trained_tokens: u64, complete: bool) -> Result<(), Error> {
    let folder = job.run_dir.join(ADAPTER);
    let listed = tokio::task::spawn_blocking(move || list_files(&folder))
        .await
        .map_err(|error| Error::storage("reading the result was interrupted", error))?;
    let made = match listed {
        Ok(made) if !made.is_empty() => made,
        Ok(_) => return record_failure(job, &no_result("its folder is empty")).await,
        // No other try finds what was never written.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
            return record_failure(job, &no_result(&error.to_string())).await;
        }
        Err(error) => return Err(Error::storage("the result could not be read", error)),
    };
    let id = JobId::new(&job.row.id);
    let result_file = secret::new_id("file-")?;
    let csv = job.service.result_csv(&job.owner, &id);
    let staged = job.service.stage_body(&result_file, u64::MAX, csv).await?;
    job.service
        .inner
        .blobs
        .put_file(&result_file, &job.service.staged(&result_file))
        .await?;
    let bytes = staged.bytes;
    drop(staged);

    let now = job.service.distinct_now();
    let artifact_id = secret::new_id("art-")?;
    let fine_tuned_model = job.row.tuned_name();
    let filename = "step_metrics.csv";
    let file = NewFile {
        id: &result_file,
        owner: &job.owner,
        purpose: RESULTS,
        name: filename,
        filename,
        bytes,
        status: DatasetStatus::Ready,
        created_at: now,
        expires_at: None,
        example: None,
        upload: None,
    };
    let artifact = NewArtifact {
        id: &artifact_id,
        owner: &job.owner,
        job_id: &job.row.id,
        fine_tuned_model: &fine_tuned_model,
        base_model: &job.row.base_model,
        created_at: now,
        files: &made,
    };
    let outcome = Outcome {
        artifact: &artifact_id,
        fine_tuned_model: &fine_tuned_model,
        result_file: &result_file,
        trained_tokens,
    };
    let mut transaction = job.service.inner.store.begin().await?;
    if !leases::end(&mut transaction, &job.fence, JobStatus::Succeeded, !complete, now).await? {
        drop(transaction);
        return job.service.inner.blobs.delete(&result_file).await;
    }
    let done = Ended::well(AttemptOutcome::Done);
    attempts::end(&mut transaction, &job.row.id, now, done).await?;
    files::insert(&mut transaction, &file).await?;
    artifacts::insert(&mut transaction, &artifact).await?;
    jobs::set_outcome(&mut transaction, &job.owner, &id, &outcome).await?;
    if complete && let Some(parameters) = job.row.parameters() {
        queue::remember_pace(&mut transaction, &job.row.id, parameters.epochs).await?;
    }
    let created = format!("New fine-tuned model created: {fine_tuned_model}");
    let told = if complete {
        "The job has successfully completed"
    } else {
        "The job was stopped early and has successfully completed with what was trained"
    };
    for message in [created.as_str(), told] {
        jobs::add_event(
            &mut transaction,
            &job.row.id,
            &job.owner,
            now,
            Level::Info,
            message,
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn no_result(reason: &str) -> JobFailure {
    let message = format!("the trainer said that it was done, but its adapter can't be read: {reason}");
    JobFailure::new("no_result", message).because(FailureCause::Storage)
}

/// The files of the result with their sizes and hashes, by name.
fn list_files(folder: &Path) -> io::Result<Vec<ArtifactFile>> {
    let mut made = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| io::Error::new(ErrorKind::InvalidData, "a file's name is not UTF-8"))?;
        let (bytes, sha256) = hash_file(&entry.path())?;
        made.push(ArtifactFile { name, bytes, sha256 });
    }
    made.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(made)
}

fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 18];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, secret::hex(&hasher.finalize())));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        bytes += count as u64;
    }
}
