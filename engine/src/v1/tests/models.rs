//! /v1/models and the permissions on checkpoints.

use super::Client;
use crate::testing::{alice, mallory};
use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::{
    id::{JobId, Subject},
    status::JobStatus,
};

/// A succeeded job of alice's with a checkpoint at step 1: its name and its checkpoint's.
async fn tuned(client: &Client) -> (JobId, String, String) {
    let (id, trainer) = client.engine.job_at_step(&alice(), "tuned", 1).await;
    trainer.checkpoint(1).await;
    trainer.finish(1).await;
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Succeeded)
        .await;
    let job = client.get(&format!("/v1/fine_tuning/jobs/{id}")).await.json();
    let name = job["fine_tuned_model"].as_str().unwrap().to_owned();
    let checkpoint = format!("{name}:ckpt-step-1");
    (id, name, checkpoint)
}

fn permissions(name: &str) -> String {
    format!("/v1/fine_tuning/checkpoints/{name}/permissions")
}

async fn names(client: &Client) -> Vec<String> {
    let list = client.get("/v1/models").await.json();
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_tuned_model_is_deleted_with_its_adapter_and_its_job_stays() {
    let client = Client::start().await;
    let (id, name, checkpoint) = tuned(&client).await;
    let base = client.get("/v1/models/tiny").await.json();
    assert_eq!(base["owned_by"], "system");
    assert!(base["created"].as_i64().unwrap() > 0);
    let model = client.get(&format!("/v1/models/{name}")).await.json();
    assert_eq!(
        (&model["owned_by"], &model["created"]),
        (&json!("attune"), &json!(1_800_000_000))
    );
    assert_eq!(
        client.get(&format!("/v1/models/{checkpoint}")).await.json()["id"],
        checkpoint.as_str()
    );
    for nobodys in [
        format!("{name}:ckpt-step-2"),
        format!("{name}:ckpt-step-01"),
        format!("{name}:ckpt-step-"),
        name.replace("tiny", "other"),
        "ft:".to_owned(),
        "ft:tiny:attune::".to_owned(),
    ] {
        assert_eq!(
            client.get(&format!("/v1/models/{nobodys}")).await.status,
            StatusCode::NOT_FOUND,
            "{nobodys}"
        );
    }

    let refused = client.delete("/v1/models/tiny").await;
    assert_eq!(
        (refused.status, refused.error()["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("model_not_deletable"))
    );
    let refused = client.delete(&format!("/v1/models/{checkpoint}")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let adapter = client
        .engine
        .folder
        .path()
        .join(format!("data/runs/{id}/adapter"));
    assert!(adapter.is_dir());
    let deleted = client.delete(&format!("/v1/models/{name}")).await;
    assert_eq!(
        deleted.json(),
        json!({"id": name, "object": "model", "deleted": true})
    );
    assert!(!adapter.exists());
    assert!(!names(&client).await.contains(&name));
    let again = client.delete(&format!("/v1/models/{name}")).await;
    assert_eq!(
        (again.status, again.error()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("model_not_found"))
    );
    let job = client.get(&format!("/v1/fine_tuning/jobs/{id}")).await.json();
    assert_eq!(
        job["fine_tuned_model"],
        name.as_str(),
        "the record tells what was made"
    );
    assert_eq!(
        client.get(&format!("/v1/models/{checkpoint}")).await.status,
        StatusCode::OK
    );
    let shown = client.engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(shown.artifact, None);
}

#[tokio::test]
async fn a_permission_lets_another_project_use_what_it_is_for_until_it_is_taken_back() {
    let mut client = Client::start().await;
    let (_, name, checkpoint) = tuned(&client).await;
    let refused = client
        .post(&permissions(&name), &json!({"project_ids": ["mallory"]}))
        .await;
    assert_eq!(
        (refused.status, refused.error()["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("insufficient_permissions"))
    );
    client.become_somebody(&mallory(), false).await;
    for path in [&name, &checkpoint] {
        assert_eq!(
            client.get(&format!("/v1/models/{path}")).await.status,
            StatusCode::NOT_FOUND
        );
    }
    client.become_somebody(&Subject::new("operator"), true).await;
    let made = client
        .post(
            &permissions(&checkpoint),
            &json!({"project_ids": ["mallory", "team"]}),
        )
        .await
        .json();
    let first = &made["data"][0];
    assert_eq!(
        (&made["object"], &first["object"], &first["project_id"]),
        (&json!("list"), &json!("checkpoint.permission"), &json!("mallory"))
    );
    let id = first["id"].as_str().unwrap().to_owned();
    let again = client
        .post(&permissions(&checkpoint), &json!({"project_ids": ["mallory"]}))
        .await
        .json();
    assert_eq!(again["data"][0]["id"], id.as_str(), "asked again, it is the same");

    client.become_somebody(&mallory(), false).await;
    let status = async |client: &Client, name: &str| client.get(&format!("/v1/models/{name}")).await.status;
    assert_eq!(status(&client, &checkpoint).await, StatusCode::OK);
    assert_eq!(
        status(&client, &name).await,
        StatusCode::NOT_FOUND,
        "for the checkpoint, not for the model"
    );
    assert!(names(&client).await.contains(&checkpoint));
    let used = client
        .engine
        .service
        .find_tuned_model(&mallory(), &checkpoint)
        .await
        .unwrap()
        .unwrap();
    let adapter = used
        .folder(&client.engine.service)
        .join("adapter_model.safetensors");
    assert!(adapter.is_file(), "{}", adapter.display());
    let delete = client.delete(&format!("/v1/models/{checkpoint}")).await;
    assert_eq!(delete.status, StatusCode::FORBIDDEN, "used, not owned");

    client.become_somebody(&Subject::new("operator"), true).await;
    let taken = client.delete(&format!("{}/{id}", permissions(&checkpoint))).await;
    assert_eq!(
        taken.json(),
        json!({"id": id, "object": "checkpoint.permission", "deleted": true})
    );
    let taken = client.delete(&format!("{}/{id}", permissions(&checkpoint))).await;
    assert_eq!(taken.status, StatusCode::NOT_FOUND);
    client.become_somebody(&mallory(), false).await;
    assert_eq!(status(&client, &checkpoint).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn permissions_are_listed_by_order_project_and_cursor_and_go_with_the_model() {
    let mut client = Client::start().await;
    let (id, name, _) = tuned(&client).await;
    client.become_somebody(&Subject::new("operator"), true).await;
    let path = permissions(&name);
    client.post(&path, &json!({"project_ids": ["a", "b", "c"]})).await;
    let projects = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap();
        data.iter()
            .map(|row| row["project_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = client.get(&format!("{path}?limit=2")).await.json();
    assert_eq!(
        (projects(&page), &page["has_more"]),
        (vec!["c".to_owned(), "b".to_owned()], &json!(true))
    );
    let after = page["last_id"].as_str().unwrap();
    client.post(&path, &json!({"project_ids": ["d"]})).await;
    let page = client.get(&format!("{path}?limit=2&after={after}")).await.json();
    assert_eq!(
        (projects(&page), &page["has_more"]),
        (vec!["a".to_owned()], &json!(false))
    );
    let page = client
        .get(&format!("{path}?order=ascending&limit=1"))
        .await
        .json();
    assert_eq!(projects(&page), ["a"]);
    assert_eq!(
        projects(&client.get(&format!("{path}?project_id=b")).await.json()),
        ["b"]
    );
    for (query, param) in [
        ("limit=0", "limit"),
        ("order=asc", "order"),
        ("after=cp_x", "after"),
    ] {
        client.get(&format!("{path}?{query}")).await.refused(param);
    }
    let long = "p".repeat(256);
    for ids in [
        json!([]),
        json!(null),
        json!([""]),
        json!([1]),
        json!("a"),
        json!([long]),
    ] {
        client
            .post(&path, &json!({"project_ids": ids}))
            .await
            .refused("project_ids");
    }
    client
        .post(&path, &json!({"project_ids": ["a"], "x": 1}))
        .await
        .refused("x");
    let nobodys = client
        .post(&permissions("ft:tiny:attune::0"), &json!({"project_ids": ["a"]}))
        .await;
    assert_eq!(nobodys.status, StatusCode::NOT_FOUND);
    assert_eq!(
        client.get(&permissions("ft:tiny:attune::0")).await.status,
        StatusCode::NOT_FOUND
    );

    client
        .engine
        .service
        .delete_tuned_model(&alice(), &name)
        .await
        .unwrap();
    assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
    client.engine.service.delete_job(&alice(), &id).await.unwrap();
}
