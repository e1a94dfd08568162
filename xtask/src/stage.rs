//! Naming and timing the stages of a long command.

use anyhow::{Context, Result};
use std::time::Instant;

/// Runs one stage, and tells its name before and its time after.
///
/// # Errors
/// The stage's own, with its name.
pub(crate) fn stage<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("── {name}");
    let start = Instant::now();
    let outcome = work().with_context(|| format!("stage `{name}`"))?;
    println!("── {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(outcome)
}
