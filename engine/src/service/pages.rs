//! Lists as /v1 turns their pages: a cursor is what the page before ended with, and stays one when that is gone since.
//! What never was there is no cursor: then there is no page, and the caller says so in its own words.

use super::Service;
use crate::{
    error::Error,
    store::{
        checkpoints::{self, CheckpointRow},
        events::{self, EventRow},
        files::{self, FileRow},
        job_list::{self, Filter, KeyValue, MetadataFilter, SortKey},
        jobs::{self, JobRow},
        metadata,
        steps::{self, StepRow},
        to_sql,
    },
};
use shared::id::{JobId, Subject};
use std::{cmp::Reverse, collections::BTreeMap};

/// One page of a list.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) has_more: bool,
}

impl<T> Page<T> {
    /// Of rows of which one more than a page takes was asked for.
    fn cut(mut rows: Vec<T>, limit: u32) -> Self {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Self { rows, has_more }
    }
}

/// An entry of a job's record.
pub(crate) enum Entry {
    Message(EventRow),
    Step(StepRow),
}

impl Entry {
    const fn seq(&self) -> i64 {
        match self {
            Self::Message(row) => row.seq,
            Self::Step(row) => row.seq,
        }
    }
}

impl Service {
    /// The subject's files of a purpose, or of all, after one of them.
    pub(crate) async fn page_of_files(
        &self,
        subject: &Subject,
        purpose: Option<&str>,
        oldest_first: bool,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<FileRow>>, Error> {
        let read = self.inner.store.read();
        let after = match after {
            None => None,
            Some(id) => match files::place(read, subject, id).await? {
                Some(place) => Some((place, id)),
                None => return Ok(None),
            },
        };
        let page = files::Page {
            purpose,
            after,
            oldest_first,
            now: self.now(),
            limit: i64::from(limit) + 1,
        };
        let rows = files::list(read, subject, page).await?;
        Ok(Some(Page::cut(rows, limit)))
    }

    /// The subject's jobs with such metadata, newest first, after one of them.
    pub(crate) async fn page_of_jobs(
        &self,
        subject: &Subject,
        metadata: MetadataFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<JobRow>>, Error> {
        let read = self.inner.store.read();
        let after = match after {
            None => None,
            Some(id) => match jobs::find(read, subject, &JobId::new(id)).await? {
                Some(row) => Some((KeyValue::Number(row.created_at), row.id)),
                None => return Ok(None),
            },
        };
        let filter = Filter {
            metadata,
            ..Filter::default()
        };
        let page = job_list::Page {
            sort: SortKey::CreatedAt,
            descending: true,
            after,
            offset: 0,
            limit: limit + 1,
        };
        let rows = job_list::list(read, subject, &filter, &page).await?;
        Ok(Some(Page::cut(rows, limit)))
    }

    /// The metadata of a job.
    pub(crate) async fn metadata_of(&self, job: &JobRow) -> Result<BTreeMap<String, String>, Error> {
        Ok(metadata::list(self.inner.store.read(), &job.id).await?)
    }

    /// What is recorded of a job before one of its events, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn page_of_record(
        &self,
        subject: &Subject,
        id: &JobId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<Entry>>, Error> {
        self.find_job_row(subject, id).await?;
        let before = match after {
            None => i64::MAX,
            Some(event) => match events::parse_event_id(id, event) {
                Some(seq) => to_sql(seq),
                None => return Ok(None),
            },
        };
        let (read, asked) = (self.inner.store.read(), i64::from(limit) + 1);
        let logged = events::list_before(read, subject, id, before, asked).await?;
        let measured = steps::list_before_seq(read, subject, id, before, asked).await?;
        let mut all: Vec<_> = logged.into_iter().map(Entry::Message).collect();
        all.extend(measured.into_iter().map(Entry::Step));
        all.sort_by_key(|entry| Reverse(entry.seq()));
        Ok(Some(Page::cut(all, limit)))
    }

    /// The kept checkpoints of a job after one of them, newest first, each with what was measured at its step.
    pub(crate) async fn page_of_checkpoints(
        &self,
        job: &JobRow,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<(CheckpointRow, Option<StepRow>)>>, Error> {
        let (read, subject, id) = (self.inner.store.read(), job.owner(), JobId::new(&job.id));
        let mut rows = checkpoints::list(read, &subject, &id).await?;
        if let Some(after) = after {
            let Some(step) = checkpoints::step_of(read, &subject, &id, after).await? else {
                return Ok(None);
            };
            rows.retain(|row| row.step < step);
        }
        let page = Page::cut(rows, limit);
        let mut measured = Vec::new();
        for row in page.rows {
            let found = steps::list_after_step(read, &subject, &id, row.step - 1, 1).await?;
            let step = found.into_iter().find(|step| step.step == row.step);
            measured.push((row, step));
        }
        Ok(Some(Page {
            rows: measured,
            has_more: page.has_more,
        }))
    }
}
