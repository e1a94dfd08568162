//! The account's jobs and their records: which are to be taken, and what they are there.

use super::{
    files::look_at,
    patience::patiently,
    report::{Progress, Tally, shown},
    told,
};
use crate::upstream::{
    Answer, UpstreamError,
    openai::account::{Account, AccountEntry, AccountJob, AccountTold},
};
use engine::import::TakenBefore;
use shared::{event::Checkpoint, job::Job, timestamp::Timestamp};
use std::collections::HashSet;

/// Jobs of an account that are read at most.
const JOBS: usize = 100_000;
/// Entries of a record that are taken at most, and the text in them: the newest count.
pub(super) const ENTRIES: usize = 50_000;
const TEXT_BYTES: usize = 64 << 20;
/// Pages of a job's checkpoints.
const CHECKPOINT_PAGES: usize = 20;
/// Characters of an identifier; no API has longer ones.
const LONGEST_ID: usize = 200;

/// What is read, and which of it is wanted.
pub(super) struct Plan<'a> {
    pub(super) account: &'a Account,
    /// These alone, where there are any.
    pub(super) wanted: Vec<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) progress: &'a Progress,
}

pub(super) fn titled(job: &Job) -> String {
    format!("{} ({})", shown(job.id.as_str()), shown(&job.name))
}

pub(super) fn failure(error: &UpstreamError) -> anyhow::Error {
    anyhow::anyhow!(told(error))
}

impl Plan<'_> {
    /// The jobs to be taken, the oldest first; the tally gets those that aren't.
    pub(super) async fn jobs(
        &self,
        before: &TakenBefore,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<AccountJob>> {
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
    pub(super) async fn record(&self, id: &str) -> Answer<(Vec<AccountEntry>, bool)> {
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
                    return Ok((entries, is_cut || next.is_some() || page.may_be_cut));
                }
            }
        }
    }

    pub(super) async fn checkpoints(&self, id: &str) -> Answer<Vec<Checkpoint>> {
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
