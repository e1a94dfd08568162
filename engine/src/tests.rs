//! The engine as a whole, by its public API.

mod crashes;
mod datasets;
mod jobs;
mod ownership;
mod stream;
