//! `cargo xtask bench list`: how long the job list takes with very many jobs, at the server and in the browser.
//!
//! The server's data folder is filled with rows of the real tables (see `tests::many_jobs`). Then each kind of request
//! is sent one after the other and timed from sending it to the last byte of its answer; and the list is scrolled in a
//! real Chromium while the main thread's time is counted.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

use reqwest::{Method, header::ACCEPT_ENCODING};
use std::{env, process::ExitCode, time::Instant};
use tests::{
    api::Api,
    browser::{Browser, Scroll},
    many_jobs,
    server::Setup,
};

const JOBS: usize = 100_000;
/// Timed requests of each kind, after some that aren't.
const ROUNDS: usize = 40;
const WARM_UP: usize = 3;

/// Goals: milliseconds of the 95th percentile, bytes of a page as it is sent to a browser, milliseconds a frame.
const GOAL_MS: f64 = 100.0;
const GOAL_BYTES: usize = 50_000;
const GOAL_FRAME_MS: f64 = 8.0;

/// What is asked, and its name in the table.
const KINDS: [(&str, &str); 24] = [
    ("first page", ""),
    ("sorted, oldest first", "sort=created_at"),
    ("sorted by name", "sort=name"),
    ("sorted by name, descending", "sort=-name"),
    ("sorted by status", "sort=status"),
    ("sorted by base model", "sort=base_model"),
    ("completed", "status=succeeded"),
    ("failed or cancelled", "status=failed,cancelled"),
    ("paused, by name", "status=paused&sort=name"),
    ("running: none", "status=running,pausing"),
    ("running: none, by name", "status=running,pausing&sort=name"),
    ("one base model", "model=qwen2-0.5b"),
    (
        "one base model, failed, by name",
        "model=qwen2-0.5b&status=failed&sort=name",
    ),
    ("a base model that no job has", "model=no-such-model"),
    (
        "a span of time",
        "created_from=2020-01-01T00:00:00Z&created_to=2100-01-01T00:00:00Z&sort=name",
    ),
    ("search: most jobs", "q=a"),
    ("search: a twelfth", "q=triage"),
    ("search: one job", "q=-77777"),
    ("search: one job, by status", "q=-77777&sort=status"),
    ("search: none", "q=no-such-job"),
    ("search: none, by base model", "q=no-such-job&sort=base_model"),
    (
        "search, status, model and order",
        "q=legal&status=failed&model=attune-tiny&sort=-name",
    ),
    ("from the middle", "offset=50000"),
    ("the last page, by name", "offset=99950&sort=name"),
];

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = env::args()
        .nth(1)
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS);
    let setup = Setup::new();
    let start = Instant::now();
    many_jobs::fill(&setup, JOBS).await;
    println!(
        "{JOBS} jobs put into the tables in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    println!(
        "\n{:<34} {:>8} {:>8} {:>10} {:>10}",
        "GET /api/jobs", "p50 ms", "p95 ms", "bytes", "brotli"
    );
    let (mut slowest, mut largest) = (0.0_f64, 0);
    for (name, query) in KINDS {
        let path = format!("/api/jobs?{query}");
        let mut times = Vec::with_capacity(rounds);
        let mut bytes = 0;
        for round in 0..rounds + WARM_UP {
            let start = Instant::now();
            bytes = length(&api, &path, "identity").await;
            if round >= WARM_UP {
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
        }
        let compressed = length(&api, &path, "br").await;
        times.sort_by(f64::total_cmp);
        let (p50, p95) = (at(&times, 0.5), at(&times, 0.95));
        println!("{name:<34} {p50:>8.1} {p95:>8.1} {bytes:>10} {compressed:>10}");
        slowest = slowest.max(p95);
        largest = largest.max(bytes);
    }
    let pages = slowest <= GOAL_MS && largest <= GOAL_BYTES;
    println!(
        "slowest p95 {slowest:.1} ms (goal {GOAL_MS}), largest page {largest} bytes (goal {GOAL_BYTES})"
    );

    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.shows(&many_jobs::name(JOBS - 1)).await;
    println!(
        "\n{:<34} {:>8} {:>10} {:>8} {:>8} {:>7} {:>6}",
        "scrolling, main thread a frame", "frames", "ms", "scripts", "layout", "> 50 ms", "rows"
    );
    let mut frame = 0.0_f64;
    for (name, pixels, frames) in [
        ("slowly: 40 pixels a frame", 40.0, 600),
        ("flung: 400 pixels a frame", 400.0, 600),
    ] {
        frame = frame.max(tell(name, browser.scroll(pixels, frames).await));
    }
    browser.script("scrollTo(0, 0)").await;
    browser.shows(&many_jobs::name(JOBS - 1)).await;
    frame = frame.max(tell(
        "end to end: 2,000 pixels a frame",
        browser.scroll(2_000.0, 100_000).await,
    ));
    browser.shows(&many_jobs::name(0)).await;
    println!(
        "dearest scroll {frame:.2} ms a frame (goal {GOAL_FRAME_MS}); the last row was reached and shown"
    );
    browser.no_errors().await;
    browser.quit().await;
    if pages && frame <= GOAL_FRAME_MS {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The bytes of an answer as they come over the wire.
async fn length(api: &Api, path: &str, encoding: &str) -> usize {
    let request = api.request(Method::GET, path).header(ACCEPT_ENCODING, encoding);
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.bytes().await.expect("a body").len()
}

/// The value below which that share of them lies.
fn at(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

fn tell(name: &str, scroll: Scroll) -> f64 {
    let each = |seconds: f64| seconds * 1000.0 / scroll.frames.max(1) as f64;
    println!(
        "{name:<34} {:>8} {:>10.2} {:>8.2} {:>8.2} {:>7} {:>6}",
        scroll.frames,
        each(scroll.cost.tasks),
        each(scroll.cost.scripts),
        each(scroll.cost.layout),
        scroll.long_tasks,
        scroll.most_rows
    );
    each(scroll.cost.tasks)
}
