use crate::test_app::TestApp;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

fn new_job() -> Value {
    json!({
        "name": "my-first-job",
        "base_model": "Qwen/QwQ-32B",
        "epochs": 3,
        "evaluation_epochs": 1,
        "warmup_epochs": 1,
        "learning_rate": 0.0002,
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut job = new_job();
    job[field] = value;
    job
}

#[tokio::test]
async fn what_the_form_would_refuse_never_reaches_the_upstream() {
    let (app, server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    let trailing_dash = user.post("/api/jobs", &with("name", json!("my-job-"))).await;
    insta::assert_snapshot!(trailing_dash.shown(), @r#"
    400 Bad Request
    {
      "code": "validation_failed",
      "detail": "some fields need another value; see `fields`",
      "field_codes": {
        "name": {
          "code": "trailing_dash"
        }
      },
      "fields": {
        "name": "the job name can't end in a dash"
      },
      "request_id": "…",
      "status": 400,
      "title": "Bad Request",
      "type": "about:blank"
    }
    "#);
    let too_many = user.post("/api/jobs", &with("evaluation_epochs", json!(3))).await;
    insta::assert_snapshot!(too_many.shown(), @r#"
    400 Bad Request
    {
      "code": "validation_failed",
      "detail": "some fields need another value; see `fields`",
      "field_codes": {
        "evaluation_epochs": {
          "code": "epochs_sum",
          "params": {
            "epochs": "3",
            "sum": "4"
          }
        },
        "warmup_epochs": {
          "code": "epochs_sum",
          "params": {
            "epochs": "3",
            "sum": "4"
          }
        }
      },
      "fields": {
        "evaluation_epochs": "evaluation epochs and warm-up epochs together are 4, but must be at most the 3 epochs of the job",
        "warmup_epochs": "evaluation epochs and warm-up epochs together are 4, but must be at most the 3 epochs of the job"
      },
      "request_id": "…",
      "status": 400,
      "title": "Bad Request",
      "type": "about:blank"
    }
    "#);
    let zero_rate = user.post("/api/jobs", &with("learning_rate", json!(0))).await;
    assert_eq!(zero_rate.status, StatusCode::BAD_REQUEST);
    assert!(server.received_requests().await.expect("recorded").is_empty());
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_names_the_field() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    insta::assert_snapshot!(user.post("/api/jobs", &with("epochs", json!("three"))).await.shown(), @r#"
    400 Bad Request
    {
      "code": "invalid_body",
      "detail": "`epochs` must be a whole number from 0 to 4294967295, not the text \"three\"",
      "fields": {
        "epochs": "must be a whole number from 0 to 4294967295, not the text \"three\""
      },
      "request_id": "…",
      "status": 400,
      "title": "Bad Request",
      "type": "about:blank"
    }
    "#);
    let list = user
        .post("/api/jobs", &with("lora", json!([8, 16.0, 0.0, ["q_proj"]])))
        .await;
    assert_eq!(
        list.json()["fields"],
        json!({"lora": "must be an object, not a list"})
    );
    let bare = user.post("/api/browser-reports", &json!([])).await;
    assert_eq!(
        (bare.status, bare.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_body")
    );
    assert!(bare.text().contains("must be an object"), "{}", bare.text());
    let unknown = user.post("/api/jobs", &with("epoch", json!(3))).await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_body")
    );
    let broken = user
        .request(Method::POST, "/api/jobs")
        .header("content-type", "application/json")
        .body("{\"name\": ")
        .send()
        .await;
    assert_eq!(
        (broken.status, broken.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_body")
    );
    let two = format!("{} {}", new_job(), new_job());
    let trailing = user
        .request(Method::POST, "/api/jobs")
        .header("content-type", "application/json")
        .body(two)
        .send()
        .await;
    assert_eq!(trailing.code(), "invalid_body");
    assert_eq!(
        trailing.json()["detail"]
            .as_str()
            .expect("a sentence")
            .split(" at ")
            .next(),
        Some("the body is not valid JSON: trailing characters")
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_body_or_a_query_is_told_without_a_name_of_the_codes() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    let whole = "a whole number from 0 to 4294967295";
    for (body, detail) in [
        (json!([]), "the body must be an object, not a list".to_owned()),
        (json!({}), "`name` is missing".to_owned()),
        (
            with("epochs", json!(-1)),
            format!("`epochs` must be {whole}, not -1"),
        ),
        (
            with("schedule", json!("Linear")),
            "`schedule` can't be `Linear`: write `constant`, `linear`, `cosine`".to_owned(),
        ),
        (
            with("lora", json!({"rank": 4})),
            "`lora.alpha` is missing".to_owned(),
        ),
    ] {
        let told = user.post("/api/jobs", &body).await.json();
        assert_eq!(told["detail"], detail);
        for (field, problem) in told["fields"].as_object().into_iter().flatten() {
            assert_eq!(
                detail,
                format!("`{field}` {}", problem.as_str().expect("a sentence"))
            );
        }
    }
    let unknown = user.post("/api/jobs", &with("epoch", json!(3))).await.json();
    let detail = unknown["detail"].as_str().expect("a sentence");
    assert!(
        detail.starts_with("`epoch` is not known here: there is `name`"),
        "{detail}"
    );
    for (query, detail) in [
        ("limit=many", "`limit` must be a whole number"),
        ("limit=99999999999", "`limit` is too large a number"),
        (
            "created_from=today",
            "`created_from` can't be read: a time must be RFC 3339",
        ),
    ] {
        let told = user.get(&format!("/api/jobs?{query}")).await.json();
        assert_eq!(
            (&told["code"], &told["detail"]),
            (&json!("invalid_query"), &json!(detail))
        );
    }
    let no_line = user.get("/api/datasets/file-1/preview?line=0").await.json();
    assert_eq!(
        (&no_line["code"], &no_line["detail"]),
        (
            &json!("invalid_query"),
            &json!("`line` must be a whole number from 1 to 4294967295, not 0")
        )
    );
}

#[tokio::test]
async fn nonsense_in_query_and_headers_is_a_problem() {
    let (app, server) = TestApp::with_job_training_api().await;
    wiremock::Mock::given(wiremock::matchers::path("/api/jobs"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(json!([])))
        .mount(&server)
        .await;
    let user = app.user().await;
    for query in [
        "limit=x",
        "limit=-1",
        "limit=0",
        "limit=201",
        "status=done",
        "sort=age",
    ] {
        let answer = user.get(&format!("/api/jobs?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "invalid_query"),
            "{query}"
        );
    }
    let key = user
        .request(Method::POST, "/api/jobs")
        .header("idempotency-key", "")
        .json(&new_job())
        .send()
        .await;
    assert_eq!(key.code(), "invalid_idempotency_key");
}

#[tokio::test]
async fn what_this_upstream_has_not_is_not_pretended() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    for path in [
        "events",
        "checkpoints",
        "attempts",
        "metrics",
        "metrics.csv",
        "steps/1/examples",
        "stream",
    ] {
        let answer = user.get(&format!("/api/jobs/some-id/{path}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::NOT_FOUND, "not_supported"),
            "{path}"
        );
    }
    let cancel = user
        .request(Method::POST, "/api/jobs/some-id/cancel")
        .send()
        .await;
    insta::assert_snapshot!(cancel.shown(), @r#"
    404 Not Found
    {
      "code": "not_supported",
      "detail": "the upstream behind this console does not offer this; see `GET /api/capabilities`",
      "request_id": "…",
      "status": 404,
      "title": "Not Found",
      "type": "about:blank"
    }
    "#);
    for action in ["pause", "resume", "stop", "retry"] {
        let answer = user
            .post(&format!("/api/jobs/some-id/{action}"), &json!({}))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::NOT_FOUND, "not_supported"),
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_long_list_travels_compressed() {
    let (app, server) = TestApp::with_job_training_api().await;
    let job = json!({ "id": "j", "name": "n".repeat(2_000), "baseModel": "m", "status": "Running", "date": "2026-01-01" });
    wiremock::Mock::given(wiremock::matchers::path("/api/jobs"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(json!([job])))
        .mount(&server)
        .await;
    let user = app.user().await;
    let asking = user
        .request(Method::GET, "/api/jobs")
        .header("accept-encoding", "gzip, br");
    let answer = asking.send().await;
    assert_eq!(
        (answer.header("content-encoding"), answer.body.len() < 500),
        ("br", true)
    );
}
