//! The account's jobs and their records: which are to be taken, and what they are there.

use super::{
    ends_all,
    files::look_at,
    patience::patiently,
    report::{Progress, Tally, reason, shown},
    told,
};
use crate::upstream::{
    Answer, UpstreamError,
    openai::account::{Account, AccountEntry, AccountJob, AccountTold, ListedJob},
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

/// What a job of the list is called, as far as it can be read.
fn listed_title(listed: &ListedJob) -> String {
    match (&listed.job, &listed.id) {
        (Ok(job), _) => titled(&job.job),
        (Err(_), Some(id)) => shown(id),
        (Err(_), None) => "a job whose name can't be read".to_owned(),
    }
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
        for listed in all {
            let is_older = |since| listed.created_at.is_some_and(|created_at| created_at < since);
            if self.since.is_some_and(is_older) {
                continue;
            }
            let title = listed_title(&listed);
            let known = listed.id.as_ref().and_then(|id| before.jobs.get(id));
            if known.is_some_and(|known| known.kept) {
                tally.already += 1;
                continue;
            }
            if known.is_some() && self.wanted.is_empty() {
                let id = shown(listed.id.as_deref().unwrap_or_default());
                let again = format!("{title}: was deleted here; `--job {id}` takes it again");
                tally.skipped.push(again);
                continue;
            }
            let job = match listed.job {
                Ok(job) => job,
                Err(error) => {
                    tally.failed.push(format!("{title}: {}", reason(&told(&error))));
                    continue;
                }
            };
            if job.job.id.as_str().chars().count() > LONGEST_ID {
                tally
                    .failed
                    .push(format!("{title}: its name is too long to be one"));
            } else if !job.job.status.is_terminal() {
                let status = job.job.status.as_str();
                tally.skipped.push(format!(
                    "{title}: is `{status}` there; run this again once it has ended"
                ));
            } else if job.job.training_dataset.is_none() {
                tally.failed.push(format!("{title}: names no training file"));
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
    async fn list(&self, tally: &mut Tally) -> Answer<Vec<ListedJob>> {
        let (mut jobs, mut known) = (Vec::new(), HashSet::new());
        let mut after: Option<String> = None;
        loop {
            let page = patiently(self.progress, async || self.account.jobs(after.as_deref()).await).await?;
            let count = known.len();
            for job in page.items {
                // Those without a name can't be told from one another.
                if job.id.as_ref().is_none_or(|id| known.insert(id.clone())) {
                    jobs.push(job);
                }
            }
            self.progress.tells(&format!("{} so far", jobs.len()));
            // A page that was asked for and brings nothing new: it would never end.
            let is_endless = known.len() == count || jobs.len() >= JOBS;
            if page.may_be_cut || page.next.is_some() && is_endless {
                tally
                    .notes
                    .push(format!("the list of jobs can't be read beyond {}", jobs.len()));
                return Ok(jobs);
            }
            let Some(next) = page.next else { return Ok(jobs) };
            after = Some(next);
        }
    }

    /// The jobs that were named.
    async fn named(&self, tally: &mut Tally) -> anyhow::Result<Vec<ListedJob>> {
        let mut jobs = Vec::new();
        let mut seen = HashSet::new();
        for id in self.wanted.iter().filter(|id| seen.insert(id.as_str())) {
            let job = match patiently(self.progress, async || self.account.job(id).await).await {
                Err(UpstreamError::NotFound(_)) => {
                    tally.failed.push(format!("{}: there is no such job", shown(id)));
                    continue;
                }
                Err(error) if ends_all(&error) => return Err(failure(&error)),
                job => job,
            };
            let there = job.as_ref().ok().map(|job| &job.job);
            jobs.push(ListedJob {
                id: Some(there.map_or_else(|| id.clone(), |there| there.id.to_string())),
                created_at: there.map(|there| there.created_at),
                job,
            });
        }
        Ok(jobs)
    }

    /// Tells what would be taken, and takes nothing.
    pub(super) async fn tell(&self, before: &TakenBefore, tally: &mut Tally) -> anyhow::Result<()> {
        let jobs = self.jobs(before, tally).await?;
        let mut files = HashSet::new();
        'jobs: for job in &jobs {
            let there = &job.job;
            let mut found = Vec::new();
            let datasets = there.training_dataset.iter().chain(&there.validation_dataset);
            for id in datasets.map(|dataset| dataset.id.as_str()) {
                if files.contains(id) || before.files.get(id).is_some_and(|known| known.kept) {
                    continue;
                }
                match look_at(self, id).await {
                    Ok(file) => found.push((id, file)),
                    Err(error) if ends_all(&error) => return Err(failure(&error)),
                    Err(error) => {
                        let why = reason(&told(&error));
                        tally.failed.push(format!("{}: {why}", titled(there)));
                        continue 'jobs;
                    }
                }
            }
            for (id, file) in found {
                if !files.insert(id.to_owned()) {
                    continue;
                }
                match file {
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
