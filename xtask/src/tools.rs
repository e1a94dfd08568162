//! What building and testing need beyond the Rust toolchain, installed once a machine into a folder outside the
//! clone. Each tool is pinned; a fitting one that is already on `PATH` is taken as it is.

mod apt;
mod crates;
mod node;
mod python;

pub(crate) use python::{python, smollm2_wheel};

use crate::{process, project};
use anyhow::{Context, Result};
use crates::CrateTool;
use node::NodeTool;
use std::{fs, path::PathBuf};

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
/// Looks at every view in the browser's tests for what keeps somebody from using it.
const AXE: NodeTool = NodeTool {
    package: "axe-core",
    version: "4.14.1",
};
/// What the pictures of the views are written in, the same on every machine; both under the Open Font License.
const FONTS: [NodeTool; 2] = [
    NodeTool {
        package: "@fontsource-variable/inter",
        version: "5.3.0",
    },
    NodeTool {
        package: "@fontsource-variable/jetbrains-mono",
        version: "5.3.0",
    },
];
/// Judges pages: speed, accessibility, good practice.
const LIGHTHOUSE: NodeTool = NodeTool {
    package: "lighthouse",
    version: "13.5.0",
};
/// The chart library that `bench chart` measures against.
const UPLOT: NodeTool = NodeTool {
    package: "uplot",
    version: "1.6.32",
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

/// What the checks and tests need besides: nextest, cargo-deny, axe-core, fonts, Chromium with its driver, and Python.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_tests() -> Result<()> {
    NEXTEST.ensure_any()?;
    DENY.ensure_any()?;
    AXE.ensure()?;
    FONTS.iter().try_for_each(NodeTool::ensure)?;
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

/// The interpreter of an environment with `PyTorch`, transformers and PEFT, which takes 6 GB.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_peft() -> Result<PathBuf> {
    let environment = project::target().join("peers/peft");
    python::ensure_in(
        &environment,
        "trainer/reference/requirements.txt",
        "PyTorch, transformers and PEFT (6 GB)",
    )?;
    Ok(environment.join("bin/python"))
}

/// The interpreter of an environment with Schemathesis.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_schemathesis() -> Result<PathBuf> {
    let environment = project::target().join("peers/schemathesis");
    python::ensure_in(&environment, "tests/fuzz/requirements.txt", "Schemathesis")?;
    Ok(environment.join("bin/python"))
}

/// Lighthouse's program.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_lighthouse() -> Result<PathBuf> {
    LIGHTHOUSE.ensure()?;
    Ok(project::tools()?.join("node_modules/lighthouse/cli/index.js"))
}

/// uPlot's script.
///
/// # Errors
/// As [`ensure_browser_build`].
pub(crate) fn ensure_uplot() -> Result<PathBuf> {
    UPLOT.ensure()?;
    Ok(project::tools()?.join("node_modules/uplot/dist/uPlot.iife.min.js"))
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

/// axe-core's script, for the browser's tests.
///
/// # Errors
/// The folder of tools has no place.
pub(crate) fn axe() -> Result<PathBuf> {
    Ok(project::tools()?.join("node_modules/axe-core/axe.min.js"))
}

/// The folder of the fonts, for the pictures of the views.
///
/// # Errors
/// The folder of tools has no place.
pub(crate) fn fonts() -> Result<PathBuf> {
    Ok(project::tools()?.join("node_modules/@fontsource-variable"))
}

/// Says what is about to be installed.
fn announce(what: &str) {
    println!("installing {what}, once for this machine");
}
