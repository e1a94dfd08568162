//! Taking jobs, one after the other, the oldest first.

use super::{
    ends_all,
    jobs::{ENTRIES, Plan, failure, titled},
    report::{Tally, reason},
    stopped, told,
};
use crate::{
    secret::Secret,
    upstream::{
        UpstreamError,
        openai::account::{AccountEntry, AccountJob, AccountTold, steps_of_results},
    },
};
use engine::import::{ImportEntry, ImportFile, ImportFolder, ImportJob, ImportOrigin, Lacks, TakenBefore};
use tokio_util::sync::CancellationToken;

/// Why a job wasn't taken.
pub(super) enum Failed {
    Upstream(UpstreamError),
    Local(engine::Error),
    /// What came can't be kept.
    Untrusted(String),
}

impl From<UpstreamError> for Failed {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<engine::Error> for Failed {
    fn from(error: engine::Error) -> Self {
        Self::Local(error)
    }
}

/// Takes jobs into a folder of data.
pub(super) struct Taking<'a> {
    pub(super) plan: Plan<'a>,
    pub(super) folder: &'a ImportFolder,
    pub(super) origin: ImportOrigin,
    pub(super) key: Secret,
    pub(super) stop: CancellationToken,
}

impl Taking<'_> {
    /// Takes what is to be taken. What fails is left out; where nothing more can work it ends.
    pub(super) async fn take_all(&self, tally: &mut Tally) -> anyhow::Result<()> {
        let mut before = self.folder.taken_before(&self.origin).await?;
        let jobs = tokio::select! {
            jobs = self.plan.jobs(&before, tally) => jobs?,
            () = self.stop.cancelled() => return Err(stopped()),
        };
        let count = jobs.len();
        for (number, job) in jobs.into_iter().enumerate() {
            let title = titled(&job.job);
            let progress = self.plan.progress;
            progress.begins(&format!("{} of {count}  {title}", number + 1));
            let read = tokio::select! {
                read = self.read(job, &before) => read,
                () = self.stop.cancelled() => return Err(stopped()),
            };
            // From here on it isn't stopped: the files go with the rows.
            let taken = match read {
                Ok((job, notes)) => self
                    .write(job, &mut before, tally)
                    .await
                    .map(|local| (local, notes)),
                Err(failed) => Err(failed),
            };
            match taken {
                Ok((local, notes)) => {
                    progress.ends(&format!("taken as {local}"));
                    tally
                        .notes
                        .extend(notes.into_iter().map(|note| format!("{title}: {note}")));
                    tally.taken.push(title);
                }
                Err(Failed::Upstream(error)) if ends_all(&error) => return Err(failure(&error)),
                Err(Failed::Local(engine::Error::Conflict { .. })) => {
                    progress.ends("already here");
                    tally.already += 1;
                }
                Err(Failed::Local(error)) => return Err(error.into()),
                Err(Failed::Upstream(error)) => {
                    let why = reason(&told(&error));
                    progress.ends(&why);
                    tally.failed.push(format!("{title}: {why}"));
                }
                Err(Failed::Untrusted(why)) => {
                    progress.ends(&why);
                    tally.failed.push(format!("{title}: {why}"));
                }
            }
        }
        Ok(())
    }

    /// Reads all that belongs to a job; answers what there is to know of it, too.
    async fn read(
        &self,
        there: AccountJob,
        before: &TakenBefore,
    ) -> Result<(ImportJob, Vec<String>), Failed> {
        let plan = &self.plan;
        let job = there.job;
        let id = job.id.as_str();
        let mut notes = Vec::new();
        let (record, is_cut) = plan.record(id).await?;
        if is_cut {
            notes.push(format!(
                "only the newest {} entries of its record are here",
                record.len()
            ));
        }
        let mut record: Vec<ImportEntry> = record.into_iter().map(entry).collect();
        let mut lacks = Lacks {
            events: is_cut,
            steps: is_cut,
        };
        let checkpoints = plan.checkpoints(id).await?;
        let ended = job.finished_at.unwrap_or(job.created_at);
        let mut results = None;
        if let Some(file) = there.result_files.first() {
            match self.results(file, ended).await? {
                Ok((file, table)) => {
                    if !record.iter().any(|entry| matches!(entry, ImportEntry::Step(..))) {
                        let steps = steps_of_results(&table);
                        // What the log lacks of them the file has.
                        lacks.steps = steps.len() > ENTRIES || lacks.steps && steps.is_empty();
                        let steps = steps.into_iter().take(ENTRIES);
                        record.extend(steps.map(|step| ImportEntry::Step(ended, step)));
                    }
                    results = Some(ImportFile::New(file));
                }
                Err(note) => notes.push(note),
            }
        }
        let Some(training) = &job.training_dataset else {
            return Err(Failed::Untrusted("names no training file".to_owned()));
        };
        let (training, note) = self.dataset(training.id.as_str(), before, job.created_at).await?;
        notes.extend(note);
        let mut validation = None;
        if let Some(file) = &job.validation_dataset {
            let (file, note) = self.dataset(file.id.as_str(), before, job.created_at).await?;
            notes.extend(note);
            validation = Some(file);
        }
        let job = ImportJob {
            job,
            suffix: there.suffix,
            metadata: there.metadata,
            record,
            lacks,
            checkpoints,
            training,
            validation,
            results,
        };
        Ok((job, notes))
    }

    /// Writes a job, and remembers its files for those that come after it.
    async fn write(
        &self,
        job: ImportJob,
        before: &mut TakenBefore,
        tally: &mut Tally,
    ) -> Result<String, Failed> {
        let sizes: Vec<(String, u64)> = [Some(&job.training), job.validation.as_ref(), job.results.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|file| match file {
                ImportFile::New(file) => Some((file.upstream_id.clone(), file.content.as_ref()?.bytes())),
                ImportFile::Here(_) => None,
            })
            .collect();
        let taken = self.folder.take(&self.origin, job).await?;
        for (upstream_id, file) in taken.files {
            if file.kept {
                tally.files += 1;
                tally.bytes += sizes
                    .iter()
                    .find(|(id, _)| *id == upstream_id)
                    .map_or(0, |(_, bytes)| *bytes);
            }
            before.files.insert(upstream_id, file);
        }
        Ok(taken.id.to_string())
    }
}

fn entry(entry: AccountEntry) -> ImportEntry {
    match entry.told {
        AccountTold::Message(event) => ImportEntry::Event(event),
        AccountTold::Step(step) => ImportEntry::Step(entry.at, step),
    }
}
