//! A chart of a million steps, beside uPlot's. The measuring is `tests/examples/bench_chart.rs`.

use crate::{dist, example, tools};
use anyhow::Result;

/// Builds and measures.
///
/// # Errors
/// Something can't be built or installed, or a goal is missed.
pub(super) fn bench() -> Result<()> {
    tools::ensure_tests()?;
    let uplot = tools::ensure_uplot()?;
    let server = dist::build()?;
    example::run("--package tests --example bench_chart", [uplot], Some(server))
}
