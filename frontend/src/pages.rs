//! One module a page.

pub mod compare;
pub mod dashboard;
pub mod dataset;
pub mod datasets;
pub mod job;
pub mod jobs;
pub mod models;
pub mod not_found;
pub mod notifications;
pub mod playground;
pub mod settings;
pub mod sign_in;
pub mod wizard;
