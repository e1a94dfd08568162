//! What Lighthouse says of dashboard and wizard. The measuring is `tests/examples/bench_page.rs`.

use crate::{dist, example, tools};
use anyhow::Result;

/// Builds and measures.
///
/// # Errors
/// Something can't be built or installed, or a goal is missed.
pub(super) fn bench() -> Result<()> {
    tools::ensure_tests()?;
    let lighthouse = tools::ensure_lighthouse()?;
    let server = dist::build()?;
    example::run("--package tests --example bench_page", [lighthouse], Some(server))
}
