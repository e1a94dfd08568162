//! What the first visit downloads, in brotli bytes, against a limit; and the chunks that come later.

use crate::{browser_build, module, project, stage::stage};
use anyhow::{Context, Result, bail};
use std::{collections::BTreeSet, fs, path::PathBuf, process::ExitCode};

/// Bytes that the page, its styles, its script and its WebAssembly module may weigh together.
const LIMIT: u64 = 200_000;

/// Builds the page and weighs it.
///
/// # Errors
/// The page can't be built or is above [`LIMIT`].
pub(crate) fn size() -> Result<ExitCode> {
    stage("page", browser_build::build)?;
    check()?;
    Ok(ExitCode::SUCCESS)
}

/// Weighs the page that is in `dist/`.
///
/// # Errors
/// There is none, or it is above [`LIMIT`].
pub(crate) fn check() -> Result<()> {
    let total = weigh("first visit", first_visit()?)?;
    println!("{:<52} {:>10} {LIMIT:>10}", "limit", "");
    if total > LIMIT {
        bail!(
            "the first visit weighs {total} bytes, {} above the limit",
            total - LIMIT
        );
    }
    let mut chunks = browser_build::files()?;
    chunks.retain(|file| module::is_chunk(file));
    weigh("chunks, each with the first page that needs it", chunks)?;
    Ok(())
}

/// Prints what files weigh; answers their brotli bytes together.
fn weigh(what: &str, files: impl IntoIterator<Item = PathBuf>) -> Result<u64> {
    let mut plain_total = 0;
    let mut total = 0;
    println!("{what:<52} {:>10} {:>10}", "bytes", "brotli");
    for file in files {
        let plain = length(&file)?;
        let compressed = length(&browser_build::brotli_sibling(&file))?;
        let name = file
            .strip_prefix(project::dist())
            .unwrap_or(&file)
            .display()
            .to_string();
        println!("{name:<52} {plain:>10} {compressed:>10}");
        plain_total += plain;
        total += compressed;
    }
    println!("{:<52} {plain_total:>10} {total:>10}", "together");
    Ok(total)
}

/// The page and every style, script and module that it names, or that one of those names, without the chunks.
fn first_visit() -> Result<BTreeSet<PathBuf>> {
    let mut candidates = browser_build::files()?;
    candidates.retain(|file| {
        let kind = file.extension().and_then(|kind| kind.to_str());
        kind.is_some_and(|kind| ["css", "js", "wasm"].contains(&kind)) && !module::is_chunk(file)
    });
    let mut texts = vec![project::dist().join("index.html")];
    let mut visited: BTreeSet<_> = texts.iter().cloned().collect();
    while let Some(text) = texts.pop() {
        let content = fs::read(&text)
            .with_context(|| format!("can't read `{}`: build the page first", text.display()))?;
        let content = String::from_utf8_lossy(&content);
        for file in &candidates {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if content.contains(&*name)
                && visited.insert(file.clone())
                && file.extension().is_some_and(|kind| kind == "js")
            {
                texts.push(file.clone());
            }
        }
    }
    Ok(visited)
}

fn length(file: &std::path::Path) -> Result<u64> {
    Ok(fs::metadata(file)
        .with_context(|| format!("can't read `{}`: build the page first", file.display()))?
        .len())
}
