//! Programs from Debian's packages.

use super::announce;
use crate::{process, project};
use anyhow::{Result, bail};

/// Installs packages unless every program is there.
///
/// # Errors
/// The package manager isn't apt, this isn't root, or the packages can't be installed.
pub(super) fn ensure(programs: &[&str], packages: &[&str]) -> Result<()> {
    let missing: Vec<_> = programs
        .iter()
        .copied()
        .filter(|program| project::find(program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    install(&missing.join(", "), packages)
}

/// Installs packages.
///
/// # Errors
/// As [`ensure`].
pub(super) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let packages_text = packages.join(" ");
    if project::find("apt-get").is_none() || !rustix::process::geteuid().is_root() {
        bail!("{what} is missing: install it (on Debian, as root: apt-get install {packages_text})");
    }
    announce(&format!("{what} (packages {packages_text})"));
    process::run(process::command("apt-get")?.args(["update", "-q"]))?;
    let mut install = process::command("apt-get")?;
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-q", "-y", "--no-install-recommends"]);
    process::run(install.args(packages))
}
