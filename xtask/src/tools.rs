//! What building and testing need beyond the Rust toolchain, installed once a machine into a folder outside the
//! clone. Each tool is pinned; a fitting one that is already on `PATH` is taken as it is.

mod apt;
mod crates;
mod python;

pub(crate) use python::python;

use crate::{process, project};
use anyhow::{Context, Result};
use crates::CrateTool;
use std::fs;

/// Must equal the workspace's `wasm-bindgen` dependency.
const WASM_BINDGEN: CrateTool = CrateTool {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    version: "0.2.130",
};
/// 0.22 wants a newer Rust than ours.
const TRUNK: CrateTool = CrateTool {
    package: "trunk",
    program: "trunk",
    version: "0.21.14",
};
const NEXTEST: CrateTool = CrateTool {
    package: "cargo-nextest",
    program: "cargo-nextest",
    version: "0.9.143",
};
const DENY: CrateTool = CrateTool {
    package: "cargo-deny",
    program: "cargo-deny",
    version: "0.20.2",
};
/// `wasm-opt` as a Node program; the distributions' are too old for what today's rustc writes.
const BINARYEN: &str = "132.0.0";
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// What the page's build needs: the WebAssembly target, trunk, wasm-bindgen and wasm-opt.
///
/// # Errors
/// Something can't be installed; the message says what to install by hand.
pub(crate) fn ensure_browser_build() -> Result<()> {
    ensure_target(WASM_TARGET)?;
    WASM_BINDGEN.ensure_exact()?;
    TRUNK.ensure_exact()?;
    ensure_wasm_opt()
}

/// What the checks and tests need besides: nextest, cargo-deny, Chromium with its driver, and Python.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_tests() -> Result<()> {
    NEXTEST.ensure_any()?;
    DENY.ensure_any()?;
    apt::ensure(&["chromium", "chromedriver"], &["chromium", "chromium-driver"])?;
    python::ensure()
}

/// What `bench proxy` measures against, and what binds a process to a core.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_nginx() -> Result<()> {
    apt::ensure(&["nginx", "taskset"], &["nginx-light", "util-linux"])
}

/// What a binary without a system's C library needs: the Rust target, and a C compiler for SQLite and the like.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_static(target: &str) -> Result<()> {
    ensure_target(target)?;
    apt::ensure(&["musl-gcc"], &["musl-tools"])
}

fn ensure_target(target: &str) -> Result<()> {
    let libraries =
        process::capture(process::command("rustc")?.args(["--print", "target-libdir", "--target", target]))?;
    if fs::exists(libraries.trim()).unwrap_or(false) {
        return Ok(());
    }
    announce(&format!("the Rust target {target}"));
    process::run(process::command("rustup")?.args(["target", "add", target]))
        .with_context(|| format!("install the target `{target}` for this toolchain by hand"))
}

fn ensure_wasm_opt() -> Result<()> {
    let tools = project::tools()?;
    let manifest = tools.join("node_modules/binaryen/package.json");
    if fs::read_to_string(manifest).is_ok_and(|text| text.contains(&format!("\"{BINARYEN}\""))) {
        return Ok(());
    }
    announce(&format!("binaryen {BINARYEN} (wasm-opt)"));
    fs::create_dir_all(&tools).with_context(|| format!("can't make `{}`", tools.display()))?;
    let mut npm = process::command("npm")?;
    npm.args(["install", "--no-audit", "--no-fund", "--save-exact", "--prefix"]);
    process::run(npm.arg(&tools).arg(format!("binaryen@{BINARYEN}")))
        .context("node and npm are needed: install them")
}

/// Says what is about to be installed.
fn announce(what: &str) {
    println!("installing {what}, once for this machine");
}
