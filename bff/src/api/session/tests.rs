use super::*;
use crate::test_app::{Persona, TOKEN, TestApp};
use axum::http::Method;
use serde_json::json;

async fn sign_in(persona: &Persona<'_>, token: &str) -> crate::test_app::Answer {
    persona.post("/api/session", &json!({ "token": token })).await
}

#[tokio::test]
async fn the_right_token_opens_a_session_with_a_cookie_that_scripts_can_not_read() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let answer = sign_in(&app.anon(), TOKEN).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    200 OK
    {
      "provider": "local",
      "subject": "local"
    }
    "#);
    let cookie = answer.header("set-cookie").to_owned();
    let (value, flags) = cookie.split_once(';').expect("flags");
    assert_eq!(value.len(), "__Host-attune=".len() + 43);
    assert_eq!(
        flags,
        " Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Strict"
    );
    let session = app
        .anon()
        .request(Method::GET, "/api/session")
        .header("cookie", value)
        .send()
        .await;
    insta::assert_snapshot!(session.shown(), @r#"
    200 OK
    {
      "provider": "local",
      "subject": "local"
    }
    "#);
}

#[tokio::test]
async fn a_wrong_token_opens_nothing() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let answer = sign_in(&app.anon(), "0123456789abcdef0123456789abcdee").await;
    insta::assert_snapshot!(answer.shown(), @r#"
    401 Unauthorized
    {
      "code": "wrong_token",
      "detail": "this is not the sign-in token; open the address that `attune url` prints",
      "request_id": "…",
      "status": 401,
      "title": "Unauthorized",
      "type": "about:blank"
    }
    "#);
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn guesses_run_out_for_one_address_and_for_no_other() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let anon = app.anon();
    let guess = |token: &'static str, peer: &'static str| {
        let anon = &anon;
        async move {
            anon.request(Method::POST, "/api/session")
                .header("x-forwarded-for", "198.51.100.7")
                .json(&json!({ "token": token }))
                .from(peer)
                .send()
                .await
        }
    };
    for _ in 0..10 {
        assert_eq!(
            guess("wrong", "192.0.2.1:1000").await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let refused = guess("wrong", "[::ffff:192.0.2.1]:1001").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "6");
    assert_eq!(
        guess(TOKEN, "192.0.2.1:1002").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(guess(TOKEN, "192.0.2.2:1000").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let first = sign_in(&app.anon(), TOKEN).await.cookie();
    let again = app
        .anon()
        .request(Method::POST, "/api/session")
        .header("cookie", &first)
        .json(&json!({ "token": TOKEN }))
        .send()
        .await;
    let second = again.cookie();
    assert_ne!(first, second);
    let with = |cookie: String| {
        let anon = app.anon();
        async move {
            anon.request(Method::GET, "/api/session")
                .header("cookie", &cookie)
                .send()
                .await
                .status
        }
    };
    assert_eq!(with(first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(with(second).await, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    assert_eq!(user.get("/api/session").await.status, StatusCode::OK);
    let answer = user.delete("/api/session").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(
        answer
            .header("set-cookie")
            .starts_with("__Host-attune=; Path=/; Max-Age=0;")
    );
    assert_eq!(user.get("/api/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_idle_session_is_signed_out() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    app.state.clock.advance_ms(crate::session::IDLE_MS);
    assert_eq!(user.get("/api/session").await.code(), "signed_out");
}
