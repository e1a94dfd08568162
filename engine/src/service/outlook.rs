//! How things go at large: figures of the console's dashboard over all of somebody's jobs.

use super::Service;
use crate::{
    error::Error,
    store::{from_sql, outlook, queue},
};
use shared::{
    id::Subject,
    job::{JobQuery, Outlook},
    status::JobStatus,
};

impl Service {
    /// The figures that were asked for; nothing where none was.
    pub(super) async fn outlook(
        &self,
        subject: &Subject,
        query: &JobQuery,
    ) -> Result<Option<Outlook>, Error> {
        if query.week_from.or(query.month_from).is_none() {
            return Ok(None);
        }
        let read = self.inner.store.read();
        let mut told = Outlook::default();
        if let Some(place) = queue::first_place(read, subject).await? {
            told.next_starts_in_ms = self.starts_in_ms(place).await?;
        }
        if let Some(from) = query.week_from {
            let ended = outlook::ended_since(read, subject, from).await?;
            let count = |status: JobStatus| {
                let of_status = ended.iter().find(|(word, _)| word == status.as_str());
                Some(of_status.map_or(0, |(_, count)| from_sql(*count)))
            };
            told.completed_in_week = count(JobStatus::Succeeded);
            told.failed_in_week = count(JobStatus::Failed);
        }
        if let Some(from) = query.month_from {
            let trained = outlook::trained_since(read, subject, from).await?;
            told.trained_tokens_in_month = Some(from_sql(trained));
        }
        told.models = self.count_models(subject).await?;
        Ok(Some(told))
    }
}
