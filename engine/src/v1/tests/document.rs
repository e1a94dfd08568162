//! docs/openapi-v1.json, which is kept by hand, tells of exactly what is served. `cargo xtask fuzz-api` compares the shapes.

use super::Client;
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(include_str!("../../../../docs/openapi-v1.json")).unwrap()
}

#[test]
fn every_path_that_is_served_is_documented_and_no_other() {
    // The router can't be asked; its source names each path once.
    let source = include_str!("../../v1.rs");
    let served: BTreeSet<String> = source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with('/'))
        .map(|path| path.replace("{*id}", "{id}"))
        .collect();
    let document = document();
    let documented: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(served, documented);
}

#[tokio::test]
async fn every_documented_operation_is_served_and_asks_for_a_key() {
    let client = Client::start().await;
    for (path, operations) in document()["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = format!("/v1{}", path.replace("{id}", "x").replace("{checkpoint}", "x"));
            let about = format!("{method} {path}");
            let request = client.request(method.clone(), &path).body(Body::empty()).unwrap();
            let answer = client.send(request).await;
            assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{about}");
            if answer.status == StatusCode::NOT_FOUND {
                assert_ne!(answer.error()["code"], "unknown_url", "{about}");
            }
            let bare = axum::http::Request::builder().method(method).uri(&path);
            let bare = client.send(bare.body(Body::empty()).unwrap()).await;
            assert_eq!(bare.status, StatusCode::UNAUTHORIZED, "{about}");
        }
    }
}
