//! Every row of the Job Training API's contract, through the real server: what that API can do works, what it refuses is
//! told as what it is, and its key stays where it belongs.

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
    contract_server::{KEY, Mood, Said},
    hosted::{hosted, hosted_with},
};

fn new_job(name: &str) -> Value {
    json!({"name": name, "base_model": "Qwen/QwQ-32B", "epochs": 5, "evaluation_epochs": 2, "warmup_epochs": 1,
        "learning_rate": 0.001})
}

#[tokio::test]
async fn jobs_are_listed_created_found_and_deleted_there() {
    let (upstream, server) = hosted().await;
    upstream.add_job("older", "Completed");
    upstream.add_job("broken", "Failed");
    let api = Api::signed_in(&server).await;
    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    let expected = Capabilities {
        browser_reports: true,
        ..Capabilities::job_training_api()
    };
    assert_eq!(capabilities, expected);
    let models: ModelList = api.get("/api/models").await.expect(200);
    let names: Vec<_> = models
        .models
        .iter()
        .map(|model| model.display_name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Llama 3.1 8B Instruct",
            "DeepSeek R1 Distill Llama 70B",
            "QwQ 32B"
        ]
    );

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
    let (upstream, server) = hosted().await;
    let api = Api::signed_in(&server).await;
    let create = || {
        let request = api
            .request(reqwest::Method::POST, "/api/jobs")
            .json(&new_job("only-once"));
        api.send(request.header("idempotency-key", "draft-1"))
    };
    let first: Job = create().await.expect(201);
    let second = create().await;
    assert_eq!(second.status, 200, "nothing is new: {}", second.body);
    assert_eq!(second.body["id"], first.id.as_str());
    assert_eq!(upstream.names(), ["only-once"]);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_found_and_not_repeated() {
    let (upstream, server) = hosted().await;
    let api = Api::signed_in(&server).await;
    upstream.set_mood(Mood::Forgetful);
    let job: Job = api.post("/api/jobs", &new_job("lost-answer")).await.expect(201);
    assert_eq!(job.name, "lost-answer");
    assert_eq!(upstream.names(), ["lost-answer"]);
    assert_eq!(upstream.bodies().len(), 1);
}

#[tokio::test]
async fn what_the_upstream_refuses_is_told_as_what_it_is() {
    let (upstream, server) = hosted().await;
    let api = Api::signed_in(&server).await;
    let fields = json!({"name": "Name is taken", "baseModel": "Unknown", "epochs": "Odd", "evaluationEpochs": "Odd",
        "warmupEpochs": "Too many", "learningRate": "Too high"});
    let unreadable = (502, "upstream_invalid_response");
    let page = || Said::typed(403, "text/html", "<h1>Forbidden</h1>");
    for (mood, (status, code), said) in [
        (
            Mood::Refusing(fields),
            (400, "validation_failed"),
            "Validation failed",
        ),
        (
            Mood::ReadOnly,
            (403, "upstream_forbidden"),
            "Insufficient permissions to create",
        ),
        (
            Mood::SaysOfWrites(Said::status(401)),
            (502, "upstream_key_rejected"),
            "valid one",
        ),
        (
            Mood::SaysOfWrites(page()),
            (502, "upstream_key_rejected"),
            "valid one",
        ),
        (
            Mood::SaysOfWrites(Said::status(429).with("retry-after", "7")),
            (429, "upstream_limit"),
            "try again later",
        ),
        (
            Mood::SaysOfWrites(Said::json(409, &json!({"error": "Taken"}))),
            (409, "upstream_refused"),
            "Taken",
        ),
        (
            Mood::SaysOfWrites(Said::typed(400, "text/plain", "no")),
            unreadable,
            "400",
        ),
        (
            Mood::SaysOfWrites(Said::json(400, &json!({"fields": {"name": 7}}))),
            unreadable,
            "400",
        ),
        (Mood::SaysOfWrites(Said::status(404)), unreadable, "base_url"),
        (
            Mood::SaysOfWrites(Said::status(500)),
            (502, "upstream_error"),
            "500",
        ),
        (
            Mood::SaysOfWrites(Said::status(307).with("location", "/api/jobs")),
            unreadable,
            "redirects",
        ),
        (
            Mood::SaysOfWrites(Said::json(201, &json!({"id": "x"}))),
            unreadable,
            "`name`",
        ),
    ] {
        upstream.set_mood(mood);
        let answer = api.post("/api/jobs", &new_job("refused")).await;
        let waits = answer.headers.get("retry-after").cloned();
        let problem = answer.problem(status);
        let detail = problem.detail.unwrap_or_default();
        assert_eq!(
            (problem.code.as_str(), detail.contains(said)),
            (code, true),
            "{detail}"
        );
        assert_eq!(waits.is_some(), detail.contains("later"), "{detail}");
        if status == 400 {
            let names: Vec<_> = problem.fields.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                [
                    "base_model",
                    "epochs",
                    "evaluation_epochs",
                    "learning_rate",
                    "name",
                    "warmup_epochs"
                ]
            );
        }
    }
    assert!(upstream.names().is_empty(), "nothing was made");
    assert_eq!(
        api.get("/api/session").await.status,
        200,
        "the user's own session is fine"
    );

    upstream.set_mood(Mood::Fair);
    upstream.fill();
    let problem = api.post("/api/jobs", &new_job("one-too-many")).await.problem(429);
    assert!(problem.detail.unwrap().contains("maximum limit of 10 jobs"));

    let delete = async || -> Problem {
        let answer = api.delete("/api/jobs/job%2F1").await;
        let status = answer.status.as_u16();
        answer.problem(status)
    };
    upstream.set_mood(Mood::ReadOnly);
    let problem = delete().await;
    assert_eq!(problem.status, 403);
    assert!(problem.detail.unwrap().contains("to delete jobs"));
    upstream.set_mood(Mood::SaysOfWrites(Said::typed(
        200,
        "text/html",
        "<h1>Sign in</h1>",
    )));
    assert_eq!(delete().await.code, "upstream_invalid_response");
    assert_eq!(upstream.names().len(), 10, "a page in between deletes nothing");
    upstream.set_mood(Mood::Fair);
    assert!(api.delete("/api/jobs/job%2F1").await.status.is_success());
    assert_eq!(delete().await.status, 404);
}

#[tokio::test]
async fn what_our_own_form_knows_is_refused_before_the_upstream_is_asked() {
    let (upstream, server) = hosted().await;
    let api = Api::signed_in(&server).await;
    for (field, value, code) in [
        ("name", json!("ab"), "too_short"),
        ("name", json!("ends-in-a-dash-"), "trailing_dash"),
        ("name", json!("two words"), "bad_characters"),
        ("evaluation_epochs", json!(5), "epochs_sum"),
        ("epochs", json!(0), "too_small"),
        ("learning_rate", json!(0), "out_of_range"),
        ("learning_rate", json!(1.5), "out_of_range"),
        ("training_dataset", json!("file-1"), "not_supported"),
        ("batch_size", json!(8), "not_supported"),
    ] {
        let mut body = new_job("refused");
        body[field] = value;
        let problem = api.post("/api/jobs", &body).await.problem(400);
        assert_eq!(problem.field_codes[field].code, code, "{field}");
    }
    assert!(upstream.bodies().is_empty());
}

#[tokio::test]
async fn a_hundred_dashboards_are_one_poller_and_a_change_is_seen_at_once() {
    let (upstream, server) = hosted_with(&[("ATTUNE_UPSTREAM__CACHE_MS", "600000")]).await;
    upstream.add_job("first", "Running");
    let api = Api::signed_in(&server).await;
    let polls = (0..100).map(|_| api.get("/api/jobs"));
    let answers = futures_util::future::join_all(polls).await;
    assert!(answers.iter().all(|answer| answer.body["summary"]["total"] == 1));
    let asked = |call: &str| upstream.calls().iter().filter(|known| *known == call).count();
    assert_eq!(asked("GET /api/jobs"), 1);
    for _ in 0..3 {
        assert_eq!(api.get("/api/jobs/job%2F1").await.status, 200);
    }
    assert_eq!(asked("GET /api/jobs/job%2F1"), 1);

    let created: Job = api.post("/api/jobs", &new_job("second")).await.expect(201);
    assert_eq!(api.get("/api/jobs").await.body["summary"]["total"], 2);
    let path = format!("/api/jobs/{}", created.id.as_str().replace('/', "%2F"));
    assert_eq!(api.get(&path).await.status, 200);
    assert!(api.delete(&path).await.status.is_success());
    assert_eq!(api.get(&path).await.status, 404);
    assert_eq!(api.get("/api/jobs").await.body["summary"]["total"], 1);
}

#[tokio::test]
async fn ten_thousand_jobs_come_a_page_at_a_time_and_compressed() {
    let (upstream, server) = hosted_with(&[("ATTUNE_UPSTREAM__CACHE_MS", "600000")]).await;
    let jobs: Vec<Value> = (0..10_000)
        .map(|number| {
            json!({"id": format!("j-{number}"), "name": format!("job-{number}"), "baseModel": "Qwen/QwQ-32B",
                "epochs": 3, "evaluationEpochs": 1, "warmupEpochs": 1, "learningRate": 0.001, "status": "Running",
                "date": "2026-01-02T03:04:05Z", "createdAt": "2026-01-02T03:04:05Z"})
        })
        .collect();
    upstream.set_mood(Mood::Says(Said::json(200, &json!({"jobs": jobs}))));
    let api = Api::signed_in(&server).await;
    let page = api.get("/api/jobs?q=job-99").await;
    let bytes = page.body.to_string().len();
    let list: JobList = page.expect(200);
    assert_eq!((list.summary.total, list.jobs.len()), (111, 50));
    assert!(list.next_cursor.is_some() && bytes < 50_000, "{bytes} bytes");
    let asking = api
        .request(reqwest::Method::GET, "/api/jobs")
        .header("accept-encoding", "br");
    let packed = asking.send().await.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "br");
    let bytes = packed.bytes().await.expect("a body").len();
    assert!(bytes < 10_000, "{bytes} bytes");
}

#[tokio::test]
async fn the_key_is_in_no_answer_no_log_and_no_file() {
    let (upstream, server) = hosted().await;
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
    upstream.set_mood(Mood::Says(Said::status(401)));
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
