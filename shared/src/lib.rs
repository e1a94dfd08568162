//! What the browser, the backend-for-frontend, the engine and the trainer say to each other: data
//! transfer objects, identifiers, validation and decimation.
//!
//! Architecture invariant: no I/O, no clock, no web framework; compiles for WebAssembly and natively. What is
//! validated here is validated by the same code everywhere.

pub mod alert;
pub mod api_key;
pub mod attempt;
pub mod browser_report;
pub mod capabilities;
pub mod chat;
pub mod cost;
pub mod dataset;
pub mod decimate;
pub mod draft;
pub mod estimate;
pub mod event;
pub mod histogram;
pub mod id;
pub mod inference;
pub mod job;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod notification;
pub mod number;
pub mod plain;
pub mod preset;
pub mod problem;
pub mod queue;
pub mod run;
pub mod session;
pub mod status;
pub mod step_examples;
pub mod strict_json;
pub mod timeline;
pub mod timestamp;
pub mod training_line;
pub mod validate;
pub mod wandb;
pub mod webhook;
