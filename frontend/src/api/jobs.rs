//! `/api/jobs` and a job's record.

use super::{ApiError, query_string, read, send, write};
use crate::{
    browser,
    calendar::Calendar,
    query::{Query, Resource},
};
use gloo_net::http::Method;
use shared::{
    attempt::{AttemptList, RetryJob},
    event::{CheckpointList, EventList, Level},
    id::{JobId, encode_segment},
    job::{Created, Job, JobList, JobQuery, NewJob},
    metrics::{Metrics, MetricsQuery, Series, SeriesSet},
    model::DownloadLink,
    queue::JobChange,
    step_examples::StepExamples,
    timeline::Timeline,
    timestamp::Timestamp,
};

/// Pixel columns that a curve is reduced to; no chart is wider.
const COLUMNS: u32 = 800;

fn path(id: &JobId, rest: &str) -> String {
    format!("/api/jobs/{}{rest}", encode_segment(id.as_str()))
}

/// One page of jobs.
#[must_use]
pub fn list(query: &JobQuery) -> Query<JobList> {
    let parameters = query_string(&[
        ("limit", query.limit.map(|limit| limit.to_string())),
        ("cursor", query.cursor.clone()),
        ("offset", query.offset.map(|offset| offset.to_string())),
        ("q", query.q.clone()),
        ("status", query.status.clone()),
        ("model", query.model.clone()),
        ("created_from", query.created_from.map(browser::machine_time)),
        ("created_to", query.created_to.map(browser::machine_time)),
        ("sort", query.sort.clone()),
        ("week_from", query.week_from.map(browser::machine_time)),
        ("month_from", query.month_from.map(browser::machine_time)),
    ]);
    Query::new(format!("/api/jobs{parameters}"), Resource::Jobs)
}

/// The newest jobs, and how things go at large in the user's week and month: what the frame and the dashboard show. It is
/// one request for both.
#[must_use]
pub fn overview() -> Query<JobList> {
    let calendar = Calendar::of(browser::now_ms());
    list(&JobQuery {
        limit: Some(6),
        week_from: Some(Timestamp::from_unix_ms(calendar.week_start)),
        month_from: Some(Timestamp::from_unix_ms(calendar.month_start)),
        ..JobQuery::default()
    })
}

/// One job.
#[must_use]
pub fn job(id: &JobId) -> Query<Job> {
    Query::new(path(id, ""), Resource::Jobs)
}

/// A job's newest events, newest first.
#[must_use]
pub fn events(id: &JobId) -> Query<EventList> {
    events_that(id, Level::Info, "", None)
}

/// A page of a job's events that are as grave or graver and have the words.
#[must_use]
pub fn events_that(id: &JobId, least: Level, words: &str, cursor: Option<String>) -> Query<EventList> {
    let words = words.trim();
    let level = match least {
        Level::Info => None,
        Level::Warn => Some("warn".to_owned()),
        Level::Error => Some("error".to_owned()),
    };
    let parameters = query_string(&[
        ("limit", Some("200".to_owned())),
        ("cursor", cursor),
        ("level", level),
        ("q", (!words.is_empty()).then(|| words.to_owned())),
    ]);
    Query::new(path(id, &format!("/events{parameters}")), Resource::JobRecord)
}

/// A job's checkpoints, newest first.
#[must_use]
pub fn checkpoints(id: &JobId) -> Query<CheckpointList> {
    Query::new(path(id, "/checkpoints"), Resource::JobRecord)
}

/// Makes a link that downloads a checkpoint's adapter once.
///
/// # Errors
/// 404 where it isn't kept any more.
pub(crate) async fn checkpoint_download_link(id: &JobId, step: u64) -> Result<DownloadLink, ApiError> {
    let path = path(id, &format!("/checkpoints/{step}/download"));
    read(&send(Method::POST, &path, None, &[], None).await?.text)
}

/// The trainers that were started on a job, oldest first.
#[must_use]
pub fn attempts(id: &JobId) -> Query<AttemptList> {
    Query::new(path(id, "/attempts"), Resource::JobRecord)
}

/// When a job came to stand where.
#[must_use]
pub fn timeline(id: &JobId) -> Query<Timeline> {
    Query::new(path(id, "/timeline"), Resource::JobRecord)
}

/// A job's curves.
#[must_use]
pub fn metrics(id: &JobId, query: &MetricsQuery) -> Query<Metrics> {
    let parameters = query_string(&[
        ("from", query.from.map(|step| step.to_string())),
        ("to", query.to.map(|step| step.to_string())),
        ("points", query.points.map(|points| points.to_string())),
        ("series", query.series.map(SeriesSet::words)),
        ("times", query.times.then(|| "true".to_owned())),
    ]);
    Query::new(path(id, &format!("/metrics{parameters}")), Resource::JobRecord)
}

/// All of a job's curves, whole, as its own page draws them.
#[must_use]
pub fn curves(id: &JobId) -> Query<Metrics> {
    let query = MetricsQuery {
        points: Some(COLUMNS),
        ..MetricsQuery::default()
    };
    metrics(id, &query)
}

/// Some curves in so many columns as a chart has, whole unless between two steps; on request with the times of their steps.
#[must_use]
pub fn some_curves(id: &JobId, range: Option<(u64, u64)>, series: &[Series], times: bool) -> Query<Metrics> {
    let query = MetricsQuery {
        from: range.map(|(from, _)| from),
        to: range.map(|(_, to)| to),
        points: Some(COLUMNS),
        series: Some(SeriesSet::of(series)),
        times,
    };
    metrics(id, &query)
}

/// Some curves of a job among those of others, which get fewer columns each; whole unless between two steps.
#[must_use]
pub fn curves_among(id: &JobId, range: Option<(u64, u64)>, series: &[Series], times: bool) -> Query<Metrics> {
    let query = MetricsQuery {
        from: range.map(|(from, _)| from),
        to: range.map(|(_, to)| to),
        points: Some(COLUMNS / 2),
        series: Some(SeriesSet::of(series)),
        times,
    };
    metrics(id, &query)
}

/// The training examples that a step was made of.
#[must_use]
pub fn step_examples(id: &JobId, step: u64) -> Query<StepExamples> {
    Query::new(path(id, &format!("/steps/{step}/examples")), Resource::JobRecord)
}

/// The address of a job's stream.
#[must_use]
pub fn stream_path(id: &JobId) -> String {
    path(id, "/stream?from=now")
}

/// Creates a job; the same `draft_id` never creates a second one.
///
/// # Errors
/// 400 with `fields`, 403, 429, or what the upstream said.
pub(crate) async fn create(new_job: &NewJob, draft_id: &str) -> Result<Created, ApiError> {
    let headers = [("idempotency-key", draft_id)];
    let answer = send(Method::POST, "/api/jobs", write(new_job), &headers, None).await?;
    Ok(Created {
        job: read(&answer.text)?,
        repeated: answer.status != 201,
    })
}

/// What can be asked of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the address that asks it")]
pub enum Action {
    Cancel,
    Pause,
    Resume,
    Stop,
}

/// Asks something of a job.
///
/// # Errors
/// 409 where its state doesn't allow it.
pub(crate) async fn act(id: &JobId, action: Action) -> Result<Job, ApiError> {
    let rest = match action {
        Action::Cancel => "/cancel",
        Action::Pause => "/pause",
        Action::Resume => "/resume",
        Action::Stop => "/stop",
    };
    read(&send(Method::POST, &path(id, rest), None, &[], None).await?.text)
}

/// Tries a job again as a new one; the same `key` never makes a second one.
///
/// # Errors
/// 400 with `fields`, 409 while it is at work.
pub(crate) async fn retry(id: &JobId, retry: &RetryJob, key: &str) -> Result<Job, ApiError> {
    let headers = [("idempotency-key", key)];
    let answer = send(Method::POST, &path(id, "/retry"), write(retry), &headers, None).await?;
    read(&answer.text)
}

/// Changes the turn of a job that waits.
///
/// # Errors
/// 409 where it doesn't.
pub(crate) async fn change(id: &JobId, change: JobChange) -> Result<Job, ApiError> {
    read(
        &send(Method::PATCH, &path(id, ""), write(&change), &[], None)
            .await?
            .text,
    )
}

/// Deletes a job.
///
/// # Errors
/// 409 while it runs.
pub(crate) async fn delete(id: &JobId) -> Result<(), ApiError> {
    send(Method::DELETE, &path(id, ""), None, &[], None)
        .await
        .map(drop)
}
