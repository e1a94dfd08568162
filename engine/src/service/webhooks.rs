//! Webhooks: who is told, and seeing to it that they are. What is to be told is put into the outbox with the change
//! itself; here it is sent, at least once each, until it is taken or has been tried for three days.

use super::Service;
use crate::{
    clock::Clock,
    config::Config,
    data_folder::Layout,
    error::{Error, StartError, chain},
    secret,
    store::{
        Store,
        deliveries::{self, Due, Tried},
        webhooks,
    },
    webhooks::{Failure, Message, Sender, check, new_secret},
};
use shared::{
    id::{Subject, WebhookId},
    timestamp::Timestamp,
    webhook::{
        CreatedWebhook, Delivery, DeliveryList, DeliveryStatus, NewWebhook, Webhook, WebhookEvent,
        WebhookList,
    },
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Webhooks of an owner.
const MAX_WEBHOOKS: usize = 20;
/// Deliveries that are listed.
const LISTED: i64 = 100;
/// How long a delivery is tried, and how long what is done with is remembered.
const TRIED_MS: i64 = 72 * 60 * 60 * 1000;
const REMEMBERED_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Longest wait between two tries, and between two looks at the outbox.
const LONGEST_DELAY: Duration = Duration::from_secs(8 * 60 * 60);
const LOOK: Duration = Duration::from_secs(60);
/// Webhooks that are sent to at once.
const AT_ONCE: usize = 16;

/// What the sending shares.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Told when something may have become due.
    pub(crate) changed: Notify,
    /// Webhooks that something is being sent to: to each one thing at a time.
    busy: Mutex<HashSet<String>>,
    sender: tokio::sync::OnceCell<Sender>,
}

impl Outbox {
    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

    async fn sender(&self) -> Result<Sender, Error> {
        let make = async || Sender::new(&self.inner.config.webhooks.private_hosts);
        Ok(self.inner.outbox.sender.get_or_try_init(make).await?.clone())
    }

    /// Sends what is due until the service goes down.
    pub(super) async fn deliver_forever(&self) {
        loop {
            let wait = match self.start_due().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the outbox of webhooks could not be read");
                    LOOK
                }
            };
            tokio::select! {
                () = self.inner.outbox.changed.notified() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.inner.stopping.cancelled() => return,
            }
        }
    }

    /// Starts to send what is due, and tells how long nothing more will be.
    async fn start_due(&self) -> Result<Duration, Error> {
        let now = self.now();
        for due in deliveries::list_due(self.inner.store.read(), now).await? {
            {
                let mut busy = self.inner.outbox.busy();
                if busy.len() >= AT_ONCE || !busy.insert(due.webhook.as_str().to_owned()) {
                    continue;
                }
            }
            let service = self.clone();
            self.inner.tasks.spawn(async move {
                if let Err(error) = service.deliver(&due).await {
                    tracing::error!(error = %chain(&error), webhook = %due.webhook, "a delivery could not be recorded");
                    // Still due, it would be sent again at once, and again.
                    tokio::select! {
                        () = tokio::time::sleep(LOOK) => {}
                        () = service.inner.stopping.cancelled() => {}
                    }
                }
                service.inner.outbox.busy().remove(due.webhook.as_str());
                service.inner.outbox.changed.notify_one();
            });
        }
        let next = deliveries::next_due(self.inner.store.read()).await?;
        // Of what is due already its own end tells.
        let left = next
            .map(|next| next.unix_ms() - now.unix_ms())
            .filter(|left| *left > 0);
        let left = left
            .and_then(|left| u64::try_from(left).ok())
            .map(Duration::from_millis);
        Ok(left.unwrap_or(LOOK).min(LOOK))
    }

    pub(crate) async fn deliver(&self, due: &Due) -> Result<(), Error> {
        // Between the look at the outbox and this one's turn, who had the turn before may have sent it.
        let (read, event_id) = (self.inner.store.read(), &due.delivery.event_id);
        if !deliveries::is_due(read, &due.webhook, event_id, self.now()).await? {
            return Ok(());
        }
        let sender = self.sender().await?;
        let message = Message::of(&due.delivery);
        let outcome = tokio::select! {
            outcome = sender.send(&due.url, &due.secret, &message, self.now()) => outcome,
            // The next server sends it.
            () = self.inner.stopping.cancelled() => return Ok(()),
        };
        let now = self.now();
        let again = self.next_try(&due.delivery, now);
        record(
            &self.inner.store,
            &due.webhook,
            &due.delivery.event_id,
            &outcome,
            again,
            now,
        )
        .await
    }

    /// When a delivery that failed now is tried again: three times as long after each try, for three days.
    fn next_try(&self, delivery: &Delivery, now: Timestamp) -> Option<Timestamp> {
        let delay = self
            .inner
            .config
            .webhooks
            .retry_delay
            .saturating_mul(3_u32.saturating_pow(delivery.tries))
            .min(LONGEST_DELAY);
        let next = now.plus_ms(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        (next <= delivery.created_at.plus_ms(TRIED_MS)).then_some(next)
    }

    /// Forgets deliveries of long ago.
    pub(super) async fn sweep_deliveries(&self, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.inner.store.begin().await?;
        let before = now.plus_ms(-REMEMBERED_MS);
        deliveries::delete_old(&mut transaction, before).await?;
        transaction.commit().await?;
        Ok(())
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

/// Records what a try came to; where it failed, `again` is when the next one would be.
async fn record(
    store: &Store,
    webhook: &WebhookId,
    event_id: &str,
    outcome: &Result<u16, Failure>,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let tried = match outcome {
        Ok(status) => Tried {
            status: DeliveryStatus::Delivered,
            next_try_at: None,
            response_status: Some(*status),
            error: None,
        },
        Err(failure) => {
            let again = again.filter(|_| !failure.is_final);
            Tried {
                status: again.map_or(DeliveryStatus::Failed, |_| DeliveryStatus::Pending),
                next_try_at: again,
                response_status: failure.status,
                error: Some(&failure.reason),
            }
        }
    };
    let mut transaction = store.begin().await?;
    deliveries::record(&mut transaction, webhook, event_id, &tried, now).await?;
    transaction.commit().await?;
    Ok(())
}
