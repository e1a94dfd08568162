//! A job's record: events, checkpoints, attempts, and its steps as a table.

use super::{Service, jobs::page_limit};
use crate::{
    error::Error,
    store::{
        attempts, checkpoints,
        events::{self, EventFilter},
        from_sql, phases, steps, to_sql,
    },
};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, try_unfold};
use shared::{
    attempt::AttemptList,
    event::{CheckpointList, EventList, EventQuery},
    id::{JobId, Subject},
    run::{Rewards, StepMetrics},
    timeline::Timeline,
    timestamp::Timestamp,
};

/// Events a page unless told, and at most.
const EVENTS: u32 = 50;
const MAX_EVENTS: u32 = 1000;

/// Attempts of a job that are told.
pub(super) const MAX_ATTEMPTS: i64 = 100;

/// Phases of a job that are told.
const MAX_PHASES: i64 = 1000;

/// Steps that the CSV reads at a time.
const CSV_PAGE: i64 = 1000;

/// The rows of a CSV, some at a time.
pub type CsvStream = BoxStream<'static, Result<Bytes, Error>>;

impl Service {
    /// One page of a job's event log, newest first; 50 a page unless told, 1,000 at most.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for `limit` or `cursor`.
    pub async fn list_events(
        &self,
        subject: &Subject,
        id: &JobId,
        query: &EventQuery,
    ) -> Result<EventList, Error> {
        let limit = page_limit(query.limit, EVENTS, MAX_EVENTS)?;
        let before = match query.cursor.as_deref() {
            None => i64::MAX,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| Error::field("cursor", "invalid_cursor"))?,
        };
        let job = self.find_job_row(subject, id).await?;
        let read = self.inner.store.read();
        let filter = EventFilter {
            least: query.least(),
            words: query.words().to_owned(),
        };
        let (mut rows, total) = tokio::try_join!(
            events::list_fitting(read, subject, id, &filter, before, i64::from(limit) + 1),
            events::count_fitting(read, subject, id, &filter),
        )?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|row| row.seq.to_string());
        Ok(EventList {
            events: rows.iter().map(events::EventRow::to_event).collect(),
            next_cursor,
            total,
            incomplete: job.lacks_events == Some(true),
        })
    }

    /// The checkpoints that are kept, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_checkpoints(&self, subject: &Subject, id: &JobId) -> Result<CheckpointList, Error> {
        let job = self.find_job_row(subject, id).await?;
        let rows = checkpoints::list(self.inner.store.read(), subject, id).await?;
        Ok(CheckpointList {
            checkpoints: rows
                .iter()
                .map(checkpoints::CheckpointRow::to_checkpoint)
                .collect(),
            keep_last: Some(self.inner.config.keep_checkpoints)
                .filter(|keep| *keep > 0 && job.imported_from.is_none()),
        })
    }

    /// The trainers that were started on a job, oldest first; of very many the newest.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_attempts(&self, subject: &Subject, id: &JobId) -> Result<AttemptList, Error> {
        self.find_job_row(subject, id).await?;
        let rows = attempts::list(self.inner.store.read(), subject, id, MAX_ATTEMPTS).await?;
        Ok(AttemptList {
            attempts: rows.iter().map(attempts::AttemptRow::to_attempt).collect(),
        })
    }

    /// When a job came to stand where.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_timeline(&self, subject: &Subject, id: &JobId) -> Result<Timeline, Error> {
        self.find_job_row(subject, id).await?;
        let phases = phases::list(self.inner.store.read(), subject, id, MAX_PHASES).await?;
        Ok(Timeline { phases })
    }

    /// All steps as CSV with a header, blanks where nothing was measured; read from the store as it is sent.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn metrics_csv(&self, subject: &Subject, id: &JobId) -> Result<CsvStream, Error> {
        self.find_job_row(subject, id).await?;
        let header = "step,recorded_at,epoch,train_loss,train_token_accuracy,learning_rate,gradient_norm,tokens,valid_loss,valid_token_accuracy,\
                      reward_chosen,reward_rejected,reward_margin,reward_accuracy,\
                      valid_reward_chosen,valid_reward_rejected,valid_reward_margin,valid_reward_accuracy\n";
        Ok(self.csv(subject, id, header, csv_line))
    }

    /// Whether there are, or may be, steps elsewhere that an imported job's curves don't have.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn lacks_steps(&self, subject: &Subject, id: &JobId) -> Result<bool, Error> {
        Ok(self.find_job_row(subject, id).await?.lacks_steps == Some(true))
    }

    /// The result file of /v1, in its columns.
    pub(crate) fn result_csv(&self, subject: &Subject, id: &JobId) -> CsvStream {
        self.csv(
            subject,
            id,
            "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n",
            result_line,
        )
    }

    fn csv(
        &self,
        subject: &Subject,
        id: &JobId,
        header: &'static str,
        line: fn(&StepMetrics, Timestamp) -> String,
    ) -> CsvStream {
        let (service, subject, id) = (self.clone(), subject.clone(), id.clone());
        let rows = try_unfold(0_u64, move |after| {
            let (service, subject, id) = (service.clone(), subject.clone(), id.clone());
            async move {
                let read = service.inner.store.read();
                let rows = steps::list_after_step(read, &subject, &id, to_sql(after), CSV_PAGE).await?;
                let Some(last) = rows.last().map(|row| from_sql(row.step)) else {
                    return Ok(None);
                };
                let told =
                    |row: &steps::StepRow| line(&row.to_metrics(), Timestamp::from_unix_ms(row.recorded_at));
                let text: String = rows.iter().map(told).collect();
                Ok(Some((Bytes::from(text), last)))
            }
        });
        futures_util::stream::once(async move { Ok(Bytes::from_static(header.as_bytes())) })
            .chain(rows)
            .boxed()
    }
}

/// A number as CSV has it; blank where it isn't one.
fn cell(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}

fn csv_line(row: &StepMetrics, recorded_at: Timestamp) -> String {
    format!(
        "{},{},{},{},{},{},{},{},{},{},{},{}\n",
        row.step,
        recorded_at.to_rfc3339(),
        cell(row.epoch),
        cell(row.train_loss),
        cell(row.train_token_accuracy),
        cell(row.learning_rate),
        cell(row.gradient_norm),
        // Of a step from where they aren't counted there are none.
        Some(row.tokens)
            .filter(|tokens| *tokens > 0)
            .map(|tokens| tokens.to_string())
            .unwrap_or_default(),
        row.valid_loss.map(cell).unwrap_or_default(),
        row.valid_token_accuracy.map(cell).unwrap_or_default(),
        reward_cells(row.rewards),
        reward_cells(row.valid_rewards)
    )
}

fn reward_cells(rewards: Option<Rewards>) -> String {
    let values = rewards.map(|rewards| [rewards.chosen, rewards.rejected, rewards.margin, rewards.accuracy]);
    values
        .map_or([const { String::new() }; 4], |values| values.map(cell))
        .join(",")
}

fn result_line(row: &StepMetrics, _recorded_at: Timestamp) -> String {
    format!(
        "{},{},{},{},{}\n",
        row.step,
        cell(row.train_loss),
        cell(row.train_token_accuracy),
        row.valid_loss.map(cell).unwrap_or_default(),
        row.valid_token_accuracy.map(cell).unwrap_or_default()
    )
}
