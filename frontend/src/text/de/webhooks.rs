//! Webhooks.

use crate::text::delivery_detail;
use shared::webhook::{Delivery, DeliveryStatus, WebhookEvent};

german_words! {
    webhooks = "Webhooks";
    add_webhook = "Webhook hinzufügen";
    no_webhooks_title = "Noch niemand wird benachrichtigt";
    no_webhooks_body = "Ein Webhook ist eine Adresse, die dieser Server aufruft, wenn einer der eigenen Jobs endet, mit einer Signatur nach Standard Webhooks.";
    webhook_url = "Adresse";
    hint_webhook_url = "https://, von diesem Server aus erreichbar.";
    webhook_url_missing = "Die Adresse angeben, die aufgerufen werden soll.";
    webhook_url_unreadable = "https://HOST/PFAD angeben, ohne Benutzer und Passwort.";
    webhook_url_not_encrypted = "Die Adresse muss mit https:// beginnen, es sei denn, der Betreiber hat ihren Host in webhooks.private_hosts eingetragen.";
    webhook_url_private = "Die Adresse führt in ein privates Netz. Der Betreiber kann ihren Host in webhooks.private_hosts eintragen.";
    webhook_events = "Benachrichtigen über";
    webhook_events_missing = "Mindestens eines auswählen.";
    create_webhook = "Hinzufügen";
    webhook_secret_title = "Signaturschlüssel";
    webhook_secret_once = "Er wird nur dieses eine Mal angezeigt. Der Empfänger der Aufrufe braucht ihn, um zu prüfen, dass sie von hier kommen.";
    copy_secret = "Schlüssel kopieren";
    secret_copied = "Der Schlüssel wurde kopiert.";
    secret_kept = "Ist aufbewahrt";
    send_test = "Test senden";
    sending_test = "Wird gesendet …";
    deliveries = "Protokoll";
    nothing_sent = "Noch nichts gesendet.";
    delivery_when = "Wann";
    delivery_event = "Ereignis";
    delivery_attempts = "Versuche";
    delete_webhook_body = "Es wird nichts mehr dorthin gesendet, und das Protokoll wird mit gelöscht. Das lässt sich nicht rückgängig machen.";
}

pub(crate) const fn webhook_event_label(event: WebhookEvent) -> &'static str {
    match event {
        WebhookEvent::JobSucceeded => "Job abgeschlossen",
        WebhookEvent::JobFailed => "Job fehlgeschlagen",
        WebhookEvent::JobCancelled => "Job abgebrochen",
    }
}

pub(crate) const fn delivery_status_label(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Pending => "Wartet",
        DeliveryStatus::Delivered => "Zugestellt",
        DeliveryStatus::Failed => "Aufgegeben",
    }
}

pub(crate) fn next_try(time: &str) -> String {
    format!("Nächster Versuch: {time}")
}

pub(crate) fn tested(delivery: &Delivery) -> String {
    match delivery.status {
        DeliveryStatus::Delivered => "Die Adresse hat den Test angenommen.".to_owned(),
        _ => format!(
            "Die Adresse hat den Test nicht angenommen. {}",
            delivery_detail(delivery)
        ),
    }
}
