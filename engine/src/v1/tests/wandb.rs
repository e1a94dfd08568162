//! The integration `wandb`: taken, told, and written for `wandb sync`.

use super::Client;
use crate::{
    Error,
    executor::Exit,
    testing::{alice, mallory},
    wandb::tests::{exit_code, history},
};
use axum::http::StatusCode;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use shared::{id::JobId, status::JobStatus};
use std::io::{Cursor, Read as _};
use zip::ZipArchive;

const JOBS: &str = "/v1/fine_tuning/jobs";

async fn create(client: &Client, integrations: Value) -> Value {
    let file = client.training_file(12).await;
    let body = json!({"model": "tiny", "training_file": file, "integrations": integrations,
        "hyperparameters": {"n_epochs": 3, "batch_size": 6}});
    let answer = client.post(JOBS, &body).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&answer.bytes)
    );
    answer.json()
}

/// The one file of a zip: its name and its bytes.
fn unpack(zip: Vec<u8>) -> (String, Vec<u8>) {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    assert_eq!(archive.len(), 1);
    let mut file = archive.by_index(0).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    (file.name().unwrap().into_owned(), bytes)
}

#[tokio::test]
async fn a_run_that_was_taken_up_again_is_downloaded_with_each_step_once() {
    let mut client = Client::start().await;
    let asked = json!([{"type": "wandb", "wandb": {"project": "proj", "name": null, "tags": ["a"]}}]);
    let job = create(&client, asked).await;
    let told =
        json!([{"type": "wandb", "wandb": {"project": "proj", "name": null, "entity": null, "tags": ["a"]}}]);
    assert_eq!(job["integrations"], told);
    let id = JobId::new(job["id"].as_str().unwrap());
    let path = format!("{JOBS}/{id}/wandb");

    let trainer = client.engine.trainer().await;
    trainer.train_from(0).await;
    for step in 1..=4 {
        trainer.step(step).await;
    }
    client.engine.wait_step(&alice(), &id, 4).await;
    let early = client.get(&path).await;
    assert_eq!(
        (early.status, &early.error()["code"]),
        (StatusCode::BAD_REQUEST, &json!("job_not_ended"))
    );
    trainer.checkpoint(2).await;
    trainer.exit(Exit::Signal(9));
    let trainer = client.engine.trainer().await;
    trainer.train_from(2).await;
    for step in 3..=6 {
        trainer.step(step).await;
    }
    trainer.finish(6).await;
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Succeeded)
        .await;

    let answer = client.get(&path).await;
    assert_eq!(answer.headers["content-type"], "application/zip");
    assert_eq!(answer.headers["content-length"], answer.bytes.len().to_string());
    let (name, run) = unpack(answer.bytes);
    let short = id.as_str().trim_start_matches("ftjob-").get(..12).unwrap();
    assert!(
        name.starts_with("offline-run-2") && name.ends_with(&format!("-{short}/run-{short}.wandb")),
        "{name}"
    );
    let steps: Vec<String> = history(&run).iter().map(|step| step["_step"].clone()).collect();
    assert_eq!(steps, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(history(&run)[0]["train_loss"], "2");
    assert_eq!(exit_code(&run), 0);

    // The console's way: a link that works once.
    let service = &client.engine.service;
    let link = service.create_wandb_download(&alice(), &id).await.unwrap();
    let token = link.url.strip_prefix("/downloads/").unwrap();
    let download = service.open_download(token).await.unwrap();
    let bytes: Vec<bytes::Bytes> = download.content.try_collect().await.unwrap();
    assert_eq!(unpack(bytes.concat()).1, run, "the same whenever it is made");
    assert!(matches!(
        service.open_download(token).await.err(),
        Some(Error::LinkExpired)
    ));
    let held = service.inner.layout.held();
    while std::fs::read_dir(&held).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }

    let refused = service.create_wandb_download(&mallory(), &id).await;
    assert!(matches!(refused, Err(Error::NotFound(_))));
    client.become_somebody(&mallory(), false).await;
    assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_job_that_was_cancelled_has_a_run_that_says_so_and_one_that_asked_for_none_has_none() {
    let client = Client::start().await;
    let job = create(&client, json!([{"type": "wandb", "wandb": {"project": "proj"}}])).await;
    let id = JobId::new(job["id"].as_str().unwrap());
    let _trainer = client.engine.trainer().await;
    client.engine.service.cancel_job(&alice(), &id).await.unwrap();
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Cancelled)
        .await;
    let (_, run) = unpack(client.get(&format!("{JOBS}/{id}/wandb")).await.bytes);
    assert_eq!((history(&run).len(), exit_code(&run)), (0, 1));
    let again = client
        .engine
        .service
        .retry_job(&alice(), &id, Default::default(), None)
        .await
        .unwrap();
    assert_eq!(
        again.job.wandb.map(|wandb| wandb.project).as_deref(),
        Some("proj"),
        "a retry keeps it"
    );

    let job = create(&client, json!([])).await;
    assert_eq!(job["integrations"], json!([]));
    let without = client
        .get(&format!("{JOBS}/{}/wandb", job["id"].as_str().unwrap()))
        .await;
    assert_eq!(without.status, StatusCode::NOT_FOUND);
}
