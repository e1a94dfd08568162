//! What Lighthouse says of dashboard and wizard. The measuring is `tests/examples/bench_page.rs`.

use super::run_example;
use crate::{dist, tools};
use anyhow::Result;

/// Builds and measures.
///
/// # Errors
/// Something can't be built or installed, or a goal is missed.
pub(super) fn bench() -> Result<()> {
    tools::ensure_tests()?;
    let lighthouse = tools::ensure_lighthouse()?;
    let server = dist::build()?;
    run_example(
        "bench_page",
        &[
            ("ATTUNE_TEST_BINARY", &server),
            ("ATTUNE_LIGHTHOUSE", &lighthouse),
        ],
    )
}
