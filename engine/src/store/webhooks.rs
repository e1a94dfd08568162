//! The tables `webhooks` and `webhook_events`: who is told of what.

use shared::{
    id::{Subject, WebhookId},
    timestamp::Timestamp,
    webhook::{Webhook, WebhookEvent},
};
use sqlx::{FromRow, SqliteConnection, SqliteExecutor};

/// One row, its events behind one another. It can't be printed: it has the secret.
#[derive(Clone, FromRow)]
pub(crate) struct WebhookRow {
    id: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    created_at: i64,
    events: String,
}

impl WebhookRow {
    /// The row as the console shows it: without its secret.
    pub(crate) fn to_webhook(&self) -> Webhook {
        let mut events: Vec<_> = self.events.split(',').filter_map(WebhookEvent::parse).collect();
        events.sort_unstable();
        Webhook {
            id: WebhookId::new(&self.id),
            url: self.url.clone(),
            events,
            created_at: Timestamp::from_unix_ms(self.created_at),
        }
    }
}

/// Adds a webhook.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    owner: &Subject,
    webhook: &Webhook,
    secret: &str,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO webhooks (id, owner, url, secret, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(webhook.id.as_str())
        .bind(owner.as_str())
        .bind(&webhook.url)
        .bind(secret)
        .bind(webhook.created_at.unix_ms())
        .execute(&mut *connection)
        .await?;
    for event in &webhook.events {
        sqlx::query("INSERT INTO webhook_events (webhook, event) VALUES ($1, $2)")
            .bind(webhook.id.as_str())
            .bind(event.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

macro_rules! select {
    () => {
        "SELECT id, url, secret, created_at, \
         (SELECT GROUP_CONCAT(event, ',') FROM webhook_events WHERE webhook = webhooks.id) AS events \
         FROM webhooks WHERE owner = $1"
    };
}

/// All of an owner's, the oldest first.
pub(crate) async fn list(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
) -> sqlx::Result<Vec<WebhookRow>> {
    sqlx::query_as(concat!(select!(), " ORDER BY created_at, id"))
        .bind(owner.as_str())
        .fetch_all(executor)
        .await
}

/// One of an owner's.
pub(crate) async fn find(
    executor: impl SqliteExecutor<'_>,
    owner: &Subject,
    id: &WebhookId,
) -> sqlx::Result<Option<WebhookRow>> {
    sqlx::query_as(concat!(select!(), " AND id = $2"))
        .bind(owner.as_str())
        .bind(id.as_str())
        .fetch_optional(executor)
        .await
}

/// Removes one of an owner's, with what it was told and was to be told; false where there is none.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &WebhookId,
) -> sqlx::Result<bool> {
    let done = sqlx::query("DELETE FROM webhooks WHERE owner = $1 AND id = $2")
        .bind(owner.as_str())
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
