//! A job's record in front of an OpenAI-compatible API, through the real server: log, curves, checkpoints, result file and
//! live stream.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a helper that fails is a failed test"
)]

use serde_json::json;
use shared::{
    event::{EventList, Level, StreamMessage},
    id::JobId,
    metrics::{Metrics, Series},
    status::JobStatus,
};
use std::ops::RangeInclusive;
use tests::{
    api::Api,
    browser::Browser,
    openai_console::account,
    openai_server::{Habits, OpenAiServer},
    stream::JobStream,
};

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

/// What is told of a job that has only steps: the first and the last, how many, and whether older ones may be missing; curves, log and
/// CSV say the same.
async fn reach(api: &Api, id: &JobId) -> (Option<u64>, Option<u64>, usize, bool) {
    let steps = api.steps(id, Series::TrainLoss).await;
    let curves: Metrics = api.get(&format!("/api/jobs/{id}/metrics")).await.expect(200);
    let log: EventList = api.get(&format!("/api/jobs/{id}/events")).await.expect(200);
    assert_eq!(log.incomplete, curves.incomplete);
    let csv = api.get(&format!("/api/jobs/{id}/metrics.csv")).await;
    assert_eq!(csv.body.as_str().expect("text").lines().count(), steps.len() + 1);
    let name = csv.headers["content-disposition"].to_str().expect("text");
    assert_eq!(
        name.contains("-metrics-incomplete.csv"),
        curves.incomplete,
        "{name}"
    );
    (
        steps.first().copied(),
        steps.last().copied(),
        steps.len(),
        curves.incomplete,
    )
}

#[tokio::test]
async fn a_record_that_is_too_long_to_be_read_is_its_newest_part_without_a_hole_and_says_so() {
    let habits = Habits {
        largest_page: 100,
        ..Habits::default()
    };
    let (upstream, _server, api) = account(habits).await;
    let id = JobId::new(upstream.add_job("long", "running"));
    let train = |steps: RangeInclusive<u64>| {
        steps.for_each(|step| upstream.step(id.as_str(), step, 1.0, None));
    };
    train(1..=3_000);
    assert_eq!(reach(&api, &id).await, (Some(1), Some(3_000), 3_000, false));
    train(3_001..=3_010);
    assert_eq!(
        reach(&api, &id).await,
        (Some(1), Some(3_010), 3_010, false),
        "it was whole, and what came was read in time"
    );
    // More than one reading reaches back over.
    train(3_011..=6_030);
    assert_eq!(reach(&api, &id).await, (Some(3_031), Some(6_030), 3_000, true));
    train(6_031..=6_040);
    assert_eq!(reach(&api, &id).await, (Some(3_031), Some(6_040), 3_010, true));
}

#[tokio::test]
async fn a_stream_of_as_many_events_as_were_asked_for_may_be_the_newest_only() {
    let (upstream, _server, api) = account(Habits::fakeai()).await;
    let id = JobId::new(upstream.add_job("one", "running"));
    let train = |steps: RangeInclusive<u64>| {
        steps.for_each(|step| upstream.step(id.as_str(), step, 1.0, None));
    };
    train(1..=99);
    assert_eq!(reach(&api, &id).await, (Some(1), Some(99), 99, false));
    train(100..=150);
    assert_eq!(reach(&api, &id).await, (Some(1), Some(150), 150, false));
    train(151..=300);
    assert_eq!(reach(&api, &id).await, (Some(201), Some(300), 100, true));
}

#[tokio::test]
async fn the_comparison_names_the_jobs_whose_curves_may_lack_older_steps() {
    let (upstream, server, _api) = account(Habits::fakeai()).await;
    let [whole, cut] = [("whole", 40), ("cut", 150)].map(|(name, steps)| {
        let id = upstream.add_job(name, "running");
        (1..=steps).for_each(|step| upstream.step(&id, step, 1.0, None));
        id
    });
    let browser = Browser::start().await;
    browser.sign_in(&server).await;
    let compare = |jobs: &str| format!("{}/compare?jobs={jobs}", server.address);
    browser.goto(&compare(&format!("{whole},{cut}"))).await;
    browser
        .shows("There may be older steps still that the curves of these jobs don't have: cut.")
        .await;
    browser.is_accessible("comparison with a cut curve").await;
    browser.photograph_all("compare-incomplete").await;
    browser.goto(&compare(&whole)).await;
    browser.shows("whole").await;
    browser
        .until("its curve is drawn", async || {
            browser.text().await.contains("What differs")
        })
        .await;
    assert!(!browser.text().await.contains("older steps"));
    browser.no_errors().await;
    browser.quit().await;
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

/// What is told behind a message, up to the job's end.
async fn rest(api: &Api, id: &JobId, after: &str) -> Vec<String> {
    let mut stream = api.stream(id, Some(after)).await;
    let mut all = Vec::new();
    while all.last().is_none_or(|told| told != "end") {
        all.push(next_stored(&mut stream).await.0);
    }
    assert!(stream.next().await.is_none(), "it ends with the job");
    all
}

#[tokio::test]
async fn a_job_names_the_place_from_which_a_stream_tells_all_that_came_since() {
    for habits in [Habits::default(), Habits::fakeai()] {
        let (upstream, _server, api) = account(habits).await;
        let id = JobId::new(upstream.add_job("one", "running"));
        assert_eq!(api.job(&id).await.last_event_id, None, "nothing is recorded yet");
        upstream.tell(id.as_str(), "info", "created");
        upstream.step(id.as_str(), 1, 2.0, None);
        upstream.checkpoint(id.as_str(), 1);
        let place = api.job(&id).await.last_event_id.expect("a place");
        upstream.step(id.as_str(), 2, 1.5, None);
        upstream.tell(id.as_str(), "info", "done");
        upstream.checkpoint(id.as_str(), 2);
        upstream.set(id.as_str(), "status", json!("succeeded"));
        assert_eq!(
            rest(&api, &id, &place).await,
            ["step 2", "done", "checkpoint 2", "end"]
        );
        assert_eq!(api.job(&id).await.last_event_id, None, "it has ended");
    }
}

#[tokio::test]
async fn a_stream_that_can_not_go_on_where_it_was_tells_what_is_known_and_ends_so_that_the_record_is_read_anew()
 {
    let (upstream, _server, api) = account(Habits::fakeai()).await;
    let id = JobId::new(upstream.add_job("one", "running"));
    upstream.step(id.as_str(), 400, 2.0, None);
    upstream.step(id.as_str(), 410, 1.9, None);
    let mut stream = api.stream(&id, Some("an-event-that-is-forgotten-there")).await;
    for expected in ["step 400", "step 410"] {
        assert_eq!(next_stored(&mut stream).await.0, expected);
    }
    assert!(
        stream.next().await.is_none(),
        "not the job's end, but the stream's"
    );
    assert_eq!(api.job(&id).await.status, JobStatus::Running);
}

#[tokio::test]
async fn a_job_is_followed_live_and_a_reconnect_tells_exactly_what_was_missed() {
    for habits in [Habits::default(), Habits::fakeai()] {
        let (upstream, _server, api) = account(habits).await;
        let id = JobId::new(upstream.add_job("one", "running"));
        upstream.tell(id.as_str(), "info", "created");
        upstream.step(id.as_str(), 1, 2.0, None);
        let mut stream = api.stream(&id, None).await;
        let mut from_now = api.stream_from_now(&id).await;
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
        let kept = api.checkpoints(&id).await;
        assert_eq!((kept[0].train_loss, kept[0].valid_loss), (Some(1.5), Some(1.75)));
        upstream.step(id.as_str(), 2, 1.5, Some(1.75));
        let (told, at_step_2) = next_stored(&mut stream).await;
        assert_eq!(told, "step 2");
        drop(stream);
        let mut later = Vec::new();
        while later.len() < 2 {
            later.push(next_stored(&mut from_now).await.0);
        }
        later.sort_unstable();
        assert_eq!(
            later,
            ["checkpoint 1", "step 2"],
            "what was there before isn't told"
        );
        drop(from_now);

        upstream.step(id.as_str(), 3, 1.25, None);
        upstream.checkpoint(id.as_str(), 3);
        upstream.tell(id.as_str(), "info", "done");
        upstream.set(id.as_str(), "status", json!("succeeded"));
        assert_eq!(
            rest(&api, &id, &at_step_2).await,
            ["step 3", "done", "checkpoint 3", "end"]
        );
        assert_eq!(
            rest(&api, &id, &at_step_1).await,
            ["step 2", "step 3", "done", "checkpoint 1", "checkpoint 3", "end"]
        );
    }
}
