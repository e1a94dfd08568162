//! What the two APIs answer to requests that their documents allow and to those that they don't: Schemathesis over
//! docs/openapi.json and docs/openapi-v1.json. The work is `tests/fuzz/run.py`; here it and the server are made.

use crate::{process, project, stage::stage, tools};
use anyhow::Result;
use std::{ffi::OsString, process::ExitCode};

/// Builds the server as the tests do, and sends it at least 10,000 requests; `arguments` are the examples an operation and
/// the seed.
///
/// # Errors
/// Something can't be built or installed, or an answer broke a document's word.
pub(crate) fn fuzz_api(arguments: &[OsString]) -> Result<ExitCode> {
    let python = stage("Schemathesis", tools::ensure_schemathesis)?;
    stage("server", || {
        process::run(process::cargo()?.args(["build", "--package", "bff"]))
    })?;
    let mut fuzz = process::command(python)?;
    fuzz.arg(project::root().join("tests/fuzz/run.py"));
    fuzz.arg(project::target().join("debug/attune"));
    process::run(fuzz.args(arguments))?;
    Ok(ExitCode::SUCCESS)
}
