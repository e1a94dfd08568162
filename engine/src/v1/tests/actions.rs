//! Pause, resume and cancel over /v1 in every state: an illegal one is 400, which the SDKs don't try again.

use super::{
    Answer, Client,
    jobs::{JOBS, create},
};
use crate::{
    testing::{alice, mallory},
    tests::actions::job_in,
};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use shared::status::JobStatus::{self, *};

/// What each action makes of each status; an empty word is a refusal.
const TABLE: [(JobStatus, [&str; 3]); 8] = [
    (ValidatingFiles, ["paused", "", "cancelled"]),
    (Queued, ["paused", "", "cancelled"]),
    (Running, ["pausing", "", "cancelled"]),
    (Pausing, ["", "", "cancelled"]),
    (Paused, ["", "queued", "cancelled"]),
    (Succeeded, ["", "", ""]),
    (Failed, ["", "", ""]),
    (Cancelled, ["", "", ""]),
];

#[tokio::test]
async fn every_pair_of_state_and_action_is_done_or_refused_with_400() {
    for (status, expected) in TABLE {
        for (action, next) in ["pause", "resume", "cancel"].into_iter().zip(expected) {
            let client = Client::start().await;
            let (id, _alive) = job_in(&client.engine, status).await;
            let path = format!("/v1/fine_tuning/jobs/{id}");
            let answer = client.post(&format!("{path}/{action}"), &Value::Null).await;
            let about = format!("{action} a job that is {}", status.as_str());
            if next.is_empty() {
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{about}");
                let error = answer.error();
                assert_eq!(error["type"], "invalid_request_error", "{about}");
                let code = error["code"].as_str().unwrap();
                assert!(code.starts_with("job_not_"), "{about}: {code}");
                assert_eq!(
                    client.get(&path).await.json()["status"],
                    status.as_str(),
                    "{about}"
                );
            } else {
                assert_eq!(answer.status, StatusCode::OK, "{about}");
                assert_eq!(answer.json()["status"], next, "{about}");
            }
            let found = client.engine.service.find_job(&alice(), &id).await;
            assert!(found.is_ok(), "{about}");
        }
    }
    let client = Client::start().await;
    let nobodys = client
        .post("/v1/fine_tuning/jobs/ftjob-none/pause", &json!({}))
        .await;
    assert_eq!(nobodys.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_illegal_cancel_is_400_so_that_sdks_do_not_retry_it() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let id = create(&client, json!({"model": "tiny", "training_file": file})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancel = async || -> Answer {
        let request = client.request(Method::POST, &format!("{JOBS}/{id}/cancel"));
        client.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(cancel().await.json()["status"], "cancelled");
    let again = cancel().await;
    assert_eq!(
        (again.status, again.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("job_not_cancellable"))
    );
}

#[tokio::test]
async fn jobs_of_somebody_else_are_not_there() {
    let client = Client::start().await;
    let theirs = client.engine.job(&mallory(), "theirs").await.id;
    for path in ["", "/events", "/checkpoints"] {
        let answer = client.get(&format!("{JOBS}/{theirs}{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        answer.error();
    }
    let cancel = client
        .request(Method::POST, &format!("{JOBS}/{theirs}/cancel"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(cancel).await.status, StatusCode::NOT_FOUND);
}
