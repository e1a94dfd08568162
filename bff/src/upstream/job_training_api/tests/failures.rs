//! What the other side's failures become.

use super::{our_job, their_job};
use crate::{
    test_app::{TestApp, remote},
    upstream::job_training_api::JobTrainingApi,
};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{any, method, path},
};

/// What a creation is answered when the upstream answers it so.
async fn create(template: ResponseTemplate) -> crate::test_app::Answer {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("GET"))
        .and(path("/api/jobs"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(template)
        .expect(1)
        .mount(&server)
        .await;
    app.user().await.post("/api/jobs", &our_job("my-job")).await
}

/// What a list is answered when the upstream answers it so.
async fn list(template: ResponseTemplate) -> crate::test_app::Answer {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    app.user().await.get("/api/jobs").await
}

fn with(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

#[tokio::test]
async fn messages_by_field_arrive_under_our_names() {
    let answer = create(with(
        400,
        json!({
            "error": "Validation failed",
            "fields": {
                "name": "Name must be at least 3 characters long",
                "baseModel": "Unknown model",
                "evaluationEpochs": "Too many",
                "warmupEpochs": "Too many",
                "learningRate": "Too high",
                "epochs": "Epochs must be a number"
            }
        }),
    ))
    .await;
    insta::assert_snapshot!(answer.shown(), @r#"
    400 Bad Request
    {
      "code": "validation_failed",
      "detail": "Validation failed",
      "fields": {
        "base_model": "Unknown model",
        "epochs": "Epochs must be a number",
        "evaluation_epochs": "Too many",
        "learning_rate": "Too high",
        "name": "Name must be at least 3 characters long",
        "warmup_epochs": "Too many"
      },
      "request_id": "…",
      "status": 400,
      "title": "Bad Request",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_missing_permission_stays_403_and_a_refused_key_does_not() {
    let permission = create(with(
        403,
        json!({ "error": "Insufficient permissions to create jobs" }),
    ))
    .await;
    insta::assert_snapshot!(permission.shown(), @r#"
    403 Forbidden
    {
      "code": "upstream_forbidden",
      "detail": "Insufficient permissions to create jobs",
      "request_id": "…",
      "status": 403,
      "title": "Forbidden",
      "type": "about:blank"
    }
    "#);
    let key = create(with(403, json!({ "error": "Invalid API key" }))).await;
    insta::assert_snapshot!(key.shown(), @r#"
    502 Bad Gateway
    {
      "code": "upstream_key_rejected",
      "detail": "the upstream does not take this server's key; its operator has to set a valid one",
      "request_id": "…",
      "status": 502,
      "title": "Bad Gateway",
      "type": "about:blank"
    }
    "#);
    assert_eq!(
        create(ResponseTemplate::new(403)).await.code(),
        "upstream_key_rejected"
    );
}

#[tokio::test]
async fn a_401_with_any_body_is_the_operators_problem_and_not_a_sign_out() {
    for template in [
        ResponseTemplate::new(401),
        ResponseTemplate::new(401).set_body_string("<html>no</html>"),
        with(401, json!({ "error": "Unauthorized" })),
    ] {
        let answer = list(template).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_GATEWAY, "upstream_key_rejected")
        );
    }
}

#[tokio::test]
async fn the_limit_of_ten_jobs_arrives_with_its_reason() {
    let said = json!({
        "error": "Too Many Jobs",
        "message": "Your workspace has reached the maximum limit of 10 jobs. Please delete some jobs before creating new ones."
    });
    let answer = create(with(429, said).insert_header("retry-after", "17")).await;
    assert_eq!(answer.header("retry-after"), "17");
    insta::assert_snapshot!(answer.shown(), @r#"
    429 Too Many Requests
    {
      "code": "upstream_limit",
      "detail": "Your workspace has reached the maximum limit of 10 jobs. Please delete some jobs before creating new ones.",
      "request_id": "…",
      "status": 429,
      "title": "Too Many Requests",
      "type": "about:blank"
    }
    "#);
    let silent = create(ResponseTemplate::new(429)).await;
    assert_eq!(
        (silent.status, silent.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "upstream_limit")
    );
}

#[tokio::test]
async fn other_refusals_keep_their_status_if_they_say_why() {
    let conflict = create(with(409, json!({ "message": "A job of this name exists" }))).await;
    insta::assert_snapshot!(conflict.shown(), @r#"
    409 Conflict
    {
      "code": "upstream_refused",
      "detail": "A job of this name exists",
      "request_id": "…",
      "status": 409,
      "title": "Conflict",
      "type": "about:blank"
    }
    "#);
    for silent in [
        with(409, json!({ "message": 7 })),
        ResponseTemplate::new(409),
        ResponseTemplate::new(400).set_body_string("nope"),
        with(418, json!([])),
    ] {
        let answer = create(silent).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_GATEWAY, "upstream_invalid_response")
        );
    }
}

#[tokio::test]
async fn malformed_answers_are_502_and_name_what_is_wrong() {
    let mut no_status = their_job("j", "n");
    no_status["status"] = json!(5);
    for (template, expected) in [
        (
            ResponseTemplate::new(200).set_body_string("[]"),
            "`text/plain`, not JSON",
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>", "text/HTML; charset=utf-8"),
            "`text/html`, not JSON",
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>", "application/json"),
            "not JSON",
        ),
        (ResponseTemplate::new(200), "not JSON"),
        (with(200, json!({ "items": [] })), "`jobs`"),
        (with(200, json!([no_status])), "`jobs[0].status`"),
        (
            ResponseTemplate::new(200).set_body_string("x".repeat(70_000)),
            "larger than 65536",
        ),
        (ResponseTemplate::new(404), "upstream.base_url"),
        (
            ResponseTemplate::new(302).insert_header("location", "https://evil.example/"),
            "redirects",
        ),
    ] {
        let answer = list(template).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_GATEWAY, "upstream_invalid_response")
        );
        assert!(answer.text().contains(expected), "{expected}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_upstream_that_fails_is_502_and_its_body_is_not_shown() {
    let answer = list(ResponseTemplate::new(500).set_body_string("stack trace with secrets")).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    502 Bad Gateway
    {
      "code": "upstream_error",
      "detail": "the upstream failed with status 500; try again in a moment",
      "request_id": "…",
      "status": 502,
      "title": "Bad Gateway",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn a_read_is_tried_once_more_where_that_may_help_and_a_change_never() {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(with(200, json!([])))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .respond_with(ResponseTemplate::new(503))
        .expect(1)
        .mount(&server)
        .await;
    let user = app.user().await;
    assert_eq!(user.get("/api/jobs").await.status, StatusCode::OK);
    assert_eq!(user.delete("/api/jobs/j1").await.code(), "upstream_error");
}

#[tokio::test]
async fn a_slow_upstream_is_504_within_the_time_that_is_set() {
    let begun = std::time::Instant::now();
    let answer = list(with(200, json!([])).set_delay(Duration::from_secs(60))).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout")
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_502() {
    // Bound and closed again: nobody listens there.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.local_addr().expect("an address").port()
    };
    let api = JobTrainingApi::new(&remote(&format!("http://127.0.0.1:{port}/api"))).expect("a client");
    let app = TestApp::over(Arc::new(api));
    let answer = app.user().await.get("/api/jobs").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    502 Bad Gateway
    {
      "code": "upstream_unreachable",
      "detail": "the upstream can't be reached; try again in a moment",
      "request_id": "…",
      "status": 502,
      "title": "Bad Gateway",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn deleting_tells_what_the_upstream_tells() {
    let (app, server) = TestApp::with_job_training_api().await;
    Mock::given(method("DELETE"))
        .and(path("/api/jobs/locked"))
        .respond_with(with(
            403,
            json!({ "error": "Insufficient permissions to delete jobs" }),
        ))
        .mount(&server)
        .await;
    let user = app.user().await;
    let locked = user.delete("/api/jobs/locked").await;
    assert_eq!(
        (locked.status, locked.code().as_str()),
        (StatusCode::FORBIDDEN, "upstream_forbidden")
    );
    let gone = user.request(Method::DELETE, "/api/jobs/gone").send().await;
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (StatusCode::NOT_FOUND, "not_found")
    );
}
