use crate::{probes::MetricsDoor, secret::Secret, test_app::TestApp};
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_a_name() {
    let (app, _server) = TestApp::with_job_training_api().await;
    for path in [
        "/",
        "/healthz",
        "/api/session",
        "/api/nothing",
        "/v1/nothing",
        "/downloads/x",
        "/no/such.file",
        "/v1/panic",
    ] {
        let answer = app.anon().get(path).await;
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
    }
}

#[tokio::test]
async fn a_request_id_from_outside_is_not_taken() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let answer = app
        .anon()
        .request(Method::GET, "/healthz")
        .header("x-request-id", "mine")
        .send()
        .await;
    assert_ne!(answer.header("x-request-id"), "mine");
}

#[tokio::test]
async fn a_panic_becomes_a_problem_that_does_not_tell_it() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let answer = app.anon().get("/v1/panic").await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    insta::assert_snapshot!(answer.shown(), @r#"
    500 Internal Server Error
    {
      "code": "internal_error",
      "detail": "something went wrong on the server; its log tells more under this request's id",
      "request_id": "…",
      "status": 500,
      "title": "Internal Server Error",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn what_is_not_there_and_what_can_not_be_done_are_problems() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    insta::assert_snapshot!(user.get("/api/no-such-path").await.shown(), @r#"
    404 Not Found
    {
      "code": "not_found",
      "detail": "there is no such path under `/api`",
      "request_id": "…",
      "status": 404,
      "title": "Not Found",
      "type": "about:blank"
    }
    "#);
    let wrong_method = user.request(Method::PATCH, "/api/jobs").send().await;
    insta::assert_snapshot!(wrong_method.shown(), @r#"
    405 Method Not Allowed
    {
      "code": "method_not_allowed",
      "detail": "this path does not take this method; `allow` lists those it takes",
      "request_id": "…",
      "status": 405,
      "title": "Method Not Allowed",
      "type": "about:blank"
    }
    "#);
    assert_eq!(wrong_method.header("allow"), "GET,HEAD,POST");
    let no_type = user.request(Method::POST, "/api/jobs").body("{}").send().await;
    insta::assert_snapshot!(no_type.shown(), @r#"
    415 Unsupported Media Type
    {
      "code": "unsupported_media_type",
      "detail": "send the body as JSON, with `content-type: application/json`",
      "request_id": "…",
      "status": 415,
      "title": "Unsupported Media Type",
      "type": "about:blank"
    }
    "#);
    let too_large = user
        .post("/api/jobs", &json!({ "name": "x".repeat(3_000) }))
        .await;
    insta::assert_snapshot!(too_large.shown(), @r#"
    413 Payload Too Large
    {
      "code": "body_too_large",
      "detail": "the body is larger than this server takes",
      "request_id": "…",
      "status": 413,
      "title": "Payload Too Large",
      "type": "about:blank"
    }
    "#);
    let outside = app.anon().request(Method::POST, "/").send().await;
    assert_eq!(
        (outside.status, outside.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn the_probe_is_up_without_a_session_and_without_our_header() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let answer = app
        .anon()
        .request(Method::GET, "/healthz")
        .without("x-attune")
        .send()
        .await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "ok\n"));
}

#[tokio::test]
async fn readiness_tells_a_refused_key_from_an_upstream_that_is_down() {
    let (app, server) = TestApp::with_job_training_api().await;
    let status = |status: u16| {
        wiremock::Mock::given(wiremock::matchers::path("/api/models"))
            .respond_with(wiremock::ResponseTemplate::new(status).set_body_json(json!([])))
            .mount_as_scoped(&server)
    };
    {
        let _mock = status(401).await;
        insta::assert_snapshot!(app.anon().get("/readyz").await.shown(), @r#"
        503 Service Unavailable
        {
          "sessions": "ok",
          "status": "not_ready",
          "upstream": "key_rejected"
        }
        "#);
    }
    {
        let _mock = status(500).await;
        let soon = app.anon().get("/readyz").await.json();
        assert_eq!(soon["upstream"], "key_rejected", "told again for a second");
        app.clock.advance_ms(1_000);
        assert_eq!(app.anon().get("/readyz").await.json()["upstream"], "failed");
    }
    let _mock = status(200).await;
    app.clock.advance_ms(1_000);
    insta::assert_snapshot!(app.anon().get("/readyz").await.shown(), @r#"
    200 OK
    {
      "sessions": "ok",
      "status": "ready",
      "upstream": "ok"
    }
    "#);
}

#[tokio::test]
async fn however_often_readiness_is_asked_the_upstream_is_asked_once_a_second() {
    let (app, server) = TestApp::with_job_training_api().await;
    wiremock::Mock::given(wiremock::matchers::path("/api/models"))
        .respond_with(wiremock::ResponseTemplate::new(401))
        .expect(2)
        .mount(&server)
        .await;
    for _second in 0..2 {
        let asked = (0..50).map(|_| async { app.anon().get("/readyz").await.status });
        let answers = futures_util::future::join_all(asked).await;
        assert!(
            answers
                .iter()
                .all(|status| *status == StatusCode::SERVICE_UNAVAILABLE)
        );
        app.clock.advance_ms(1_000);
    }
}

#[tokio::test]
async fn the_counters_are_for_whoever_has_the_token_where_others_can_ask() {
    let ask = async |door: MetricsDoor, authorization: Option<&str>| {
        let (app, _server) = TestApp::with_metrics_door(door).await;
        let anon = app.anon();
        let asking = anon.request(Method::GET, "/metrics");
        let asking = match authorization {
            Some(value) => asking.header("authorization", value),
            None => asking,
        };
        let answer = asking.send().await;
        let told = answer.text().contains("attune_uptime_seconds");
        assert_eq!(told, answer.status == StatusCode::OK);
        answer.status.as_u16()
    };
    let token = || MetricsDoor::Token(Secret::new("a-token-for-the-scraper"));
    assert_eq!(ask(MetricsDoor::Open, None).await, 200);
    assert_eq!(ask(MetricsDoor::Shut, None).await, 403);
    assert_eq!(ask(MetricsDoor::Shut, Some("Bearer ")).await, 403);
    assert_eq!(ask(token(), None).await, 401);
    assert_eq!(ask(token(), Some("Bearer a-token-for-the-scrapes")).await, 401);
    assert_eq!(ask(token(), Some("Basic a-token-for-the-scraper")).await, 401);
    assert_eq!(ask(token(), Some("Bearer a-token-for-the-scraper")).await, 200);
}

#[tokio::test]
async fn the_counters_tell_routes_and_not_addresses() {
    let (app, _server) = TestApp::with_job_training_api().await;
    app.user().await.get("/api/jobs/some-id/events?cursor=x").await;
    let text = app.anon().get("/metrics").await.text();
    assert!(
        text.contains("route=\"/api/jobs/{id}/events\",status=\"404\""),
        "{text}"
    );
    assert!(text.contains("attune_upstream_up 0"), "{text}");
    assert!(!text.contains("some-id"), "{text}");
}

#[tokio::test]
async fn a_navigation_gets_a_page_and_a_missing_file_does_not() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let page = app
        .anon()
        .request(Method::GET, "/jobs/some-id")
        .header("accept", "text/html,*/*")
        .send()
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("Attune"));
    let file = app
        .anon()
        .request(Method::GET, "/missing.js")
        .header("accept", "*/*")
        .send()
        .await;
    assert_eq!(file.status, StatusCode::NOT_FOUND);
    let head = app
        .anon()
        .request(Method::HEAD, "/")
        .header("accept", "text/html")
        .send()
        .await;
    assert_eq!(head.status, StatusCode::OK);
    for sneaky in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "//etc/passwd",
    ] {
        let answer = app.anon().get(sneaky).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{sneaky}");
    }
}
