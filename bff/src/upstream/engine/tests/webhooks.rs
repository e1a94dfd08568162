//! /api/webhooks.

use super::stage::Console;
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn webhooks_are_made_listed_tested_and_removed_by_their_owner_alone() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let console = Console::start().await;
    let user = console.app.user().await;
    assert_eq!(user.get("/api/capabilities").await.json()["webhooks"], true);
    let body = json!({ "url": "https://hooks.example/a", "events": ["fine_tuning.job.failed"] });
    let created = user.post("/api/webhooks", &body).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let secret = created["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_"));
    let id = created["webhook"]["id"].as_str().expect("an id");
    let list = user.get("/api/webhooks").await.json();
    assert_eq!(list, json!({ "webhooks": [created["webhook"]] }));
    let path = format!("/api/webhooks/{id}");
    let deliveries = user.get(&format!("{path}/deliveries")).await.json();
    assert_eq!(deliveries, json!({ "deliveries": [] }));

    for (url, code) in [
        ("https://10.0.0.1/", "private_address"),
        ("http://hooks.example/", "https_required"),
        ("nonsense", "invalid_url"),
    ] {
        let refused = user.post("/api/webhooks", &json!({ "url": url })).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{url}");
        assert_eq!(refused.json()["field_codes"]["url"]["code"], code);
    }
    let unknown = json!({ "url": "https://hooks.example/", "events": ["fine_tuning.job.started"] });
    assert_eq!(
        user.post("/api/webhooks", &unknown).await.status,
        StatusCode::BAD_REQUEST
    );

    let other = console.app.signed_in("somebody-else").await;
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/deliveries")),
        (Method::POST, format!("{path}/test")),
    ] {
        let answer = other.request(method, &path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A name that leads inside, which shows when it is resolved.
    let inside = json!({ "url": "https://localhost:1/" });
    let inside = user.post("/api/webhooks", &inside).await.json();
    let inside = inside["webhook"]["id"].as_str().expect("an id");
    let tested = user
        .post(&format!("/api/webhooks/{inside}/test"), &json!({}))
        .await;
    assert_eq!(
        (tested.status, &tested.json()["status"]),
        (StatusCode::OK, &json!("failed"))
    );
    assert!(
        tested.json()["error"]
            .as_str()
            .expect("a reason")
            .contains("private")
    );
    let removed = user.request(Method::DELETE, &path).send().await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(
        user.request(Method::DELETE, &path).send().await.status,
        StatusCode::NOT_FOUND
    );
}
