//! Every row of the contract, its tolerance, and what happens when the other side misbehaves.

mod create;
mod failures;
mod tolerance;

use crate::test_app::{KEY, TestApp};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

/// A job as the document has it.
fn their_job(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "baseModel": "Qwen/QwQ-32B", "epochs": 3, "evaluationEpochs": 1,
        "warmupEpochs": 1, "learningRate": 0.0002, "date": "2026-01-02T00:00:00Z",
        "createdAt": "2026-01-02T03:04:05Z", "status": "Running"
    })
}

/// A job as a form sends it.
fn our_job(name: &str) -> Value {
    json!({
        "name": name, "base_model": "Qwen/QwQ-32B", "epochs": 3, "evaluation_epochs": 1, "warmup_epochs": 1,
        "learning_rate": 0.0002
    })
}

async fn answer(server: &MockServer, verb: &str, at: &str, status: u16, body: Value) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

#[tokio::test]
async fn jobs_are_listed_with_the_key_and_without_the_cookie() {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("GET"))
        .and(path("/api/jobs"))
        .and(header("x-api-key", KEY))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "jobs": [their_job("j1", "one")],
            "summary": { "completed": 9, "running": 9, "failed": 9 }
        })))
        .expect(1)
        .mount(&server)
        .await;
    let answer = app.user().await.get("/api/jobs").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200 OK
    {
      "jobs": [
        {
          "attempt": 0,
          "base_model": "Qwen/QwQ-32B",
          "created_at": "2026-01-02T03:04:05Z",
          "epochs": 3,
          "evaluation_epochs": 1,
          "id": "j1",
          "learning_rate": 0.0002,
          "name": "one",
          "status": "running",
          "warmup_epochs": 1
        }
      ],
      "newest": "2026-01-02T03:04:05Z",
      "next_cursor": null,
      "summary": {
        "cancelled": 0,
        "completed": 0,
        "failed": 0,
        "paused": 0,
        "queued": 0,
        "running": 1,
        "total": 1
      }
    }
    "#);
    let requests = server.received_requests().await.expect("recorded");
    assert!(requests[0].headers.get("cookie").is_none());
    assert!(!answer.text().contains(KEY));
}

#[tokio::test]
async fn one_job_is_found_by_an_id_that_stays_one_segment() {
    let (app, server) = TestApp::with_job_training_api().await;
    answer(
        &server,
        "GET",
        "/api/jobs/a%2F..%2Fb%3Fc",
        200,
        their_job("a/../b?c", "odd"),
    )
    .await;
    let found = app.user().await.get("/api/jobs/a%2F..%2Fb%3Fc").await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text());
    assert_eq!(found.json()["id"], "a/../b?c");
    let dots = app.user().await.get("/api/jobs/%2E%2E").await;
    assert_eq!(dots.status, StatusCode::NOT_FOUND);
    let asked: Vec<String> = server
        .received_requests()
        .await
        .expect("recorded")
        .iter()
        .map(|request| request.url.path().to_owned())
        .collect();
    assert!(
        asked.iter().all(|path| path.starts_with("/api/jobs/")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_job_that_is_not_there_is_404_although_no_body_is_declared() {
    let (app, _server) = TestApp::with_job_training_api().await;
    insta::assert_snapshot!(app.user().await.get("/api/jobs/gone").await.shown(), @r#"
    404 Not Found
    {
      "code": "not_found",
      "detail": "there is no such job",
      "request_id": "…",
      "status": 404,
      "title": "Not Found",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_job_is_created_with_exactly_the_six_fields() {
    let (app, server) = TestApp::with_job_training_api().await;
    answer(&server, "GET", "/api/jobs", 200, json!({ "jobs": [] })).await;
    Mock::given(method("POST"))
        .and(path("/api/jobs"))
        .and(header("x-api-key", KEY))
        .and(body_json(json!({
            "name": "my-job", "baseModel": "Qwen/QwQ-32B", "epochs": 3, "evaluationEpochs": 1, "warmupEpochs": 1,
            "learningRate": 0.0002
        })))
        .respond_with(ResponseTemplate::new(201).set_body_json(their_job("j1", "my-job")))
        .expect(1)
        .mount(&server)
        .await;
    let created = app.user().await.post("/api/jobs", &our_job("my-job")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    assert_eq!(created.json()["id"], "j1");
}

#[tokio::test]
async fn a_job_is_deleted_and_the_list_is_asked_again() {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("GET"))
        .and(path("/api/jobs"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "jobs": [] })))
        .expect(2)
        .mount(&server)
        .await;
    answer(
        &server,
        "DELETE",
        "/api/jobs/j1",
        200,
        json!({ "message": "Job deleted successfully" }),
    )
    .await;
    let user = app.user().await;
    for _ in 0..3 {
        assert_eq!(user.get("/api/jobs").await.status, StatusCode::OK);
    }
    assert_eq!(user.delete("/api/jobs/j1").await.status, StatusCode::NO_CONTENT);
    assert_eq!(user.get("/api/jobs").await.status, StatusCode::OK);
}

#[tokio::test]
async fn models_are_a_bare_array() {
    let (app, server) = TestApp::with_job_training_api().await;
    let models = json!([{ "id": "Qwen/QwQ-32B", "displayName": "QwQ 32B" }]);
    answer(&server, "GET", "/api/models", 200, models).await;
    let listed = app.user().await.get("/api/models").await.json();
    assert_eq!(listed["models"][0]["id"], "Qwen/QwQ-32B");
    assert_eq!(listed["models"][0]["display_name"], "QwQ 32B");
}

#[tokio::test]
async fn its_capabilities_show_no_control_that_can_not_work() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let can = app.user().await.get("/api/capabilities").await.json();
    for cannot in [
        "datasets",
        "events",
        "metrics",
        "checkpoints",
        "artifacts",
        "stream",
        "cancel",
        "pause",
        "retry",
    ] {
        assert_eq!(can[cannot], false, "{cannot}");
    }
    assert_eq!((&can["delete"], &can["max_jobs"]), (&json!(true), &json!(10)));
}

#[tokio::test]
async fn search_filter_sort_and_pages_work_over_its_list() {
    let (app, server) = TestApp::with_job_training_api().await;
    let mut done = their_job("j2", "second");
    done["status"] = json!("Completed");
    answer(
        &server,
        "GET",
        "/api/jobs",
        200,
        json!({ "jobs": [their_job("j1", "first"), done] }),
    )
    .await;
    let user = app.user().await;
    let completed = user.get("/api/jobs?status=succeeded").await.json();
    assert_eq!(completed["jobs"][0]["id"], "j2");
    assert_eq!(
        (
            &completed["summary"]["running"],
            &completed["summary"]["completed"]
        ),
        (&json!(1), &json!(1))
    );
    let page = user.get("/api/jobs?sort=name&limit=1").await.json();
    let cursor = page["next_cursor"].as_str().expect("a second page");
    let next = user
        .get(&format!("/api/jobs?sort=name&limit=1&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (&page["jobs"][0]["id"], &next["jobs"][0]["id"]),
        (&json!("j1"), &json!("j2"))
    );
}

#[tokio::test]
async fn a_hundred_tabs_cost_the_upstream_one_list() {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("GET"))
        .and(path("/api/jobs"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
        .expect(1)
        .mount(&server)
        .await;
    let user = app.user().await;
    let answers = futures_util::future::join_all((0..100).map(|_| user.get("/api/jobs"))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get() {
    let (app, server) = TestApp::with_job_training_api().await;
    answer(&server, "GET", "/api/jobs", 200, json!([])).await;
    let head = app.user().await.request(Method::HEAD, "/api/jobs").send().await;
    assert_eq!(head.status, StatusCode::OK);
    assert!(head.body.is_empty());
}
