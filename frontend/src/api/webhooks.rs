//! `/api/webhooks`: addresses that are told when a job ends, and what came of telling them.

use super::{ApiError, read, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    id::{WebhookId, encode_segment},
    webhook::{CreatedWebhook, Delivery, DeliveryList, NewWebhook, WebhookList},
};

const PATH: &str = "/api/webhooks";

fn path(id: &WebhookId, rest: &str) -> String {
    format!("{PATH}/{}{rest}", encode_segment(id.as_str()))
}

/// All of them, the oldest first.
#[must_use]
pub fn list() -> Query<WebhookList> {
    Query::new(PATH, Resource::Webhooks)
}

/// What one was told and will be, newest first.
#[must_use]
pub fn deliveries(id: &WebhookId) -> Query<DeliveryList> {
    Query::new(path(id, "/deliveries"), Resource::Webhooks)
}

/// Makes one; its secret is in this answer alone.
///
/// # Errors
/// 400 where the address may not be told, 409 where there are too many.
pub(crate) async fn create(webhook: &NewWebhook) -> Result<CreatedWebhook, ApiError> {
    read(&send(Method::POST, PATH, write(webhook), &[], None).await?.text)
}

/// Removes one, and what it was to be told.
///
/// # Errors
/// 404 where it is gone.
pub(crate) async fn delete(id: &WebhookId) -> Result<(), ApiError> {
    send(Method::DELETE, &path(id, ""), None, &[], None)
        .await
        .map(drop)
}

/// Tells one of a job that isn't there, once and now. That the address didn't take it is an answer, no error.
///
/// # Errors
/// 404 where it is gone.
pub(crate) async fn test(id: &WebhookId) -> Result<Delivery, ApiError> {
    read(
        &send(Method::POST, &path(id, "/test"), None, &[], None)
            .await?
            .text,
    )
}
