//! Programs that measure or test with what our other crates know: their examples, built at speed.

use crate::{process, project, stage::stage};
use anyhow::Result;
use std::{ffi::OsStr, path::PathBuf, process::Command};

/// Builds the server at speed, with whatever page is there, and tells where it lies.
///
/// # Errors
/// It can't be built.
pub(crate) fn server() -> Result<PathBuf> {
    stage("server", || {
        process::run(process::cargo()?.args(["build", "--release", "--package", "bff"]))
    })?;
    Ok(project::target().join("release/attune"))
}

/// Builds an example at speed, into `release/examples`.
///
/// # Errors
/// It can't be built.
pub(crate) fn build(which: &str) -> Result<()> {
    process::run(&mut cargo("build", which)?)
}

fn cargo(verb: &str, which: &str) -> Result<Command> {
    let mut cargo = process::cargo()?;
    cargo.args([verb, "--release"]).args(which.split_whitespace());
    Ok(cargo)
}

/// Builds an example at speed and runs it; `which` is what cargo finds it by. One that starts servers starts `server`.
///
/// # Errors
/// It can't be built, or it ends with another code than 0.
pub(crate) fn run(
    which: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    server: Option<PathBuf>,
) -> Result<()> {
    stage("program", || build(which))?;
    let mut program = cargo("run", which)?;
    program.arg("--quiet").arg("--").args(arguments);
    if let Some(server) = server {
        program.env("ATTUNE_TEST_BINARY", server);
    }
    process::run(&mut program)
}
