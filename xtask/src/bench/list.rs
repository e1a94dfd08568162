//! The job list with 100,000 jobs, at the server and in the browser. The measuring is `tests/examples/bench_list.rs`.

use crate::{dist, example, tools};
use anyhow::Result;

/// Builds and measures.
///
/// # Errors
/// Something can't be built, or a goal is missed.
pub(super) fn bench() -> Result<()> {
    tools::ensure_tests()?;
    let server = dist::build()?;
    example::run("--package tests --example bench_list", [""; 0], Some(server))
}
