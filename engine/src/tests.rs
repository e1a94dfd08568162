//! The engine as a whole, by its public API.

pub(crate) mod actions;
mod alerts;
mod crashes;
mod curves;
mod datasets;
mod downloads;
mod estimate;
mod events;
mod imports;
mod job_create;
mod job_list;
mod jobs;
mod keys;
mod models;
mod notifications;
mod outlook;
mod ownership;
mod pause;
mod preference;
mod queue;
mod retry;
mod step_examples;
mod storage;
mod stream;
mod supervision;
mod timeline;
mod webhooks;
