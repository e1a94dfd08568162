//! The dashboard in a real browser: what ended this week, when the next job starts, and what the month costs.

use shared::{job::Job, status::JobStatus};
use std::time::Duration;
use tests::{
    api::Api,
    browser::Browser,
    server::{Server, Setup},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a tile says, by the status that it is of.
async fn tile(browser: &Browser, status: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('a.tile')].find(tile => tile.textContent.startsWith('{status}'))?.textContent ?? ''"
    );
    browser.script_text(&script).await
}

async fn trained(api: &Api, name: &str) -> Job {
    let job = api.create_job(&api.new_job(name, 40, 2).await).await;
    let job = api.ended(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job
}

#[tokio::test]
async fn whoever_comes_back_asks_for_each_thing_once() {
    let server = Server::new().await;
    trained(&Api::signed_in(&server).await, "first").await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.note_requests().await;
    browser.reload().await;
    browser
        .until("the dashboard is there", async || {
            tile(&browser, "Queued").await == "Queued0"
        })
        .await;
    for path in ["/api/session", "/api/capabilities", "/api/jobs"] {
        assert_eq!(browser.asked(path).await, 1, "{path}");
    }
    browser.no_errors().await;
}

#[tokio::test]
async fn the_tiles_tell_the_week_and_when_the_next_job_starts() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    trained(&api, "first").await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .until("the week is told", async || {
            tile(&browser, "Completed").await == "Completed11 this week"
                && tile(&browser, "Failed").await == "Failed0none this week"
        })
        .await;
    assert_eq!(tile(&browser, "Queued").await, "Queued0", "nothing waits");
    assert!(!browser.text().await.contains("Spend in"), "no price is set");

    // A long one, and some that have to wait for it.
    let long = api.create_job(&api.new_job("long", 200, 50).await).await;
    let mut waiting = Vec::new();
    for number in 1..=4 {
        let body = api.new_job(&format!("waits-{number}"), 40, 1).await;
        waiting.push(api.create_job(&body).await);
    }
    browser
        .until_within(PATIENCE, "the start of the next is told", async || {
            tile(&browser, "Queued").await.contains("4first in ")
        })
        .await;
    browser
        .until_within(PATIENCE, "and in the page's head", async || {
            let told = browser.text().await;
            told.contains("1 job is training, 4 waiting. The next in the queue starts in about ")
        })
        .await;
    browser.is_accessible("dashboard with a queue").await;
    browser.photograph_all("dashboard-week").await;
    let running = browser.section("Running now").await.text().await.expect("text");
    assert!(
        running.contains("long") && !running.contains("waits"),
        "{running}"
    );
    for job in waiting.into_iter().chain([long]) {
        assert_eq!(
            api.post(&format!("/api/jobs/{}/cancel", job.id), &serde_json::json!({}))
                .await
                .status,
            200
        );
    }
    browser
        .until_within(PATIENCE, "nothing waits any more", async || {
            tile(&browser, "Queued").await == "Queued0"
        })
        .await;
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn what_the_month_costs_is_told_where_a_price_is_set() {
    let priced = Setup::new().with("ATTUNE_PRICE_PER_1000_TOKENS", "0.008 USD");
    let server = priced.start().await;
    let api = Api::signed_in(&server).await;
    let one = trained(&api, "one").await.trained_tokens.expect("it was counted");
    let two = trained(&api, "two").await.trained_tokens.expect("it was counted");
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let month = "return new Date().toLocaleString('en', {month: 'long'})";
    let month = browser.script(month).await.as_str().expect("a month").to_owned();
    let card = browser.section(&format!("Spend in {month}")).await;
    let told = card.text().await.expect("text");
    let micros = (one + two) * 8;
    let digits = if micros < 1_000_000 { 4 } else { 2 };
    let rounded = format!("{:.*}", digits, micros as f64 / 1e6);
    assert!(
        told.contains(&format!("${}", rounded.trim_end_matches('0'))),
        "{micros} {told}"
    );
    let is_first_day = browser.script("return new Date().getDate() === 1").await == true;
    assert_eq!(told.contains("by the end of the month"), !is_first_day, "{told}");
    browser.is_accessible("dashboard with a month's spend").await;
    browser.photograph_all("dashboard-spend").await;
    browser.no_errors().await;
    browser.quit().await;
}
