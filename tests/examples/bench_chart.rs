//! `cargo xtask bench chart`: a chart of 1,000,000 steps with 1,000 planted one-sample spikes, at the server and in Chromium, beside
//! uPlot, which is given all points; and the comparison of 50 jobs of 10,000 steps under a moving pointer.
//!
//! A spike counts as visible where the drawn line reaches its height within 1.5 pixels of its place.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

use serde_json::Value;
use shared::{id::JobId, job::JobList};
use std::{env, fs, process::ExitCode, time::Instant};
use tests::{
    api::Api,
    browser::Browser,
    many_steps,
    server::{Server, Setup},
};

const STEPS: u64 = 1_000_000;
const JOBS: usize = 50;
const STEPS_EACH: u64 = 10_000;
const GOAL_PAINT_MS: f64 = 300.0;
const GOAL_ZOOM_MS: f64 = 100.0;
const GOAL_FRAME_MS: f64 = 16.0;
const ROUNDS: usize = 5;

/// Shown parts of the run: name, first and last step.
const LEVELS: [(&str, u64, u64); 7] = [
    ("whole", 1, STEPS),
    ("a half", 250_000, 750_000),
    ("a tenth", 400_000, 500_000),
    ("a fiftieth", 700_000, 720_000),
    ("a hundredth", 123_000, 133_000),
    ("a five-hundredth", 900_000, 902_000),
    ("a five-thousandth", 55_000, 55_200),
];

#[tokio::main]
async fn main() -> ExitCode {
    let uplot = env::args().nth(1).expect("the path of uPlot's script");
    let setup = Setup::new();
    let start = Instant::now();
    many_steps::fill(&setup, 1, STEPS).await;
    println!(
        "{STEPS} steps put into the tables in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let id = jobs(&api).await.remove(0);
    at_the_server(&api, &id).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let visible = spikes(&browser, &server, &id).await;
    let (paint, zoom) = drawing(&browser, &server, &id).await;
    let (their_paint, their_zoom) = peer(&browser, &uplot).await;
    println!(
        "\n{:<34} {:>10} {:>10} {:>8} {:>8}",
        "1,000,000 points in Chromium", "Attune", "uPlot", "ratio", "goal"
    );
    for (what, ours, theirs, goal) in [
        ("first paint, ms", paint, their_paint, GOAL_PAINT_MS),
        ("zoom to the finer points, ms", zoom, their_zoom, GOAL_ZOOM_MS),
    ] {
        println!(
            "{what:<34} {ours:>10.0} {theirs:>10.0} {:>8.2} {goal:>8.0}",
            ours / theirs
        );
    }
    drop(browser);
    drop(server);
    let frame = comparison().await;
    println!(
        "\ncomparison of {JOBS} jobs of {STEPS_EACH} steps: {frame:.1} ms of main thread a frame under a moving pointer (goal {GOAL_FRAME_MS})"
    );
    let good = visible && paint <= GOAL_PAINT_MS && zoom <= GOAL_ZOOM_MS && frame <= GOAL_FRAME_MS;
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn jobs(api: &Api) -> Vec<JobId> {
    let list: JobList = api.get("/api/jobs?limit=100").await.expect(200);
    list.jobs.into_iter().map(|job| job.id).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn at_the_server(api: &Api, id: &JobId) {
    let path = |from: u64, to: u64| format!("/api/jobs/{id}/metrics?points=800&from={from}&to={to}");
    let timed = async |path: &str| {
        let start = Instant::now();
        assert!(api.get(path).await.status.is_success());
        start.elapsed().as_secs_f64() * 1000.0
    };
    let first = timed(&path(1, STEPS)).await;
    println!("\n{:<34} {:>10}", "GET /api/jobs/ID/metrics", "p50 ms");
    println!("{:<34} {first:>10.0}", "whole, the first time of all");
    for (name, from, to) in LEVELS {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            times.push(timed(&path(from, to)).await);
        }
        println!("{name:<34} {:>10.1}", median(times));
    }
}

/// Runs a script that answers a promise of a number.
async fn number(browser: &Browser, script: &str) -> f64 {
    let answer = browser.script(script).await;
    answer.as_f64().expect("a number")
}

/// Whether every planted spike can be seen at every level, on the geometry that is drawn.
async fn spikes(browser: &Browser, server: &Server, id: &JobId) -> bool {
    println!("\n{:<34} {:>10} {:>10}", "spikes", "planted", "visible");
    let mut all = true;
    for (name, from, to) in LEVELS {
        let address = format!("{}/jobs/{id}?from={from}&to={to}&smoothing=0", server.address);
        browser.goto(&address).await;
        browser
            .until("the finer points are drawn", async || {
                let path = browser
                    .script("return document.querySelector('.line-raw')?.getAttribute('d') ?? ''")
                    .await;
                let badge = browser
                    .script("return document.querySelector('.chart-badge')?.textContent ?? ''")
                    .await;
                let total = badge.as_str().and_then(|badge| {
                    badge
                        .split(" of ")
                        .nth(1)?
                        .split(' ')
                        .next()?
                        .replace(',', "")
                        .parse()
                        .ok()
                });
                path.as_str().is_some_and(|path| path.len() > 100) && total == Some(to - from + 1)
            })
            .await;
        let path = browser
            .script("return document.querySelector('.line-raw').getAttribute('d')")
            .await;
        let width = number(
            browser,
            "return Number(document.querySelector('.line-chart-base').getAttribute('width'))",
        )
        .await;
        let points = points(path.as_str().expect("a path"));
        let top = points.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
        let (left, right) = (46.0, width - 14.0);
        let planted: Vec<u64> = (0..STEPS / many_steps::APART)
            .map(many_steps::spike)
            .filter(|step| (from..=to).contains(step))
            .collect();
        let seen = planted.iter().filter(|step| {
            let x = left + (**step - from) as f64 / (to - from) as f64 * (right - left);
            let start = points.partition_point(|(at, _)| *at < x - 1.5);
            points[start..]
                .iter()
                .take_while(|(at, _)| *at <= x + 1.5)
                .any(|(_, y)| *y <= top + 0.6)
        });
        let seen = seen.count();
        println!("{name:<34} {:>10} {seen:>10}", planted.len());
        all &= seen == planted.len();
    }
    all
}

/// The points of a path of `M` and `L`.
fn points(path: &str) -> Vec<(f64, f64)> {
    let pairs = path.split(['M', 'L']).filter_map(|pair| {
        let (x, y) = pair.split_once(' ')?;
        Some((x.parse().ok()?, y.parse().ok()?))
    });
    pairs.collect()
}

/// From a click on a job's link to its drawn chart, and from a drag to the finer points, medians.
async fn drawing(browser: &Browser, server: &Server, id: &JobId) -> (f64, f64) {
    let (mut paints, mut zooms) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        browser.goto(&format!("{}/jobs", server.address)).await;
        browser.find_css(&format!("a[href='/jobs/{id}']")).await;
        let paint = format!(
            "return new Promise((done) => {{
                const begin = performance.now();
                const look = () => {{
                    const path = document.querySelector('.line-raw')?.getAttribute('d') ?? '';
                    if (path.length < 1000) return requestAnimationFrame(look);
                    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
                }};
                document.querySelector(\"a[href='/jobs/{id}']\").click();
                requestAnimationFrame(look);
            }});"
        );
        let paint = number(browser, &paint).await;
        let zoom = "const place = document.querySelector('.line-chart-overlay'), box = place.getBoundingClientRect();
            place.setPointerCapture = () => {};
            const event = (kind, at) => place.dispatchEvent(new PointerEvent(kind, {bubbles: true, pointerType: 'mouse', pointerId: 1,
                button: 0, clientX: box.left + 46 + at * (box.width - 60), clientY: box.top + 90}));
            const drawn = () => new Promise((done) => setTimeout(done));
            return (async () => {
                event('pointerdown', 0.4); await drawn(); event('pointermove', 0.5); await drawn();
                const badge = () => document.querySelector('.chart-badge').textContent;
                const before = badge(), begin = performance.now();
                event('pointerup', 0.5);
                while (badge() === before) await new Promise(requestAnimationFrame);
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
                return performance.now() - begin;
            })();";
        let zoom = number(browser, zoom).await;
        // The first round fetches the page's code.
        if round > 0 {
            paints.push(paint);
            zooms.push(zoom);
        }
    }
    (median(paints), median(zooms))
}

/// The same of uPlot, given every point at once.
async fn peer(browser: &Browser, script: &str) -> (f64, f64) {
    let script = fs::read_to_string(script).expect("uPlot's script");
    browser.goto("about:blank").await;
    let load = format!("{script}; window.uPlot = uPlot;");
    browser.script(&load).await;
    let measure = format!(
        "const steps = Float64Array.from({{length: {STEPS}}}, (_, index) => index + 1);
        const losses = steps.map((step) => step === Math.floor(step / 1000) * 1000 + 50 + (Math.floor(step / 1000) * 7919) % 900
            ? 40 : 0.5 + 2 * ({STEPS} - step) / {STEPS} + (step * 7919 % 1000) / 1000);
        const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return (async () => {{
            const paints = [], zooms = [];
            for (let round = 0; round < {ROUNDS}; round += 1) {{
                const host = document.body.appendChild(document.createElement('div'));
                let begin = performance.now();
                const chart = new uPlot({{width: 740, height: 282, scales: {{x: {{time: false}}}}, series: [{{}}, {{stroke: 'blue'}}]}},
                    [steps, losses], host);
                await painted();
                paints.push(performance.now() - begin);
                begin = performance.now();
                chart.setScale('x', {{min: 400000, max: 500000}});
                await painted();
                zooms.push(performance.now() - begin);
                chart.destroy();
                host.remove();
            }}
            return [paints, zooms];
        }})();"
    );
    let answer = browser.script(&measure).await;
    let times = |index: usize| {
        let times = answer[index]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_f64);
        median(times.collect())
    };
    (times(0), times(1))
}

/// Milliseconds of the main thread a frame while a pointer moves over the comparison of many jobs.
async fn comparison() -> f64 {
    let setup = Setup::new();
    many_steps::fill(&setup, JOBS, STEPS_EACH).await;
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let ids: Vec<String> = jobs(&api).await.iter().map(ToString::to_string).collect();
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .goto(&format!("{}/compare?jobs={}", server.address, ids.join(",")))
        .await;
    browser
        .until("every job is drawn", async || {
            browser
                .script("return document.querySelectorAll('.line-chart-base .line-raw').length")
                .await
                .as_u64()
                >= Some(JOBS as u64)
        })
        .await;
    let before = browser.main_thread().await;
    let frames = number(
        &browser,
        "const place = document.querySelector('.line-chart-overlay'), box = place.getBoundingClientRect();
        return new Promise((done) => {
            let frame = 0;
            const move = () => {
                place.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, pointerType: 'mouse', pointerId: 1,
                    clientX: box.left + 60 + (frame * 7) % (box.width - 80), clientY: box.top + 60 + frame % 150}));
                frame += 1;
                if (frame < 200) requestAnimationFrame(move); else requestAnimationFrame(() => done(frame));
            };
            requestAnimationFrame(move);
        });",
    )
    .await;
    let after = browser.main_thread().await;
    (after.tasks - before.tasks) * 1000.0 / frames
}
