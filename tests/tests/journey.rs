//! The main journey in a real browser: from the printed address to an adapter on disk.

use serde_json::Value;
use shared::{id::JobId, metrics::Series, status::JobStatus};
use std::{
    io::{Cursor, Read},
    time::Duration,
};
use tests::{api::Api, browser::Browser, server::Server};
use zip::ZipArchive;

/// What the example job may take on two cores.
const EXAMPLE_JOB_MS: i64 = 4 * 60 * 1000;

#[tokio::test]
async fn the_first_job_from_the_printed_address_to_an_adapter() {
    let server = Server::new().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    assert!(
        !browser
            .script("return location.href + document.title")
            .await
            .to_string()
            .contains("token")
    );
    browser.shows("No jobs yet").await;
    browser.photograph_all("dashboard-empty").await;
    browser.reload().await;
    browser.shows("No jobs yet").await;

    browser.click("New job").await;
    browser.fill_setup("support-triage").await;
    browser.photograph_all("wizard-setup").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.photograph_all("wizard-configure").await;
    let epochs = browser.value("Epochs").await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    browser.shows("support-triage").await;
    browser.photograph_all("wizard-review").await;
    let id = JobId::new(browser.start_job().await);
    let api = Api::signed_in(&server).await;

    // The curve grows by itself; a reload in the middle loses nothing and doubles nothing.
    for section in [
        "Progress",
        "Training metrics",
        "Checkpoints",
        "Hyperparameters",
        "Events",
    ] {
        browser.section(section).await;
    }
    let minutes = Duration::from_secs(120);
    browser
        .until_within(minutes, "the curve has ten points", async || {
            browser.points().await >= 10
        })
        .await;
    let before = browser.points().await;
    browser
        .until_within(minutes, "the curve grows", async || {
            browser.points().await >= before + 10
        })
        .await;
    browser.photograph_all("job-training").await;
    let before = browser.points().await;
    browser.reload().await;
    browser
        .until("the curve is back, whole", async || {
            browser.points().await >= before
        })
        .await;
    let stored = api.steps(&id, Series::TrainLoss).await;
    assert!(browser.points().await <= api.steps(&id, Series::TrainLoss).await.len() as u64);
    assert_eq!(stored, (1..=stored.len() as u64).collect::<Vec<_>>());
    assert_eq!(
        api.job(&id).await.status,
        JobStatus::Running,
        "the reload was in the middle"
    );
    browser.no_errors().await;

    let patience = Duration::from_secs(420);
    browser
        .until_within(patience, "it completes", async || {
            browser.text().await.contains("Completed")
        })
        .await;
    let job = api.job(&id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(job.epochs.map(|epochs| epochs.to_string()), Some(epochs));
    let took = job.finished_at.expect("it ended").unix_ms() - job.started_at.expect("it started").unix_ms();
    assert!(took <= EXAMPLE_JOB_MS, "the example job took {took} ms");
    let steps = job.progress.expect("it trained").total_steps;
    browser
        .until("the chart has every step", async || {
            browser.points().await == steps
        })
        .await;
    assert_eq!(
        api.steps(&id, Series::TrainLoss).await,
        (1..=steps).collect::<Vec<_>>()
    );
    let checkpoints = api.checkpoints(&id).await;
    assert_eq!(checkpoints.first().map(|checkpoint| checkpoint.step), Some(steps));
    let listed = browser.section("Checkpoints").await.text().await.expect("text");
    assert!(
        checkpoints
            .iter()
            .all(|kept| listed.contains(&kept.step.to_string())),
        "{listed}"
    );
    browser.photograph_all("job-completed").await;

    browser.click("Download adapter").await;
    let zip = browser.downloaded(".zip").await;
    let mut zip = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut config = String::new();
    zip.by_name("adapter_config.json")
        .expect("PEFT's configuration")
        .read_to_string(&mut config)
        .expect("text");
    let config: Value = serde_json::from_str(&config).expect("JSON");
    assert_eq!(config["peft_type"], "LORA");
    let weights = zip
        .by_name("adapter_model.safetensors")
        .expect("PEFT's weights")
        .size();
    assert!(weights > 10_000, "{weights} bytes");

    // Deleting asks first.
    browser.follow("/jobs").await;
    browser.photograph_all("jobs-one").await;
    browser.click("Delete support-triage").await;
    browser.photograph("dialog-delete").await;
    browser.click("Cancel").await;
    browser.gone("button", "Delete").await;
    browser.click("Delete support-triage").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete support-triage").await;
    browser.reload().await;
    browser.action("New job").await;
    assert!(
        !browser.text().await.contains("support-triage\n"),
        "it is gone for good"
    );
    api.get(&format!("/api/jobs/{id}")).await.problem(404);
    browser.no_errors().await;
    browser.quit().await;
}
