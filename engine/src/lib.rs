//! The fine-tuning service: store, blobs, queue, supervision of runs, and the HTTP surface `/v1`.
//!
//! [`Service`] is the in-process API; every call that touches something owned takes a `&Subject`. `/v1` and the
//! console's backend are two thin layers over it.
//!
//! Architecture invariants: knows API keys and subjects, no browser and no cookie. Trains only through an
//! [`executor::Executor`], which starts a process: a trainer that dies takes nothing with it.

mod blobs;
mod clock;
mod config;
mod curves;
mod data_folder;
mod error;
pub mod executor;
mod inference;
pub mod models;
mod notify;
mod parameters;
#[cfg(any(test, feature = "testing"))]
pub mod played;
mod secret;
mod service;
mod store;
mod supervise;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod v1;
mod wandb;
mod webhooks;

pub use clock::{Clock, SystemClock};
pub use config::{Config, WebhookConfig};
pub use error::{Cause, Error, StartError, english};
pub use inference::{Completion, CompletionRequest, DecodingFigures, InferenceConfig, Piece};
pub use service::{
    Service,
    counters::Counters,
    downloads::Download,
    import,
    job_create::fresh_seed,
    keys::{ApiKeyFolder, Caller, OwnedKey},
    models::remove_model_in,
    record::CsvStream,
    stream::{JobStream, Told},
    webhooks::WebhookFolder,
};
