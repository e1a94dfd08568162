//! Lists on /v1: filters, cursors, bounds, ends.

use super::{
    Client,
    jobs::{JOBS, create},
};
use crate::testing::alice;
use serde_json::{Value, json};
use shared::{id::Subject, run::RunEvent, status::JobStatus};
use std::time::Duration;

#[tokio::test]
async fn a_checkpoint_that_was_removed_is_still_a_cursor() {
    let client = Client::start().await;
    let (id, trainer) = client.engine.job_at_step(&alice(), "saved", 3).await;
    for step in 1..=3 {
        trainer.checkpoint(step).await;
    }
    trainer.step(4).await;
    client.engine.wait_step(&alice(), &id, 4).await;
    let list = format!("{JOBS}/{id}/checkpoints?limit=1");
    let first = client.get(&list).await.json();
    assert_eq!(first["data"][0]["step_number"], 3);
    trainer.say(RunEvent::CheckpointRemoved { step: 3 }).await;
    trainer.step(5).await;
    client.engine.wait_step(&alice(), &id, 5).await;
    let after = first["last_id"].as_str().unwrap();
    let next = client.get(&format!("{list}&after={after}")).await.json();
    assert_eq!(
        (&next["data"][0]["step_number"], &next["has_more"]),
        (&json!(2), &json!(true))
    );
    client
        .get(&format!("{list}&after=ftckpt_x"))
        .await
        .refused("after");
}

/// How many a page has, and whether there are more.
fn page(list: &Value) -> (usize, bool) {
    let count = list["data"].as_array().unwrap().len();
    (count, list["has_more"].as_bool().unwrap())
}

#[tokio::test]
async fn a_page_has_twenty_jobs_or_events_and_ten_checkpoints_or_permissions_unless_told() {
    let mut client = Client::start().await;
    let (id, trainer) = client.engine.job_at_step(&alice(), "long", 1).await;
    for step in 2..=21 {
        trainer.step(step).await;
    }
    for step in 1..=11 {
        trainer.checkpoint(step).await;
    }
    trainer.step(22).await;
    client.engine.wait_step(&alice(), &id, 22).await;
    let file = client.training_file(12).await;
    for seed in 1..=20 {
        let body = json!({"model": "tiny", "training_file": file, "seed": seed});
        assert_eq!(client.post(JOBS, &body).await.status, 200);
    }
    for (path, size) in [
        ("", 20),
        (&format!("/{id}/events"), 20),
        (&format!("/{id}/checkpoints"), 10),
    ] {
        let list = client.get(&format!("{JOBS}{path}")).await.json();
        assert_eq!(page(&list), (size, true), "{path}");
    }
    trainer.finish(22).await;
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Succeeded)
        .await;
    let job = client.get(&format!("{JOBS}/{id}")).await.json();
    let name = job["fine_tuned_model"].as_str().unwrap();
    client.become_somebody(&Subject::new("operator"), true).await;
    let permissions = format!("/v1/fine_tuning/checkpoints/{name}/permissions");
    let projects: Vec<_> = (0..11).map(|number| format!("project-{number}")).collect();
    client.post(&permissions, &json!({"project_ids": projects})).await;
    assert_eq!(page(&client.get(&permissions).await.json()), (10, true));
}

#[tokio::test]
async fn an_empty_list_has_no_ends() {
    let client = Client::start().await;
    let (id, trainer) = client.engine.running_job(&alice(), "young").await;
    for path in ["/v1/files?purpose=batch", &format!("{JOBS}/{id}/checkpoints")] {
        let empty =
            json!({"object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false});
        assert_eq!(client.get(path).await.json(), empty, "{path}");
    }
    drop(trainer);
}

#[tokio::test]
async fn a_running_job_tells_when_it_will_have_finished() {
    let client = Client::start().await;
    let (id, trainer) = client.engine.job_at_step(&alice(), "paced", 1).await;
    let job = async || client.get(&format!("{JOBS}/{id}")).await.json();
    assert_eq!(
        job().await["estimated_finish"],
        json!(null),
        "one instant has no pace"
    );
    // Two of ten steps within ten seconds.
    client.engine.clock.advance(Duration::from_secs(10));
    trainer.step(2).await;
    client.engine.wait_step(&alice(), &id, 2).await;
    let now = client.engine.service.now().unix_seconds();
    assert_eq!(job().await["estimated_finish"], now + 40);
    trainer.finish(10).await;
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Succeeded)
        .await;
    assert_eq!(job().await["estimated_finish"], json!(null));
}

#[tokio::test]
async fn lists_filter_by_metadata() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    for metadata in [
        json!({"team": "a"}),
        json!({"team": ""}),
        json!({"team": "a", "run": "2"}),
        json!(null),
    ] {
        create(
            &client,
            json!({"model": "tiny", "training_file": file, "metadata": metadata}),
        )
        .await;
    }
    let count = async |query: &str| {
        client.get(&format!("{JOBS}?{query}")).await.json()["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("").await, 4);
    assert_eq!(count("metadata%5Bteam%5D=a").await, 2);
    assert_eq!(count("metadata%5Bteam%5D=a&metadata%5Brun%5D=2").await, 1);
    assert_eq!(count("metadata[team]=").await, 1);
    assert_eq!(count("metadata=null").await, 1);
    let many = |count: usize| {
        let pairs: Vec<_> = (0..count)
            .map(|number| format!("metadata[k{number}]=v"))
            .collect();
        pairs.join("&")
    };
    assert_eq!(count(&many(16)).await, 0);
    for too_much in [
        many(17),
        many(2000),
        format!("metadata[{}]=v", "k".repeat(65)),
        "metadata[]=null".to_owned(),
        "metadata[k][]=false".to_owned(),
    ] {
        client
            .get(&format!("{JOBS}?{too_much}"))
            .await
            .refused("metadata");
    }
    let page = client.get(&format!("{JOBS}?limit=3")).await.json();
    assert_eq!(page["has_more"], true);
    let after = page["data"][2]["id"].as_str().unwrap();
    let page = client.get(&format!("{JOBS}?limit=3&after={after}")).await.json();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["has_more"]),
        (1, &json!(false))
    );
    client
        .get(&format!("{JOBS}?after=ftjob-x"))
        .await
        .refused("after");
}
