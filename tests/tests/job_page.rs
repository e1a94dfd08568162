//! What a job's page tells and gives: checkpoints to download, the timeline, what was reckoned and what it took, the cost,
//! and all of a long log.
#![expect(clippy::expect_used, reason = "what fails here is the test")]

use serde_json::Value;
use shared::{job::NewJob, status::JobStatus, timeline::Timeline};
use std::{
    fs,
    io::{Cursor, Read as _},
};
use tests::{
    api::{Api, TRAINING},
    browser::Browser,
    many_jobs,
    server::{Server, Setup},
};

async fn section(browser: &Browser, name: &str) -> String {
    browser.section(name).await.text().await.unwrap_or_default()
}

fn priced() -> Setup {
    Setup::new().with("ATTUNE_PRICE_PER_1000_TOKENS", "0.008 USD")
}

#[tokio::test]
async fn a_checkpoint_of_a_running_job_is_downloaded_as_it_lies_on_the_disk() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let id = api.create_job(&api.new_job("kept", 96, 30).await).await.id;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    api.until(&id, "it trains", |job| {
        job.progress.as_ref().is_some_and(|progress| progress.step > 5)
    })
    .await;
    // Saved by a pause; then it goes on, and the checkpoint is there beside it.
    browser.click("Pause").await;
    api.until(&id, "it pauses", |job| job.status == JobStatus::Paused)
        .await;
    let step = api.checkpoints(&id).await[0].step;
    browser.click("Resume").await;
    api.until(&id, "it goes on", |job| job.status == JobStatus::Running)
        .await;
    browser.click(&format!("Download step-{step}")).await;
    let zip = browser.downloaded(".zip").await;
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let folder = server
        .setup
        .data_dir()
        .join(format!("runs/{id}/checkpoints/step-{step}"));
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        let mut bytes = Vec::new();
        let mut file = zip.by_name(name).expect("PEFT's file");
        file.read_to_end(&mut bytes).expect("whole");
        assert_eq!(bytes, fs::read(folder.join(name)).expect("a file"), "{name}");
    }
    assert_eq!(zip.len(), 2);
    let gone = api
        .post(
            &format!("/api/jobs/{id}/checkpoints/{}/download", step + 1_000),
            &Value::Null,
        )
        .await
        .problem(404);
    assert!(gone.detail.is_some_and(|detail| detail.contains("checkpoint")));

    // The pause is a phase of its own.
    let timeline: Timeline = api.get(&format!("/api/jobs/{id}/timeline")).await.expect(200);
    let phases: Vec<_> = timeline.phases.iter().map(|phase| phase.status).collect();
    assert_eq!(
        phases,
        [
            JobStatus::ValidatingFiles,
            JobStatus::Queued,
            JobStatus::Running,
            JobStatus::Pausing,
            JobStatus::Paused,
            JobStatus::Queued,
            JobStatus::Running
        ]
    );
    browser
        .until("the page tells each", async || {
            let told = section(&browser, "Timeline").await;
            told.contains("Paused") && told.matches("Running").count() == 2
        })
        .await;
    browser.photograph_all("job-timeline").await;
    let last =
        "return [...document.querySelectorAll('.phases li')].at(-1).querySelector('.number').textContent";
    let before = browser.script(last).await;
    browser
        .until("the phase that goes on grows", async || {
            browser.script(last).await != before
        })
        .await;
    browser.no_errors().await;
}

#[tokio::test]
async fn what_a_job_costs_is_told_while_it_trains_and_what_it_took_beside_what_was_reckoned() {
    let server = priced().start().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("priced", 96, 12).await;
    let id = api.create_job(&body).await.id;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{id}", server.address)).await;
    let running = api
        .until(&id, "it has trained", |job| job.trained_tokens > Some(0))
        .await;
    assert_eq!(running.status, JobStatus::Running, "it is told on the way");
    browser
        .until_within(TRAINING, "the cost so far is told", async || {
            let told = section(&browser, "Cost").await;
            told.contains("So far") && told.contains('$') && !told.contains('–')
        })
        .await;
    let job = api.ended(&id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    let estimate = job.estimate.expect("it was reckoned");
    assert_eq!(job.trained_tokens, Some(estimate.trained_tokens), "exactly");
    let peak = job.peak_memory_bytes.expect("it was measured");
    // Both count what the trainer's process holds at its peak. A development build's code is 8 MB larger.
    let off = estimate.memory_bytes as f64 / peak as f64;
    assert!((0.7..1.4).contains(&off), "{peak} {estimate:?}");
    browser
        .until("the total is told", async || {
            section(&browser, "Cost").await.contains("Total")
        })
        .await;
    let cost = section(&browser, "Cost").await;
    let micros = estimate.trained_tokens * 8;
    let digits = if micros < 1_000_000 { 4 } else { 2 };
    let rounded = format!("{:.*}", digits, micros as f64 / 1e6);
    let shown = rounded.trim_end_matches('0');
    assert!(
        cost.contains(&format!("${shown}")) && cost.contains("$0.008"),
        "{cost}"
    );
    let table = section(&browser, "Estimate and actual").await;
    for told in [
        "Trained tokens",
        "Peak memory",
        "Cost",
        "Estimated",
        "Actual",
        "+0.0 %",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(!table.contains("Training time"), "no pace is known: {table}");
    browser.photograph_all("job-cost").await;

    // The next of its kind is told how long it will take.
    let next = NewJob {
        name: "priced-again".into(),
        ..body
    };
    let next = api.create_job(&next).await.id;
    let next = api.ended(&next).await;
    assert!(
        next.estimate
            .is_some_and(|estimate| estimate.duration_ms > Some(0))
    );
    browser
        .goto(&format!("{}/jobs/{}", server.address, next.id))
        .await;
    browser
        .until("the time is compared", async || {
            section(&browser, "Estimate and actual")
                .await
                .contains("Training time")
        })
        .await;
    browser.photograph_all("job-reckoning").await;
    browser.no_errors().await;
}

#[tokio::test]
async fn without_a_price_no_cost_is_told() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = api.create_job(&api.new_job("free", 40, 1).await).await;
    api.ended(&job.id).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser.section("Estimate and actual").await;
    assert!(!browser.has("region", "Cost").await);
    assert!(!section(&browser, "Estimate and actual").await.contains("Cost"));
}

/// Gives the one job of a stopped server a log of so many lines, each tenth a warning.
async fn write_log(setup: &Setup, lines: i64) {
    let mut database = setup.database().await;
    let statement = "INSERT INTO events (job_id, seq, owner, created_at, level, message) \
         WITH RECURSIVE n(line) AS (SELECT 1 UNION ALL SELECT line + 1 FROM n WHERE line < $1) \
         SELECT jobs.id, n.line, jobs.owner, jobs.created_at + n.line, \
                CASE WHEN n.line % 10 = 0 THEN 'warn' ELSE 'info' END, 'Line ' || n.line || ' of the log' FROM jobs CROSS JOIN n";
    sqlx::query(statement)
        .bind(lines)
        .execute(&mut database)
        .await
        .expect("a log");
    sqlx::query("UPDATE jobs SET last_seq = $1")
        .bind(lines)
        .execute(&mut database)
        .await
        .expect("a place");
    sqlx::Connection::close(database)
        .await
        .expect("a closed database");
}

#[tokio::test]
async fn a_long_log_is_read_to_its_beginning_and_searched_whole() {
    let setup = Setup::new();
    many_jobs::fill(&setup, 1).await;
    write_log(&setup, 450).await;
    let server = setup.start().await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.follow("/jobs").await;
    browser.click_css("tbody a").await;
    browser.shows("200 of 450 events").await;
    assert!(!section(&browser, "Events").await.contains("Line 250 "));
    browser.photograph_all("job-events").await;
    browser.click("Show older").await;
    browser.shows("400 of 450 events").await;
    browser.click("Show older").await;
    // Only then are all of them there: "400 of 450 events" has the words of "450 events".
    browser.gone("button", "Show older").await;
    browser.shows("450 events").await;
    let lines = "return [...document.querySelectorAll('.log li span')].map(line => line.textContent)";
    let lines = browser.script(lines).await;
    let lines = lines.as_array().expect("lines");
    assert_eq!(lines.len(), 450);
    assert_eq!(
        (&lines[0], &lines[449]),
        (&"Line 450 of the log".into(), &"Line 1 of the log".into())
    );

    // What is searched for is found wherever it stands.
    browser.fill("Search events", "LINE 7 ").await;
    browser.shows("Line 7 of the log").await;
    browser.shows("1 event").await;
    browser.fill("Search events", "").await;
    browser.choose("Level", "Warnings and errors").await;
    browser.shows("45 events").await;
    browser.no_errors().await;
}
