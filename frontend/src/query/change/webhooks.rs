//! Webhooks: made, tried, removed.

use crate::{
    api::{self, ApiError},
    query::{Resource, Store},
};
use shared::{
    id::WebhookId,
    webhook::{CreatedWebhook, Delivery, NewWebhook, WebhookList},
};

impl Store {
    /// Makes a webhook.
    ///
    /// # Errors
    /// As [`api::webhooks::create`].
    pub async fn create_webhook(&self, webhook: &NewWebhook) -> Result<CreatedWebhook, ApiError> {
        let outcome = self.watch(api::webhooks::create(webhook).await);
        self.invalidate(Resource::Webhooks);
        outcome
    }

    /// Tells a webhook of a job that isn't there, and what came of it.
    ///
    /// # Errors
    /// As [`api::webhooks::test`].
    pub async fn test_webhook(&self, id: &WebhookId) -> Result<Delivery, ApiError> {
        let outcome = self.watch(api::webhooks::test(id).await);
        self.invalidate(Resource::Webhooks);
        outcome
    }

    /// Removes a webhook; it leaves the list at once.
    ///
    /// # Errors
    /// As [`api::webhooks::delete`].
    pub async fn delete_webhook(&self, id: &WebhookId) -> Result<(), ApiError> {
        let undo = self.optimistic::<WebhookList>(Resource::Webhooks, |list| {
            list.webhooks.retain(|webhook| webhook.id != *id);
        });
        let outcome = self.watch(api::webhooks::delete(id).await);
        match &outcome {
            Ok(()) => self.invalidate(Resource::Webhooks),
            Err(_) => self.roll_back(undo),
        }
        outcome
    }
}
