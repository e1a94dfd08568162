//! The console in front of an OpenAI-compatible API, through the real server: what such an API can do works, what it
//! can't is told by the capabilities, what differs is found out, and its key stays where it belongs.

use serde_json::{Value, json};
use shared::{
    capabilities::Capabilities,
    dataset::{DatasetList, DatasetPreview, DatasetReport},
    event::{Level, StreamMessage},
    id::JobId,
    job::{Job, JobList},
    metrics::Series,
    model::ModelList,
    status::JobStatus,
};
use tests::{
    api::Api,
    contract_server::{Mood, Said},
    examples,
    openai_server::{Habits, KEY, OpenAiServer},
    server::{Server, Setup},
    stream::JobStream,
};

const MODEL: &str = "gpt-4.1-mini-2025-04-14";

async fn in_front_of(upstream: &OpenAiServer, cache_ms: &str) -> (Server, Api) {
    let setup = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "openai")
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY)
        .with("ATTUNE_UPSTREAM__CACHE_MS", cache_ms);
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    (server, api)
}

/// The account and the console in front of it; nothing is kept, so that what a test changes there is seen at once.
async fn account(habits: Habits) -> (OpenAiServer, Server, Api) {
    let upstream = OpenAiServer::start(habits).await;
    let (server, api) = in_front_of(&upstream, "0").await;
    (upstream, server, api)
}

fn new_job(name: &str, file: &str) -> Value {
    json!({"name": name, "base_model": MODEL, "epochs": 4, "evaluation_epochs": 0, "warmup_epochs": 0,
        "learning_rate": 0.0002, "training_dataset": file})
}

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
    assert_eq!(before, Capabilities::openai());
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
    let (_server, api) = in_front_of(&upstream, "1").await;
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

async fn messages_and_curves(habits: Habits) {
    let (upstream, _server, api) = account(habits).await;
    let id = JobId::new(upstream.add_job("one", "running"));
    upstream.tell(id.as_str(), "info", "Created fine-tuning job");
    for step in 1..=60 {
        upstream.step(
            id.as_str(),
            step,
            3.0 / step as f64,
            (step % 20 == 0).then_some(1.5),
        );
    }
    upstream.tell(id.as_str(), "warning", "It is getting warm");
    upstream.tell(id.as_str(), "error", "It is too warm");
    let events = api.events(&id).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.level, event.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Level::Error, "It is too warm"),
            (Level::Warn, "It is getting warm"),
            (Level::Info, "Created fine-tuning job")
        ]
    );
    assert_eq!(
        api.steps(&id, Series::TrainLoss).await,
        (1..=60).collect::<Vec<u64>>()
    );
    assert_eq!(api.steps(&id, Series::ValidLoss).await, [20, 40, 60]);
    assert_eq!(
        api.steps(&id, Series::LearningRate).await,
        [0; 0],
        "nobody told it"
    );
    let job = api.job(&id).await;
    let progress = job.progress.expect("it is told by the steps");
    assert_eq!((progress.step, progress.total_steps), (60, 100));
    assert_eq!(progress.valid_loss, Some(1.5));

    upstream.checkpoint(id.as_str(), 25);
    upstream.checkpoint(id.as_str(), 50);
    let checkpoints = api.checkpoints(&id).await;
    let steps: Vec<_> = checkpoints
        .iter()
        .map(|checkpoint| (checkpoint.step, checkpoint.valid_loss))
        .collect();
    assert_eq!(steps, [(50, Some(1.75)), (25, Some(1.75))]);
    assert_eq!(checkpoints[0].bytes, None);

    let csv = api.get(&format!("/api/jobs/{id}/metrics.csv")).await;
    let text = csv.body.as_str().expect("text").to_owned();
    assert_eq!(text.lines().count(), 61, "{text}");
    let answer = api.get("/api/jobs/ftjob-none/events").await;
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[tokio::test]
async fn a_record_is_read_as_json_page_by_page() {
    messages_and_curves(Habits::default()).await;
}

#[tokio::test]
async fn a_record_is_read_as_a_stream_by_its_content_type() {
    messages_and_curves(Habits::fakeai()).await;
}

#[tokio::test]
async fn a_record_is_read_once_and_then_only_what_is_new_in_pages_that_the_upstream_gives() {
    let habits = Habits {
        largest_page: 100,
        ..Habits::default()
    };
    let (upstream, _server, api) = account(habits).await;
    let id = JobId::new(upstream.add_job("one", "running"));
    for step in 1..=250 {
        upstream.step(id.as_str(), step, 1.0, None);
    }
    let asked = |upstream: &OpenAiServer| {
        let calls: Vec<_> = upstream
            .calls()
            .into_iter()
            .filter(|call| call.contains("/events"))
            .collect();
        upstream.forget_calls();
        calls.len()
    };
    assert_eq!(api.steps(&id, Series::TrainLoss).await.len(), 250);
    assert_eq!(asked(&upstream), 4, "one page is too large, three hold all");
    upstream.step(id.as_str(), 251, 1.0, None);
    assert_eq!(api.steps(&id, Series::TrainLoss).await.len(), 251);
    assert_eq!(asked(&upstream), 1);
}

#[tokio::test]
async fn the_result_file_is_the_metrics_of_a_job_that_has_ended() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let id = upstream.add_job("done", "succeeded");
    // "step,train_loss\n1,2.5\n" in base64, as OpenAI serves it.
    let file = upstream.add_file(
        "result.csv",
        "fine-tune-results",
        "c3RlcCx0cmFpbl9sb3NzCjEsMi41Cg==",
    );
    upstream.set(&id, "result_files", json!([file]));
    let csv = api.get(&format!("/api/jobs/{id}/metrics.csv")).await;
    assert_eq!(csv.body, "step,train_loss\n1,2.5\n");
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
}

/// What is told next that can be resumed after, with the id of it.
async fn next_stored(stream: &mut JobStream) -> (String, String) {
    let told = stream
        .find(|message| !matches!(message, StreamMessage::Job { .. }))
        .await
        .expect("the stream goes on");
    let told = match told {
        StreamMessage::Event { event } => event.message,
        StreamMessage::Metrics { metrics } => format!("step {}", metrics.step),
        StreamMessage::Checkpoint { checkpoint } => format!("checkpoint {}", checkpoint.step),
        StreamMessage::End { .. } => "end".to_owned(),
        other => panic!("{other:?}"),
    };
    (told, stream.last_id.clone().unwrap_or_default())
}

#[tokio::test]
async fn a_job_is_followed_live_and_a_reconnect_tells_exactly_what_was_missed() {
    for habits in [Habits::default(), Habits::fakeai()] {
        let (upstream, _server, api) = account(habits).await;
        let id = JobId::new(upstream.add_job("one", "running"));
        upstream.tell(id.as_str(), "info", "created");
        upstream.step(id.as_str(), 1, 2.0, None);
        let mut stream = api.stream(&id, None).await;
        let first = stream.next().await.expect("the job comes first");
        let StreamMessage::Job { job } = first else {
            panic!("{first:?}")
        };
        assert_eq!(job.progress.map(|progress| progress.step), Some(1));
        assert_eq!(next_stored(&mut stream).await.0, "created");
        let (told, at_step_1) = next_stored(&mut stream).await;
        assert_eq!(told, "step 1");

        upstream.checkpoint(id.as_str(), 1);
        assert_eq!(next_stored(&mut stream).await.0, "checkpoint 1");
        upstream.step(id.as_str(), 2, 1.5, Some(1.75));
        let (told, at_step_2) = next_stored(&mut stream).await;
        assert_eq!(told, "step 2");
        drop(stream);

        upstream.step(id.as_str(), 3, 1.25, None);
        upstream.checkpoint(id.as_str(), 3);
        upstream.tell(id.as_str(), "info", "done");
        upstream.set(id.as_str(), "status", json!("succeeded"));
        let rest = async |after: &str| {
            let mut stream = api.stream(&id, Some(after)).await;
            let mut all = Vec::new();
            while all.last().is_none_or(|told| told != "end") {
                all.push(next_stored(&mut stream).await.0);
            }
            assert!(stream.next().await.is_none(), "it ends with the job");
            all
        };
        assert_eq!(rest(&at_step_2).await, ["step 3", "done", "checkpoint 3", "end"]);
        assert_eq!(
            rest(&at_step_1).await,
            ["step 2", "step 3", "done", "checkpoint 1", "checkpoint 3", "end"]
        );
    }
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

#[tokio::test]
async fn what_the_upstream_refuses_is_told_as_what_it_is() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    let body = new_job("refused", &file);
    let rows = [
        (
            Mood::Refusing(json!({"training_file": "too few examples"})),
            (
                400,
                "validation_failed",
                "too few examples",
                Some("training_dataset"),
            ),
        ),
        (
            Mood::Refusing(json!({"method.supervised.hyperparameters.n_epochs": "at most 3"})),
            (400, "validation_failed", "at most 3", Some("epochs")),
        ),
        (
            Mood::SaysOfWrites(Said::json(400, &json!({"detail": "Training file X not found"}))),
            (400, "upstream_refused", "Training file X not found", None),
        ),
        (
            Mood::SaysOfWrites(Said::json(
                422,
                &json!({"detail": [{"loc": ["body", "model"], "msg": "no such model", "type": "value_error"}]}),
            )),
            (400, "validation_failed", "no such model", Some("base_model")),
        ),
        (
            Mood::ReadOnly,
            (
                403,
                "upstream_forbidden",
                "You have insufficient permissions for this operation",
                None,
            ),
        ),
        (
            Mood::SaysOfWrites(
                Said::json(
                    429,
                    &json!({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}),
                )
                .with("retry-after", "7"),
            ),
            (429, "upstream_limit", "You exceeded your quota", None),
        ),
    ];
    for (mood, (status, code, detail, field)) in rows {
        upstream.set_mood(mood);
        let answer = api.post("/api/jobs", &body).await;
        if status == 429 {
            assert_eq!(answer.headers["retry-after"], "7");
        }
        let problem = answer.problem(status);
        assert_eq!(
            (problem.code.as_str(), problem.detail.as_deref()),
            (code, Some(detail))
        );
        assert_eq!(problem.fields.keys().next().map(String::as_str), field);
    }
}

#[tokio::test]
async fn what_goes_wrong_there_is_told_and_its_words_are_not() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let job = upstream.add_job("one", "running");
    let of_jobs = |job: Value| Said::json(200, &json!({"object": "list", "data": [job]}));
    let whole = json!({"id": "a", "model": "m", "status": "running", "created_at": 1});
    let with = |field: &str, value: Value| {
        let mut job = whole.clone();
        job[field] = value;
        of_jobs(job)
    };
    let secret = json!({"error": {"message": "secret stack trace"}});
    let rows = [
        (Said::json(401, &secret), 502, "upstream_key_rejected", ""),
        (Said::json(403, &secret), 502, "upstream_key_rejected", ""),
        (Said::json(500, &secret), 502, "upstream_error", "500"),
        (Said::json(503, &secret), 502, "upstream_error", "503"),
        (
            Said::status(302).with("location", "https://elsewhere.example"),
            502,
            "upstream_invalid_response",
            "redirects",
        ),
        (
            Said::typed(200, "text/html", "<html>"),
            502,
            "upstream_invalid_response",
            "`text/html`",
        ),
        (
            Said::typed(200, "application/json", "{"),
            502,
            "upstream_invalid_response",
            "not JSON",
        ),
        (
            Said::typed(200, "application/json", "{\"data\":[").broken_off(),
            502,
            "upstream_invalid_response",
            "breaks off",
        ),
        (
            Said::typed(200, "application/json", " ".repeat((4 << 20) + 1)),
            502,
            "upstream_invalid_response",
            "larger",
        ),
        (
            Said::json(200, &json!({"data": 7})),
            502,
            "upstream_invalid_response",
            "`data` is no list",
        ),
        (
            with("id", Value::Null),
            502,
            "upstream_invalid_response",
            "`data[0].id`",
        ),
        (
            with("status", json!("sleeping")),
            502,
            "upstream_invalid_response",
            "`data[0].status`",
        ),
        (
            with("created_at", json!("soon")),
            502,
            "upstream_invalid_response",
            "`data[0].created_at`",
        ),
    ];
    for (said, status, code, part) in rows {
        upstream.set_mood(Mood::Says(said));
        let problem = api.get("/api/jobs").await.problem(status);
        let detail = problem.detail.unwrap_or_default();
        assert_eq!(problem.code, code, "{detail}");
        assert!(detail.contains(part) && !detail.contains("secret"), "{detail}");
    }
    for said in [
        with("created_at", json!("1700000000")),
        with("finished_at", json!(1.5)),
        of_jobs(whole.clone()),
    ] {
        upstream.set_mood(Mood::Says(said));
        let list: JobList = api.get("/api/jobs").await.expect(200);
        assert_eq!(list.jobs.len(), 1);
    }
    upstream.set_mood(Mood::Fair);
    assert_eq!(api.job(&JobId::new(job)).await.name, "one", "it is well again");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_job() {
    let (upstream, _server, api) = account(Habits::default()).await;
    let file = upstream.add_file("train.jsonl", "fine-tune", "{}");
    upstream.set_mood(Mood::Forgetful);
    let create = || {
        api.request(reqwest::Method::POST, "/api/jobs")
            .header("idempotency-key", "draft-1")
    };
    let first: Job = api.send(create().json(&new_job("once", &file))).await.expect(201);
    let second: Job = api.send(create().json(&new_job("once", &file))).await.expect(200);
    assert_eq!(first.id, second.id);
    assert_eq!(upstream.bodies().len(), 1);
}

#[tokio::test]
async fn a_slow_upstream_is_504_and_one_that_is_gone_502_and_readiness_says_so() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let setup = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "openai")
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY)
        .with("ATTUNE_UPSTREAM__CACHE_MS", "0")
        .with("ATTUNE_UPSTREAM__TIMEOUT_MS", "500");
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    upstream.set_mood(Mood::Slow);
    assert_eq!(api.get("/api/jobs").await.problem(504).code, "upstream_timeout");
    let capabilities: Capabilities = api.get("/api/capabilities").await.expect(200);
    assert_eq!(capabilities, Capabilities::openai(), "told without it");
    drop(upstream);
    assert_eq!(
        api.get("/api/jobs").await.problem(502).code,
        "upstream_unreachable"
    );
}

#[tokio::test]
async fn the_key_is_in_no_answer_no_log_and_no_file() {
    let upstream = OpenAiServer::start(Habits::default()).await;
    let setup = Setup::new()
        .with("ATTUNE_UPSTREAM__KIND", "openai")
        .with("ATTUNE_UPSTREAM__BASE_URL", &upstream.base_url)
        .with("ATTUNE_UPSTREAM__API_KEY", KEY)
        .with("ATTUNE_LOG__FILTER", "trace")
        .with("ATTUNE_UPSTREAM__CACHE_MS", "0");
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let job = upstream.add_job(&format!("named {KEY}"), "running");
    upstream.tell(&job, "info", &format!("the key {KEY} was used"));
    for path in [
        "/api/jobs".to_owned(),
        format!("/api/jobs/{job}"),
        format!("/api/jobs/{job}/events"),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = answer.body.to_string();
        assert!(text.contains("[hidden]") && !text.contains(KEY), "{text}");
    }
    let log = server.log();
    assert!(log.contains("/api/jobs"), "something was logged");
    assert!(!log.contains(KEY));
}
