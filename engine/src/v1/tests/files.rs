//! /v1/files.

use super::Client;
use crate::testing::{alice, lines, mallory};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use shared::id::DatasetId;

#[tokio::test]
async fn a_file_goes_up_is_processed_and_comes_down_again() {
    let client = Client::start().await;
    // The purpose behind the file.
    let text = lines(12);
    let answer = client
        .form(&[
            ("file", Some("t.jsonl"), &text),
            ("expires_after[seconds]", None, "3600"),
            ("purpose", None, "fine-tune"),
            ("expires_after[anchor]", None, "created_at"),
        ])
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let file = answer.json();
    let id = file["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&file["object"], &file["bytes"]),
        (&"file".into(), &text.len().into())
    );
    assert_eq!(
        file["expires_at"].as_i64().unwrap() - file["created_at"].as_i64().unwrap(),
        3600
    );
    client.engine.validated(&alice(), &DatasetId::new(&id)).await;
    assert_eq!(
        client.get(&format!("/v1/files/{id}")).await.json()["status"],
        "processed"
    );
    let request = client.request(Method::GET, &format!("/v1/files/{id}/content"));
    let content = client
        .send(
            request
                .header("accept", "application/binary")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(
        (content.status, content.bytes),
        (StatusCode::OK, text.into_bytes())
    );
    let deleted = client
        .send(
            client
                .request(Method::DELETE, &format!("/v1/files/{id}"))
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(
        deleted.json(),
        serde_json::json!({ "id": id, "object": "file", "deleted": true })
    );
    assert_eq!(
        client.get(&format!("/v1/files/{id}")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_file_is_listed_by_purpose_order_and_cursor() {
    let client = Client::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(client.training_file(10).await);
    }
    client
        .form(&[("purpose", None, "batch"), ("file", Some("b.jsonl"), "{}\n")])
        .await;
    let page = client.get("/v1/files?purpose=fine-tune&limit=2").await.json();
    assert_eq!(
        (&page["data"][0]["id"], &page["last_id"]),
        (&ids[2].as_str().into(), &ids[1].as_str().into())
    );
    assert_eq!(page["has_more"], true);
    // A newer file changes nothing for the page after.
    client.training_file(10).await;
    let page = client
        .get(&format!("/v1/files?purpose=fine-tune&limit=2&after={}", ids[1]))
        .await
        .json();
    assert_eq!(
        (&page["first_id"], &page["has_more"]),
        (&ids[0].as_str().into(), &false.into())
    );
    let page = client
        .get("/v1/files?purpose=fine-tune&order=asc&limit=1")
        .await
        .json();
    assert_eq!(page["first_id"], ids[0].as_str());
    assert_eq!(
        client.get("/v1/files").await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    client.get("/v1/files?order=up").await.refused("order");
    client.get("/v1/files?after=file-x").await.refused("after");
}

#[tokio::test]
async fn a_file_with_faults_is_refused_with_its_parameter_and_leaves_nothing() {
    let client = Client::start().await;
    client
        .form(&[("file", Some("t.jsonl"), "{}")])
        .await
        .refused("purpose");
    client
        .form(&[("purpose", None, "fine-tune")])
        .await
        .refused("file");
    client
        .form(&[("purpose", None, "fun"), ("file", Some("t.jsonl"), "{}")])
        .await
        .refused("purpose");
    client
        .form(&[("purpose", None, "fine-tune"), ("file", Some("t.jsonl"), "")])
        .await
        .refused("file");
    let expiry = [
        ("purpose", None, "batch"),
        ("file", Some("t.jsonl"), "{}"),
        ("expires_after[anchor]", None, "created_at"),
        ("expires_after[seconds]", None, "60"),
    ];
    client.form(&expiry).await.refused("expires_after[seconds]");
    let uploads = client.engine.folder.path().join("data/uploads");
    assert_eq!(std::fs::read_dir(uploads).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_there() {
    let client = Client::start().await;
    let theirs = client.engine.dataset(&mallory(), &lines(12)).await.id;
    for path in [
        format!("/v1/files/{theirs}"),
        format!("/v1/files/{theirs}/content"),
    ] {
        assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    let delete = client
        .request(Method::DELETE, &format!("/v1/files/{theirs}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(delete).await.status, StatusCode::NOT_FOUND);
}
