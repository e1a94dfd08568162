//! Telling an address that something has happened: where it may lead, how a message is signed, and one try at sending it.
//!
//! The form is that of Standard Webhooks, which the `OpenAI` SDKs verify: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, an HMAC-SHA256 of the three with the body. When to try again is `service::webhooks`' affair.

mod address;
mod sender;

pub(crate) use address::check;
pub(crate) use sender::{Failure, Message, Sender, new_secret};
