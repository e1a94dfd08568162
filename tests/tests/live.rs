//! A job's page and its stream: the record is asked for once, and what the stream tells goes on from it.

use serde_json::json;
use shared::{id::JobId, status::JobStatus};
use tests::{
    api::{Api, TRAINING},
    browser::Browser,
    openai_console::account,
    openai_server::Habits,
    server::Server,
};

async fn asked(browser: &Browser, id: &JobId, part: &str) -> u64 {
    browser.asked(&format!("/api/jobs/{id}/{part}")).await
}

async fn has_points(browser: &Browser, count: u64) {
    browser
        .until(&format!("the curve has {count} points"), async || {
            browser.points().await == count
        })
        .await;
}

#[tokio::test]
async fn a_jobs_page_asks_for_each_part_of_its_record_once() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let id = api.create_job(&api.new_job("followed", 96, 30).await).await.id;
    api.until(&id, "it trains", |job| {
        job.progress.as_ref().is_some_and(|progress| progress.step > 5)
    })
    .await;
    // It stands still while its page opens: what a checkpoint or an end lets the page ask for again doesn't count.
    let act = |action: &str| format!("/api/jobs/{id}/{action}");
    api.post(&act("pause"), &json!({})).await;
    api.until(&id, "it is paused", |job| job.status == JobStatus::Paused)
        .await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.note_requests().await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    browser
        .until("the curve is there", async || browser.points().await > 5)
        .await;
    browser
        .until("the stream is open", async || {
            asked(&browser, &id, "stream").await == 1
        })
        .await;
    for part in ["metrics", "events", "checkpoints", "attempts", "timeline"] {
        assert_eq!(asked(&browser, &id, part).await, 1, "{part}");
    }
    let places = browser.places().await;
    assert!(
        places[0].parse::<u64>().is_ok_and(|place| place > 0),
        "it goes on from where the job was: {places:?}"
    );

    let before = browser.points().await;
    api.post(&act("resume"), &json!({})).await;
    browser
        .until_within(TRAINING, "the stream tells more of it", async || {
            browser.points().await >= before + 5
        })
        .await;
    browser.no_errors().await;
}

#[tokio::test]
async fn a_gap_between_two_steps_is_no_loss_and_what_nobody_followed_is_fetched() {
    let (upstream, server, api) = account(Habits::default()).await;
    let id = JobId::new(upstream.add_job("sparse", "running"));
    let step = |step| upstream.step(id.as_str(), step, 2.0, None);
    step(10);
    step(20);
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.note_requests().await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    has_points(&browser, 2).await;
    browser
        .until("the stream is open", async || {
            asked(&browser, &id, "stream").await == 1
        })
        .await;
    for (next, count) in [(30, 3), (40, 4), (50, 5)] {
        step(next);
        has_points(&browser, count).await;
    }
    assert_eq!(
        asked(&browser, &id, "metrics").await,
        1,
        "a step that comes is told"
    );

    let live = browser.control("switch", "Live").await;
    live.click().await.expect("a switch");
    step(60);
    api.until(&id, "the console knows of it", |job| {
        job.progress.as_ref().is_some_and(|progress| progress.step == 60)
    })
    .await;
    assert_eq!(browser.points().await, 5, "nobody follows");
    live.click().await.expect("a switch");
    has_points(&browser, 6).await;
    step(70);
    has_points(&browser, 7).await;
    assert_eq!(
        asked(&browser, &id, "metrics").await,
        2,
        "once for what was missed"
    );
    browser.no_errors().await;
}
