//! Clients in other languages, run as their users run them.

use crate::installed;
use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Far above what any of the scripts takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// The interpreter with the clients: `ATTUNE_TEST_PYTHON`, else where `cargo xtask test` puts it.
#[must_use]
pub fn python() -> PathBuf {
    if let Some(python) = env::var_os("ATTUNE_TEST_PYTHON") {
        return python.into();
    }
    installed("python/bin/python")
}

/// Runs a script of `tests/clients` and fails the test where it fails.
pub async fn run(script: &str, arguments: &[&str]) -> String {
    run_with(&python(), script, arguments).await
}

/// As [`run`], with an interpreter that has other packages.
pub async fn run_with(python: &Path, script: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script);
    let mut command = Command::new(python);
    command
        .arg(&script)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .expect("the client ends")
        .expect("the client starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
