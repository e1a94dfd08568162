//! /api/keys.

use super::stage::Console;
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn keys_are_made_listed_and_removed_by_their_owner_alone() {
    let console = Console::start().await;
    let user = console.app.user().await;
    assert_eq!(user.get("/api/capabilities").await.json()["keys"], true);
    assert_eq!(user.get("/api/keys").await.json(), json!({ "keys": [] }));
    let created = user.post("/api/keys", &json!({ "name": "notebook" })).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let secret = created["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("sk-attune-"));
    assert_eq!(
        (&created["key"]["name"], &created["key"]["admin"]),
        (&json!("notebook"), &json!(false))
    );
    let list = user.get("/api/keys").await;
    assert_eq!(list.json(), json!({ "keys": [created["key"]] }));
    assert!(!list.text().contains(secret));

    let nameless = user.post("/api/keys", &json!({ "name": " " })).await;
    assert_eq!(nameless.status, StatusCode::BAD_REQUEST);
    assert_eq!(nameless.json()["field_codes"]["name"]["code"], "key_name_length");
    let admin = json!({ "name": "boss", "admin": true });
    let refused = user.post("/api/keys", &admin).await;
    assert_eq!(
        refused.status,
        StatusCode::BAD_REQUEST,
        "a session makes no administrator"
    );

    let path = format!("/api/keys/{}", created["key"]["id"].as_str().expect("an id"));
    let other = console.app.signed_in("somebody-else").await;
    assert_eq!(other.get("/api/keys").await.json(), json!({ "keys": [] }));
    let delete =
        async |whose: &crate::test_app::Persona<'_>| whose.request(Method::DELETE, &path).send().await.status;
    assert_eq!(delete(&other).await, StatusCode::NOT_FOUND);
    assert_eq!(delete(&user).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&user).await, StatusCode::NOT_FOUND);
    assert_eq!(user.get("/api/keys").await.json(), json!({ "keys": [] }));
}
