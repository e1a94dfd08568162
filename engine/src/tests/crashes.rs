//! What survives: trainers that die, servers that die, steps that are told twice.

use crate::{
    executor::{Control, Exit},
    played::metrics,
    testing::*,
};
use shared::{
    event::StreamMessage,
    run::{RunCommand, RunEvent, exit_code},
    status::JobStatus,
};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_killed_trainer_is_started_again_and_a_replayed_step_changes_nothing() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "killed").await;
    assert_eq!(trainer.launch.replay_after, 0);
    trainer.train_from(0).await;
    for step in 1..=7 {
        trainer.step(step).await;
    }
    trainer.checkpoint(5).await;
    engine.wait_step(&alice(), &id, 7).await;
    trainer.exit(Exit::Signal(9));
    let trainer = engine.trainer().await;
    assert_eq!(trainer.launch.replay_after, 7);
    trainer.train_from(5).await;
    for step in 6..=10 {
        let mut different = metrics(step);
        different.train_loss = 99.0 + step as f64;
        trainer.say(RunEvent::Metrics(different)).await;
    }
    trainer.checkpoint(5).await;
    trainer.finish(10).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.attempt, 2);
    let told = engine.whole_stream(&alice(), &id, None).await;
    let losses: Vec<_> = told
        .iter()
        .filter_map(|(_, message)| match message {
            StreamMessage::Metrics { metrics } => Some((metrics.step, metrics.train_loss)),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = (1..=10)
        .map(|step| {
            (
                step,
                Some(if step <= 7 {
                    2.0 / step as f64
                } else {
                    99.0 + step as f64
                }),
            )
        })
        .collect();
    assert_eq!(losses, expected);
    assert_eq!(
        engine
            .service
            .list_checkpoints(&alice(), &id)
            .await
            .unwrap()
            .checkpoints
            .len(),
        1
    );
    let events = engine.events(&alice(), &id).await;
    assert!(
        events
            .iter()
            .any(|event| event.starts_with("The trainer ended unexpectedly: it was killed (signal 9"))
    );
    assert!(
        events.contains(&"Resumed from step 5 after the trainer ended unexpectedly".to_owned()),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_trainer_that_gets_nowhere_is_given_up_with_its_last_words() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.running_job(&alice(), "hopeless").await;
    for _ in 0..4 {
        trainer.exit(Exit::Code(101));
        trainer = engine.trainer().await;
    }
    std::fs::write(&trainer.launch.log, "thread main panicked\nindex out of bounds\n").unwrap();
    trainer.exit(Exit::Code(101));
    let job = engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    assert_eq!(job.attempt, 5);
    let failure = job.failure.unwrap();
    assert_eq!(failure.code, "trainer_died");
    assert!(
        failure.message.contains("index out of bounds"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_checkpoint_that_was_removed_unrecorded_is_listed_no_more() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "removed").await;
    trainer.train_from(0).await;
    trainer.step(2).await;
    trainer.checkpoint(1).await;
    trainer.checkpoint(2).await;
    engine.wait_step(&alice(), &id, 2).await;
    std::fs::remove_dir_all(trainer.launch.run_dir.join("checkpoints/step-1")).unwrap();
    trainer.exit(Exit::Signal(9));
    let trainer = engine.trainer().await;
    let listed = async || {
        let list = engine
            .service
            .list_checkpoints(&alice(), &id)
            .await
            .unwrap()
            .checkpoints;
        list.iter().map(|checkpoint| checkpoint.step).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [2]);
    std::fs::remove_dir_all(trainer.launch.run_dir.join("checkpoints/step-2")).unwrap();
    engine.service.cancel_job(&alice(), &id).await.unwrap();
    trainer.exit_when_killed().await;
    engine.service.inner.running.ended(id.as_str()).await;
    assert!(listed().await.is_empty());
    let removed: Vec<_> = engine
        .whole_stream(&alice(), &id, None)
        .await
        .into_iter()
        .filter_map(|(seq, message)| match message {
            StreamMessage::CheckpointRemoved { step } => Some((seq.is_some(), step)),
            _ => None,
        })
        .collect();
    assert_eq!(removed, [(true, 1)]);
}

#[tokio::test]
async fn a_checkpoint_that_is_written_again_after_its_loss_is_listed_again() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "lost").await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.checkpoint(1).await;
    engine.wait_step(&alice(), &id, 1).await;
    std::fs::remove_dir_all(trainer.launch.run_dir.join("checkpoints/step-1")).unwrap();
    trainer.exit(Exit::Signal(9));
    let trainer = engine.trainer().await;
    trainer.train_from(0).await;
    trainer.checkpoint(1).await;
    trainer.step(2).await;
    engine.wait_step(&alice(), &id, 2).await;
    let list = engine.service.list_checkpoints(&alice(), &id).await.unwrap();
    assert_eq!(list.checkpoints.len(), 1);
    engine.service.pause_job(&alice(), &id).await.unwrap();
    // A pause that finds it on disk doesn't write it, and is a pause.
    trainer.say(RunEvent::Paused { step: 1 }).await;
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    engine.wait_status(&alice(), &id, JobStatus::Paused).await;
}

#[tokio::test]
async fn progress_earns_a_trainer_more_attempts() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.running_job(&alice(), "slow").await;
    for step in 1..=8 {
        trainer.train_from(step - 1).await;
        trainer.step(step).await;
        trainer.checkpoint(step).await;
        trainer.exit(Exit::Signal(15));
        trainer = engine.trainer().await;
    }
    trainer.finish(8).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.attempt, 9);
}

#[tokio::test]
async fn after_a_crash_of_the_server_the_job_goes_on_by_itself() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "survivor").await;
    trainer.train_from(0).await;
    for step in 1..=4 {
        trainer.step(step).await;
    }
    trainer.checkpoint(3).await;
    engine.wait_step(&alice(), &id, 4).await;
    // The orphan holds the run until it has left.
    let held = std::fs::File::create(trainer.launch.run_dir.join("run.lock")).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let engine = engine.crash_and_restart().await;
    let waiting = "Waiting for the trainer of before to save and leave".to_owned();
    let mut changed = engine.service.inner.jobs_changed.subscribe(id.as_str());
    while !engine.events(&alice(), &id).await.contains(&waiting) {
        changed.changed().await.unwrap();
    }
    drop(held);
    let successor = engine.trainer().await;
    assert_eq!(successor.launch.replay_after, 4);
    successor.train_from(3).await;
    for step in 4..=10 {
        successor.step(step).await;
    }
    successor.finish(10).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.attempt, 2);
    let events = engine.events(&alice(), &id).await;
    assert!(
        events.contains(&"Resumed from step 3 after the server restarted".to_owned()),
        "{events:?}"
    );
    let steps: Vec<_> = engine
        .whole_stream(&alice(), &id, None)
        .await
        .into_iter()
        .filter_map(|(_, message)| match message {
            StreamMessage::Metrics { metrics } => Some(metrics.step),
            _ => None,
        })
        .collect();
    assert_eq!(steps, (1..=10).collect::<Vec<_>>());
    drop(trainer);
}

#[tokio::test]
async fn the_trainer_of_a_dead_server_can_record_nothing_more() {
    let engine = TestEngine::start().await;
    let (id, mut orphan) = engine.running_job(&alice(), "fenced").await;
    let dead = engine.service.clone();
    orphan.train_from(0).await;
    orphan.step(1).await;
    engine.wait_step(&alice(), &id, 1).await;
    let engine = engine.crash_and_restart().await;
    let successor = engine.trainer().await;
    orphan.step(2).await;
    // It is let go in good order: what it saves is where its successor begins.
    orphan.wait_for(Control::Command(RunCommand::Pause)).await;
    orphan.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    dead.inner.running.ended(id.as_str()).await;
    let steps: BTreeSet<u64> = engine
        .service
        .job_metrics(&alice(), &id, &Default::default())
        .await
        .unwrap()
        .curves
        .iter()
        .flat_map(|curve| curve.steps.clone())
        .collect();
    assert_eq!(steps, BTreeSet::from([1]));
    successor.finish(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
}

#[tokio::test]
async fn shutting_down_lets_the_trainer_save_and_the_next_server_goes_on() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "paused", 1).await;
    let service = engine.service.clone();
    let down = tokio::spawn(async move { engine.restart().await });
    while trainer.control.recv().await.unwrap() != Control::Command(RunCommand::Pause) {}
    trainer.step(2).await;
    trainer.checkpoint(2).await;
    trainer.say(RunEvent::Paused { step: 2 }).await;
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    let engine = down.await.unwrap();
    assert!(service.ping().await.is_err());
    let trainer = engine.trainer().await;
    assert_eq!(trainer.launch.replay_after, 2);
    trainer.train_from(2).await;
    trainer.finish(2).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!((job.attempt, job.failure), (2, None));
}
