//! What goes wrong in front of an OpenAI-compatible API, through the real server: refusals are told as what they are, nobody
//! sees what isn't theirs to see, and the key stays where it belongs.

use serde_json::{Value, json};
use shared::{
    capabilities::Capabilities,
    id::JobId,
    job::{Job, JobList},
};
use tests::{
    contract_server::{Mood, Said},
    openai_console::{account, console, new_job, setup},
    openai_server::{Habits, KEY, OpenAiServer},
};

#[tokio::test]
async fn what_the_upstream_refuses_is_told_as_what_it_is() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    let body = new_job("refused", &file);
    let rows = [
        (
            Mood::Refusing(json!({"training_file": "too few examples"})),
            (
                400,
                "validation_failed",
                "too few examples",
                Some("training_dataset"),
            ),
        ),
        (
            Mood::Refusing(json!({"method.supervised.hyperparameters.n_epochs": "at most 3"})),
            (400, "validation_failed", "at most 3", Some("epochs")),
        ),
        (
            Mood::SaysOfWrites(Said::json(400, &json!({"detail": "Training file X not found"}))),
            (400, "upstream_refused", "Training file X not found", None),
        ),
        (
            Mood::SaysOfWrites(Said::json(
                422,
                &json!({"detail": [{"loc": ["body", "model"], "msg": "no such model", "type": "value_error"}]}),
            )),
            (400, "validation_failed", "no such model", Some("base_model")),
        ),
        (
            Mood::ReadOnly,
            (
                403,
                "upstream_forbidden",
                "You have insufficient permissions for this operation",
                None,
            ),
        ),
        (
            Mood::SaysOfWrites(
                Said::json(
                    429,
                    &json!({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}),
                )
                .with("retry-after", "7"),
            ),
            (429, "upstream_limit", "You exceeded your quota", None),
        ),
    ];
    for (mood, (status, code, detail, field)) in rows {
        upstream.set_mood(mood);
        let answer = api.post("/api/jobs", &body).await;
        if status == 429 {
            assert_eq!(answer.headers["retry-after"], "7");
        }
        let problem = answer.problem(status);
        assert_eq!(
            (problem.code.as_str(), problem.detail.as_deref()),
            (code, Some(detail))
        );
        assert_eq!(problem.fields.keys().next().map(String::as_str), field);
    }
}

#[tokio::test]
async fn what_goes_wrong_there_is_told_and_its_words_are_not() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let job = upstream.add_job("one", "running");
    let of_jobs = |job: Value| Said::json(200, &json!({"object": "list", "data": [job]}));
    let whole = json!({"id": "a", "model": "m", "status": "running", "created_at": 1});
    let with = |field: &str, value: Value| {
        let mut job = whole.clone();
        job[field] = value;
        of_jobs(job)
    };
    let secret = json!({"error": {"message": "secret stack trace"}});
    let rows = [
        (Said::json(401, &secret), 502, "upstream_key_rejected", ""),
        (Said::json(403, &secret), 502, "upstream_key_rejected", ""),
        (Said::json(500, &secret), 502, "upstream_error", "500"),
        (Said::json(503, &secret), 502, "upstream_error", "503"),
        (
            Said::status(302).with("location", "https://elsewhere.example"),
            502,
            "upstream_invalid_response",
            "redirects",
        ),
        (
            Said::typed(200, "text/html", "<html>"),
            502,
            "upstream_invalid_response",
            "`text/html`",
        ),
        (
            Said::typed(200, "application/json", "{"),
            502,
            "upstream_invalid_response",
            "not JSON",
        ),
        (
            Said::typed(200, "application/json", "{\"data\":[").broken_off(),
            502,
            "upstream_invalid_response",
            "breaks off",
        ),
        (
            Said::typed(200, "application/json", " ".repeat((4 << 20) + 1)),
            502,
            "upstream_invalid_response",
            "larger",
        ),
        (
            Said::json(200, &json!({"data": 7})),
            502,
            "upstream_invalid_response",
            "`data` is no list",
        ),
        (
            with("id", Value::Null),
            502,
            "upstream_invalid_response",
            "`data[0].id`",
        ),
        (
            with("status", json!("sleeping")),
            502,
            "upstream_invalid_response",
            "`data[0].status`",
        ),
        (
            with("created_at", json!("soon")),
            502,
            "upstream_invalid_response",
            "`data[0].created_at`",
        ),
    ];
    for (said, status, code, part) in rows {
        upstream.set_mood(Mood::Says(said));
        let problem = api.get("/api/jobs").await.problem(status);
        let detail = problem.detail.unwrap_or_default();
        assert_eq!(problem.code, code, "{detail}");
        assert!(detail.contains(part) && !detail.contains("secret"), "{detail}");
    }
    for said in [
        with("created_at", json!("1700000000")),
        with("finished_at", json!(1.5)),
        of_jobs(whole.clone()),
    ] {
        upstream.set_mood(Mood::Says(said));
        let list: JobList = api.get("/api/jobs").await.expect(200);
        assert_eq!(list.jobs.len(), 1);
    }
    upstream.set_mood(Mood::Fair);
    assert_eq!(api.job(&JobId::new(job)).await.name, "one", "it is well again");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_job() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    upstream.set_mood(Mood::Forgetful);
    let create = || {
        api.request(reqwest::Method::POST, "/api/jobs")
            .header("idempotency-key", "draft-1")
    };
    let first: Job = api.send(create().json(&new_job("once", &file))).await.expect(201);
    let second: Job = api.send(create().json(&new_job("once", &file))).await.expect(200);
    assert_eq!(first.id, second.id);
    assert_eq!(upstream.bodies().len(), 1);
}

#[tokio::test]
async fn a_slow_upstream_is_504_and_one_that_is_gone_502_and_readiness_says_so() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let setup = setup(&upstream.base_url, KEY, "0").with("ATTUNE_UPSTREAM__TIMEOUT_MS", "500");
    let (_server, api) = console(setup).await;
    upstream.set_mood(Mood::Slow);
    assert_eq!(api.get("/api/jobs").await.problem(504).code, "upstream_timeout");
    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    let expected = Capabilities {
        browser_reports: true,
        ..Capabilities::openai()
    };
    assert_eq!(capabilities, expected, "told without it");
    drop(upstream);
    assert_eq!(
        api.get("/api/jobs").await.problem(502).code,
        "upstream_unreachable"
    );
}

#[tokio::test]
async fn the_key_is_in_no_answer_no_log_and_no_file() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let setup = setup(&upstream.base_url, KEY, "0").with("ATTUNE_LOG__FILTER", "trace");
    let (server, api) = console(setup).await;
    let job = upstream.add_job(&format!("named {KEY}"), "running");
    upstream.tell(&job, "info", &format!("the key {KEY} was used"));
    for path in [
        "/api/jobs".to_owned(),
        format!("/api/jobs/{job}"),
        format!("/api/jobs/{job}/events"),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = answer.body.to_string();
        assert!(text.contains("[hidden]") && !text.contains(KEY), "{text}");
    }
    let log = server.log();
    assert!(log.contains("/api/jobs"), "something was logged");
    assert!(!log.contains(KEY));
}
