//! The numerics of Attune: models, LoRA, data, checkpoints. One run is one process.
//!
//! Architecture invariant: no HTTP, no database, no wall clock, no ambient randomness. A run's input is its directory,
//! its output is event lines and files; equal inputs give equal bytes on any number of threads.

mod batching;
pub mod bench;
pub mod chat;
mod checkpoint;
pub mod complete;
pub mod config;
mod data;
mod decode;
mod error;
pub mod generate;
mod gguf;
pub mod infer;
pub mod lora;
mod matmul;
pub mod model;
mod network;
mod ops;
mod optimizer;
mod preference;
mod prepare_model;
pub mod pretrain;
pub mod random;
pub mod rope;
pub mod run;
pub mod schedule;
mod simd;
mod storage;
mod tensor_file;
#[cfg(test)]
mod testing;

pub use error::Error;
pub use model::Model;
pub use prepare_model::prepare_model;
pub use run::{estimate, examples};
pub use tensor_file::Precision;
