//! The console over the real engine; trainers are played by the test.

mod actions;
mod alerts;
mod keys;
mod stage;
mod webhooks;

use axum::http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use stage::{Console, LINE, form, frames, new_job, submit};

#[tokio::test]
async fn what_one_user_has_is_not_there_for_another() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let other = console.app.signed_in("somebody-else").await;
    let job = new_job(&user).await;
    let data = user.get("/api/datasets").await.json()["datasets"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for (method, path) in [
        ("GET", format!("/api/jobs/{job}")),
        ("DELETE", format!("/api/jobs/{job}")),
        ("POST", format!("/api/jobs/{job}/cancel")),
        ("POST", format!("/api/jobs/{job}/pause")),
        ("POST", format!("/api/jobs/{job}/resume")),
        ("POST", format!("/api/jobs/{job}/stop")),
        ("GET", format!("/api/jobs/{job}/attempts")),
        ("GET", format!("/api/jobs/{job}/events")),
        ("GET", format!("/api/jobs/{job}/checkpoints")),
        ("GET", format!("/api/jobs/{job}/metrics")),
        ("GET", format!("/api/jobs/{job}/metrics.csv")),
        ("GET", format!("/api/jobs/{job}/steps/1/examples")),
        ("GET", format!("/api/jobs/{job}/stream")),
        ("GET", format!("/api/datasets/{data}")),
        ("DELETE", format!("/api/datasets/{data}")),
        ("POST", format!("/api/datasets/{data}/confirm")),
        ("GET", format!("/api/datasets/{data}/report")),
        ("GET", format!("/api/datasets/{data}/preview")),
    ] {
        let method: Method = method.parse().expect("a method");
        let answer = other.request(method.clone(), &path).send().await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::NOT_FOUND, "not_found"),
            "{method} {path}"
        );
    }
    assert_eq!(other.get("/api/jobs").await.json()["summary"]["total"], 0);
    assert_eq!(other.get("/api/datasets").await.json()["datasets"], json!([]));
    assert_eq!(user.get("/api/jobs").await.json()["summary"]["total"], 1);
    let with_others_data = json!({
        "name": "my-job", "base_model": "tiny", "epochs": 1, "evaluation_epochs": 0, "warmup_epochs": 0,
        "learning_rate": 0.001, "training_dataset": data
    });
    assert_eq!(
        other.post("/api/jobs", &with_others_data).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn the_same_draft_twice_is_one_job() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let mut form = form(&user).await;
    let first = submit(&user, "draft-1", &form).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = submit(&user, "draft-1", &form).await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (StatusCode::OK, &first.json()["id"])
    );
    form["epochs"] = json!(2);
    let other = submit(&user, "draft-1", &form).await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::CONFLICT, "idempotency_key_reused")
    );
    assert_eq!(user.get("/api/jobs").await.json()["summary"]["total"], 1);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_cut() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let content = LINE.repeat(3);
    let body = json!({ "name": "data", "filename": "data.jsonl", "bytes": content.len() });
    let url = user.post("/api/datasets", &body).await.json()["upload"]["url"]
        .as_str()
        .expect("a url")
        .to_owned();
    let range = |first: usize, last: usize| format!("bytes {first}-{last}/{}", content.len());
    let put = |range: String, part: String| {
        user.request(Method::PUT, &url)
            .header("content-range", &range)
            .body(part)
    };
    assert_eq!(
        put(range(0, 9), content[..10].to_owned()).send().await.json()["received"],
        10
    );
    let gap = put(range(20, 29), content[20..30].to_owned()).send().await;
    assert_eq!(
        (gap.status, gap.code().as_str()),
        (StatusCode::CONFLICT, "range_mismatch")
    );
    assert_eq!(user.get(&url).await.json()["received"], 10);
    let rest = put(range(10, content.len() - 1), content[10..].to_owned())
        .send()
        .await;
    assert_eq!(rest.json()["received"], content.len());
    let nonsense = user
        .request(Method::PUT, &url)
        .header("content-range", "all of it")
        .send()
        .await;
    assert_eq!(
        (nonsense.status, nonsense.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_range")
    );
    assert_eq!(user.get("/api/uploads/up-guessed").await.code(), "link_expired");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_sent() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let body = json!({ "name": "data", "filename": "data.jsonl", "bytes": 1_001 });
    let refused = user.post("/api/datasets", &body).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "file_too_large")
    );
    assert_eq!(
        user.get("/api/capabilities").await.json()["max_dataset_bytes"],
        1_000
    );
}

#[tokio::test]
async fn the_cores_that_a_trainer_computes_on_are_told() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let known = user.get("/api/capabilities").await.json();
    let machine = std::thread::available_parallelism().unwrap().get();
    assert_eq!(known["cores"], machine, "none are set");
    let mut config = engine::Config::new("unused");
    config.threads = 1;
    assert_eq!(config.trainer_cores(), 1);
    config.threads = u32::MAX;
    assert_eq!(config.trainer_cores() as usize, machine, "there are no more");
}

#[tokio::test]
async fn a_stream_tells_every_step_once_and_goes_on_after_the_last_that_arrived() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let path = format!("/api/jobs/{}/stream", new_job(&user).await);
    let trainer = console.trainer().await;
    for step in 1..=3 {
        trainer.step(step).await;
    }
    trainer.finish(3).await;
    let steps = |frames: &[(Option<String>, Value)]| -> Vec<u64> {
        frames
            .iter()
            .filter_map(|(_, data)| data["metrics"]["step"].as_u64())
            .collect()
    };
    let all = frames(&user, &path, None).await;
    assert_eq!(all[0].1["type"], "job");
    assert_eq!(all.last().expect("a frame").1["type"], "end");
    assert_eq!(steps(&all), [1, 2, 3]);
    let (seen, _) = all
        .iter()
        .find(|(_, data)| data["metrics"]["step"] == 1)
        .expect("the first step");
    let missed = frames(&user, &path, seen.as_deref()).await;
    assert_eq!(steps(&missed), [2, 3]);
}

#[tokio::test]
async fn a_job_names_the_place_from_which_a_stream_tells_all_that_came_since() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let path = format!("/api/jobs/{}", new_job(&user).await);
    let trainer = console.trainer().await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.step(2).await;
    while user.get(&path).await.json()["progress"]["step"] != 2 {
        tokio::task::yield_now().await;
    }
    // The place is read before the job: only now it is behind the second step for certain.
    let job = user.get(&path).await.json();
    let place = job["last_event_id"].as_str().expect("a place").to_owned();
    trainer.step(3).await;
    trainer.checkpoint(3).await;
    trainer.finish(3).await;
    let told = frames(&user, &format!("{path}/stream"), Some(&place)).await;
    let told = told.iter().map(|(_, data)| &data["type"]);
    let record: Vec<_> = told
        .filter(|kind| *kind == "metrics" || *kind == "checkpoint")
        .collect();
    assert_eq!(record, ["metrics", "checkpoint"]);
    assert_eq!(
        user.get(&path).await.json()["last_event_id"],
        Value::Null,
        "it has ended"
    );
}

#[tokio::test]
async fn a_stream_ends_when_the_server_is_about_to_stop() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let path = format!("/api/jobs/{}/stream", new_job(&user).await);
    let trainer = console.trainer().await;
    let mut body = user.request(Method::GET, &path).respond().await.into_body();
    let first = body
        .frame()
        .await
        .expect("a frame")
        .expect("whole")
        .into_data()
        .expect("data");
    assert!(first.starts_with(b"event: job\n"), "{first:?}");
    console.app.state.stopping.cancel();
    while let Some(frame) = body.frame().await {
        frame.expect("whole");
    }
    drop(trainer);
}

#[tokio::test]
async fn a_stream_ends_with_the_session_and_with_no_other() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let elsewhere = console.app.user().await;
    let path = format!("/api/jobs/{}/stream", new_job(&user).await);
    let trainer = console.trainer().await;
    let mut body = user.request(Method::GET, &path).respond().await.into_body();
    assert_eq!(
        elsewhere.delete("/api/session").await.status,
        StatusCode::NO_CONTENT
    );
    trainer.step(1).await;
    let mut seen = String::new();
    while !seen.contains("event: metrics") {
        let frame = body.frame().await.expect("still open").expect("whole");
        seen.push_str(std::str::from_utf8(&frame.into_data().expect("data")).expect("text"));
    }
    assert_eq!(user.delete("/api/session").await.status, StatusCode::NO_CONTENT);
    while let Some(frame) = body.frame().await {
        frame.expect("whole");
    }
    drop(trainer);
}

#[tokio::test]
async fn a_running_job_is_not_deleted_and_can_be_cancelled() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let path = format!("/api/jobs/{}", new_job(&user).await);
    let trainer = console.trainer().await;
    trainer.step(1).await;
    let refused = user.delete(&path).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::CONFLICT, "job_active")
    );
    let cancelled = user.request(Method::POST, &format!("{path}/cancel")).send().await;
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    trainer.exit_when_killed().await;
    let twice = user.request(Method::POST, &format!("{path}/cancel")).send().await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert_eq!(user.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(user.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_adapter_is_downloaded_by_a_link_that_works_once_and_needs_no_header() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let job = new_job(&user).await;
    let trainer = console.trainer().await;
    trainer.step(1).await;
    trainer.finish(1).await;
    frames(&user, &format!("/api/jobs/{job}/stream"), None).await;
    let artifact = user.get(&format!("/api/jobs/{job}")).await.json()["artifact"]
        .as_str()
        .expect("one")
        .to_owned();
    let other = console.app.signed_in("somebody-else").await;
    let stolen = other
        .request(Method::POST, &format!("/api/artifacts/{artifact}/download"))
        .send()
        .await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND);
    let link = user
        .request(Method::POST, &format!("/api/artifacts/{artifact}/download"))
        .send()
        .await;
    assert_eq!(link.status, StatusCode::CREATED);
    let url = link.json()["url"].as_str().expect("an address").to_owned();
    let anon = console.app.anon();
    let looked_at = anon.request(Method::HEAD, &url).send().await;
    assert_eq!(
        (looked_at.status, looked_at.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET"),
        "looking at a link doesn't use it up"
    );
    let download = anon.request(Method::GET, &url).without("x-attune").send().await;
    assert_eq!(download.status, StatusCode::OK);
    assert_eq!(
        download.header("content-disposition"),
        "attachment; filename=\"my-job.zip\""
    );
    assert_eq!(
        download.header("content-security-policy"),
        "default-src 'none'; sandbox"
    );
    assert_eq!(download.header("cache-control"), "no-store");
    assert_eq!(download.header("content-length"), download.body.len().to_string());
    assert!(download.body.starts_with(b"PK"));
    let again = anon.request(Method::GET, &url).send().await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (StatusCode::NOT_FOUND, "link_expired")
    );
    let csv = user.get(&format!("/api/jobs/{job}/metrics.csv")).await;
    assert!(csv.header("content-disposition").starts_with("attachment"));
    assert_eq!(csv.text().lines().count(), 2, "{}", csv.text());
    let metrics = user.get(&format!("/api/jobs/{job}/metrics")).await.json();
    assert_eq!(metrics["curves"][0]["steps"], json!([1]));
    let counted = console.app.anon().get("/metrics").await.text();
    assert!(
        counted.contains("attune_jobs{status=\"completed\"} 1\n"),
        "{counted}"
    );
}
