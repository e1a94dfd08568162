//! `cargo xtask bench page`: what Lighthouse says of the dashboard and of the wizard, signed in, with jobs to show.
//!
//! Lighthouse is a Node program that drives a Chromium of its own; where it is, the argument says.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

use serde_json::{Value, json};
use std::{env, fs, path::Path, process::ExitCode};
use tests::{
    api::Api,
    many_jobs,
    server::{Server, Setup},
};
use tokio::process::Command;

const JOBS: usize = 60;
/// How often Lighthouse may try a page.
const TRIES: u32 = 3;
const PAGES: [&str; 2] = ["/", "/jobs/new/setup"];
/// Lighthouse's words for them, and the goal for the largest paint in milliseconds.
const PRESETS: [(&str, f64); 2] = [("desktop", 1_200.0), ("mobile", 2_500.0)];
const GOAL_BLOCKED_MS: f64 = 50.0;

/// As a container's Chromium has to be started, and without calls to anybody.
const CHROME: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
                      --disable-background-networking --disable-component-update --disable-sync";

#[tokio::main]
async fn main() -> ExitCode {
    let setup = Setup::new();
    many_jobs::fill(&setup, JOBS).await;
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    println!(
        "{:<18} {:<8} {:>6} {:>6} {:>6} {:>9} {:>9} {:>7}",
        "page", "preset", "speed", "access", "best", "LCP ms", "TBT ms", "CLS"
    );
    let mut reached = true;
    for page in PAGES {
        for (preset, goal) in PRESETS {
            let report = lighthouse(&server, &api, setup.scratch(), page, preset).await;
            reached &= tell(&report, page, preset, goal);
        }
    }
    ExitCode::from(u8::from(!reached))
}

async fn lighthouse(server: &Server, api: &Api, folder: &Path, page: &str, preset: &str) -> Value {
    let program = env::args_os().nth(1).expect("where Lighthouse is");
    let file = folder.join("lighthouse.json");
    let mut command = Command::new("node");
    command
        .arg(program)
        .arg(format!("{}{page}", server.address))
        .args([
            "--quiet",
            "--output=json",
            "--only-categories=performance,accessibility,best-practices",
        ])
        .arg(format!("--output-path={}", file.display()))
        .arg(format!("--extra-headers={}", json!({"cookie": api.cookie()})))
        .arg(format!("--chrome-flags={CHROME}"));
    if preset == "desktop" {
        command.arg("--preset=desktop");
    }
    // It asks to be run again where it has lost the browser's trace.
    let mut tries = 0;
    while !command.status().await.expect("node starts").success() {
        tries += 1;
        assert!(tries < TRIES, "Lighthouse failed {tries} times");
    }
    let report = fs::read(&file).expect("a report");
    serde_json::from_slice(&report).expect("a report")
}

/// Prints a row, and what keeps a category from its 100; false where a goal is missed.
fn tell(report: &Value, page: &str, preset: &str, goal: f64) -> bool {
    let score = |category: &str| report["categories"][category]["score"].as_f64().expect("a score") * 100.0;
    let measured = |audit: &str| {
        report["audits"][audit]["numericValue"]
            .as_f64()
            .expect("a figure")
    };
    let (access, best) = (score("accessibility"), score("best-practices"));
    let (paint, blocked) = (
        measured("largest-contentful-paint"),
        measured("total-blocking-time"),
    );
    let shift = measured("cumulative-layout-shift");
    println!(
        "{page:<18} {preset:<8} {:>6.0} {access:>6.0} {best:>6.0} {paint:>9.0} {blocked:>9.0} {shift:>7.3}",
        score("performance")
    );
    for category in ["accessibility", "best-practices"] {
        let audits = report["categories"][category]["auditRefs"].as_array();
        for audit in audits.into_iter().flatten() {
            let audit = &report["audits"][audit["id"].as_str().unwrap_or_default()];
            if audit["score"].as_f64().is_some_and(|score| score < 1.0) {
                println!("    {}: {}", audit["title"], audit["details"]["items"]);
            }
        }
    }
    access > 99.5 && best > 99.5 && paint <= goal && blocked <= GOAL_BLOCKED_MS && shift == 0.0
}
