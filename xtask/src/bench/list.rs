//! The job list with 100,000 jobs, at the server and in the browser. The measuring is `tests/examples/bench_list.rs`;
//! here everything is built in release mode and that program is run.

use crate::{dist, process, stage::stage, tools};
use anyhow::Result;

/// Builds and measures.
///
/// # Errors
/// Something can't be built, or a goal is missed.
pub(super) fn bench() -> Result<()> {
    tools::ensure_tests()?;
    let server = dist::build()?;
    stage("benchmark", || {
        let mut build = process::cargo()?;
        build.args([
            "build",
            "--release",
            "--package",
            "tests",
            "--example",
            "bench_list",
        ]);
        process::run(&mut build)
    })?;
    let mut run = process::cargo()?;
    run.args([
        "run",
        "--release",
        "--quiet",
        "--package",
        "tests",
        "--example",
        "bench_list",
    ]);
    run.env("ATTUNE_TEST_BINARY", server);
    process::run(&mut run)
}
