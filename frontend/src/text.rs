//! Every word that people read, one file a language, as plain functions.
//!
//! [`format`](self::format) writes numbers, sizes, durations and times. Deliberately not here: what the server says in
//! its own words (event messages, findings of a dataset).

pub mod en;
pub mod format;

pub use en::*;
