//! What building and testing need beyond the Rust toolchain, installed once a machine into a folder outside the
//! clone. Each tool is pinned; a fitting one that is already on `PATH` is taken as it is.

mod apt;
mod crates;
mod node;
mod python;

pub(crate) use python::python;

use crate::process;
use anyhow::{Context, Result};
use crates::CrateTool;
use node::NodeTool;
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
const BINARYEN: NodeTool = NodeTool {
    package: "binaryen",
    version: "132.0.0",
};
/// Minifies wasm-bindgen's script, which trunk's own minifier can't read.
const TERSER: NodeTool = NodeTool {
    package: "terser",
    version: "5.51.2",
};
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// What the page's build needs: the WebAssembly target, trunk, wasm-bindgen, wasm-opt and terser.
///
/// # Errors
/// Something can't be installed; the message says what to install by hand.
pub(crate) fn ensure_browser_build() -> Result<()> {
    ensure_target(WASM_TARGET)?;
    WASM_BINDGEN.ensure_exact()?;
    TRUNK.ensure_exact()?;
    BINARYEN.ensure()?;
    TERSER.ensure()
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

/// Says what is about to be installed.
fn announce(what: &str) {
    println!("installing {what}, once for this machine");
}
