//! Where things are: the clone, the build folder, and the folder that outlives the clone.

use anyhow::{Context, Result};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The clone. `cargo run` tells where this package is, which holds also when a build folder serves two clones.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package
        .parent()
        .map_or_else(|| package.clone(), Path::to_path_buf)
}

static TARGET: OnceLock<PathBuf> = OnceLock::new();

/// Where cargo builds.
pub(crate) fn target() -> &'static Path {
    TARGET.get_or_init(|| chosen_target().unwrap_or_else(|| root().join("target")))
}

/// As [`target`], but where a continuous-integration service starts from a fresh clone each time, the folder is one
/// that outlives the clone. Cargo itself tells what in it is still good. Has to be asked for before [`target`] is.
pub(crate) fn lasting_target() -> &'static Path {
    let continuous = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    TARGET.get_or_init(|| {
        let lasting = || {
            cache()
                .ok()
                .filter(|_| continuous)
                .map(|cache| cache.join("target"))
        };
        chosen_target()
            .or_else(lasting)
            .unwrap_or_else(|| root().join("target"))
    })
}

/// The folder that the environment names.
fn chosen_target() -> Option<PathBuf> {
    env::var_os("CARGO_TARGET_DIR").map(|folder| root().join(folder))
}

/// Where trunk puts the page, and the server takes it from.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// What is installed once for every clone on this machine.
///
/// # Errors
/// Neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder).join("attune"));
    }
    let home = env::home_dir().context("can't tell where tools belong: set `HOME`")?;
    Ok(home.join(".cache/attune"))
}

/// Where the tools that xtask installs live.
///
/// # Errors
/// As [`cache`].
pub(crate) fn tools() -> Result<PathBuf> {
    Ok(cache()?.join("tools"))
}

/// `PATH` with our own tools first.
///
/// # Errors
/// As [`cache`].
pub(crate) fn path() -> Result<OsString> {
    let tools = tools()?;
    let ours = [tools.join("bin"), tools.join("node_modules/.bin")];
    let theirs = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(
        ours.into_iter().chain(env::split_paths(&theirs)),
    )?)
}

/// The first executable of that name on [`path`].
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&path().ok()?)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
