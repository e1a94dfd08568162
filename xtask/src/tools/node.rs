//! Tools that are Node programs, installed by npm.

use super::announce;
use crate::{process, project};
use anyhow::{Context, Result};
use std::fs;

/// A pinned package of the npm registry.
pub(super) struct NodeTool {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
}

impl NodeTool {
    /// Installs it where this version isn't there yet.
    ///
    /// # Errors
    /// npm is missing or can't install it.
    pub(super) fn ensure(&self) -> Result<()> {
        let Self { package, version } = self;
        let tools = project::tools()?;
        let manifest = tools.join(format!("node_modules/{package}/package.json"));
        if fs::read_to_string(manifest).is_ok_and(|text| text.contains(&format!("\"{version}\""))) {
            return Ok(());
        }
        announce(&format!("{package} {version}"));
        fs::create_dir_all(&tools).with_context(|| format!("can't make `{}`", tools.display()))?;
        let mut npm = process::command("npm")?;
        npm.args(["install", "--no-audit", "--no-fund", "--save-exact", "--prefix"]);
        process::run(npm.arg(&tools).arg(format!("{package}@{version}")))
            .context("node and npm are needed: install them")
    }
}
