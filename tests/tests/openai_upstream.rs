//! The console in front of an OpenAI-compatible API, through the real server: what such an API can do works, what it
//! can't is told by the capabilities, and what differs is found out.

use serde_json::json;
use shared::{
    capabilities::Capabilities,
    dataset::{DatasetList, DatasetPreview, DatasetReport},
    id::JobId,
    job::{Job, JobList},
    model::ModelList,
    status::JobStatus,
};
use tests::{
    examples,
    openai_console::{MODEL, account, console, new_job, setup},
    openai_server::{Habits, KEY, OpenAiServer},
};

#[tokio::test]
async fn jobs_are_listed_found_created_and_cancelled_there() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    let done = upstream.add_job("older", "succeeded");
    upstream.set(&done, "fine_tuned_model", json!("ft:gpt:org:older:1"));
    upstream.set(&done, "trained_tokens", json!(1_234));
    let broken = upstream.add_job("broken", "failed");
    let error = json!({"code": "invalid_n_examples", "param": "training_file", "message": "Training file has 3 example(s)"});
    upstream.set(&broken, "error", error);

    let models: ModelList = api.get("/api/models").await.expect(200);
    let ids: Vec<_> = models.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(
        ids,
        [MODEL, "gpt-4.1-nano-2025-04-14"],
        "what jobs made is no base model"
    );

    let job: Job = api
        .post("/api/jobs", &new_job("brand-new", &file))
        .await
        .expect(201);
    assert_eq!(
        (job.name.as_str(), job.status),
        ("brand-new", JobStatus::ValidatingFiles)
    );
    assert_eq!(
        upstream.bodies(),
        [
            json!({"model": MODEL, "training_file": file, "suffix": "brand-new", "metadata": {"name": "brand-new"},
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}})
        ],
        "the proposed learning rate is left to the upstream"
    );
    assert_eq!(
        job.training_dataset.as_ref().map(|file| file.name.as_str()),
        Some("train.jsonl")
    );

    let list: JobList = api.get("/api/jobs").await.expect(200);
    let names: Vec<_> = list.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["brand-new", "broken", "older"]);
    let counts = (
        list.summary.queued,
        list.summary.completed,
        list.summary.failed,
        list.incomplete,
    );
    assert_eq!(counts, (1, 1, 1, false));
    let failure = list.jobs[1].failure.as_ref().expect("it says why");
    assert_eq!(
        (failure.code.as_str(), failure.param.as_deref()),
        ("invalid_n_examples", Some("training_file"))
    );
    assert!(list.jobs[0].failure.is_none(), "an empty error is none");
    assert_eq!(list.jobs[2].trained_tokens, Some(1_234));
    let found: JobList = api.get("/api/jobs?status=failed&q=BROK").await.expect(200);
    assert_eq!((found.jobs.len(), found.summary.total), (1, 1));

    let cancelled: Job = api
        .post(&format!("/api/jobs/{}/cancel", job.id), &json!({}))
        .await
        .expect(200);
    assert_eq!(cancelled.status, JobStatus::Cancelled);
    let again = api
        .post(&format!("/api/jobs/{}/cancel", job.id), &json!({}))
        .await
        .problem(400);
    assert_eq!(again.detail.as_deref(), Some("the job has ended already"));
    let problem = api.delete(&format!("/api/jobs/{}", job.id)).await.problem(404);
    assert_eq!(problem.code, "not_supported");
    api.get("/api/jobs/ftjob-none").await.problem(404);
}

#[tokio::test]
async fn another_learning_rate_is_relative_and_an_odd_id_stays_one_segment() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    let mut body = new_job("faster", &file);
    body["learning_rate"] = json!(0.0005);
    body["seed"] = json!(9);
    body["batch_size"] = json!(16);
    let job: Job = api.post("/api/jobs", &body).await.expect(201);
    let sent = upstream.bodies().remove(0);
    assert_eq!(
        sent["method"]["supervised"]["hyperparameters"]["learning_rate_multiplier"],
        2.5
    );
    assert_eq!(sent["seed"], 9);
    let chosen = job.hyperparameters.expect("they are told");
    assert_eq!(
        (chosen.learning_rate_multiplier, chosen.batch_size),
        (Some(2.5), Some(16))
    );
    body["lora"] = json!({"rank": 4, "alpha": 8, "targets": ["q_proj"]});
    let problem = api.post("/api/jobs", &body).await.problem(400);
    assert_eq!(problem.field_codes["lora"].code, "not_supported");

    upstream.set(job.id.as_str(), "id", json!("a/../b?c"));
    let found: Job = api.get("/api/jobs/a%2F..%2Fb%3Fc").await.expect(200);
    assert_eq!(found.id, JobId::from("a/../b?c"));
}

#[tokio::test]
async fn what_such_an_api_can_do_is_found_out_and_told() {
    let (upstream, server, api) = account(Habits {
        has_checkpoints: false,
        ..Habits::fakeai()
    })
    .await;
    let before: Capabilities = api.get("/api/capabilities").await.expect(200);
    let expected = Capabilities {
        browser_reports: true,
        ..Capabilities::openai()
    };
    assert_eq!(before, expected);
    assert!(before.pause && !before.delete && !before.recipe && before.hyperparameters);
    let id = upstream.add_job("one", "running");

    api.post("/api/jobs/ftjob-none/pause", &json!({}))
        .await
        .problem(404);
    let known: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert!(
        known.pause,
        "that job isn't there: it tells nothing about the call"
    );
    let problem = api
        .post(&format!("/api/jobs/{id}/pause"), &json!({}))
        .await
        .problem(404);
    assert_eq!(problem.code, "not_supported");
    let problem = api.get(&format!("/api/jobs/{id}/checkpoints")).await.problem(404);
    assert_eq!(problem.code, "not_supported");
    let known: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert!(!known.pause && !known.checkpoints);
    upstream.forget_calls();
    api.get(&format!("/api/jobs/{id}/checkpoints")).await.problem(404);
    assert_eq!(upstream.calls(), [""; 0], "what is known isn't asked again");
    assert_eq!(api.get("/readyz").await.status, 200);
    assert_eq!(api.get("/v1/models").await.status, 404, "/v1 is the engine's");
    drop(server);
}

#[tokio::test]
async fn a_job_is_paused_and_resumed_where_the_upstream_can() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let id = upstream.add_job("one", "running");
    let paused: Job = api
        .post(&format!("/api/jobs/{id}/pause"), &json!({}))
        .await
        .expect(200);
    assert_eq!(paused.status, JobStatus::Paused);
    let resumed: Job = api
        .post(&format!("/api/jobs/{id}/resume"), &json!({}))
        .await
        .expect(200);
    assert_eq!(resumed.status, JobStatus::Queued);
}

#[tokio::test]
async fn a_long_list_is_read_through_its_pages_once_and_then_only_where_it_can_have_changed() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let oldest = upstream.add_job("oldest", "running");
    for number in 0..250 {
        upstream.add_job(
            &format!("job-{number}"),
            if number % 2 == 0 { "succeeded" } else { "failed" },
        );
    }
    let (_server, api) = console(setup(&upstream.base_url, KEY, "1")).await;
    let list: JobList = api.get("/api/jobs?limit=1&sort=name&q=job-24").await.expect(200);
    assert_eq!(
        (list.jobs[0].name.as_str(), list.summary.total, list.incomplete),
        ("job-24", 11, false)
    );
    let pages = |calls: Vec<String>| calls.iter().filter(|call| call.contains("limit=100")).count();
    assert_eq!(pages(upstream.calls()), 3);

    // The oldest still runs: everything is read again. Once it has ended, the first page tells all.
    upstream.set(&oldest, "status", json!("cancelled"));
    let list: JobList = api.get("/api/jobs?status=cancelled").await.expect(200);
    assert_eq!(list.jobs.len(), 1);
    upstream.forget_calls();
    let newest = upstream.add_job("newest", "queued");
    let list: JobList = api.get("/api/jobs?limit=1").await.expect(200);
    assert_eq!(
        (list.jobs[0].id.as_str(), list.summary.total),
        (newest.as_str(), 252)
    );
    assert_eq!(pages(upstream.calls()), 1);
}

#[tokio::test]
async fn a_list_that_is_longer_than_is_read_says_so() {
    let (upstream, _server, api) = account(Habits::default()).await;
    for number in 0..2_001 {
        upstream.add_job(&format!("job-{number}"), "succeeded");
    }
    let list: JobList = api.get("/api/jobs?limit=1").await.expect(200);
    assert!(list.incomplete);
    assert_eq!(list.summary.total, 2_000);
}

#[tokio::test]
async fn files_are_uploaded_through_listed_looked_into_and_deleted() {
    let (upstream, _server, api) = account(Habits::default()).await;
    upstream.add_file("picture.png", "vision", "x");
    let content = examples::chats(12);
    let dataset = api.upload("my-chats", content.clone()).await;
    assert_eq!(
        upstream.content(dataset.id.as_str()).as_deref(),
        Some(content.as_bytes())
    );
    let list: DatasetList = api.get("/api/datasets").await.expect(200);
    let names: Vec<_> = list
        .datasets
        .iter()
        .map(|file| (file.name.as_str(), file.used_by))
        .collect();
    assert_eq!(names, [("my-chats.jsonl", 0)]);
    let report: DatasetReport = api
        .get(&format!("/api/datasets/{}/report", dataset.id))
        .await
        .expect(200);
    assert_eq!((report.examples, report.errors), (12, 0));
    let preview: DatasetPreview = api
        .get(&format!("/api/datasets/{}/preview", dataset.id))
        .await
        .expect(200);
    assert_eq!(preview.examples.len(), 12);

    let job: Job = api
        .post("/api/jobs", &new_job("uses-it", dataset.id.as_str()))
        .await
        .expect(201);
    let path = format!("/api/datasets/{}", dataset.id);
    assert_eq!(api.delete(&path).await.problem(409).code, "dataset_in_use");
    upstream.set(job.id.as_str(), "status", json!("failed"));
    assert_eq!(api.delete(&path).await.status, 204);
    api.get(&path).await.problem(404);
    api.get(&format!("{path}/report")).await.problem(404);
    let empty = json!({"name": "a", "filename": "a.jsonl", "bytes": 0});
    let problem = api.post("/api/datasets", &empty).await.problem(400);
    assert!(problem.field_codes.contains_key("bytes"));
    let unsent = api.new_dataset("unsent", 5).await;
    let problem = api
        .post(
            &format!("/api/datasets/{}/confirm", unsent.dataset.id),
            &json!({}),
        )
        .await
        .problem(409);
    assert_eq!(problem.code, "upload_incomplete");
}
