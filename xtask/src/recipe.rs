//! Makes the bundled base model anew, by the trainer's own recipe.

use crate::process;
use anyhow::Result;
use std::{ffi::OsString, process::ExitCode};

/// Runs the recipe with its arguments.
///
/// # Errors
/// It can't be built, or fails.
pub(crate) fn base_model(arguments: &[OsString]) -> Result<ExitCode> {
    let mut recipe = process::cargo()?;
    recipe.args([
        "run",
        "--release",
        "--package",
        "trainer",
        "--example",
        "base_model",
        "--",
    ]);
    process::run(recipe.args(arguments))?;
    Ok(ExitCode::SUCCESS)
}
