//! Attacks on the door of `/api`.

use crate::test_app::{ALLOWED, PUBLIC, TestApp};
use axum::http::{Method, StatusCode};

const OWN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn a_request_without_our_header_is_refused_even_with_a_session() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    for asking in [
        user.request(Method::GET, "/api/capabilities").without("x-attune"),
        user.request(Method::GET, "/api/capabilities")
            .header("x-attune", "0"),
        user.request(Method::GET, "/api/capabilities")
            .header("x-attune", ""),
        user.request(Method::GET, "/api/jobs/x/stream")
            .without("x-attune"),
        user.request(Method::POST, "/api/session").without("x-attune"),
        user.request(Method::GET, "/api/no-such-path").without("x-attune"),
        app.anon()
            .request(Method::GET, "/api/capabilities")
            .without("x-attune"),
    ] {
        let answer = asking.send().await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "missing_header")
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn without_a_session_every_path_but_the_sign_in_is_401() {
    let (app, server) = TestApp::with_job_training_api().await;
    let document = serde_json::to_value(crate::api::document()).expect("a document");
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            if path == "/api/session" && method == "post" {
                continue;
            }
            let method: Method = method.to_uppercase().parse().expect("a method");
            let address = path.replace("{id}", "some-id").replace("{token}", "some-token");
            let answer = app.anon().request(method.clone(), &address).send().await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.code(), "signed_out", "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked >= 20, "{asked}");
    assert!(server.received_requests().await.expect("recorded").is_empty());
    let unknown = app.anon().get("/api/no-such-path").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_user_agent_and_no_path_like_a_probes_skips_the_sign_in() {
    let (app, _server) = TestApp::with_job_training_api().await;
    for path in [
        "/api/jobs?/healthz",
        "/api/healthz",
        "/api/metrics",
        "/api//healthz",
        "/api/jobs;/healthz",
    ] {
        let answer = app
            .anon()
            .request(Method::GET, path)
            .header("user-agent", "kube-probe/1.30")
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_cookie_that_we_did_not_make_opens_nothing() {
    let (app, _server) = TestApp::with_job_training_api().await;
    for cookie in [
        "__Host-attune=",
        "__Host-attune=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "attune=x; other=__Host-attune",
        "__host-attune=x",
    ] {
        let answer = app
            .anon()
            .request(Method::GET, "/api/session")
            .header("cookie", cookie)
            .send()
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookie}");
    }
}

/// What a change from these headers is answered: 403 by the door, or 404 because nothing is there.
async fn change(headers: &[(&'static str, &str)]) -> String {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    let mut asking = user.request(Method::POST, "/api/datasets/example");
    for (name, value) in headers {
        asking = asking.header(name, value);
    }
    asking.send().await.code()
}

#[tokio::test]
async fn a_change_is_taken_from_listed_origins_only() {
    for origin in [OWN, "http://localhost:8080", "http://[::1]:8080", PUBLIC, ALLOWED] {
        assert_eq!(change(&[("origin", origin)]).await, "not_supported", "{origin}");
        let site = [("origin", origin), ("sec-fetch-site", "same-origin")];
        assert_eq!(change(&site).await, "not_supported", "{origin}");
    }
    for origin in [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1:8081",
        "https://attune.example",
        "http://127.0.0.1:8080.evil.example",
    ] {
        assert_eq!(change(&[("origin", origin)]).await, "cross_origin", "{origin}");
        // As after a rebound name: the browser believes it is at home.
        let site = [("origin", origin), ("sec-fetch-site", "same-origin")];
        assert_eq!(change(&site).await, "cross_origin", "{origin}");
    }
}

#[tokio::test]
async fn host_and_forwarded_headers_are_not_believed() {
    let evil = "https://evil.example";
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-host", "evil.example"),
    ] {
        let headers = [("origin", evil), ("sec-fetch-site", "same-origin"), (name, value)];
        assert_eq!(change(&headers).await, "cross_origin", "{name}");
    }
}

#[tokio::test]
async fn what_the_browser_says_of_the_site_is_heeded() {
    assert_eq!(change(&[]).await, "not_supported", "no browser");
    for site in ["cross-site", "none", "", "something-new"] {
        assert_eq!(
            change(&[("sec-fetch-site", site)]).await,
            "cross_origin",
            "{site}"
        );
        assert_eq!(
            change(&[("sec-fetch-site", site), ("origin", OWN)]).await,
            "cross_origin",
            "{site}"
        );
    }
    let listed = [("sec-fetch-site", "same-site"), ("origin", ALLOWED)];
    assert_eq!(change(&listed).await, "not_supported");
    let unlisted = [
        ("sec-fetch-site", "same-site"),
        ("origin", "https://other.attune.example"),
    ];
    assert_eq!(change(&unlisted).await, "cross_origin");
    assert_eq!(change(&[("sec-fetch-site", "same-site")]).await, "cross_origin");
}

#[tokio::test]
async fn a_sign_in_is_a_change_too() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let body = serde_json::json!({ "token": crate::test_app::TOKEN });
    let answer = app
        .anon()
        .request(Method::POST, "/api/session")
        .header("origin", "https://evil.example")
        .json(&body)
        .send()
        .await;
    assert_eq!(answer.code(), "cross_origin");
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn only_listed_origins_may_read_and_they_may_send_the_cookie() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let preflight = |origin: &'static str| {
        let app = &app;
        async move {
            app.anon()
                .request(Method::OPTIONS, "/api/jobs")
                .without("x-attune")
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header(
                    "access-control-request-headers",
                    "x-attune,content-type,idempotency-key",
                )
                .send()
                .await
        }
    };
    let listed = preflight(ALLOWED).await;
    assert_eq!(listed.header("access-control-allow-origin"), ALLOWED);
    assert_eq!(listed.header("access-control-allow-credentials"), "true");
    assert_eq!(
        listed.header("access-control-max-age"),
        "7200",
        "browsers keep it"
    );
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(
            listed.header("access-control-allow-methods").contains(method),
            "{method}"
        );
    }
    for header in [
        "x-attune",
        "content-type",
        "content-range",
        "idempotency-key",
        "last-event-id",
    ] {
        assert!(
            listed.header("access-control-allow-headers").contains(header),
            "{header}"
        );
    }
    for answer in [&listed, &preflight("https://evil.example").await] {
        assert!(
            answer.header("vary").contains("origin"),
            "no cache gives one origin's answer to another"
        );
    }
    let page_elsewhere = preflight(PUBLIC).await;
    assert_eq!(
        page_elsewhere.header("access-control-allow-origin"),
        PUBLIC,
        "the public address may be a static host's"
    );
    let unlisted = preflight("https://evil.example").await;
    assert_eq!(unlisted.header("access-control-allow-origin"), "");
    let read = app
        .user()
        .await
        .request(Method::GET, "/api/session")
        .header("origin", ALLOWED)
        .send()
        .await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.header("access-control-allow-origin"), ALLOWED);
    let refused = app
        .anon()
        .request(Method::GET, "/api/session")
        .header("origin", ALLOWED)
        .send()
        .await;
    assert_eq!(
        refused.header("access-control-allow-origin"),
        ALLOWED,
        "the page may read why"
    );
}
