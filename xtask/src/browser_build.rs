//! The page: trunk builds it into `dist/`, and every file that can shrink gets a `.br` sibling, which the server
//! sends as it is.

use crate::{module, process, project, tools};
use anyhow::{Context, Result, ensure};
use brotli::enc::BrotliEncoderParams;
use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Kinds of files that are sent compressed.
const COMPRESSED: [&str; 7] = ["html", "js", "css", "wasm", "json", "svg", "txt"];

/// What trunk tells of: what it does unless told, without the warning of its minifier, which can't read the script that
/// wasm-bindgen writes. That script is replaced below and minified by another.
const TOLD: &str = "error,trunk=info,trunk::processing::minify=error";

/// Builds the page in release mode.
///
/// # Errors
/// A tool is missing and can't be installed, the page doesn't build, or `dist/` can't be written.
pub(crate) fn build() -> Result<()> {
    tools::ensure_browser_build()?;
    let mut trunk = process::command("trunk")?;
    // trunk 0.21.14 takes `NO_COLOR=1` for a wrong value of its own option.
    trunk
        .env_remove("NO_COLOR")
        .args(["build", "--release", "--features", "split"]);
    if env::var_os("RUST_LOG").is_none() {
        trunk.args(["--log", TOLD]);
    }
    // The module is cut along what refers to what, which the linker keeps for it.
    let flags = format!("-Clink-arg=--emit-relocs {}", short_paths());
    trunk.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    process::run(&mut trunk)?;
    module::finish()?;
    compress()
}

/// Panics name source files. Without the paths of the machine that builds, they weigh less and tell nothing of it.
fn short_paths() -> String {
    let home = env::var_os("CARGO_HOME").map_or_else(
        || env::home_dir().unwrap_or_default().join(".cargo"),
        PathBuf::from,
    );
    let registry = home.join("registry/src");
    let indexes = fs::read_dir(&registry).into_iter().flatten().flatten();
    let folders = indexes.map(|index| index.path()).chain([project::root()]);
    // The variable separates its words by white space.
    let folders = folders.filter(|folder| !folder.to_string_lossy().contains(char::is_whitespace));
    let remapped = folders.map(|folder| format!("--remap-path-prefix={}/=", folder.display()));
    remapped.collect::<Vec<_>>().join(" ")
}

/// Writes the `.br` sibling of every file of `dist/` that can shrink, and drops those whose original is gone.
///
/// # Errors
/// `dist/` can't be read or written, or has no page.
pub(crate) fn compress() -> Result<()> {
    let files = files()?;
    ensure!(
        files.iter().any(|file| file.ends_with("index.html")),
        "`dist/` has no index.html after the build"
    );
    for file in files.iter().filter(|file| has_extension(file, &["br"])) {
        fs::remove_file(file).with_context(|| format!("can't remove `{}`", file.display()))?;
    }
    for file in files.iter().filter(|file| has_extension(file, &COMPRESSED)) {
        compress_file(file)?;
    }
    Ok(())
}

/// Writes the `.br` sibling of one file.
///
/// # Errors
/// It can't be read, or its sibling can't be written.
pub(crate) fn compress_file(file: &Path) -> Result<()> {
    let plain = fs::read(file).with_context(|| format!("can't read `{}`", file.display()))?;
    let sibling = brotli_sibling(file);
    fs::write(&sibling, brotli(&plain)?).with_context(|| format!("can't write `{}`", sibling.display()))
}

/// Every file of `dist/`, by name.
///
/// # Errors
/// `dist/` can't be read.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    files_in(&project::dist())
}

/// Every file in a page's folder, by name.
///
/// # Errors
/// It can't be read.
pub(crate) fn files_in(page: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![page.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("can't read `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Where a file's compressed form is: its name with `.br` added.
pub(crate) fn brotli_sibling(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    PathBuf::from(name)
}

/// The smallest form that brotli finds.
///
/// # Errors
/// None that memory can give; the signature is the library's.
fn brotli(mut plain: &[u8]) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: plain.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut plain, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| extensions.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_text_reads_back_as_it_was() {
        let plain = b"<!doctype html><title>Attune</title>".repeat(100);
        let compressed = brotli(&plain).unwrap();
        assert!(compressed.len() < plain.len() / 10);
        let mut read_back = Vec::new();
        brotli::BrotliDecompress(&mut compressed.as_slice(), &mut read_back).unwrap();
        assert_eq!(read_back, plain);
    }

    #[test]
    fn a_sibling_keeps_the_whole_name() {
        assert_eq!(
            brotli_sibling(Path::new("dist/app-1a2b.js")),
            Path::new("dist/app-1a2b.js.br")
        );
    }
}
