//! What is told of when a job came to stand where.

use crate::testing::*;
use shared::{
    id::JobId,
    run::RunEvent,
    status::JobStatus::{
        self, Cancelled, Failed, Paused, Pausing, Queued, Running, Succeeded, ValidatingFiles,
    },
};
use std::time::Duration;

async fn statuses(engine: &TestEngine, id: &JobId) -> Vec<JobStatus> {
    let timeline = engine.service.find_timeline(&alice(), id).await.unwrap();
    timeline.phases.into_iter().map(|phase| phase.status).collect()
}

#[tokio::test]
async fn each_phase_of_a_job_is_told_with_its_duration_and_pauses_with_theirs() {
    let engine = TestEngine::start().await;
    let seconds = |count| engine.clock.advance(Duration::from_secs(count));
    let (id, trainer) = engine.job_at_step(&alice(), "paused", 1).await;
    let told = engine.service.find_timeline(&alice(), &id).await.unwrap();
    let created_at = engine.service.find_job(&alice(), &id).await.unwrap().created_at;
    assert_eq!(told.phases[0].started_at, created_at);
    let start = told.phases[2].started_at.unix_ms();
    seconds(5);
    engine.service.pause_job(&alice(), &id).await.unwrap();
    seconds(2);
    trainer.pause_when_asked(1).await;
    engine.wait_status(&alice(), &id, Paused).await;
    seconds(9);
    let told = engine.service.find_timeline(&alice(), &id).await.unwrap();
    let last = told.durations(start + 16_000).last().unwrap();
    assert_eq!((last.0.status, last.1), (Paused, Some(9_000)), "it goes on");
    engine.service.resume_job(&alice(), &id).await.unwrap();
    let trainer = engine.trainer().await;
    trainer.train_from(1).await;
    seconds(3);
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, Succeeded).await;
    let told = engine.service.find_timeline(&alice(), &id).await.unwrap();
    let spans: Vec<_> = told
        .durations(i64::MAX)
        .skip(2)
        .map(|(phase, took)| (phase.status, took))
        .collect();
    assert_eq!(
        spans,
        [
            (Running, Some(5_000)),
            (Pausing, Some(2_000)),
            (Paused, Some(9_000)),
            (Queued, Some(0)),
            (Running, Some(3_000)),
            (Succeeded, None)
        ]
    );
    assert_eq!(statuses(&engine, &id).await[..2], [ValidatingFiles, Queued]);
}

#[tokio::test]
async fn a_job_whose_server_was_lost_waited_again() {
    let engine = TestEngine::start().await;
    let (id, _lost) = engine.job_at_step(&alice(), "lost", 1).await;
    let engine = engine.crash_and_restart().await;
    let trainer = engine.trainer().await;
    trainer.train_from(0).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, Succeeded).await;
    let expected = [ValidatingFiles, Queued, Running, Queued, Running, Succeeded];
    assert_eq!(statuses(&engine, &id).await, expected);
}

#[tokio::test]
async fn a_pause_that_failed_a_failure_and_a_cancellation_are_phases_too() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "failing", 1).await;
    engine.service.pause_job(&alice(), &id).await.unwrap();
    let (code, message) = ("disk_full".to_owned(), "the disk is full".to_owned());
    let event = RunEvent::PauseFailed {
        step: 1,
        code,
        message,
    };
    trainer.say(event).await;
    engine.wait_status(&alice(), &id, Running).await;
    let (code, message) = ("nan_loss".to_owned(), "it diverged".to_owned());
    let event = RunEvent::Failed {
        step: 1,
        code,
        message,
        line: None,
    };
    trainer.say(event).await;
    trainer.exit(crate::executor::Exit::Code(3));
    engine.wait_status(&alice(), &id, Failed).await;
    let expected = [ValidatingFiles, Queued, Running, Pausing, Running, Failed];
    assert_eq!(statuses(&engine, &id).await, expected);

    let (id, trainer) = engine.job_at_step(&alice(), "unwanted", 1).await;
    engine.service.cancel_job(&alice(), &id).await.unwrap();
    trainer.exit_when_killed().await;
    let expected = [ValidatingFiles, Queued, Running, Cancelled];
    assert_eq!(statuses(&engine, &id).await, expected);
    assert!(engine.service.find_timeline(&mallory(), &id).await.is_err());
}

#[tokio::test]
async fn of_a_job_whose_beginning_is_not_recorded_no_phase_is_told() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "older", 1).await;
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    sqlx::query("DELETE FROM phases")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, Succeeded).await;
    assert_eq!(statuses(&engine, &id).await, []);
}
