//! Pausing, stopping, trying again, as a user does it: paused means saved, and whatever happens in between, the curve has
//! every step once and the adapter the bytes of a run that nobody touched.

use rustix::process::Signal;
use shared::{
    attempt::{AttemptList, AttemptOutcome, FailureCause},
    id::JobId,
    job::{Job, JobList, NewJob},
    metrics::Series,
    status::JobStatus,
};
use std::time::Duration;
use tests::{
    api::{Api, TRAINING},
    browser::Browser,
    process_tree,
    server::{Server, Setup},
};
use tokio::time::interval;

fn step(job: &Job) -> u64 {
    job.progress.as_ref().map_or(0, |progress| progress.step)
}

async fn attempts(api: &Api, id: &JobId) -> AttemptList {
    api.get(&format!("/api/jobs/{id}/attempts")).await.expect(200)
}

#[tokio::test]
async fn a_job_paused_in_one_tab_and_resumed_in_another_over_a_restart_is_one_unbroken_curve() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("paused-often", 96, 30).await;
    let total = 360;
    let id = api.create_job(&body).await.id;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let page = format!("{}/jobs/{id}", server.address);
    browser.goto(&page).await;
    browser
        .until_within(TRAINING, "the curve has ten points", async || {
            browser.points().await >= 10
        })
        .await;
    assert!(
        !browser.text().await.contains("Reconnecting"),
        "an open stream isn't being reconnected"
    );
    browser.click("Pause").await;
    let job = api
        .until(&id, "it pauses", |job| job.status == JobStatus::Paused)
        .await;
    let saved = api.checkpoints(&id).await;
    assert_eq!(
        saved.first().map(|newest| newest.step),
        Some(step(&job)),
        "paused means saved"
    );
    browser.shows("Paused · step").await;
    browser.photograph_all("job-paused").await;

    // Another tab, and the first is gone.
    browser.new_tab().await;
    browser.goto(&page).await;
    browser.action("Resume").await;
    browser.tab(0).await;
    browser.close_tab().await;
    browser.click("Resume").await;
    let before = step(&job) + 10;
    browser
        .until_within(TRAINING, "the curve goes on", async || {
            browser.points().await >= before
        })
        .await;

    // The server, in the midst of it.
    let server = server.kill().await.start().await;
    let api = Api::signed_in(&server).await;
    let before = browser.points().await + 10;
    browser
        .until_within(TRAINING, "the curve goes on by itself", async || {
            browser.points().await >= before
        })
        .await;
    browser
        .until("the stream is back", async || {
            !browser.text().await.contains("Reconnecting")
        })
        .await;
    let marks = browser
        .script("return document.querySelectorAll('.attempt-mark').length")
        .await;
    assert!(
        marks.as_u64().unwrap() >= 1,
        "each new attempt is marked: {marks}"
    );
    browser.photograph_all("job-resumed").await;

    let job = api
        .until(&id, "it completes", |job| job.status.is_terminal())
        .await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.failure);
    browser
        .until("the chart has every step", async || {
            browser.points().await == total
        })
        .await;
    assert_eq!(
        api.steps(&id, Series::TrainLoss).await,
        (1..=total).collect::<Vec<_>>(),
        "no step is missing, none is there twice"
    );
    let outcomes: Vec<_> = attempts(&api, &id)
        .await
        .attempts
        .into_iter()
        .map(|attempt| attempt.outcome.unwrap())
        .collect();
    assert_eq!(
        outcomes,
        [AttemptOutcome::Paused, AttemptOutcome::Lost, AttemptOutcome::Done]
    );

    let alone = NewJob {
        name: "left-alone".into(),
        ..body
    };
    let alone = api.create_job(&alone).await;
    let alone = api.ended(&alone.id).await;
    assert_eq!(
        api.adapter(&job).await,
        api.adapter(&alone).await,
        "the same adapter, byte for byte"
    );
    browser.quit().await;
}

#[tokio::test]
async fn a_stopped_job_keeps_what_it_has_and_a_retry_from_its_checkpoint_goes_on_to_the_whole() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("stopped", 96, 20).await;
    let id = api.create_job(&body).await.id;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    browser
        .until_within(TRAINING, "the curve has ten points", async || {
            browser.points().await >= 10
        })
        .await;
    browser.click("Stop and keep").await;
    browser.photograph("dialog-stop").await;
    browser.click("Yes, stop and keep").await;
    let stopped = api.until(&id, "it stops", |job| job.status.is_terminal()).await;
    assert_eq!((stopped.status, stopped.stopped), (JobStatus::Succeeded, true));
    let at = step(&stopped);
    assert!(at < 240, "it ended early: {at}");
    browser.shows("Stopped early").await;
    browser.photograph_all("job-stopped").await;
    assert_eq!(api.adapter(&stopped).await.len(), 2);

    browser.click(&format!("Retry from step-{at}")).await;
    browser.shows("Retry of").await;
    let path = browser.path().await;
    let retried = JobId::new(path.rsplit('/').next().unwrap());
    let retried = api.ended(&retried).await;
    assert_eq!(retried.parent.as_ref(), Some(&id));
    let every: Vec<u64> = (1..=240).collect();
    assert_eq!(api.steps(&retried.id, Series::TrainLoss).await, every);

    let alone = NewJob {
        name: "left-alone".into(),
        seed: retried.hyperparameters.as_ref().and_then(|chosen| chosen.seed),
        ..body
    };
    let alone = api.create_job(&alone).await;
    let alone = api.ended(&alone.id).await;
    assert_eq!(api.adapter(&retried).await, api.adapter(&alone).await);
    browser.no_errors().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_stopped_process_is_noticed_and_its_job_goes_on() {
    let setup = Setup::new().with("ATTUNE_ENGINE__SILENCE_MS", "3000");
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("stopped-process", 96, 20).await;
    let id = api.create_job(&body).await.id;
    api.until(&id, "it trains", |job| step(job) >= 5).await;
    process_tree::signal(server.trainer().unwrap(), Signal::STOP);
    let job = api.ended(&id).await;
    assert_eq!((job.status, job.attempt), (JobStatus::Succeeded, 2));
    let first = &attempts(&api, &id).await.attempts[0];
    assert_eq!(first.outcome, Some(AttemptOutcome::Died));
    assert!(
        first.message.as_ref().unwrap().contains("told nothing"),
        "{first:?}"
    );
    assert_eq!(
        api.steps(&id, Series::TrainLoss).await,
        (1..=240).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_trainer_that_is_killed_again_and_again_fails_its_job_with_a_card_that_says_what_to_do() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let mut body = api.new_job("unlucky", 400, 5).await;
    body.batch_size = Some(1);
    let id = api.create_job(&body).await.id;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    let mut ticks = interval(Duration::from_millis(20));
    while !api.job(&id).await.status.is_terminal() {
        ticks.tick().await;
        if let Some(trainer) = server.trainer() {
            process_tree::signal(trainer, Signal::KILL);
        }
    }
    let failure = api.job(&id).await.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.cause),
        ("trainer_died", Some(FailureCause::Signal))
    );
    browser.shows("This job failed").await;
    browser.shows("Trying again may be enough").await;
    browser.photograph_all("job-failed").await;
    // Pressed twice it is one job all the same.
    let retry = browser.button("Retry").await;
    browser
        .script_on("arguments[0].click(); arguments[0].click();", &retry)
        .await;
    browser.shows("Retry of").await;
    let list: JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!(list.jobs.len(), 2, "{list:?}");
    browser.no_errors().await;
    browser.quit().await;
}
