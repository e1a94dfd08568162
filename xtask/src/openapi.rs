//! docs/openapi.json, written from the code and compared with it.

use crate::{process, project};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Writes the document, or compares it with the one that is checked in.
///
/// # Errors
/// The server can't be built, the document can't be written, or it is stale.
pub(crate) fn openapi(check: bool) -> Result<ExitCode> {
    process::run(process::cargo()?.args(["build", "--package", "bff"]))?;
    let server = project::target().join("debug/attune");
    if check {
        compare(&server)?;
    } else {
        let path = path();
        fs::write(&path, current(&server)?).with_context(|| format!("can't write `{}`", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares what a built server says with what is checked in.
///
/// # Errors
/// They differ, or one of them can't be had.
pub(crate) fn compare(server: &Path) -> Result<()> {
    let path = path();
    let kept = fs::read_to_string(&path).with_context(|| format!("can't read `{}`", path.display()))?;
    if kept != current(server)? {
        bail!("docs/openapi.json is stale: run `cargo xtask openapi` and commit it");
    }
    Ok(())
}

fn current(server: &Path) -> Result<String> {
    process::capture(process::command(server)?.arg("openapi"))
}

fn path() -> PathBuf {
    project::root().join("docs/openapi.json")
}
