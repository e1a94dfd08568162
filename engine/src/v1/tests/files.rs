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
    let deleted = client.delete(&format!("/v1/files/{id}")).await;
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
async fn what_is_wrong_with_a_file_stands_in_the_list_too() {
    let client = Client::start().await;
    let good = client.training_file(10).await;
    let text = format!("{}{{\"messages\": oops}}\n", lines(10));
    let bad = client
        .form(&[("purpose", None, "fine-tune"), ("file", Some("b.jsonl"), &text)])
        .await
        .json();
    let bad = bad["id"].as_str().unwrap();
    for id in [good.as_str(), bad] {
        client.engine.validated(&alice(), &DatasetId::new(id)).await;
    }
    let list = client.get("/v1/files").await.json();
    let told = list["data"].as_array().unwrap();
    let details = told[0]["status_details"].as_str().unwrap();
    assert!(
        told[0]["status"] == "error" && details.starts_with("line 11: "),
        "{list}"
    );
    assert_eq!(told[1]["status_details"], serde_json::json!(null));
    assert_eq!(client.get(&format!("/v1/files/{bad}")).await.json(), told[0]);
}

#[tokio::test]
async fn all_files_are_deleted_by_whoever_walks_the_list() {
    let client = Client::start().await;
    for _ in 0..3 {
        client.training_file(10).await;
    }
    let mut page = client.get("/v1/files?limit=1").await.json();
    let mut deleted = 0;
    // As the SDKs do: the page after the one whose file is gone by now.
    while let Some(id) = page["last_id"].as_str().map(str::to_owned) {
        let answer = client.delete(&format!("/v1/files/{id}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        deleted += 1;
        page = client.get(&format!("/v1/files?limit=1&after={id}")).await.json();
    }
    assert_eq!((deleted, &page["data"]), (3, &serde_json::json!([])));
    // Somebody else's is no cursor, deleted or not.
    let id = client.training_file(10).await;
    let mut client = client;
    client.become_somebody(&mallory(), false).await;
    client
        .get(&format!("/v1/files?after={id}"))
        .await
        .refused("after");
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
    let delete = client.delete(&format!("/v1/files/{theirs}")).await;
    assert_eq!(delete.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_expired_file_vanishes_with_its_bytes_but_not_while_a_job_needs_it() {
    let client = Client::start().await;
    let upload = async |purpose: &str| {
        let text = lines(12);
        let parts = [
            ("expires_after[seconds]", None, "3600"),
            ("expires_after[anchor]", None, "created_at"),
            ("file", Some("t.jsonl"), text.as_str()),
            ("purpose", None, purpose),
        ];
        client.form(&parts).await.json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (idle, needed) = (upload("batch").await, upload("fine-tune").await);
    let body = serde_json::json!({"model": "tiny", "training_file": needed});
    let job = client.post("/v1/fine_tuning/jobs", &body).await.json()["id"].clone();
    let job = shared::id::JobId::new(job.as_str().unwrap());
    let trainer = client.engine.trainer().await;
    let blobs = client.engine.folder.path().join("data/blobs");
    client.engine.clock.advance(std::time::Duration::from_secs(3601));
    // At once, before anything is cleared away.
    let status = async |id: &str| client.get(&format!("/v1/files/{id}")).await.status;
    assert_eq!(
        (status(&idle).await, status(&needed).await),
        (StatusCode::NOT_FOUND, StatusCode::OK)
    );
    assert_eq!(
        client.get(&format!("/v1/files/{idle}/content")).await.status,
        StatusCode::NOT_FOUND
    );
    for order in ["asc", "desc"] {
        let list = client.get(&format!("/v1/files?order={order}")).await.json();
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        assert_eq!(list["first_id"], needed);
    }
    client.engine.service.sweep().await.unwrap();
    assert!(!blobs.join(&idle).exists() && blobs.join(&needed).exists());

    drop(trainer);
    client.engine.service.cancel_job(&alice(), &job).await.unwrap();
    assert_eq!(status(&needed).await, StatusCode::NOT_FOUND);
    assert!(client.engine.datasets(&alice()).await.is_empty());
    client.engine.service.sweep().await.unwrap();
    assert!(!blobs.join(&needed).exists());
    let job = client.get(&format!("/v1/fine_tuning/jobs/{job}")).await.json();
    assert_eq!(job["training_file"], needed, "the job keeps telling its name");
}

#[tokio::test]
async fn the_bounds_of_expiry_size_and_limit_hold_to_the_unit() {
    let engine = crate::testing::TestEngine::start_with(|config| config.max_file_bytes = 1000).await;
    let client = Client::of(engine).await;
    let send = async |seconds: &str, size: usize| {
        let content = "x".repeat(size);
        let parts = [
            ("purpose", None, "batch"),
            ("expires_after[anchor]", None, "created_at"),
            ("expires_after[seconds]", None, seconds),
            ("file", Some("b"), content.as_str()),
        ];
        client.form(&parts).await
    };
    for (seconds, taken) in [
        ("3599", false),
        ("3600", true),
        ("2592000", true),
        ("2592001", false),
        ("3600.5", false),
        ("-3600", false),
    ] {
        let answer = send(seconds, 1).await;
        if taken {
            assert_eq!(answer.status, StatusCode::OK, "{seconds}");
        } else {
            answer.refused("expires_after[seconds]");
        }
    }
    assert_eq!(send("3600", 1000).await.status, StatusCode::OK);
    let over = send("3600", 1001).await;
    assert_eq!(
        (over.status, over.error()["code"].as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, Some("too_large"))
    );
    let anchorless = [
        ("purpose", None, "batch"),
        ("expires_after[seconds]", None, "3600"),
        ("file", Some("b"), "x"),
    ];
    client.form(&anchorless).await.refused("expires_after[anchor]");
    for (limit, taken) in [("1", true), ("10000", true), ("10001", false), ("0", false)] {
        let answer = client.get(&format!("/v1/files?limit={limit}")).await;
        assert_eq!(answer.status == StatusCode::OK, taken, "{limit}");
    }
    for purpose in ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"] {
        let parts = [("purpose", None, purpose), ("file", Some("b"), "{}")];
        let answer = client.form(&parts).await.json();
        assert!(
            answer["status"] == "uploaded" || answer["status"] == "processed",
            "{answer}"
        );
        assert_eq!(
            client
                .get(&format!("/v1/files?purpose={purpose}&limit=1"))
                .await
                .json()["first_id"],
            answer["id"]
        );
    }
}
