//! Every error comes in the envelope, whoever raised it.

use super::Client;
use crate::testing::alice;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use serde_json::json;

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_told_in_the_envelope() {
    let client = Client::start().await;
    let nowhere = client.get("/v1/nowhere").await;
    assert_eq!(
        (nowhere.status, nowhere.error()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("unknown_url"))
    );
    let wrong = client
        .send(
            client
                .request(Method::PUT, "/v1/files")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong.headers.contains_key("allow"));
    assert_eq!(wrong.error()["code"], "method_not_allowed");
}

#[tokio::test]
async fn a_path_that_is_no_text_names_nothing_and_says_so_in_the_envelope() {
    let client = Client::start().await;
    for path in [
        "/v1/files/%FF",
        "/v1/models/%FF",
        "/v1/fine_tuning/jobs/%C3%28/events",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.error()["code"], "unknown_url");
    }
}

#[tokio::test]
async fn a_missing_or_unknown_key_is_401() {
    let client = Client::start().await;
    let bare = Request::builder().uri("/v1/models").body(Body::empty()).unwrap();
    let answer = client.send(bare).await;
    assert_eq!(
        (answer.status, &answer.error()["code"]),
        (StatusCode::UNAUTHORIZED, &json!(null))
    );
    let unknown = Request::builder()
        .uri("/v1/models")
        .header("authorization", "Bearer sk-x")
        .body(Body::empty())
        .unwrap();
    let answer = client.send(unknown).await;
    assert_eq!(
        (answer.status, &answer.error()["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
    );
}

#[tokio::test]
async fn a_key_that_was_removed_is_401_from_then_on() {
    let client = Client::start().await;
    assert_eq!(client.get("/v1/models").await.status, StatusCode::OK);
    let service = &client.engine.service;
    let keys = service.list_api_keys(&alice()).await.unwrap().keys;
    service.delete_api_key(&alice(), &keys[0].id).await.unwrap();
    let answer = client.get("/v1/models").await;
    assert_eq!(
        (answer.status, &answer.error()["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
    );
}

#[tokio::test]
async fn bodies_that_the_framework_refuses_are_told_in_the_envelope() {
    let client = Client::start().await;
    let post = || client.request(Method::POST, "/v1/fine_tuning/jobs");
    let send = async |content_type: &str, body: Vec<u8>| {
        client
            .send(
                post()
                    .header("content-type", content_type)
                    .body(Body::from(body))
                    .unwrap(),
            )
            .await
    };
    let text = send("text/plain", b"{}".to_vec()).await;
    assert_eq!(text.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    text.error();
    let broken = send("application/json", b"{".to_vec()).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    broken.error();
    let list = send("application/json", b"[]".to_vec()).await;
    assert_eq!(list.status, StatusCode::BAD_REQUEST);
    list.error();
    let large = send("application/json", vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    large.error();
    let form = client.post("/v1/files", &json!({})).await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    form.error();
}

#[tokio::test]
async fn limits_outside_their_bounds_are_refused_everywhere() {
    let client = Client::start().await;
    for path in ["/v1/fine_tuning/jobs", "/v1/files"] {
        for limit in ["0", "-1", "1000000", "many", ""] {
            client
                .get(&format!("{path}?limit={limit}"))
                .await
                .refused("limit");
        }
    }
}

#[tokio::test]
async fn what_the_store_says_stays_inside() {
    let client = Client::start().await;
    client.engine.service.inner.store.close().await;
    let answer = client.get("/v1/models").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.error()["type"], "server_error");
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("pool"));
}
