//! Webhooks.

use shared::webhook::{Delivery, DeliveryStatus, WebhookEvent};

words! {
    /// The card.
    webhooks = "Webhooks";
    /// Opens the form.
    add_webhook = "Add a webhook";
    /// Where there is none.
    no_webhooks_title = "Nobody is told yet";
    /// Where there is none.
    no_webhooks_body = "A webhook is an address that this server calls when one of your jobs ends, with a signature in the form of Standard Webhooks.";
    /// The field.
    webhook_url = "Address";
    /// Under the field.
    hint_webhook_url = "https://, reachable from this server.";
    /// Under the field.
    webhook_url_missing = "Write the address that is to be called.";
    /// Under the field.
    webhook_url_unreadable = "Write https://HOST/PATH, without a user or a password.";
    /// Under the field.
    webhook_url_not_encrypted = "The address must begin with https://, unless the operator has listed its host in webhooks.private_hosts.";
    /// Under the field.
    webhook_url_private = "The address leads into a private network. The operator can list its host in webhooks.private_hosts.";
    /// The choice.
    webhook_events = "Tell of";
    /// Under the choice.
    webhook_events_missing = "Choose at least one.";
    /// Sends the form.
    create_webhook = "Add";
    /// Heads the secret.
    webhook_secret_title = "Signing secret";
    /// With the secret.
    webhook_secret_once = "It is shown this once and can't be seen again. Whoever receives the calls needs it to tell that they come from here.";
    /// Copies the secret.
    copy_secret = "Copy the secret";
    /// After copying.
    secret_copied = "The secret was copied.";
    /// Lets the secret go.
    secret_kept = "I have kept it";
    /// Sends a test.
    send_test = "Send a test";
    /// While it is sent.
    sending_test = "Sending…";
    /// Opens the log.
    deliveries = "Log";
    /// Of an address that nothing was sent to.
    nothing_sent = "Nothing was sent yet.";
    /// Table head.
    delivery_when = "When";
    /// Table head.
    delivery_event = "Event";
    /// Table head.
    delivery_attempts = "Attempts";
    /// The dialog.
    delete_webhook_body = "It is told nothing any more, and its log goes with it. This can't be undone.";
}

/// What is told of.
#[must_use]
pub fn webhook_event_label(event: WebhookEvent) -> &'static str {
    german!(webhook_event_label(event));
    match event {
        WebhookEvent::JobSucceeded => "Job completed",
        WebhookEvent::JobFailed => "Job failed",
        WebhookEvent::JobCancelled => "Job cancelled",
    }
}

/// Where a delivery stands.
#[must_use]
pub fn delivery_status_label(status: DeliveryStatus) -> &'static str {
    german!(delivery_status_label(status));
    match status {
        DeliveryStatus::Pending => "Waiting",
        DeliveryStatus::Delivered => "Delivered",
        DeliveryStatus::Failed => "Given up",
    }
}

/// What came of the last try: the error in the server's words, or the answer's status.
#[must_use]
pub fn delivery_detail(delivery: &Delivery) -> String {
    match (&delivery.error, delivery.response_status) {
        (Some(error), _) => super::sentence(error),
        (None, Some(status)) => format!("HTTP {status}"),
        (None, None) => String::new(),
    }
}

/// When a delivery is tried next.
#[must_use]
pub fn next_try(time: &str) -> String {
    german!(next_try(time));
    format!("Next try: {time}")
}

/// After a test.
#[must_use]
pub fn tested(delivery: &Delivery) -> String {
    german!(tested(delivery));
    match delivery.status {
        DeliveryStatus::Delivered => "The address has taken the test.".to_owned(),
        _ => format!("The address didn't take the test. {}", delivery_detail(delivery)),
    }
}

/// Names the button that sends a test.
#[must_use]
pub fn send_test_to(url: &str) -> String {
    format!("{}: {url}", send_test())
}

/// Names the button that opens the log.
#[must_use]
pub fn deliveries_of(url: &str) -> String {
    format!("{}: {url}", deliveries())
}
