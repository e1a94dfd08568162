//! /api/alerts, /api/jobs/{id}/alerts and /api/notifications.

use super::stage::{Console, new_job};
use crate::test_app::{Answer, Persona};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

async fn put(user: &Persona<'_>, path: &str, body: &Value) -> Answer {
    user.request(Method::PUT, path).json(body).send().await
}

#[tokio::test]
async fn rules_are_set_for_new_jobs_and_for_one_by_their_owner_alone() {
    let console = Console::start().await;
    let user = console.app.user().await;
    assert_eq!(user.get("/api/capabilities").await.json()["alerts"], true);
    assert_eq!(user.get("/api/alerts").await.json(), json!({ "rules": [] }));
    let rules = json!({ "rules": [
        { "condition": "divergence", "parameters": { "factor": 3.0 }, "action": "pause" },
        { "condition": "low_disk", "parameters": {}, "action": "notify" },
    ] });
    let set = put(&user, "/api/alerts", &rules).await;
    assert_eq!((set.status, set.json()), (StatusCode::OK, rules.clone()));
    assert_eq!(user.get("/api/alerts").await.json(), rules);

    let job = new_job(&user).await;
    let path = format!("/api/jobs/{job}/alerts");
    assert_eq!(
        user.get(&path).await.json(),
        rules,
        "a new job begins with its owner's"
    );
    let own =
        json!({ "rules": [{ "condition": "plateau", "parameters": { "count": 50 }, "action": "notify" }] });
    assert_eq!(put(&user, &path, &own).await.json(), own);
    assert_eq!(user.get(&path).await.json(), own);
    assert_eq!(user.get("/api/alerts").await.json(), rules);

    let twice = json!({ "rules": [own["rules"][0], own["rules"][0]] });
    let endless =
        json!({ "rules": [{ "condition": "plateau", "parameters": { "count": 0 }, "action": "notify" }] });
    for (body, code) in [(&twice, "duplicate"), (&endless, "parameter_out_of_range")] {
        for path in ["/api/alerts", path.as_str()] {
            let refused = put(&user, path, body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
            assert_eq!(refused.json()["field_codes"]["rules"]["code"], code);
        }
    }
    let unknown = json!({ "rules": [{ "condition": "boredom", "action": "notify" }] });
    assert_eq!(
        put(&user, "/api/alerts", &unknown).await.status,
        StatusCode::BAD_REQUEST
    );

    let other = console.app.signed_in("somebody-else").await;
    assert_eq!(other.get("/api/alerts").await.json(), json!({ "rules": [] }));
    assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(put(&other, &path, &own).await.status, StatusCode::NOT_FOUND);
    let anon = console.app.anon();
    assert_eq!(anon.get("/api/alerts").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn notifications_are_listed_and_read_by_their_owner_alone() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let path = "/api/notifications";
    assert_eq!(
        user.get(path).await.json(),
        json!({ "notifications": [], "unread": 0, "next_cursor": null })
    );
    let job = new_job(&user).await;
    let cancelled = user
        .request(Method::POST, &format!("/api/jobs/{job}/cancel"))
        .send()
        .await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let list = user.get(&format!("{path}?limit=1&unread=true")).await.json();
    let told = &list["notifications"][0];
    assert_eq!(
        (&told["kind"], &told["job_id"], &told["job_name"], &told["read"]),
        (&json!("cancelled"), &json!(job), &json!("my-job"), &json!(false))
    );
    assert_eq!(list["unread"], 1);
    let id = told["id"].as_str().expect("an id");

    let other = console.app.signed_in("somebody-else").await;
    assert_eq!(other.get(path).await.json()["notifications"], json!([]));
    let read = format!("{path}/{id}/read");
    let refused = other.request(Method::POST, &read).send().await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::NOT_FOUND, "not_found")
    );
    let all = format!("{path}/read-all");
    for (persona, path, unread) in [(&other, &all, 1), (&user, &read, 0), (&user, &all, 0)] {
        let answer = persona.request(Method::POST, path).send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(user.get("/api/notifications").await.json()["unread"], unread);
    }
    let list = user.get(path).await.json();
    assert_eq!(list["notifications"][0]["read"], true);
    let unread = user.get(&format!("{path}?unread=true")).await.json();
    assert_eq!(unread["notifications"], json!([]));
    for query in ["limit=0", "limit=201", "cursor=none", "unread=perhaps"] {
        let refused = user.get(&format!("{path}?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
