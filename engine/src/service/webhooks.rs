//! Webhooks: who is told, and a test of it. How they come to be told is `delivery`'s.

mod delivery;

pub(crate) use delivery::Outbox;

use super::Service;
use crate::{
    clock::Clock,
    config::Config,
    data_folder::Layout,
    error::{Error, StartError},
    secret,
    store::{Store, deliveries, webhooks},
    webhooks::{Message, Sender, check, new_secret},
};
use delivery::record;
use shared::{
    id::{Subject, WebhookId},
    timestamp::Timestamp,
    webhook::{
        CreatedWebhook, Delivery, DeliveryList, DeliveryStatus, NewWebhook, Webhook, WebhookEvent,
        WebhookList,
    },
};

/// Webhooks of an owner.
const MAX_WEBHOOKS: usize = 20;
/// Deliveries that are listed.
const LISTED: i64 = 100;

impl Service {
    /// All of the subject's webhooks, the oldest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_webhooks(&self, subject: &Subject) -> Result<WebhookList, Error> {
        list(&self.inner.store, subject).await
    }

    /// Makes a webhook. Its secret is shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `url`; [`Error::Conflict`] with `too_many_webhooks`.
    pub async fn create_webhook(
        &self,
        subject: &Subject,
        webhook: NewWebhook,
    ) -> Result<CreatedWebhook, Error> {
        let now = self.distinct_now();
        create(&self.inner.store, &self.inner.config, now, subject, webhook).await
    }

    /// Removes a webhook, and what it was to be told.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_webhook(&self, subject: &Subject, id: &WebhookId) -> Result<(), Error> {
        delete(&self.inner.store, subject, id).await
    }

    /// What a webhook was told and will be, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_deliveries(&self, subject: &Subject, id: &WebhookId) -> Result<DeliveryList, Error> {
        let read = self.inner.store.read();
        webhooks::find(read, subject, id)
            .await?
            .ok_or(Error::NotFound("webhook"))?;
        Ok(DeliveryList {
            deliveries: deliveries::list(read, id, LISTED).await?,
        })
    }

    /// Tells a webhook of a job that isn't there, once and now, and answers what came of it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn test_webhook(&self, subject: &Subject, id: &WebhookId) -> Result<Delivery, Error> {
        let sender = self.sender().await?;
        let (service, subject, id) = (self.clone(), subject.clone(), id.clone());
        self.see_through(async move {
            test(
                &service.inner.store,
                service.inner.clock.as_ref(),
                &sender,
                &subject,
                &id,
            )
            .await
        })
        .await?
    }
}

/// The webhooks of a data folder whether a server works there or not: what `attune webhook` calls.
pub struct WebhookFolder {
    store: Store,
    config: Config,
    clock: Box<dyn Clock>,
}

impl WebhookFolder {
    /// Opens the data folder.
    ///
    /// # Errors
    /// It can't be used or is of a newer version.
    pub async fn open(config: Config, clock: impl Clock) -> Result<Self, StartError> {
        let layout = Layout::prepare(&config.data_dir)?;
        Ok(Self {
            store: Store::open(&layout.database()).await?,
            config,
            clock: Box::new(clock),
        })
    }

    /// As [`Service::list_webhooks`].
    ///
    /// # Errors
    /// As there.
    pub async fn list(&self, subject: &Subject) -> Result<WebhookList, Error> {
        list(&self.store, subject).await
    }

    /// As [`Service::create_webhook`].
    ///
    /// # Errors
    /// As there.
    pub async fn create(&self, subject: &Subject, webhook: NewWebhook) -> Result<CreatedWebhook, Error> {
        create(&self.store, &self.config, self.clock.now(), subject, webhook).await
    }

    /// As [`Service::delete_webhook`].
    ///
    /// # Errors
    /// As there.
    pub async fn delete(&self, subject: &Subject, id: &WebhookId) -> Result<(), Error> {
        delete(&self.store, subject, id).await
    }

    /// As [`Service::test_webhook`].
    ///
    /// # Errors
    /// As there.
    pub async fn test(&self, subject: &Subject, id: &WebhookId) -> Result<Delivery, Error> {
        let sender = Sender::new(&self.config.webhooks.private_hosts)?;
        test(&self.store, self.clock.as_ref(), &sender, subject, id).await
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }
}

async fn list(store: &Store, subject: &Subject) -> Result<WebhookList, Error> {
    let rows = webhooks::list(store.read(), subject).await?;
    Ok(WebhookList {
        webhooks: rows.iter().map(webhooks::WebhookRow::to_webhook).collect(),
    })
}

async fn create(
    store: &Store,
    config: &Config,
    now: Timestamp,
    subject: &Subject,
    new: NewWebhook,
) -> Result<CreatedWebhook, Error> {
    let url =
        check(&new.url, &config.webhooks.private_hosts).map_err(|fault| Error::field("url", fault.code()))?;
    let mut events = new.events;
    if events.is_empty() {
        events.extend(WebhookEvent::ALL);
    }
    events.sort_unstable();
    events.dedup();
    let created = CreatedWebhook {
        webhook: Webhook {
            id: WebhookId::new(secret::new_id("wh-")?),
            url: url.into(),
            events,
            created_at: now,
        },
        secret: new_secret()?,
    };
    let mut transaction = store.begin().await?;
    if webhooks::list(&mut *transaction, subject).await?.len() >= MAX_WEBHOOKS {
        let message = format!("there are {MAX_WEBHOOKS} webhooks already: remove one first");
        return Err(Error::conflict("too_many_webhooks", message));
    }
    webhooks::insert(&mut transaction, subject, &created.webhook, &created.secret).await?;
    transaction.commit().await?;
    Ok(created)
}

async fn delete(store: &Store, subject: &Subject, id: &WebhookId) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    if !webhooks::delete(&mut transaction, subject, id).await? {
        return Err(Error::NotFound("webhook"));
    }
    transaction.commit().await?;
    Ok(())
}

async fn test(
    store: &Store,
    clock: &dyn Clock,
    sender: &Sender,
    subject: &Subject,
    id: &WebhookId,
) -> Result<Delivery, Error> {
    let row = webhooks::find(store.read(), subject, id)
        .await?
        .ok_or(Error::NotFound("webhook"))?;
    let events = row.to_webhook().events;
    let delivery = Delivery {
        event_id: secret::new_id("evt_")?,
        event: events.first().copied().unwrap_or(WebhookEvent::JobSucceeded),
        job_id: "ftjob-test".to_owned(),
        created_at: clock.now(),
        status: DeliveryStatus::Pending,
        tries: 0,
        tried_at: None,
        next_try_at: None,
        response_status: None,
        error: None,
    };
    let mut transaction = store.begin().await?;
    deliveries::insert_test(&mut transaction, id, &delivery).await?;
    transaction.commit().await?;
    let outcome = sender
        .send(&row.url, &row.secret, &Message::of(&delivery), clock.now())
        .await;
    record(store, id, &delivery.event_id, &outcome, None, clock.now()).await?;
    deliveries::find(store.read(), id, &delivery.event_id)
        .await?
        // Removed while it was tried.
        .ok_or(Error::NotFound("webhook"))
}
