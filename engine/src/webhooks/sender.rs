//! One try at telling: signed, to a checked address, without redirects, in bounded time.

use super::address::{AddressFault, GuardedResolver, check};
use crate::error::{Error, chain};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use sha2::Sha256;
use shared::{timestamp::Timestamp, webhook::Delivery};
use std::{sync::Arc, time::Duration};

/// How long a connection, and the whole of a try, may take.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);

const SECRET_PREFIX: &str = "whsec_";

/// A fresh secret of 256 random bits, as Standard Webhooks writes them.
pub(crate) fn new_secret() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|source| Error::storage("the system gave no random bytes", source))?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}

/// What is sent: the same bytes at every try.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    id: String,
    body: String,
}

impl Message {
    /// Of a delivery.
    pub(crate) fn of(delivery: &Delivery) -> Self {
        let body = serde_json::json!({
            "id": delivery.event_id,
            "object": "event",
            "created_at": delivery.created_at.unix_seconds(),
            "type": delivery.event,
            "data": { "id": delivery.job_id },
        });
        Self {
            id: delivery.event_id.clone(),
            body: body.to_string(),
        }
    }

    /// `v1,` and the HMAC-SHA256 of identifier, time and body, in base64. The time is in it, so that what is caught on the
    /// way can't be sent again much later.
    fn signature(&self, secret: &str, timestamp: i64) -> Result<String, Error> {
        let unusable = |source| Error::storage("a webhook's secret can't be used", source);
        let encoded = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
        let key = STANDARD.decode(encoded).map_err(|error| unusable(error.into()))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)
            .map_err(|error| unusable(crate::error::Cause::from(error.to_string())))?;
        mac.update(format!("{}.{timestamp}.{}", self.id, self.body).as_bytes());
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// Why a try failed, in words that tell nothing of what lies behind the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The answer's status, where one came.
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
    /// Another try can't help.
    pub(crate) is_final: bool,
}

/// Sends messages.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: Client,
    private_hosts: Arc<[String]>,
}

impl Sender {
    /// One that may reach private networks at these hosts alone.
    pub(crate) fn new(private_hosts: &[String]) -> Result<Self, Error> {
        let private_hosts: Arc<[String]> = private_hosts.into();
        let resolver = GuardedResolver {
            private_hosts: private_hosts.clone(),
        };
        let client = Client::builder()
            .user_agent(concat!("attune/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(Policy::none())
            // A proxy would resolve the name anew, and unguarded.
            .no_proxy()
            .dns_resolver(resolver)
            .build()
            .map_err(|error| Error::storage("the client for webhooks could not be made", error))?;
        Ok(Self {
            client,
            private_hosts,
        })
    }

    /// One try; answers the status of success.
    pub(crate) async fn send(
        &self,
        url: &str,
        secret: &str,
        message: &Message,
        now: Timestamp,
    ) -> Result<u16, Failure> {
        let failure = |reason: String| Failure {
            status: None,
            reason,
            is_final: false,
        };
        // The operator may have changed what is allowed since it was made.
        let url = check(url, &self.private_hosts).map_err(|fault| failure(fault.to_string()))?;
        let timestamp = now.unix_seconds();
        let signature = message
            .signature(secret, timestamp)
            .map_err(|error| failure(error.to_string()))?;
        let answer = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .body(message.body.clone())
            .send()
            .await
            .map_err(|error| failure(reason(&error.without_url())))?;
        // Its body is nobody's business: read into the log, it would show what a private address says.
        let status = answer.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let reason = if status.is_redirection() {
            "the address redirects, which isn't followed".to_owned()
        } else {
            format!("the address answered {}", status.as_u16())
        };
        Err(Failure {
            status: Some(status.as_u16()),
            reason,
            is_final: status.as_u16() == 410,
        })
    }
}

/// Why no answer came. The error has no address any more, which may hold a secret: neither what is told nor the log has.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(fault) = current.downcast_ref::<AddressFault>() {
            return fault.to_string();
        }
        cause = current.source();
    }
    tracing::debug!(error = chain(error), "a webhook got no answer");
    if error.is_timeout() {
        "no answer came in time".to_owned()
    } else if error.is_connect() {
        "the address could not be connected to".to_owned()
    } else {
        "the connection broke before an answer came".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::log::Log;
    use shared::webhook::{DeliveryStatus, WebhookEvent};

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            body: r#"{"test": 2432232314}"#.to_owned(),
        };
        // The example of the specification's own libraries.
        let signature = message
            .signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_265_330)
            .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_in_no_log() {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = Log::begin();
        let message = Message {
            id: "evt_1".to_owned(),
            body: "{}".to_owned(),
        };
        let failed = Sender::new(&["localhost".to_owned()])
            .unwrap()
            .send(
                &format!("http://localhost:{port}/hooks/known-to-few?token=hidden"),
                "whsec_AAAA",
                &message,
                Timestamp::from_unix_ms(0),
            )
            .await
            .unwrap_err();
        assert_eq!(failed.reason, "the address could not be connected to");
        // What the libraries say at these levels is for whoever turns them on, by their names.
        let ours = log
            .rest()
            .lines()
            .filter(|line| line.contains(" engine::"))
            .fold(String::new(), |ours, line| ours + line + "\n");
        assert!(ours.contains("a webhook got no answer"), "{ours}");
        let port = port.to_string();
        for part in ["localhost", "127.0.0.1", &port, "known-to-few", "hidden"] {
            assert!(!ours.contains(part), "{part}: {ours}");
        }
    }

    #[test]
    fn a_message_is_the_event_as_openai_tells_it() {
        let delivery = Delivery {
            event_id: "evt_1".to_owned(),
            event: WebhookEvent::JobFailed,
            job_id: "ftjob-1".to_owned(),
            created_at: Timestamp::from_unix_ms(1_800_000_000_999),
            status: DeliveryStatus::Pending,
            tries: 0,
            tried_at: None,
            next_try_at: None,
            response_status: None,
            error: None,
        };
        let body: serde_json::Value = serde_json::from_str(&Message::of(&delivery).body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "id": "evt_1", "object": "event", "created_at": 1_800_000_000, "type": "fine_tuning.job.failed",
                "data": {"id": "ftjob-1"}
            })
        );
    }
}
