//! The turn of jobs that wait, as their owner orders it from their pages.

use serde_json::json;
use shared::{
    job::{Job, NewJob},
    status::JobStatus,
};
use tests::{api::Api, browser::Browser, server::Server};

#[tokio::test]
async fn waiting_jobs_are_ordered_from_their_own_pages() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let short = api.new_job("short", 12, 1).await;
    let first = api.create_job(&short).await;
    assert_eq!(api.ended(&first.id).await.status, JobStatus::Succeeded);
    let named = |name: &str| NewJob {
        name: name.into(),
        ..short.clone()
    };
    let endless = NewJob {
        epochs: 50,
        batch_size: Some(1),
        ..named("endless")
    };
    let running = api.create_job(&endless).await;
    let mut waiting = Vec::new();
    for name in ["one", "two", "three"] {
        waiting.push(api.create_job(&named(name)).await);
    }
    let place = async |job: &Job| api.job(&job.id).await.queue_position;

    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser
        .goto(&format!("{}/jobs/{}", server.address, waiting[2].id))
        .await;
    browser.shows("Waiting for a trainer · 3rd in the queue").await;
    // One job with this base model has succeeded, so there is something to go by.
    browser.shows("likely to start in").await;
    browser.photograph_all("job-queued").await;
    browser.click("Run earlier").await;
    browser.shows("Waiting for a trainer · 2nd in the queue").await;
    browser.click("Run first").await;
    browser.shows("Waiting for a trainer · next in line").await;
    browser.choose("Priority", "Low").await;
    browser.shows("Waiting for a trainer · 3rd in the queue").await;
    // A move goes no further than the priority reaches.
    browser.click("Run first").await;
    assert_eq!(place(&waiting[2]).await, Some(2));

    // It is the server's to remember.
    browser.reload().await;
    browser.holds("Priority", "low").await;
    browser.choose("Priority", "High").await;
    browser.shows("Waiting for a trainer · next in line").await;
    assert_eq!(place(&waiting[0]).await, Some(1));

    // What has had its turn has none to change, in the page or behind it.
    browser
        .goto(&format!("{}/jobs/{}", server.address, running.id))
        .await;
    browser.button("Pause").await;
    assert!(!browser.has("button", "Run first").await);
    let request = api.request(reqwest::Method::PATCH, &format!("/api/jobs/{}", running.id));
    let refused = api.send(request.json(&json!({"priority": "high"}))).await;
    assert_eq!(refused.problem(409).code, "job_not_waiting");
    browser.no_errors().await;
    browser.quit().await;
}
