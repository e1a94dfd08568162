//! The same console in front of a hosted Job Training API: what that API can do works, what it says is told in the
//! right place, and its key stays where it belongs.

use serde_json::{Value, json};
use shared::{
    capabilities::Capabilities,
    job::{Job, JobList},
    model::ModelList,
    problem::Problem,
    status::JobStatus,
};
use std::fs;
use tests::{
    api::Api,
    browser::Browser,
    contract_server::{ContractServer, KEY, Mood},
    server::{Server, Setup},
};

/// The console in front of a fresh workspace.
async fn console() -> (ContractServer, Server) {
    let upstream = ContractServer::start().await;
    let setup = Setup::new().with("ATTUNE_UPSTREAM__KIND", "job-training-api");
    let setup = setup
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY);
    let server = setup.start().await;
    (upstream, server)
}

fn new_job(name: &str) -> Value {
    json!({"name": name, "base_model": "Qwen/QwQ-32B", "epochs": 5, "evaluation_epochs": 2, "warmup_epochs": 1,
        "learning_rate": 0.001})
}

#[tokio::test]
async fn jobs_are_listed_created_found_and_deleted_there() {
    let (upstream, server) = console().await;
    upstream.add_job("older", "Completed");
    upstream.add_job("broken", "Failed");
    let api = Api::signed_in(&server).await;
    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert_eq!(capabilities, Capabilities::job_training_api());
    let models: ModelList = api.get("/api/models").await.expect(200);
    assert_eq!(models.models[1].display_name, "QwQ 32B");

    let job: Job = api.post("/api/jobs", &new_job("brand-new")).await.expect(201);
    assert_eq!((job.name.as_str(), job.status), ("brand-new", JobStatus::Running));
    assert_eq!(
        upstream.bodies(),
        [
            json!({"name": "brand-new", "baseModel": "Qwen/QwQ-32B", "epochs": 5, "evaluationEpochs": 2,
            "warmupEpochs": 1, "learningRate": 0.001})
        ]
    );

    let list: JobList = api.get("/api/jobs").await.expect(200);
    let names: Vec<_> = list.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["brand-new", "broken", "older"]);
    assert_eq!(
        (list.summary.running, list.summary.completed, list.summary.failed),
        (1, 1, 1)
    );
    let failed: JobList = api.get("/api/jobs?status=failed&q=BROK").await.expect(200);
    assert_eq!(failed.jobs.len(), 1);
    assert_eq!(failed.summary.total, 1, "the summary follows the search");

    // Its ids hold a slash, which must stay inside one segment.
    let path = format!("/api/jobs/{}", job.id.as_str().replace('/', "%2F"));
    let found: Job = api.get(&path).await.expect(200);
    assert_eq!(found, job);
    assert!(api.delete(&path).await.status.is_success());
    assert_eq!(upstream.names(), ["broken", "older"]);
    api.get(&path).await.problem(404);
    assert_eq!(api.get("/v1/models").await.status, 404, "/v1 is the engine's");
}

#[tokio::test]
async fn a_repeated_create_with_the_same_key_makes_one_job() {
    let (upstream, server) = console().await;
    let api = Api::signed_in(&server).await;
    let create = || {
        let request = api
            .request(reqwest::Method::POST, "/api/jobs")
            .json(&new_job("only-once"));
        api.send(request.header("idempotency-key", "draft-1"))
    };
    let first: Job = create().await.expect(201);
    let second = create().await;
    assert!(second.status.is_success(), "{}", second.body);
    assert_eq!(second.body["id"], first.id.as_str());
    assert_eq!(upstream.names(), ["only-once"]);
}

#[tokio::test]
async fn what_the_upstream_refuses_or_breaks_is_told_as_what_it_is() {
    let (upstream, server) = console().await;
    let api = Api::signed_in(&server).await;
    let create = async || -> Problem {
        let answer = api.post("/api/jobs", &new_job("refused")).await;
        let status = answer.status.as_u16();
        answer.problem(status)
    };

    upstream.set_mood(Mood::Refusing(
        json!({"name": "Name is taken", "warmupEpochs": "Too many"}),
    ));
    let problem = create().await;
    assert_eq!(problem.status, 400);
    assert_eq!(problem.fields["name"], "Name is taken");
    assert_eq!(problem.fields["warmup_epochs"], "Too many");

    upstream.set_mood(Mood::ReadOnly);
    let problem = create().await;
    assert_eq!(problem.status, 403);
    assert!(problem.detail.unwrap().contains("Insufficient permissions"));

    upstream.set_mood(Mood::Fair);
    for number in 0..10 {
        upstream.add_job(&format!("job-{number}"), "Running");
    }
    let problem = create().await;
    assert_eq!(problem.status, 429);
    assert!(problem.detail.unwrap().contains("maximum limit of 10 jobs"));

    upstream.set_mood(Mood::UnknownKey);
    let problem = create().await;
    assert_eq!(
        (problem.status, problem.code.as_str()),
        (502, "upstream_key_rejected")
    );
    assert_eq!(
        api.get("/api/session").await.status,
        200,
        "the user's own session is fine"
    );

    upstream.set_mood(Mood::Garbled);
    let problem = api.get("/api/jobs").await.problem(502);
    assert_eq!(problem.code, "upstream_invalid_response");

    upstream.set_mood(Mood::Broken);
    let problem = api.get("/api/jobs").await.problem(502);
    assert_eq!(problem.code, "upstream_error");

    upstream.stop().await;
    let problem = api.get("/api/jobs").await.problem(502);
    assert_eq!(problem.code, "upstream_unreachable");
    assert_eq!(api.get("/healthz").await.status, 200);
    assert_eq!(api.get("/readyz").await.status, 503);
}

#[tokio::test]
async fn the_key_is_in_no_answer_no_log_and_no_file() {
    let (upstream, server) = console().await;
    let api = Api::signed_in(&server).await;
    upstream.add_job("one", "Running");
    let mut answers = String::new();
    for path in [
        "/",
        "/api/session",
        "/api/capabilities",
        "/api/jobs",
        "/api/models",
        "/metrics",
        "/readyz",
    ] {
        let answer = api.get(path).await;
        answers.push_str(&format!("{:?}{}", answer.headers, answer.body));
    }
    upstream.set_mood(Mood::UnknownKey);
    answers.push_str(&api.get("/api/jobs").await.body.to_string());
    upstream.stop().await;
    answers.push_str(&api.get("/api/jobs").await.body.to_string());
    assert!(!answers.contains(KEY));
    assert!(!server.log().contains(KEY));
    for file in fs::read_dir(server.setup.data_dir())
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_file())
    {
        let content = fs::read(file.path()).unwrap();
        assert!(
            !content.windows(KEY.len()).any(|window| window == KEY.as_bytes()),
            "{:?}",
            file.path()
        );
    }
}

#[tokio::test]
async fn the_wizard_asks_only_what_this_api_takes_and_shows_its_refusals_on_the_right_step() {
    let (upstream, server) = console().await;
    let browser = Browser::start().await;
    browser.goto(&server.sign_in_url().await).await;
    browser.click("New job").await;
    browser.at("/jobs/new/setup").await;
    browser.fill("Job name", "from-the-wizard").await;
    browser.choose("Base model", "QwQ 32B").await;
    assert!(
        !browser.has("combobox", "Training dataset").await,
        "there are no datasets here"
    );
    browser.photograph_all("hosted-setup").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.fill("Epochs", "5").await;
    browser.fill("Evaluation epochs", "2").await;
    browser.fill("Warm-up epochs", "1").await;
    browser.fill("Learning rate", "0.001").await;
    assert!(!browser.has("spinbutton", "Batch size").await, "nor a batch size");
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    browser.no_errors().await;

    // The API refuses a field of the first step: the wizard goes there, tells it there, and puts the focus there.
    upstream.set_mood(Mood::Refusing(json!({"name": "Name is taken"})));
    browser.click("Start fine-tuning").await;
    browser.at("/jobs/new/setup").await;
    browser
        .until("the refusal stands under the name", async || {
            browser.description("Job name").await.contains("Name is taken")
        })
        .await;
    assert_eq!(browser.focus_name().await, "Job name");

    // The workspace is full: the reason is shown, and nothing that was typed is lost.
    upstream.set_mood(Mood::Fair);
    for number in 0..10 {
        upstream.add_job(&format!("job-{number}"), "Running");
    }
    browser.fill("Job name", "another-name").await;
    browser.click("Next").await;
    browser.at("/jobs/new/configure").await;
    browser.click("Next").await;
    browser.at("/jobs/new/review").await;
    browser.click("Start fine-tuning").await;
    browser.shows("maximum limit of 10 jobs").await;
    browser.errors().await;

    // One is deleted in the list, after a question, and then there is room.
    browser.follow("/jobs").await;
    browser.click("Delete job-3").await;
    browser.click("Delete").await;
    browser.gone("button", "Delete job-3").await;
    assert!(!upstream.names().contains(&"job-3".to_owned()));
    browser.photograph_all("hosted-jobs").await;
    browser.click("New job").await;
    browser.holds("Job name", "another-name").await;
    browser.goto(&format!("{}/jobs/new/review", server.address)).await;
    browser.click("Start fine-tuning").await;
    browser
        .until("the job is there", async || {
            upstream.names().contains(&"another-name".to_owned())
        })
        .await;
    browser.no_errors().await;

    // The API is down: the list says so and how to go on, and is not blank.
    upstream.stop().await;
    browser.goto(&format!("{}/jobs", server.address)).await;
    browser.button("Retry").await;
    browser.photograph_all("hosted-down").await;
    browser.quit().await;
}
