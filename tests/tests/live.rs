//! A job's page and its stream: the record is asked for once, and what the stream tells goes on from it.
#![expect(clippy::expect_used, reason = "what fails here is the test")]

use shared::id::JobId;
use tests::{
    api::{Api, TRAINING},
    browser::Browser,
    server::Server,
};

async fn asked(browser: &Browser, id: &JobId, part: &str) -> u64 {
    browser.asked(&format!("/api/jobs/{id}/{part}")).await
}

#[tokio::test]
async fn a_running_jobs_page_asks_for_each_part_of_its_record_once() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let id = api.create_job(&api.new_job("followed", 96, 30).await).await.id;
    api.until(&id, "it trains", |job| {
        job.progress.as_ref().is_some_and(|progress| progress.step > 5)
    })
    .await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.note_requests().await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    browser
        .until("the curve is there", async || browser.points().await > 5)
        .await;
    let before = browser.points().await;
    browser
        .until_within(TRAINING, "the stream tells more of it", async || {
            browser.points().await >= before + 5
        })
        .await;
    for part in [
        "metrics",
        "events",
        "checkpoints",
        "attempts",
        "timeline",
        "stream",
    ] {
        assert_eq!(asked(&browser, &id, part).await, 1, "{part}");
    }
    let places = browser.places().await;
    assert!(
        places[0].parse::<u64>().is_ok_and(|place| place > 0),
        "it goes on from where the job was: {places:?}"
    );
    browser.no_errors().await;
}
