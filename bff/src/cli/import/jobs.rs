//! The account's jobs: which are to be taken, and taking them one after the other, the oldest first.

use super::{
    files::look_at,
    patience::patiently,
    report::{Progress, Tally, shown},
    stopped, told,
};
use crate::{
    secret::Secret,
    upstream::{
        Answer, UpstreamError,
        openai::account::{Account, AccountEntry, AccountJob, AccountTold, steps_of_results},
    },
};
use engine::import::{ImportEntry, ImportFile, ImportFolder, ImportJob, ImportOrigin, TakenBefore};
use shared::{event::Checkpoint, job::Job, timestamp::Timestamp};
use std::collections::HashSet;
use tokio_util::sync::CancellationToken;

/// Jobs of an account that are read at most.
const JOBS: usize = 100_000;
/// Entries of a record that are taken at most, and the text in them: the newest count.
const ENTRIES: usize = 50_000;
const TEXT_BYTES: usize = 64 << 20;
/// Pages of a job's checkpoints.
const CHECKPOINT_PAGES: usize = 20;
/// Characters of an identifier; no API has longer ones.
const LONGEST_ID: usize = 200;

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

/// What is read, and which of it is wanted.
pub(super) struct Plan<'a> {
    pub(super) account: &'a Account,
    /// These alone, where there are any.
    pub(super) wanted: Vec<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) progress: &'a Progress,
}

/// Takes jobs into a folder of data.
pub(super) struct Taking<'a> {
    pub(super) plan: Plan<'a>,
    pub(super) folder: &'a ImportFolder,
    pub(super) origin: ImportOrigin,
    pub(super) key: Secret,
    pub(super) stop: CancellationToken,
}

fn titled(job: &Job) -> String {
    format!("{} ({})", shown(job.id.as_str()), shown(&job.name))
}

fn failure(error: &UpstreamError) -> anyhow::Error {
    anyhow::anyhow!(told(error))
}

impl Plan<'_> {
    /// The jobs to be taken, the oldest first; the tally gets those that aren't.
    async fn jobs(&self, before: &TakenBefore, tally: &mut Tally) -> anyhow::Result<Vec<AccountJob>> {
        self.progress.begins("reading the list of jobs");
        let all = if self.wanted.is_empty() {
            self.list(tally).await.map_err(|error| failure(&error))?
        } else {
            self.named(tally).await?
        };
        let mut jobs = Vec::new();
        for job in all {
            let id = job.job.id.as_str();
            if self.since.is_some_and(|since| job.job.created_at < since) {
                continue;
            }
            let known = before.jobs.get(id);
            if id.chars().count() > LONGEST_ID {
                tally
                    .failed
                    .push(format!("{}: its name is too long to be one", titled(&job.job)));
            } else if known.is_some_and(|known| known.kept) {
                tally.already += 1;
            } else if known.is_some() && self.wanted.is_empty() {
                let job = titled(&job.job);
                tally.skipped.push(format!(
                    "{job}: was deleted here; `--job {}` takes it again",
                    shown(id)
                ));
            } else if !job.job.status.is_terminal() {
                let status = job.job.status.as_str();
                let job = titled(&job.job);
                tally.skipped.push(format!(
                    "{job}: is `{status}` there; run this again once it has ended"
                ));
            } else if job.job.training_dataset.is_none() {
                tally
                    .failed
                    .push(format!("{}: names no training file", titled(&job.job)));
            } else {
                jobs.push(job);
            }
        }
        jobs.sort_by(|one, other| {
            let key = |job: &AccountJob| (job.job.created_at, job.job.id.to_string());
            key(one).cmp(&key(other))
        });
        Ok(jobs)
    }

    /// All jobs of the account, as far as its list goes.
    async fn list(&self, tally: &mut Tally) -> Answer<Vec<AccountJob>> {
        let (mut jobs, mut known) = (Vec::new(), HashSet::new());
        let mut after: Option<String> = None;
        loop {
            let page = patiently(self.progress, async || self.account.jobs(after.as_deref()).await).await?;
            let count = known.len();
            for job in page.items {
                if known.insert(job.job.id.clone()) {
                    jobs.push(job);
                }
            }
            self.progress.tells(&format!("{} so far", jobs.len()));
            let Some(next) = page.next else { return Ok(jobs) };
            // A page that was asked for and brings nothing new: it would never end.
            if known.len() == count || known.len() >= JOBS {
                tally
                    .notes
                    .push(format!("the list of jobs can't be read beyond {}", jobs.len()));
                return Ok(jobs);
            }
            after = Some(next);
        }
    }

    /// The jobs that were named.
    async fn named(&self, tally: &mut Tally) -> anyhow::Result<Vec<AccountJob>> {
        let mut jobs = Vec::new();
        let mut seen = HashSet::new();
        for id in self.wanted.iter().filter(|id| seen.insert(id.as_str())) {
            match patiently(self.progress, async || self.account.job(id).await).await {
                Ok(job) => jobs.push(job),
                Err(UpstreamError::NotFound(_)) => {
                    tally.failed.push(format!("{}: there is no such job", shown(id)));
                }
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(jobs)
    }

    /// Tells what would be taken, and takes nothing.
    pub(super) async fn tell(&self, before: &TakenBefore, tally: &mut Tally) -> anyhow::Result<()> {
        let jobs = self.jobs(before, tally).await?;
        let mut files = HashSet::new();
        for job in &jobs {
            let there = &job.job;
            let datasets = there.training_dataset.iter().chain(&there.validation_dataset);
            for id in datasets.map(|dataset| dataset.id.as_str()) {
                let kept = before.files.get(id).is_some_and(|known| known.kept);
                if kept || !files.insert(id.to_owned()) {
                    continue;
                }
                match look_at(self, id).await.map_err(|error| failure(&error))? {
                    Some(file) => {
                        tally.files += 1;
                        tally.bytes += file.bytes;
                    }
                    None => tally.notes.push(format!(
                        "{}: its file `{}` is gone there",
                        titled(there),
                        shown(id)
                    )),
                }
            }
            tally.taken.push(format!(
                "{}  {}  {}",
                titled(there),
                there.status.as_str(),
                there.created_at.to_rfc3339()
            ));
        }
        Ok(())
    }

    /// A job's record, oldest first, and whether there is more of it than is taken.
    async fn record(&self, id: &str) -> Answer<(Vec<AccountEntry>, bool)> {
        let (mut entries, mut known, mut text) = (Vec::new(), HashSet::new(), 0);
        let mut after: Option<String> = None;
        let mut is_cut = false;
        loop {
            let page = patiently(self.progress, async || {
                self.account.events(id, after.as_deref()).await
            })
            .await?;
            let count = known.len();
            for entry in page.items {
                is_cut = entries.len() >= ENTRIES || text > TEXT_BYTES;
                if is_cut {
                    break;
                }
                if let AccountTold::Message(event) = &entry.told {
                    text += event.message.len();
                }
                if known.insert(entry.id.clone()) {
                    entries.push(entry);
                }
            }
            self.progress
                .tells(&format!("{} entries of its record", entries.len()));
            match page.next {
                Some(next) if !is_cut && known.len() > count => after = Some(next),
                next => {
                    entries.reverse();
                    return Ok((entries, is_cut || next.is_some()));
                }
            }
        }
    }

    async fn checkpoints(&self, id: &str) -> Answer<Vec<Checkpoint>> {
        let mut checkpoints: Vec<Checkpoint> = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..CHECKPOINT_PAGES {
            let page = patiently(self.progress, async || {
                self.account.checkpoints(id, after.as_deref()).await
            })
            .await?;
            let is_new = page.next != after;
            checkpoints.extend(page.items);
            if page.next.is_none() || !is_new {
                break;
            }
            after = page.next;
        }
        Ok(checkpoints)
    }
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
                Err(Failed::Upstream(
                    error @ (UpstreamError::KeyRejected | UpstreamError::Unreachable(_)),
                )) => {
                    return Err(failure(&error));
                }
                Err(Failed::Local(engine::Error::Conflict { .. })) => {
                    progress.ends("already here");
                    tally.already += 1;
                }
                Err(Failed::Local(error)) => return Err(error.into()),
                Err(Failed::Upstream(error)) => {
                    let why = shown(&told(&error));
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
        let checkpoints = plan.checkpoints(id).await?;
        let ended = job.finished_at.unwrap_or(job.created_at);
        let mut results = None;
        if let Some(file) = there.result_files.first() {
            match self.results(file, ended).await? {
                Ok((file, table)) => {
                    if !record.iter().any(|entry| matches!(entry, ImportEntry::Step(..))) {
                        let steps = steps_of_results(&table).into_iter().take(ENTRIES);
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
