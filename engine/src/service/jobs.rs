//! Jobs as the console sees them: list and find. Creation is in `job_create`, what can be done with one in `job_actions`.

use super::Service;
use crate::{
    error::{Error, one_finding},
    secret,
    store::{
        from_sql,
        job_list::{self, Filter, KeyValue, Page, SortKey},
        jobs::{self, JobRow},
        queue,
    },
};
use shared::{
    id::{JobId, Subject},
    job::{Job, JobList, JobQuery, JobSummary},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::collections::HashMap;

/// Jobs a page unless told, and at most.
const PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

/// Queued jobs of a list whose place in the queue is told.
const QUEUE_HEAD: i64 = 1000;

impl Service {
    /// One page of the subject's jobs, with a summary over what the filters other than status let through.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `limit`, `cursor`, `status` or `sort`.
    pub async fn list_jobs(&self, subject: &Subject, query: &JobQuery) -> Result<JobList, Error> {
        let limit = page_limit(query.limit, PAGE, MAX_PAGE)?;
        let (sort, descending) = parse_sort(query.sort.as_deref())?;
        let text = query
            .q
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_lowercase);
        let filter = Filter {
            text,
            statuses: parse_statuses(query.status.as_deref())?,
            base_model: query.model.clone().filter(|model| !model.is_empty()),
            created_from: query.created_from,
            created_to: query.created_to,
            ..Filter::default()
        };
        let after = query
            .cursor
            .as_deref()
            .map(|cursor| parse_cursor(cursor, sort, descending))
            .transpose()?;
        // One more than asked for tells whether there is a next page.
        let page = Page {
            sort,
            descending,
            after,
            offset: query.offset.unwrap_or(0),
            limit: limit + 1,
        };
        let read = self.inner.store.read();
        // Beside each other: where nothing or little matches, each is a pass over all of the subject's jobs.
        let (mut rows, counts) = tokio::try_join!(
            job_list::list(read, subject, &filter, &page),
            job_list::summary(read, subject, &filter),
        )?;
        let mut summary = JobSummary::default();
        let newest = counts.iter().map(|(_, _, newest)| *newest).max();
        for (status, count, _) in counts {
            if let Some(status) = JobStatus::parse(&status) {
                summary.add(status, from_sql(count));
            }
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|row| write_cursor(row, sort, descending));
        let places = self.queue_places(&rows).await?;
        let jobs = rows
            .iter()
            .map(|row| row.to_job(places.get(&row.id).copied()))
            .collect();
        Ok(JobList {
            jobs,
            summary,
            next_cursor,
            newest: newest.map(Timestamp::from_unix_ms),
            incomplete: false,
            outlook: self.outlook(subject, query).await?,
        })
    }

    async fn queue_places(&self, rows: &[JobRow]) -> Result<HashMap<String, u32>, Error> {
        if !rows.iter().any(|row| row.status() == JobStatus::Queued) {
            return Ok(HashMap::new());
        }
        let head = queue::head(self.inner.store.read(), QUEUE_HEAD).await?;
        Ok(head.into_iter().zip(0..).collect())
    }

    /// One job of the subject's.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for other people's jobs.
    pub async fn find_job(&self, subject: &Subject, id: &JobId) -> Result<Job, Error> {
        let row = self.find_job_row(subject, id).await?;
        self.describe_job(&row).await
    }

    pub(crate) async fn find_job_row(&self, subject: &Subject, id: &JobId) -> Result<JobRow, Error> {
        jobs::find(self.inner.store.read(), subject, id)
            .await?
            .ok_or(Error::NotFound("job"))
    }

    pub(crate) async fn describe_job(&self, row: &JobRow) -> Result<Job, Error> {
        let place = match row.status() {
            JobStatus::Queued => queue::position(self.inner.store.read(), &row.id).await?,
            _ => None,
        };
        let mut job = row.to_job(place);
        if let Some(place) = place {
            job.starts_in_ms = self.starts_in_ms(place).await?;
        }
        Ok(job)
    }

    /// Wakes those who follow a job, and those whose place in the queue may have moved with it.
    pub(crate) async fn job_has_changed(&self, id: &JobId) {
        self.inner.jobs_changed.changed(id.as_str());
        self.inner.outbox.changed.notify_one();
        if self.inner.jobs_changed.followers() == 0 {
            return;
        }
        match queue::head(self.inner.store.read(), QUEUE_HEAD).await {
            Ok(waiting) => waiting.iter().for_each(|id| self.inner.jobs_changed.changed(id)),
            Err(error) => tracing::warn!(%error, "the queue could not be read"),
        }
    }
}

/// A page's length within its bounds.
pub(crate) fn page_limit(asked: Option<u32>, default: u32, max: u32) -> Result<u32, Error> {
    match asked {
        None => Ok(default),
        Some(0) => Err(Error::Invalid(one_finding("limit", "too_small", &[("min", "1")]))),
        Some(limit) if limit > max => Err(Error::Invalid(one_finding(
            "limit",
            "too_large",
            &[("max", &max.to_string())],
        ))),
        Some(limit) => Ok(limit),
    }
}

fn parse_sort(sort: Option<&str>) -> Result<(SortKey, bool), Error> {
    let Some(sort) = sort.filter(|sort| !sort.is_empty()) else {
        return Ok((SortKey::CreatedAt, true));
    };
    let (descending, word) = sort.strip_prefix('-').map_or((false, sort), |word| (true, word));
    let key = match word {
        "created_at" => SortKey::CreatedAt,
        "name" => SortKey::Name,
        "status" => SortKey::Status,
        "base_model" => SortKey::BaseModel,
        _ => return Err(Error::field("sort", "unknown_sort")),
    };
    Ok((key, descending))
}

fn parse_statuses(words: Option<&str>) -> Result<Vec<JobStatus>, Error> {
    let words = words
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words
        .map(|word| JobStatus::parse(word).ok_or_else(|| Error::field("status", "unknown_status")))
        .collect()
}

/// A cursor is the hexadecimal of the sort's word, the key's value and the identifier, each on a line.
fn write_cursor(row: &JobRow, sort: SortKey, descending: bool) -> String {
    let value = match sort.value(row) {
        KeyValue::Number(number) => number.to_string(),
        KeyValue::Text(text) => text,
    };
    secret::hex(format!("{sort:?}{descending}\n{}\n{value}", row.id).as_bytes())
}

fn parse_cursor(cursor: &str, sort: SortKey, descending: bool) -> Result<(KeyValue, String), Error> {
    let read = || {
        let text = String::from_utf8(secret::unhex(cursor)?).ok()?;
        let (order, rest) = text.split_once('\n')?;
        let (id, value) = rest.split_once('\n')?;
        if order != format!("{sort:?}{descending}") {
            return None;
        }
        let value = match sort {
            SortKey::CreatedAt => KeyValue::Number(value.parse().ok()?),
            SortKey::Name | SortKey::Status | SortKey::BaseModel => KeyValue::Text(value.to_owned()),
        };
        Some((value, id.to_owned()))
    };
    read().ok_or_else(|| Error::field("cursor", "invalid_cursor"))
}
