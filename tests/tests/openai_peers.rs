//! The console in front of real servers of OpenAI's fine-tuning API that aren't the tests' own: another Attune, and `FakeAI`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use serde_json::json;
use shared::{
    capabilities::Capabilities,
    dataset::{DatasetList, DatasetStatus},
    event::StreamMessage,
    id::JobId,
    job::{Job, JobList, NewJob},
    metrics::Series,
    run::{LoraSpec, Projection, Schedule},
    status::JobStatus,
};
use std::{env, net::TcpListener, path::PathBuf, process::Stdio, time::Duration};
use tests::{
    api::Api,
    browser::Browser,
    examples,
    openai_console::{console, setup},
    server::Server,
};
use tokio::{
    process::Command,
    time::{interval, timeout},
};

/// Far above what a job of either takes.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a stream tells until its end: the steps, the messages, the checkpoints.
async fn follow(api: &Api, id: &JobId) -> (Vec<u64>, Vec<String>, Vec<u64>) {
    let mut stream = api.stream(id, None).await;
    let (mut steps, mut messages, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
    let all = async {
        while let Some(message) = stream.next().await {
            match message {
                StreamMessage::Metrics { metrics } => steps.push(metrics.step),
                StreamMessage::Event { event } => messages.push(event.message),
                StreamMessage::Checkpoint { checkpoint } => checkpoints.push(checkpoint.step),
                StreamMessage::End { .. } => return,
                StreamMessage::Job { .. } | StreamMessage::CheckpointRemoved { .. } => {}
            }
        }
        panic!("the stream ends before the job");
    };
    timeout(PATIENCE, all).await.expect("the job ends in time");
    (steps, messages, checkpoints)
}

#[tokio::test]
async fn a_job_is_trained_by_another_attune_as_if_it_were_this_one() {
    let peer = Server::new().await;
    let made = peer.setup.run(&["key", "create", "--name", "console"]).await;
    let output = String::from_utf8(made.stdout).expect("text");
    let key = output.split_whitespace().last().expect("a key");
    let (server, api) = console(setup(&format!("{}/v1", peer.address), key, "200")).await;

    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert!(
        capabilities.recipe && capabilities.hyperparameters && capabilities.pause && !capabilities.delete
    );
    let report = server.setup.run(&["doctor"]).await;
    let said = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(said.contains("answers and takes the key"), "{said}");

    let bad = api.upload("no-examples", "{\"messages\":[]}\n").await;
    assert_eq!(bad.status, DatasetStatus::Error, "found there, told here");
    let training = api.upload("chats", examples::chats(40)).await;
    let validation = api.upload("others", examples::chats(12)).await;
    assert_eq!(training.status, DatasetStatus::Ready);
    let asked = NewJob {
        name: "trained-there".to_owned(),
        base_model: api.base_model().await.id,
        epochs: 2,
        evaluation_epochs: 1,
        warmup_epochs: 1,
        learning_rate: 0.0005,
        training_dataset: Some(training.id.clone()),
        validation_dataset: Some(validation.id),
        method: None,
        beta: None,
        batch_size: Some(8),
        lora: Some(LoraSpec {
            rank: 4,
            alpha: 8.0,
            dropout: 0.0,
            targets: vec![Projection::QProj, Projection::VProj],
        }),
        schedule: Some(Schedule::Constant),
        seed: Some(7),
        gradient_checkpointing: None,
    };
    let body = serde_json::to_value(&asked).expect("plain data");
    let create = || {
        api.request(reqwest::Method::POST, "/api/jobs")
            .header("idempotency-key", "draft-1")
    };
    let job: Job = api.send(create().json(&body)).await.expect(201);
    let again: Job = api.send(create().json(&body)).await.expect(200);
    assert_eq!(job.id, again.id);
    let (steps, messages, checkpoints) = follow(&api, &job.id).await;
    assert_eq!(steps, (1..=10).collect::<Vec<u64>>(), "every step, once");
    assert!(
        messages
            .iter()
            .any(|message| message.contains("successfully completed")),
        "{messages:?}"
    );
    assert!(checkpoints.contains(&10), "{checkpoints:?}");

    let job = api.job(&job.id).await;
    assert_eq!(
        (job.name.as_str(), job.status),
        ("trained-there", JobStatus::Succeeded)
    );
    assert_eq!(
        (
            job.epochs,
            job.evaluation_epochs,
            job.warmup_epochs,
            job.learning_rate
        ),
        (Some(2), Some(1), Some(1), Some(0.0005))
    );
    let chosen = job.hyperparameters.clone().expect("they are told");
    assert_eq!((chosen.lora, chosen.schedule), (asked.lora, asked.schedule));
    assert_eq!((chosen.batch_size, chosen.seed), (Some(8), Some(7)));
    assert_eq!(
        job.training_dataset.as_ref().map(|file| file.name.as_str()),
        Some("chats.jsonl")
    );
    for (series, points) in [
        (Series::TrainLoss, 10),
        (Series::TrainTokenAccuracy, 10),
        (Series::LearningRate, 10),
        (Series::GradientNorm, 10),
        (Series::Tokens, 10),
        (Series::ValidLoss, 1),
        (Series::ValidTokenAccuracy, 1),
    ] {
        assert_eq!(api.steps(&job.id, series).await.len(), points, "{series:?}");
    }
    let csv = api.get(&format!("/api/jobs/{}/metrics.csv", job.id)).await;
    let text = csv.body.as_str().expect("the result file").to_owned();
    assert!(
        text.starts_with("step,train_loss,") && text.lines().count() == 11,
        "{text}"
    );

    let list: JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!((list.summary.completed, list.summary.total), (1, 1));
    let datasets: DatasetList = api.get("/api/datasets").await.expect(200);
    let used: Vec<_> = datasets
        .datasets
        .iter()
        .map(|file| (file.name.as_str(), file.used_by))
        .collect();
    assert_eq!(
        used,
        [("others.jsonl", 1), ("chats.jsonl", 1), ("no-examples.jsonl", 0)]
    );

    let there = Api::signed_in(&peer).await.job(&job.id).await;
    assert_eq!((there.name, there.learning_rate), (job.name, job.learning_rate));
    assert!(!server.log().contains(key));
}

/// A running `FakeAI`, ended when dropped. Install it with
/// `python3 -m venv ENV && ENV/bin/pip install fakeai==0.3.2 pillow`, and name `ENV/bin/fakeai` in `ATTUNE_TEST_FAKEAI`.
async fn fakeai() -> (tokio::process::Child, String) {
    let program =
        PathBuf::from(env::var_os("ATTUNE_TEST_FAKEAI").expect("ATTUNE_TEST_FAKEAI names the program"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let child = Command::new(program)
        .args(["server", "--host", "127.0.0.1", "--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let listens = async {
        let mut ticks = interval(Duration::from_millis(50));
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, listens).await.expect("it listens in time");
    (child, format!("http://127.0.0.1:{port}/v1"))
}

/// `ATTUNE_TEST_FAKEAI=ENV/bin/fakeai cargo nextest run -p tests --test openai_peers --run-ignored only`
#[tokio::test]
#[ignore = "needs FakeAI, 210 MB of Python; half a minute"]
async fn fakeais_jobs_are_created_followed_and_cancelled() {
    let (_fakeai, base_url) = fakeai().await;
    let (_server, api) = console(setup(&base_url, "any-key", "200")).await;
    let datasets: DatasetList = api.get("/api/datasets").await.expect(200);
    let file = datasets.datasets.first().expect("it makes some up").id.clone();
    let uploaded = api.upload("chats", examples::chats(12)).await;
    assert_eq!(uploaded.status, DatasetStatus::Ready);
    let model = api.base_model().await.id;
    let body = json!({"name": "followed", "base_model": model, "epochs": 3, "evaluation_epochs": 0,
        "warmup_epochs": 0, "learning_rate": 0.0002, "training_dataset": file});
    let job: Job = api.post("/api/jobs", &body).await.expect(201);
    let other: Job = api.post("/api/jobs", &body).await.expect(201);
    let list: JobList = api.get("/api/jobs").await.expect(200);
    assert_eq!(list.summary.total, 2);
    let cancelled: Job = api
        .post(&format!("/api/jobs/{}/cancel", other.id), &json!({}))
        .await
        .expect(200);
    assert_eq!(cancelled.status, JobStatus::Cancelled);
    let problem = api
        .post(&format!("/api/jobs/{}/pause", job.id), &json!({}))
        .await
        .problem(404);
    assert_eq!(problem.code, "not_supported");
    api.get("/api/jobs/ftjob-none/events").await.problem(404);
    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert!(!capabilities.pause && !capabilities.recipe);

    let (steps, messages, checkpoints) = follow(&api, &job.id).await;
    assert_eq!(steps.last(), Some(&100), "{steps:?}");
    assert!(!messages.is_empty());
    assert_eq!(checkpoints, [25, 50, 75, 100]);
    let job = api.job(&job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    assert!(job.fine_tuned_model.is_some() && job.trained_tokens.is_some());
    assert_eq!(api.steps(&job.id, Series::TrainLoss).await.last(), Some(&100));
}

/// `ATTUNE_TEST_FAKEAI=ENV/bin/fakeai cargo nextest run -p tests --test openai_peers --run-ignored only`
#[tokio::test]
#[ignore = "needs FakeAI, 210 MB of Python; a minute"]
async fn fakeais_jobs_are_worked_with_in_the_browser() {
    let (_fakeai, base_url) = fakeai().await;
    let (server, api) = console(setup(&base_url, "any-key", "200")).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let start = async |name: &str| {
        browser.goto(&format!("{}/jobs/new/setup", server.address)).await;
        browser.fill("Job name", name).await;
        browser.choose_first("Base model").await;
        browser.choose_first("Training dataset").await;
        browser.click("Next").await;
        browser.at("/jobs/new/configure").await;
        browser.click("Next").await;
        browser.at("/jobs/new/review").await;
        browser.start_job().await
    };
    let cancelled = start("not-wanted").await;
    browser.click("Cancel job").await;
    browser.click("Yes, cancel job").await;
    browser.shows("Cancelled").await;
    let followed = start("followed").await;
    // It trains for half a minute; what is new comes without a reload.
    browser
        .until("its first measured step is drawn", async || {
            browser.points().await >= 1
        })
        .await;
    browser.photograph_all("fakeai-running").await;
    browser
        .until_within(PATIENCE, "it has ended", async || {
            browser.text().await.contains("Completed")
        })
        .await;
    browser.shows("step-100").await;
    let timeline = browser.section("Timeline").await;
    let timeline = timeline.text().await.expect("the timeline's text");
    for phase in ["Validating", "Running", "Completed"] {
        assert!(timeline.contains(phase), "{phase}: {timeline}");
    }
    browser.photograph_all("fakeai-succeeded").await;
    browser.follow("/jobs").await;
    for id in [&cancelled, &followed] {
        browser.find_css(&format!("a[href='/jobs/{id}']")).await;
    }
    browser.no_errors().await;
    for (id, status) in [
        (cancelled, JobStatus::Cancelled),
        (followed, JobStatus::Succeeded),
    ] {
        assert_eq!(api.job(&JobId::new(id)).await.status, status);
    }
}
