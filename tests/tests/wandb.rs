//! A job's run for Weights & Biases: asked for on `/v1`, downloaded from its page, read and uploaded by the client itself.
#![expect(clippy::expect_used, reason = "what helps a test may fail it")]

use reqwest::Method;
use serde_json::{Value, json};
use shared::{id::JobId, job::Job, status::JobStatus};
use std::{
    env,
    fs::File,
    io::{Cursor, Read as _},
    path::PathBuf,
};
use tempfile::TempDir;
use tests::{api::Api, browser::Browser, clients, examples, server::Server};
use zip::ZipArchive;

const PROJECT: &str = "my project";

/// A job that has ended, and asked for a run.
async fn ended_job(server: &Server, api: &Api) -> Job {
    let made = server.setup.run(&["key", "create", "--name", "wandb"]).await;
    let output = String::from_utf8(made.stdout).expect("text");
    let key = output.split_whitespace().last().expect("a key");
    let file = api.upload("chats", examples::chats(40)).await.id;
    let body = json!({"model": api.base_model().await.id, "training_file": file,
        "hyperparameters": {"n_epochs": 2, "batch_size": 8},
        "integrations": [{"type": "wandb", "wandb": {"project": PROJECT, "tags": ["first"]}}]});
    let asking = api
        .request(Method::POST, "/v1/fine_tuning/jobs")
        .bearer_auth(key)
        .json(&body);
    let job: Value = api.send(asking).await.expect(200);
    assert_eq!(job["integrations"][0]["wandb"]["project"], PROJECT);
    let job = api.ended(&JobId::new(job["id"].as_str().expect("an id"))).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    job
}

#[tokio::test]
async fn a_jobs_page_names_its_project_and_brings_the_run() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = ended_job(&server, &api).await;
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    browser.goto(&format!("{}/jobs/{}", server.address, job.id)).await;
    browser.section("Weights & Biases").await;
    browser.shows(PROJECT).await;
    browser.is_accessible("job with a run for Weights & Biases").await;
    browser.photograph_all("job-wandb").await;
    browser.click("Download run").await;
    let zip = browser.downloaded(".zip").await;
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut file = archive.by_index(0).expect("a file");
    let name = file.name().expect("text").into_owned();
    assert!(name.starts_with("offline-run-"), "{name}");
    let mut mark = [0; 4];
    file.read_exact(&mut mark).expect("its beginning");
    assert_eq!(&mark, b":W&B");
    browser.no_errors().await;
}

/// `ATTUNE_TEST_WANDB=ENV/bin/python cargo nextest run -p tests --test wandb --run-ignored only`
#[tokio::test]
#[ignore = "needs the Python package wandb, 150 MB; half a minute"]
async fn wandb_reads_the_run_and_uploads_each_step_once() {
    let python = PathBuf::from(env::var_os("ATTUNE_TEST_WANDB").expect("the interpreter that has wandb"));
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = ended_job(&server, &api).await;
    let steps = job.progress.expect("it trained").total_steps;
    let link: Value = api
        .post(&format!("/api/jobs/{}/wandb/download", job.id), &json!({}))
        .await
        .expect(201);
    let address = link["url"].as_str().expect("an address");
    let zip = api
        .request(Method::GET, address)
        .send()
        .await
        .expect("an answer")
        .bytes()
        .await
        .expect("a zip");
    let folder = TempDir::new().expect("a scratch folder");
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut file = archive.by_index(0).expect("a file");
    let path = folder.path().join(file.name().expect("text").as_ref());
    let run = path.parent().expect("a folder").to_path_buf();
    std::fs::create_dir(&run).expect("a folder");
    std::io::copy(&mut file, &mut File::create(&path).expect("a file")).expect("it is unpacked");
    let steps = steps.to_string();
    let arguments = [run.to_str().expect("text"), PROJECT, &steps];
    let said = clients::run_with(&python, "wandb_run.py", &arguments).await;
    assert!(
        said.contains(&format!("{steps} steps were read and uploaded")),
        "{said}"
    );
}
