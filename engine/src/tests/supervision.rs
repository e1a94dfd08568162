//! Dead and silent trainers, leases that ran out, and what is told of them.

use crate::{
    executor::{Control, Exit},
    testing::*,
};
use shared::{
    attempt::{AttemptOutcome, FailureCause},
    run::{RunCommand, RunEvent, exit_code},
    status::JobStatus,
};
use std::time::Duration;

#[tokio::test]
async fn the_last_lines_of_a_dead_trainer_and_the_cause_are_kept() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "hungry", 1).await;
    for attempt in 1..=5 {
        let log: String = (1..=250).map(|line| format!("line {line}\n")).collect();
        let last = "memory allocation of 900000000 bytes failed\n";
        std::fs::write(&trainer.launch.log, log + last).unwrap();
        trainer.exit(Exit::Signal(6));
        if attempt == 5 {
            break;
        }
        trainer = engine.trainer().await;
    }
    let job = engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    let failure = job.failure.unwrap();
    assert_eq!(failure.cause, Some(FailureCause::OutOfMemory));
    assert_eq!(
        failure.change.unwrap().batch_size,
        job.hyperparameters.unwrap().batch_size.map(|size| size / 2)
    );
    let attempts = engine.attempts(&alice(), &id).await;
    let outcomes: Vec<_> = attempts.iter().map(|it| it.outcome.unwrap()).collect();
    assert_eq!(outcomes[..4], [AttemptOutcome::Died; 4]);
    assert_eq!(outcomes[4], AttemptOutcome::Failed);
    let log = &attempts[4].log;
    assert_eq!((log.len(), log[0].as_str()), (200, "line 52"));
    assert!(log[199].contains("memory allocation"), "{log:?}");
}

#[tokio::test]
async fn a_trainer_that_tells_nothing_is_killed_and_started_again() {
    let engine = TestEngine::start_with(|config| config.longest_silence = Duration::from_millis(300)).await;
    let (id, trainer) = engine.running_job(&alice(), "silent").await;
    trainer.train_from(0).await;
    // Signs of life put it off, and are no part of the record.
    let mut beats = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..6 {
        beats.tick().await;
        trainer.say(RunEvent::Heartbeat { step: 0 }).await;
    }
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(job.attempt, 1);
    trainer.exit_when_killed().await;
    let trainer = engine.trainer().await;
    let attempts = engine.attempts(&alice(), &id).await;
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Died));
    assert!(
        attempts[0]
            .message
            .as_ref()
            .unwrap()
            .contains("it told nothing for")
    );
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
}

#[tokio::test]
async fn a_server_that_slept_through_its_lease_writes_nothing_and_the_job_goes_on_where_it_was_saved() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "slept", 1).await;
    engine.clock.advance(Duration::from_secs(31));
    trainer.step(2).await;
    trainer.wait_for(Control::Command(RunCommand::Pause)).await;
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    engine.service.inner.running.ended(id.as_str()).await;
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(job.progress.unwrap().step, 1, "the second step came too late");
    crate::supervise::beat(&engine.service).await.unwrap();
    let trainer = engine.trainer().await;
    assert_eq!(trainer.launch.replay_after, 1);
    trainer.train_from(2).await;
    trainer.finish(2).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.attempt, 2);
    let attempts = engine.attempts(&alice(), &id).await;
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Lost));
}

#[tokio::test]
async fn a_supervisor_that_lost_its_lease_leaves_the_one_after_it_alone() {
    let engine = TestEngine::start_with(|config| config.max_running = 2).await;
    let (id, mut first) = engine.running_job(&alice(), "slept").await;
    first.train_from(0).await;
    first.step(1).await;
    engine.wait_step(&alice(), &id, 1).await;
    engine.clock.advance(Duration::from_secs(31));
    crate::supervise::beat(&engine.service).await.unwrap();
    let second = engine.trainer().await;
    let running = &engine.service.inner.running;
    assert_eq!(
        running.count(),
        2,
        "the first doesn't know yet that it isn't at work"
    );
    let mut changed = engine.service.inner.jobs_changed.subscribe(id.as_str());
    first.step(2).await;
    first.wait_for(Control::Command(RunCommand::Pause)).await;
    first.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    while running.count() == 2 {
        changed.changed().await.unwrap();
    }
    assert_eq!(running.count(), 1, "and takes only itself off the list");
    // So the second is told what is asked, and its lease is prolonged.
    engine.clock.advance(Duration::from_secs(20));
    crate::supervise::beat(&engine.service).await.unwrap();
    engine.clock.advance(Duration::from_secs(20));
    engine.service.pause_job(&alice(), &id).await.unwrap();
    second.train_from(1).await;
    second.pause_when_asked(1).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Paused).await;
    assert_eq!(job.attempt, 2);
}
