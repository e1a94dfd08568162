//! From a failure that names a line to that line in its dataset, and back.

#![expect(clippy::expect_used, reason = "what helps a test may fail it")]

use reqwest::Method;
use serde_json::{Value, json};
use shared::{id::JobId, job::Job, status::JobStatus};
use tests::{api::Api, browser::Browser, examples, server::Server};

/// The line that is marked, once it is in sight.
async fn marked(browser: &Browser) -> String {
    let script = "const line = document.getElementById('marked-line');
        if (!line || document.activeElement !== line) return '';
        const box = line.getBoundingClientRect();
        return box.top >= 0 && box.top < innerHeight ? line.textContent : ''";
    browser.script_text(script).await
}

/// A job that fails because of a line of its file; `/v1` takes such files, as OpenAI's API does.
async fn failed_by_line_30(server: &Server, api: &Api) -> Job {
    let mut lines: Vec<String> = examples::chats(40).lines().map(str::to_owned).collect();
    lines[29] = "{\"messages\": a broken line}".to_owned();
    let dataset = api.upload("broken-at-30", lines.join("\n")).await;
    let made = server.setup.run(&["key", "create", "--name", "line"]).await;
    let output = String::from_utf8(made.stdout).expect("text");
    let key = output.split_whitespace().last().expect("a key");
    let body = json!({"model": api.base_model().await.id, "training_file": dataset.id.as_str(), "suffix": "by-line"});
    let request = api
        .request(Method::POST, "/v1/fine_tuning/jobs")
        .bearer_auth(key)
        .json(&body);
    let made: Value = api.send(request).await.expect(200);
    let id = JobId::new(made["id"].as_str().expect("an id"));
    let job = api.ended(&id).await;
    assert_eq!(job.status, JobStatus::Failed);
    job
}

#[tokio::test]
async fn a_line_that_the_trainer_alone_can_refuse_is_told_as_a_number() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let mut lines: Vec<String> = examples::chats(20).lines().map(str::to_owned).collect();
    // Well-formed, and longer than the model reads.
    lines[16] = json!({"messages": [{"role": "user", "content": "ticket ".repeat(5_000)},
        {"role": "assistant", "content": "none"}]})
    .to_string();
    let mut new = api.new_job("too-long", 12, 1).await;
    new.validation_dataset = Some(api.upload("long-at-17", lines.join("\n")).await.id);
    new.evaluation_epochs = 1;
    let job = api.create_job(&new).await;
    let job = api.ended(&job.id).await;
    let failure = job.failure.expect("it failed");
    assert_eq!(
        (failure.code.as_str(), failure.param.as_deref(), failure.line),
        ("invalid_validation_file", Some("validation_file"), Some(17)),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_failure_that_names_a_line_leads_there_and_back() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let job = failed_by_line_30(&server, &api).await;
    let failure = job.failure.expect("it failed");
    assert_eq!(
        (failure.line, failure.param.as_deref()),
        (Some(30), Some("training_file")),
        "{}",
        failure.message
    );
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let page = format!("/jobs/{}", job.id);
    browser.goto(&format!("{}{page}", server.address)).await;
    browser.click("Open the dataset at line 30").await;
    browser
        .until("the line is in sight", async || {
            marked(&browser).await.contains("a broken line")
        })
        .await;
    let dataset = job.training_dataset.expect("it has one").id;
    assert_eq!(
        browser.script("return location.pathname + location.search").await,
        format!("/datasets/{dataset}?line=30")
    );
    browser.shows("Not an example. The line as it stands:").await;
    browser.is_accessible("dataset at a broken line").await;
    browser.photograph_all("dataset-line").await;
    browser.back().await;
    browser.at(&page).await;
    browser.shows("This job failed").await;
    browser.is_accessible("job that failed by a line").await;

    // By address, and from one line to another.
    browser
        .goto(&format!("{}/datasets/{dataset}?line=2", server.address))
        .await;
    browser
        .until("line 2 is in sight", async || {
            marked(&browser).await.starts_with('2')
        })
        .await;
    browser.click("Show line 30").await;
    browser
        .until("line 30 is in sight", async || {
            marked(&browser).await.starts_with("30")
        })
        .await;
    browser.back().await;
    browser
        .until("line 2 is marked again", async || {
            marked(&browser).await.starts_with('2')
        })
        .await;
    browser.click("Show the beginning").await;
    browser
        .until("nothing is marked", async || {
            browser
                .script("return !document.getElementById('marked-line') && document.querySelectorAll('.examples li').length === 20")
                .await
                == true
        })
        .await;
    browser
        .goto(&format!("{}/datasets/{dataset}?line=999", server.address))
        .await;
    browser.shows("The file has no line 999.").await;
    browser.no_errors().await;
    browser.quit().await;
}
