//! The upstream's list of jobs, read page by page.
//!
//! A job that has ended doesn't change any more. So a later reading goes only as far back as jobs that haven't, and takes
//! the rest from the reading before; once a minute all of it is read anew, because some upstreams delete jobs.

use super::{Inner, read};
use crate::upstream::{Answer, remote::no_such_call};
use shared::{id::JobId, job::Job};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Jobs a page.
const PAGE: &str = "100";
/// Pages that are read at most: jobs beyond them are neither found nor counted, and the list says so.
const PAGES: usize = 20;
/// How long older pages are believed.
const BELIEVED: Duration = Duration::from_secs(60);

/// What was read of the list, newest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) jobs: Vec<Job>,
    /// All jobs that there are.
    pub(super) complete: bool,
}

/// The newest reading, and when all of it was read.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Option<(Instant, Arc<Listing>)>>);

impl Ledger {
    fn believed(&self) -> Option<(Instant, Arc<Listing>)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| at.elapsed() < BELIEVED).cloned()
    }

    fn keep(&self, at: Instant, listing: &Listing) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((at, Arc::new(listing.clone())));
    }
}

impl Inner {
    /// The jobs that there are, as far as the list was read.
    pub(super) async fn all_jobs(self: &Arc<Self>) -> Answer<Arc<Listing>> {
        let inner = Arc::clone(self);
        self.jobs
            .get((), || async move {
                let believed = inner.listing.believed().filter(|_| !inner.cache.is_zero());
                let (at, before) = believed.unwrap_or_else(|| (Instant::now(), Arc::default()));
                let listing = inner.read_list(&before).await?;
                inner.listing.keep(at, &listing);
                Ok(listing)
            })
            .await
    }

    async fn read_list(&self, before: &Listing) -> Answer<Listing> {
        let mut moving: HashSet<&JobId> = (before.jobs.iter())
            .filter(|job| !job.status.is_terminal())
            .map(|job| &job.id)
            .collect();
        let (mut jobs, mut known) = (Vec::new(), HashSet::new());
        for _ in 0..PAGES {
            let after = jobs.last().map(|job: &Job| job.id.as_str().to_owned());
            let mut query = vec![("limit", PAGE)];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let answer = self.client.get_with("fine_tuning/jobs", &query).await;
            let page = read::jobs(&answer.map_err(no_such_call)?, self.clock.now())?;
            let seen = known.len();
            for job in page.items {
                moving.remove(&job.id);
                if known.insert(job.id.clone()) {
                    jobs.push(job);
                }
            }
            let brought_none = known.len() == seen;
            if !page.has_more || brought_none {
                // A page that was asked for and brings nothing new: it can't be read further.
                let complete = !page.has_more;
                return Ok(Listing { jobs, complete });
            }
            let last = jobs.last().map(|job| &job.id);
            let place = before.jobs.iter().position(|job| Some(&job.id) == last);
            if let Some(place) = place.filter(|_| moving.is_empty()) {
                let older = before.jobs.iter().skip(place + 1);
                jobs.extend(older.filter(|job| !known.contains(&job.id)).cloned());
                return Ok(Listing {
                    jobs,
                    complete: before.complete,
                });
            }
        }
        Ok(Listing {
            jobs,
            complete: false,
        })
    }
}
