//! Tools that cargo installs.

use super::announce;
use crate::{process, project};
use anyhow::{Context, Result};
use std::process::Command;

/// A tool that cargo installs.
pub(super) struct CrateTool {
    /// What cargo installs.
    pub(super) package: &'static str,
    /// What it is called on `PATH`.
    pub(super) program: &'static str,
    /// The version that is tried and works.
    pub(super) version: &'static str,
}

impl CrateTool {
    /// Installs the tool unless exactly this version is there.
    pub(super) fn ensure_exact(&self) -> Result<()> {
        if self
            .found_version()?
            .is_some_and(|version| version == self.version)
        {
            return Ok(());
        }
        self.install()
    }

    /// Installs the tool unless any version is there: what it does hardly changes between them.
    pub(super) fn ensure_any(&self) -> Result<()> {
        if self.found_version()?.is_some() {
            return Ok(());
        }
        self.install()
    }

    /// The version that the tool tells: the first word of its answer that starts with a digit.
    fn found_version(&self) -> Result<Option<String>> {
        let Some(program) = project::find(self.program) else {
            return Ok(None);
        };
        let mut command = process::command(program)?;
        // Cargo's subcommands expect their own name first.
        if let Some(subcommand) = self.program.strip_prefix("cargo-") {
            command.arg(subcommand);
        }
        let answer = process::capture(command.arg("--version")).unwrap_or_default();
        let version = answer
            .split_whitespace()
            .find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        Ok(version.map(str::to_owned))
    }

    fn install(&self) -> Result<()> {
        let Self { package, version, .. } = self;
        announce(&format!("{package} {version} (takes minutes)"));
        // A lock file may name a version that the index at hand doesn't have: then cargo resolves anew.
        if process::run(self.cargo_install()?.arg("--locked")).is_ok() {
            return Ok(());
        }
        println!("{package} {version} doesn't build with its own lock file: trying without");
        process::run(&mut self.cargo_install()?)
            .with_context(|| format!("install {package} {version} by hand and put it on `PATH`"))
    }

    fn cargo_install(&self) -> Result<Command> {
        let mut command = process::cargo()?;
        command
            .args(["install", self.package, "--version", self.version, "--root"])
            .arg(project::tools()?);
        command.env_remove("CARGO_TARGET_DIR");
        Ok(command)
    }
}
