//! Whether a job that was disturbed ended as if it hadn't been.

use super::{Course, arena::Follow};
use crate::api::Api;
use shared::{
    attempt::{AttemptList, AttemptOutcome},
    metrics::Series,
    model::ArtifactList,
    status::JobStatus,
};
use std::collections::BTreeMap;

/// What isn't as it has to be.
pub(super) async fn of(
    api: &Api,
    follow: &Follow,
    course: &Course,
    adapter: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    let id = &follow.job.id;
    let job = api.job(id).await;
    if job.status != JobStatus::Succeeded {
        found.push(format!("it is {:?}: {:?}", job.status, job.failure));
        return found;
    }
    let every_step: Vec<u64> = (1..=course.total_steps).collect();
    for (who, steps) in [
        ("the record", &api.steps(id, Series::TrainLoss).await),
        ("the stream", &follow.steps),
    ] {
        if *steps != every_step {
            found.push(format!("{who} has the steps {steps:?}"));
        }
    }
    let validated = api.steps(id, Series::ValidLoss).await;
    if validated != course.evaluated {
        found.push(format!("validation is recorded at {validated:?}"));
    }
    let list: ArtifactList = api.get("/api/artifacts").await.expect(200);
    let made = list.artifacts.iter().filter(|artifact| artifact.job_id == *id);
    let made = made.count();
    if made != 1 {
        found.push(format!("it made {made} artifacts"));
    }
    if job.artifact.is_some() {
        let hashes = api.adapter(&job).await;
        if hashes != *adapter {
            found.push(format!("its adapter is {hashes:?} instead of {adapter:?}"));
        }
    } else {
        found.push("it names no artifact".to_owned());
    }
    let list: AttemptList = api.get(&format!("/api/jobs/{id}/attempts")).await.expect(200);
    let outcomes: Vec<_> = list.attempts.iter().map(|attempt| attempt.outcome).collect();
    let done = outcomes
        .iter()
        .filter(|outcome| **outcome == Some(AttemptOutcome::Done));
    if done.count() != 1 || outcomes.last() != Some(&Some(AttemptOutcome::Done)) || outcomes.contains(&None) {
        found.push(format!("its attempts ended as {outcomes:?}"));
    }
    let events = api.events(id).await;
    let succeeded = events
        .iter()
        .filter(|event| event.message.contains("successfully"));
    let succeeded = succeeded.count();
    if succeeded != 1 {
        found.push(format!("{succeeded} events tell that it succeeded"));
    }
    let checkpoints: Vec<u64> = api
        .checkpoints(id)
        .await
        .iter()
        .map(|checkpoint| checkpoint.step)
        .collect();
    let falling = checkpoints.windows(2).all(|pair| pair[0] > pair[1]);
    if !falling || checkpoints.first() != Some(&course.total_steps) {
        found.push(format!("its checkpoints are listed as {checkpoints:?}"));
    }
    found
}
