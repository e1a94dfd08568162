//! Seeing to it that webhooks are told. What is to be told is put into the outbox with the change itself; here it is sent,
//! at least once each, until it is taken or has been tried for three days.

use crate::{
    Service,
    error::{Error, chain},
    store::{
        Store,
        deliveries::{self, Due, Tried},
    },
    webhooks::{Failure, Message, Sender},
};
use shared::{
    id::WebhookId,
    timestamp::Timestamp,
    webhook::{Delivery, DeliveryStatus},
};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

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
    pub(super) async fn sender(&self) -> Result<Sender, Error> {
        let make = async || Sender::new(&self.inner.config.webhooks.private_hosts);
        Ok(self.inner.outbox.sender.get_or_try_init(make).await?.clone())
    }

    /// Sends what is due until the service goes down.
    pub(in crate::service) async fn deliver_forever(&self) {
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
    pub(in crate::service) async fn sweep_deliveries(&self, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.inner.store.begin().await?;
        let before = now.plus_ms(-REMEMBERED_MS);
        deliveries::delete_old(&mut transaction, before).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Records what a try came to; where it failed, `again` is when the next one would be.
pub(super) async fn record(
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
