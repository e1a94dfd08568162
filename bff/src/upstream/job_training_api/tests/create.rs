//! One draft becomes one job, whatever happens on the way.

use super::{our_job, their_job};
use crate::test_app::{Answer, Persona, TestApp};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::path};

/// An upstream that keeps jobs, and answers its next creations as it is told.
#[derive(Clone, Default)]
struct Workspace(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    jobs: Vec<Value>,
    posts: usize,
    /// What the next creations are answered, last first, and whether the job is made all the same.
    next: Vec<(ResponseTemplate, bool)>,
}

impl Workspace {
    async fn mount(&self, server: &MockServer) {
        Mock::given(path("/api/jobs"))
            .respond_with(self.clone())
            .mount(server)
            .await;
    }

    fn fail_once(&self, status: u16, made: bool) {
        self.0
            .lock()
            .expect("unpoisoned")
            .next
            .push((ResponseTemplate::new(status), made));
    }

    fn counts(&self) -> (usize, usize) {
        let state = self.0.lock().expect("unpoisoned");
        (state.posts, state.jobs.len())
    }
}

impl Respond for Workspace {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().expect("unpoisoned");
        if request.method.as_str() == "GET" {
            return ResponseTemplate::new(200).set_body_json(json!({ "jobs": state.jobs }));
        }
        state.posts += 1;
        let (answer, made) = state
            .next
            .pop()
            .map_or((None, true), |(answer, made)| (Some(answer), made));
        let body: Value = request.body_json().expect("JSON");
        let job = their_job(
            &format!("j{}", state.posts),
            body["name"].as_str().expect("a name"),
        );
        if made {
            state.jobs.push(job.clone());
        }
        answer.unwrap_or_else(|| ResponseTemplate::new(201).set_body_json(job))
    }
}

async fn create(persona: &Persona<'_>, key: Option<&str>, name: &str) -> Answer {
    let asking = persona.request(Method::POST, "/api/jobs").json(&our_job(name));
    match key {
        Some(key) => asking.header("idempotency-key", key).send().await,
        None => asking.send().await,
    }
}

async fn start() -> (TestApp, MockServer, Workspace) {
    let (app, server) = TestApp::with_job_training_api().await;
    let workspace = Workspace::default();
    workspace.mount(&server).await;
    (app, server, workspace)
}

#[tokio::test]
async fn a_draft_that_is_sent_twice_gives_the_first_job() {
    let (app, _server, workspace) = start().await;
    let user = app.user().await;
    let (first, second) = tokio::join!(
        create(&user, Some("draft-1"), "twin"),
        create(&user, Some("draft-1"), "twin")
    );
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(
        statuses,
        [StatusCode::OK, StatusCode::CREATED],
        "one of them made it"
    );
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert_eq!(workspace.counts(), (1, 1));
}

#[tokio::test]
async fn two_drafts_of_the_same_values_are_two_jobs() {
    let (app, _server, workspace) = start().await;
    let user = app.user().await;
    create(&user, Some("draft-1"), "twin").await;
    create(&user, Some("draft-2"), "twin").await;
    create(&user, None, "twin").await;
    assert_eq!(workspace.counts(), (3, 3));
}

#[tokio::test]
async fn one_key_for_two_sets_of_values_is_a_conflict() {
    let (app, _server, _workspace) = start().await;
    let user = app.user().await;
    create(&user, Some("draft-1"), "one").await;
    let other = create(&user, Some("draft-1"), "other").await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::CONFLICT, "idempotency_key_reused")
    );
}

#[tokio::test]
async fn a_job_that_was_made_behind_a_failed_answer_is_found() {
    for status in [500, 502, 200] {
        let (app, _server, workspace) = start().await;
        workspace.fail_once(status, true);
        let created = create(&app.user().await, None, "found").await;
        assert_eq!(
            created.status,
            StatusCode::CREATED,
            "{status}: {}",
            created.text()
        );
        assert_eq!(workspace.counts(), (1, 1));
    }
}

#[tokio::test]
async fn a_job_of_the_same_values_that_was_there_before_is_not_taken_for_the_new_one() {
    let (app, _server, workspace) = start().await;
    let user = app.user().await;
    create(&user, None, "twin").await;
    workspace.fail_once(500, false);
    let failed = create(&user, None, "twin").await;
    assert_eq!(
        (failed.status, failed.code().as_str()),
        (StatusCode::BAD_GATEWAY, "upstream_error")
    );
}

#[tokio::test]
async fn a_retry_after_a_failure_looks_before_it_sends_again() {
    let (app, _server, workspace) = start().await;
    let user = app.user().await;
    workspace.fail_once(500, false);
    assert_eq!(
        create(&user, Some("draft-1"), "again").await.status,
        StatusCode::BAD_GATEWAY
    );
    // The upstream was slow: the job appears between the two tries.
    workspace
        .0
        .lock()
        .expect("unpoisoned")
        .jobs
        .push(their_job("late", "again"));
    let retried = create(&user, Some("draft-1"), "again").await;
    assert_eq!(
        (retried.status, &retried.json()["id"]),
        (StatusCode::OK, &json!("late")),
        "this request sent nothing"
    );
    assert_eq!(workspace.counts(), (1, 1));
}

#[tokio::test]
async fn a_retry_after_a_refusal_is_sent_anew() {
    let (app, _server, workspace) = start().await;
    let user = app.user().await;
    workspace.fail_once(429, false);
    assert_eq!(
        create(&user, Some("draft-1"), "again").await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        create(&user, Some("draft-1"), "again").await.status,
        StatusCode::CREATED
    );
    assert_eq!(workspace.counts(), (2, 1));
}

#[tokio::test]
async fn a_key_belongs_to_who_sent_it() {
    let (app, _server, workspace) = start().await;
    create(&app.user().await, Some("draft-1"), "mine").await;
    create(&app.signed_in("somebody-else").await, Some("draft-1"), "mine").await;
    assert_eq!(workspace.counts().0, 2);
}
