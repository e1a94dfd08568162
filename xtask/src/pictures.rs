//! Takes the pictures of every view anew, which the tests compare with.

use crate::{browser_build, process, project, stage::stage, test, tools};
use anyhow::Result;
use std::process::ExitCode;

/// Builds the page and the server, and keeps how each view looks now in `tests/pictures`.
///
/// # Errors
/// Something can't be built, or a view doesn't come about.
pub(crate) fn pictures() -> Result<ExitCode> {
    println!("building in {}", project::lasting_target().display());
    stage("tools", || {
        tools::ensure_browser_build()?;
        tools::ensure_tests()
    })?;
    stage("page", browser_build::build)?;
    stage("build", || {
        test::cargo("build --package bff --bins --locked", &[])?;
        test::cargo("build --package tests --test pictures --locked", &[])
    })?;
    let mut runner = test::runner()?;
    runner.args(["--package", "tests", "--test", "pictures"]);
    runner.args(["--filter-expr", "test(every_view_looks_as_it_did)"]);
    process::run(runner.env(test::UPDATE_PICTURES, "1"))?;
    println!("changed pictures are in tests/pictures, whole ones to look at in target/pictures");
    Ok(ExitCode::SUCCESS)
}
