//! What the newest answer came to, for as long as the next ones are the same bytes: who polls a list mostly gets those.
//! Every answer is still asked for and checked; only what is a function of its bytes alone isn't computed again.

use crate::upstream::{Answer, UpstreamError, error::Cause, remote::jobs_page};
use bytes::Bytes;
use shared::job::{Job, JobQuery};
use std::sync::{Arc, Mutex, PoisonError};

/// Pages of the same jobs that are kept: those that somebody polls.
const PAGES: usize = 8;

/// The newest answer, and what it was read as.
pub(in crate::upstream) struct Unchanged<T>(Mutex<Option<(Vec<u8>, Arc<T>)>>);

impl<T> Default for Unchanged<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Unchanged<T> {
    /// What the answer says: as it was read before, where it is the same again.
    pub(in crate::upstream) fn read(
        &self,
        answer: Vec<u8>,
        read: impl FnOnce(&[u8]) -> Answer<T>,
    ) -> Answer<Arc<T>> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bytes, value)) = &*kept()
            && *bytes == answer
        {
            return Ok(Arc::clone(value));
        }
        let value = Arc::new(read(&answer)?);
        *kept() = Some((answer, Arc::clone(&value)));
        Ok(value)
    }
}

/// The pages of a list as they were written, for as long as its jobs are the same.
#[derive(Default)]
pub(in crate::upstream) struct WrittenPages(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// Held, so that no other list can come to lie at its address.
    of: Option<Arc<Vec<Job>>>,
    written: Vec<(JobQuery, Bytes)>,
}

impl WrittenPages {
    /// The page that answers a query, as JSON.
    pub(in crate::upstream) fn page(&self, jobs: &Arc<Vec<Job>>, query: &JobQuery) -> Answer<Bytes> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !pages.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, jobs)) || pages.written.len() > PAGES {
            pages.of = Some(Arc::clone(jobs));
            pages.written.clear();
        }
        if let Some((_, page)) = pages.written.iter().find(|(asked, _)| asked == query) {
            return Ok(page.clone());
        }
        let page = jobs_page::page(jobs, query)?;
        let page = serde_json::to_vec(&page).map_err(|error| UpstreamError::Internal(Cause::new(error)))?;
        let page = Bytes::from(page);
        pages.written.push((query.clone(), page.clone()));
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::remote::read::bare_job;
    use shared::{id::JobId, status::JobStatus, timestamp::Timestamp};

    #[test]
    fn the_same_bytes_are_read_once_and_others_anew() {
        let (unchanged, mut reads) = (Unchanged::default(), 0);
        let mut read = |answer: &str| {
            let length = |bytes: &[u8]| {
                reads += 1;
                Ok(bytes.len())
            };
            *unchanged.read(answer.as_bytes().to_vec(), length).expect("ok")
        };
        assert_eq!(
            [read("abc"), read("abc"), read("abcd"), read("abc")],
            [3, 3, 4, 3]
        );
        assert_eq!(reads, 3);
        let failed = unchanged.read(b"bad".to_vec(), |_| Err(UpstreamError::TimedOut));
        assert!(failed.is_err());
        assert_eq!(
            *unchanged.read(b"bad".to_vec(), |_| Ok(7)).expect("ok"),
            7,
            "a failure isn't kept"
        );
    }

    #[test]
    fn pages_are_of_the_jobs_and_the_query_that_they_were_written_for() {
        let jobs = |name: &str| {
            let (id, at) = (JobId::from("a"), Timestamp::from_unix_ms(0));
            Arc::new(vec![bare_job(
                id,
                name.to_owned(),
                "m".to_owned(),
                JobStatus::Running,
                at,
            )])
        };
        let (pages, first, second) = (WrittenPages::default(), jobs("first"), jobs("second"));
        let none = JobQuery {
            q: Some("none".to_owned()),
            ..JobQuery::default()
        };
        let has = |jobs: &Arc<Vec<Job>>, query: &JobQuery, name: &str| {
            let page = pages.page(jobs, query).expect("a good query");
            String::from_utf8_lossy(&page).contains(name)
        };
        let all = JobQuery::default();
        assert!(has(&first, &all, "first") && has(&first, &all, "first"));
        assert!(!has(&first, &none, "first"));
        assert!(has(&second, &all, "second") && !has(&second, &all, "first"));
        assert!(has(&first, &all, "first"));
        for limit in 1..30 {
            let query = JobQuery {
                limit: Some(limit),
                ..JobQuery::default()
            };
            assert!(has(&first, &query, "first"));
        }
        assert!(pages.0.lock().expect("unpoisoned").written.len() <= PAGES + 1);
    }
}
