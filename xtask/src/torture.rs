//! Kills at random instants, and whether every job ends as if nothing had happened. The work is
//! `tests/examples/torture.rs`; here it and the server are built in release mode and it is run.

use crate::{example, project};
use anyhow::Result;
use std::{ffi::OsString, process::ExitCode};

/// Builds, and disturbs as the arguments say. Progress is kept in the build folder unless they name another.
///
/// # Errors
/// Something can't be built, or a job didn't end as it has to.
pub(crate) fn torture(arguments: &[OsString]) -> Result<ExitCode> {
    let mut arguments = arguments.to_vec();
    if !arguments.iter().any(|word| word == "--folder") {
        arguments.push("--folder".into());
        arguments.push(project::target().join("torture").into());
    }
    let server = example::server()?;
    example::run("--package tests --example torture", arguments, Some(server))?;
    Ok(ExitCode::SUCCESS)
}
