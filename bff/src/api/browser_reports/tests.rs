use crate::test_app::{Answer, Persona, TestApp};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

const PATH: &str = "/api/browser-reports";

async fn report(persona: &Persona<'_>, body: &Value) -> Answer {
    persona.post(PATH, body).await
}

async fn counters(app: &TestApp) -> String {
    app.anon().get("/metrics").await.text()
}

#[tokio::test]
async fn what_a_browser_tells_is_found_in_the_counters() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    assert_eq!(
        user.get("/api/capabilities").await.json()["browser_reports"],
        true
    );
    let answer = report(
        &user,
        &json!({
            "times": [
                {"measure": "app_drawn", "duration_ms": 210.5},
                {"measure": "chart_redraw", "duration_ms": 9},
                {"measure": "chart_redraw", "duration_ms": 3_600_000},
            ],
            "errors": [{"kind": "script", "count": 2}, {"kind": "panic", "count": 4_000_000_000_u32}],
        }),
    )
    .await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    report(&user, &json!({"errors": [{"kind": "script", "count": 1}]})).await;
    let text = counters(&app).await;
    for expected in [
        "attune_browser_duration_seconds_bucket{measure=\"app_drawn\",le=\"0.1\"} 0\n",
        "attune_browser_duration_seconds_bucket{measure=\"app_drawn\",le=\"0.25\"} 1\n",
        "attune_browser_duration_seconds_sum{measure=\"app_drawn\"} 0.2105\n",
        // An hour counts as the longest time there is.
        "attune_browser_duration_seconds_sum{measure=\"chart_redraw\"} 60.009\n",
        "attune_browser_duration_seconds_count{measure=\"chart_redraw\"} 2\n",
        "attune_browser_duration_seconds_count{measure=\"route_change\"} 0\n",
        "attune_browser_errors_total{kind=\"script\"} 3\n",
        "attune_browser_errors_total{kind=\"panic\"} 100\n",
        "attune_browser_errors_total{kind=\"rejection\"} 0\n",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
}

#[tokio::test]
async fn a_report_has_our_names_and_bounds_or_nothing_of_it_is_counted() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    let before = counters(&app)
        .await
        .lines()
        .filter(|line| line.contains("attune_browser"))
        .count();
    let time = json!({"measure": "app_drawn", "duration_ms": 1});
    for body in [
        json!({"times": [time, {"measure": "mine", "duration_ms": 1}]}),
        json!({"times": [time, {"measure": "app_drawn", "duration_ms": -1}]}),
        json!({"times": [time, {"measure": "app_drawn", "duration_ms": 1, "page": "/jobs/secret"}]}),
        json!({"times": [time], "errors": [{"kind": "message of an error", "count": 1}]}),
        json!({"times": [time], "errors": [{"kind": "script", "count": 1}, {"kind": "script", "count": 1}]}),
        json!({"times": [time], "address": "https://example.com/"}),
        json!({"times": vec![time.clone(); 65]}),
    ] {
        let answer = report(&user, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let long = json!({"times": [time], "errors": [], "more": "x".repeat(7_000)});
    assert_eq!(report(&user, &long).await.code(), "body_too_large");
    let text = counters(&app).await;
    assert!(
        text.contains("attune_browser_duration_seconds_count{measure=\"app_drawn\"} 0\n"),
        "{text}"
    );
    let after = text
        .lines()
        .filter(|line| line.contains("attune_browser"))
        .count();
    assert_eq!(before, after, "no series was added");
    let fullest = json!({"times": vec![json!({"measure": "largest_contentful_paint", "duration_ms": 12_345.678}); 64],
        "errors": [{"kind": "panic", "count": 100}, {"kind": "script", "count": 100}, {"kind": "rejection", "count": 100}]});
    assert_eq!(
        report(&user, &fullest).await.status,
        StatusCode::NO_CONTENT,
        "the largest that is allowed fits"
    );
}

#[tokio::test]
async fn a_session_reports_so_often_in_a_minute_and_no_other_suffers() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let (user, other) = (app.user().await, app.signed_in("other").await);
    let body = json!({"errors": [{"kind": "script", "count": 1}]});
    for _ in 0..60 {
        assert_eq!(report(&user, &body).await.status, StatusCode::NO_CONTENT);
    }
    let refused = report(&user, &body).await;
    assert_eq!(
        (refused.code().as_str(), refused.status.as_u16()),
        ("too_many_reports", 429)
    );
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(report(&other, &body).await.status, StatusCode::NO_CONTENT);
    app.clock.advance_ms(60_000);
    assert_eq!(report(&user, &body).await.status, StatusCode::NO_CONTENT);
    let text = counters(&app).await;
    assert!(
        text.contains("attune_browser_errors_total{kind=\"script\"} 62\n"),
        "{text}"
    );
}

#[tokio::test]
async fn nothing_is_counted_against_the_operators_or_the_users_will_or_without_a_session() {
    let body = json!({"errors": [{"kind": "script", "count": 1}]});
    let (app, _server) = TestApp::without_browser_reports().await;
    let user = app.user().await;
    assert_eq!(
        user.get("/api/capabilities").await.json()["browser_reports"],
        false
    );
    assert_eq!(report(&user, &body).await.code(), "browser_reports_off");
    assert!(!counters(&app).await.contains("attune_browser"));

    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    for header in ["sec-gpc", "dnt"] {
        let asking = user.request(Method::POST, PATH).json(&body).header(header, "1");
        assert_eq!(asking.send().await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(report(&app.anon(), &body).await.status, StatusCode::UNAUTHORIZED);
    let text = counters(&app).await;
    assert!(
        text.contains("attune_browser_errors_total{kind=\"script\"} 0\n"),
        "{text}"
    );
}
