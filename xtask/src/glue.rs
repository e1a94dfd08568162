//! Makes what wasm-bindgen wrote lighter: its script, and the names by which script and module know each other.
//!
//! Each of those names stands in both files, tells what it is for and ends in a hash of sixteen digits. Nobody reads them
//! here, so each becomes a letter or two. The script is minified besides: trunk's own minifier can't read it.

mod names;

use crate::process;
use anyhow::{Context, Result, ensure};
use names::Names;
use std::{fs, path::Path};

/// Rewrites the module and its script.
///
/// # Errors
/// They can't be read or written, or aren't what wasm-bindgen writes.
pub(crate) fn lighten(module: &Path, script: &Path) -> Result<()> {
    let mut terser = process::command("terser")?;
    terser.args(["--module", "--compress", "passes=3", "--mangle", "--output"]);
    process::run(terser.args([script, Path::new("--"), script]))?;
    let mut names = Names::default();
    let binary = names.shorten_module(&fs::read(module)?)?;
    let text = names.shorten_script(&fs::read_to_string(script)?);
    ensure!(!names.is_empty(), "the module and its script share no names");
    fs::write(module, binary).with_context(|| format!("can't write `{}`", module.display()))?;
    fs::write(script, text).with_context(|| format!("can't write `{}`", script.display()))
}
