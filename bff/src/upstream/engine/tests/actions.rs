//! What can be done with a job over /api in every state: done, or refused with 409 and its code.

use super::stage::{Console, new_job};
use crate::test_app::{Answer, Persona};
use axum::http::{Method, StatusCode};
use engine::played::Played;
use serde_json::{Value, json};

/// One row a state: pause, resume, stop, cancel, retry, delete, prioritise, move; the next status, or the code of a refusal. (A job whose
/// files are still being read is in the engine's own table test: nothing of /api holds one there.)
const TABLE: [(&str, [&str; 8]); 7] = [
    (
        "queued",
        [
            "paused",
            "job_not_resumable",
            "job_not_stoppable",
            "cancelled",
            "job_not_retryable",
            "job_active",
            "queued",
            "queued",
        ],
    ),
    (
        "running",
        [
            "pausing",
            "job_not_resumable",
            "running",
            "cancelled",
            "job_not_retryable",
            "job_active",
            "job_not_waiting",
            "job_not_waiting",
        ],
    ),
    (
        "pausing",
        [
            "job_not_pausable",
            "job_not_resumable",
            "job_not_stoppable",
            "cancelled",
            "job_not_retryable",
            "job_active",
            "job_not_waiting",
            "job_not_waiting",
        ],
    ),
    (
        "paused",
        [
            "job_not_pausable",
            "queued",
            "queued",
            "cancelled",
            "new",
            "gone",
            "paused",
            "job_not_waiting",
        ],
    ),
    ("succeeded", ENDED),
    ("failed", ENDED),
    ("cancelled", ENDED),
];

const ENDED: [&str; 8] = [
    "job_not_pausable",
    "job_not_resumable",
    "job_not_stoppable",
    "job_not_cancellable",
    "new",
    "gone",
    "job_not_waiting",
    "job_not_waiting",
];

async fn act(user: &Persona<'_>, id: &str, action: &str) -> Answer {
    let path = format!("/api/jobs/{id}");
    match action {
        "delete" => user.delete(&path).await,
        "retry" => user.post(&format!("{path}/retry"), &json!({})).await,
        "prioritise" => change(user, &path, &json!({"priority": "high"})).await,
        "move" => change(user, &path, &json!({"move": "first"})).await,
        _ => {
            user.request(Method::POST, &format!("{path}/{action}"))
                .send()
                .await
        }
    }
}

async fn change(user: &Persona<'_>, path: &str, body: &Value) -> Answer {
    user.request(Method::PATCH, path).json(body).send().await
}

async fn status(user: &Persona<'_>, id: &str) -> Value {
    user.get(&format!("/api/jobs/{id}")).await.json()["status"].clone()
}

async fn wait(user: &Persona<'_>, id: &str, wanted: impl Fn(&Value) -> bool) {
    while !wanted(&user.get(&format!("/api/jobs/{id}")).await.json()) {
        tokio::task::yield_now().await;
    }
}

/// A job in a state, and the trainer that must stay alive meanwhile.
async fn job_in(console: &Console, user: &Persona<'_>, state: &str) -> (String, Option<Played>) {
    let id = new_job(user).await;
    let trainer = console.trainer().await;
    if state == "queued" {
        let second = super::stage::create(user, "second").await.json()["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        wait(user, &second, |job| job["status"] == state).await;
        return (second, Some(trainer));
    }
    trainer.train_from(0).await;
    trainer.step(1).await;
    wait(user, &id, |job| job["progress"]["step"] == 1).await;
    let mut alive = None;
    match state {
        "running" => alive = Some(trainer),
        "pausing" => {
            act(user, &id, "pause").await;
            alive = Some(trainer);
        }
        "paused" => {
            act(user, &id, "pause").await;
            trainer.pause_when_asked(1).await;
        }
        "succeeded" => trainer.finish(1).await,
        "cancelled" => {
            act(user, &id, "cancel").await;
            trainer.exit_when_killed().await;
        }
        _ => trainer.exit(engine::executor::Exit::Code(2)),
    }
    wait(user, &id, |job| job["status"] == state).await;
    (id, alive)
}

#[tokio::test]
async fn every_pair_of_state_and_action_is_done_or_refused_with_409() {
    for (state, outcomes) in TABLE {
        let actions = [
            "pause",
            "resume",
            "stop",
            "cancel",
            "retry",
            "delete",
            "prioritise",
            "move",
        ];
        for (action, expected) in actions.into_iter().zip(outcomes) {
            let console = Console::start().await;
            let user = console.app.user().await;
            let (id, _alive) = job_in(&console, &user, state).await;
            let answer = act(&user, &id, action).await;
            let about = format!("{action} a job that is {state}: {}", answer.text());
            match expected {
                "gone" => assert_eq!(answer.status, StatusCode::NO_CONTENT, "{about}"),
                "new" => {
                    assert_eq!(answer.status, StatusCode::CREATED, "{about}");
                    assert_eq!(answer.json()["parent"], id.as_str(), "{about}");
                }
                code if code.starts_with("job_") => {
                    assert_eq!(
                        (answer.status, answer.code().as_str()),
                        (StatusCode::CONFLICT, code),
                        "{about}"
                    );
                    assert_eq!(status(&user, &id).await, state, "{about}");
                }
                next => {
                    assert_eq!(
                        (answer.status, &answer.json()["status"]),
                        (StatusCode::OK, &json!(next)),
                        "{about}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn attempts_tell_where_each_began() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let (id, _) = job_in(&console, &user, "paused").await;
    act(&user, &id, "resume").await;
    let trainer = console.trainer().await;
    trainer.train_from(1).await;
    wait(&user, &id, |job| job["progress"]["stage"] == "training").await;
    let told = user.get(&format!("/api/jobs/{id}/attempts")).await.json();
    let brief: Vec<_> = told["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|attempt| {
            (
                attempt["attempt"].clone(),
                attempt["from_step"].clone(),
                attempt["outcome"].clone(),
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            (json!(1), json!(0), json!("paused")),
            (json!(2), json!(1), Value::Null)
        ]
    );
}

#[tokio::test]
async fn a_retry_with_a_misspelt_field_or_a_value_out_of_range_is_refused() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let (id, _) = job_in(&console, &user, "failed").await;
    let path = format!("/api/jobs/{id}/retry");
    let misspelt = user.post(&path, &json!({"batchsize": 2})).await;
    assert_eq!(misspelt.status, StatusCode::BAD_REQUEST, "{}", misspelt.text());
    let too_high = user.post(&path, &json!({"learning_rate": 2})).await;
    assert_eq!(too_high.status, StatusCode::BAD_REQUEST);
    assert!(
        too_high.json()["fields"]["learning_rate"].is_string(),
        "{}",
        too_high.text()
    );
}

#[tokio::test]
async fn a_turn_is_changed_by_words_that_are_known_and_nothing_else() {
    let console = Console::start().await;
    let user = console.app.user().await;
    let (id, _alive) = job_in(&console, &user, "queued").await;
    let path = format!("/api/jobs/{id}");
    let changed = change(&user, &path, &json!({"priority": "low", "move": "last"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(
        (&changed.json()["priority"], &changed.json()["queue_position"]),
        (&json!("low"), &json!(0))
    );
    for nonsense in [json!({"priority": "urgent"}), json!({"place": 1}), json!("high")] {
        let refused = change(&user, &path, &nonsense).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
    }
    let missing = change(&user, "/api/jobs/ftjob-none", &json!({"priority": "low"})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
