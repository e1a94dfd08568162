//! The table `deliveries`: the outbox of webhooks, and the log of what came of it. Whoever asks for one webhook's has
//! found that to be the owner's.

use super::from_sql;
use crate::secret;
use shared::{
    id::WebhookId,
    status::JobStatus,
    timestamp::Timestamp,
    webhook::{Delivery, DeliveryStatus, WebhookEvent},
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

#[derive(Debug, Clone, FromRow)]
struct DeliveryRow {
    event_id: String,
    event: String,
    job_id: String,
    created_at: i64,
    status: String,
    tries: i64,
    tried_at: Option<i64>,
    next_try_at: Option<i64>,
    response_status: Option<i64>,
    error: Option<String>,
}

impl DeliveryRow {
    fn to_delivery(&self) -> Option<Delivery> {
        let status = match self.status.as_str() {
            "pending" => DeliveryStatus::Pending,
            "delivered" => DeliveryStatus::Delivered,
            _ => DeliveryStatus::Failed,
        };
        Some(Delivery {
            event_id: self.event_id.clone(),
            event: WebhookEvent::parse(&self.event)?,
            job_id: self.job_id.clone(),
            created_at: Timestamp::from_unix_ms(self.created_at),
            status,
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            tried_at: self.tried_at.map(Timestamp::from_unix_ms),
            next_try_at: self.next_try_at.map(Timestamp::from_unix_ms),
            response_status: self.response_status.and_then(|status| u16::try_from(status).ok()),
            error: self.error.clone(),
        })
    }
}

/// Puts into the outbox that a job has come to an end, for each of its owner's webhooks that wants to know. Called
/// with the change itself, in its transaction; of a status that is no end it does nothing.
pub(crate) async fn announce(
    connection: &mut SqliteConnection,
    job_id: &str,
    status: JobStatus,
    now: Timestamp,
) -> sqlx::Result<()> {
    let Some(event) = WebhookEvent::of(status) else {
        return Ok(());
    };
    // A job ends once, so this names the event and nothing else.
    let mut event_id = secret::hash(&format!("{job_id}\n{}", event.as_str()));
    event_id.truncate(32);
    sqlx::query(
        "INSERT INTO deliveries (webhook, event_id, event, job_id, created_at, status, next_try_at) \
         SELECT webhooks.id, $2, $3, jobs.id, $4, 'pending', $4 \
         FROM jobs JOIN webhooks ON webhooks.owner = jobs.owner \
         JOIN webhook_events ON webhook_events.webhook = webhooks.id AND webhook_events.event = $3 \
         WHERE jobs.id = $1",
    )
    .bind(job_id)
    .bind(format!("evt_{event_id}"))
    .bind(event.as_str())
    .bind(now.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

/// Records a test that is about to be tried.
pub(crate) async fn insert_test(
    connection: &mut SqliteConnection,
    webhook: &WebhookId,
    delivery: &Delivery,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO deliveries (webhook, event_id, event, job_id, created_at, status) \
         VALUES ($1, $2, $3, $4, $5, 'pending')",
    )
    .bind(webhook.as_str())
    .bind(&delivery.event_id)
    .bind(delivery.event.as_str())
    .bind(&delivery.job_id)
    .bind(delivery.created_at.unix_ms())
    .execute(connection)
    .await?;
    Ok(())
}

macro_rules! columns {
    () => {
        "deliveries.event_id, deliveries.event, deliveries.job_id, deliveries.created_at, deliveries.status, \
         deliveries.tries, deliveries.tried_at, deliveries.next_try_at, deliveries.response_status, deliveries.error"
    };
}

/// What is to be sent to whom. It can't be printed: it has the secret.
#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) webhook: WebhookId,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) delivery: Delivery,
}

#[derive(FromRow)]
struct DueRow {
    webhook: String,
    url: String,
    secret: String,
    #[sqlx(flatten)]
    delivery: DeliveryRow,
}

/// Of each webhook of everybody the delivery that has been due for longest, if one is.
pub(crate) async fn list_due(executor: impl SqliteExecutor<'_>, now: Timestamp) -> sqlx::Result<Vec<Due>> {
    let rows: Vec<DueRow> = sqlx::query_as(concat!(
        "SELECT deliveries.webhook, webhooks.url, webhooks.secret, ",
        columns!(),
        " FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook \
         WHERE deliveries.next_try_at <= $1 \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.webhook = deliveries.webhook \
                         AND (earlier.next_try_at, earlier.event_id) \
                             < (deliveries.next_try_at, deliveries.event_id)) \
         ORDER BY deliveries.next_try_at"
    ))
    .bind(now.unix_ms())
    .fetch_all(executor)
    .await?;
    let due = |row: DueRow| {
        Some(Due {
            delivery: row.delivery.to_delivery()?,
            webhook: WebhookId::new(row.webhook),
            url: row.url,
            secret: row.secret,
        })
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

/// Whether a delivery is still due.
pub(crate) async fn is_due(
    executor: impl SqliteExecutor<'_>,
    webhook: &WebhookId,
    event_id: &str,
    now: Timestamp,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM deliveries WHERE webhook = $1 AND event_id = $2 AND next_try_at <= $3)",
    )
    .bind(webhook.as_str())
    .bind(event_id)
    .bind(now.unix_ms())
    .fetch_one(executor)
    .await
}

/// When the next delivery will be due.
pub(crate) async fn next_due(executor: impl SqliteExecutor<'_>) -> sqlx::Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar("SELECT MIN(next_try_at) FROM deliveries")
        .fetch_one(executor)
        .await?;
    Ok(next.map(Timestamp::from_unix_ms))
}

/// What a try came to.
#[derive(Debug, Clone)]
pub(crate) struct Tried<'a> {
    pub(crate) status: DeliveryStatus,
    pub(crate) next_try_at: Option<Timestamp>,
    pub(crate) response_status: Option<u16>,
    pub(crate) error: Option<&'a str>,
}

/// Records a try of what waits for one, a test among it; what is done with stays as it is.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    webhook: &WebhookId,
    event_id: &str,
    tried: &Tried<'_>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE deliveries SET status = $3, tries = tries + 1, tried_at = $4, next_try_at = $5, response_status = $6, \
                               error = $7 \
         WHERE webhook = $1 AND event_id = $2 AND status = 'pending'",
    )
    .bind(webhook.as_str())
    .bind(event_id)
    .bind(tried.status.as_str())
    .bind(now.unix_ms())
    .bind(tried.next_try_at.map(Timestamp::unix_ms))
    .bind(tried.response_status)
    .bind(tried.error)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest of a webhook's.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    webhook: &WebhookId,
    limit: i64,
) -> sqlx::Result<Vec<Delivery>> {
    let rows: Vec<DeliveryRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries WHERE webhook = $1 ORDER BY created_at DESC, event_id DESC LIMIT $2"
    ))
    .bind(webhook.as_str())
    .bind(limit)
    .fetch_all(executor)
    .await?;
    Ok(rows.iter().filter_map(DeliveryRow::to_delivery).collect())
}

/// One of a webhook's.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    webhook: &WebhookId,
    event_id: &str,
) -> sqlx::Result<Option<Delivery>> {
    let row: Option<DeliveryRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries WHERE webhook = $1 AND event_id = $2"
    ))
    .bind(webhook.as_str())
    .bind(event_id)
    .fetch_optional(executor)
    .await?;
    Ok(row.and_then(|row| row.to_delivery()))
}

/// How many of everybody's wait for a try.
pub(crate) async fn count_pending(executor: impl SqliteExecutor<'_>) -> sqlx::Result<u64> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM deliveries WHERE next_try_at IS NOT NULL")
        .fetch_one(executor)
        .await?;
    Ok(from_sql(count))
}

/// Forgets what was done with, or of what nothing came, before an instant.
pub(crate) async fn delete_old(connection: &mut SqliteConnection, before: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM deliveries WHERE created_at < $1 AND next_try_at IS NULL")
        .bind(before.unix_ms())
        .execute(connection)
        .await?;
    Ok(())
}
