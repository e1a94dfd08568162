//! Running other programs, with our tools on their `PATH`.

use crate::project;
use anyhow::{Context, Result, bail};
use std::{
    ffi::OsStr,
    process::{Command, Output, Stdio},
};

/// A program to run in the clone, with our tools on its `PATH`.
///
/// # Errors
/// As [`project::cache`].
pub(crate) fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(project::root()).env("PATH", project::path()?);
    command.env("CARGO_TARGET_DIR", project::target());
    // What cargo told this process about its own package would make build scripts of others run anew.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH");
    Ok(command)
}

/// The cargo that runs this.
///
/// # Errors
/// As [`command`].
pub(crate) fn cargo() -> Result<Command> {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs to the end with its output on ours.
///
/// # Errors
/// The program can't be started, or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("can't start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs to the end in silence; what it said is told only where it failed.
///
/// # Errors
/// As [`run`].
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start `{shown}`"))?;
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    if !status.success() {
        bail!(
            "`{shown}` failed ({status})\n{}",
            String::from_utf8_lossy(&stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&stdout).into_owned())
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
