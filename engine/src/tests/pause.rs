//! Paused means saved; and what somebody asked of a job outlives trainers and servers.

use super::actions::job_in;
use crate::{
    executor::{Control, Exit},
    testing::*,
};
use shared::{
    attempt::AttemptOutcome,
    run::{RunCommand, RunEvent, exit_code},
    status::JobStatus,
};

#[tokio::test]
async fn a_job_is_paused_once_its_checkpoint_is_recorded_and_goes_on_as_a_new_attempt() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "paused", 1).await;
    let job = engine.service.pause_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::Pausing);
    trainer.wait_for(Control::Command(RunCommand::Pause)).await;
    trainer.step(2).await;
    engine.wait_step(&alice(), &id, 2).await;
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::Pausing, "not before it is saved");
    trainer.checkpoint(2).await;
    trainer.say(RunEvent::Paused { step: 2 }).await;
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    let job = engine.wait_status(&alice(), &id, JobStatus::Paused).await;
    assert_eq!(job.finished_at, None);
    let kept = engine.service.list_checkpoints(&alice(), &id).await.unwrap();
    assert_eq!(kept.checkpoints[0].step, 2);

    let job = engine.service.resume_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::Queued);
    let trainer = engine.trainer().await;
    assert_eq!(trainer.launch.replay_after, 2);
    trainer.train_from(2).await;
    trainer.step(3).await;
    trainer.finish(3).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!((job.attempt, job.stopped), (2, false));
    let events = engine.events(&alice(), &id).await;
    for told in [
        "Paused: the checkpoint of step 2 is saved",
        "The job was resumed",
        "Resumed from step 2 after a pause",
    ] {
        assert!(events.iter().any(|event| event == told), "{told}: {events:?}");
    }
    let attempts = engine.attempts(&alice(), &id).await;
    let told: Vec<_> = attempts
        .iter()
        .map(|it| (it.attempt, it.from_step, it.outcome))
        .collect();
    assert_eq!(
        told,
        [
            (1, Some(0), Some(AttemptOutcome::Paused)),
            (2, Some(2), Some(AttemptOutcome::Done))
        ]
    );
}

#[tokio::test]
async fn a_trainer_that_leaves_without_a_recorded_checkpoint_does_not_pause_its_job() {
    let engine = TestEngine::start().await;
    let (id, mut alive) = job_in(&engine, JobStatus::Pausing).await;
    let trainer = alive.pop().unwrap();
    trainer.say(RunEvent::Paused { step: 1 }).await;
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    // The next one is asked at once.
    let trainer = engine.trainer().await;
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::Pausing);
    trainer.pause_when_asked(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Paused).await;
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_written_fails_the_pause_and_not_the_job() {
    let engine = TestEngine::start().await;
    let (id, mut alive) = job_in(&engine, JobStatus::Pausing).await;
    let mut trainer = alive.pop().unwrap();
    trainer.wait_for(Control::Command(RunCommand::Pause)).await;
    let failed = RunEvent::PauseFailed {
        step: 1,
        code: "disk_full".to_owned(),
        message: "the disk is full".to_owned(),
    };
    trainer.say(failed).await;
    trainer.step(2).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Running).await;
    assert_eq!(job.attempt, 1);
    let events = engine.events(&alice(), &id).await;
    let told = "Failed to pause: the disk is full. Training goes on".to_owned();
    assert!(events.contains(&told), "{events:?}");
    // It can be asked again.
    engine.service.pause_job(&alice(), &id).await.unwrap();
    trainer.pause_when_asked(2).await;
    engine.wait_status(&alice(), &id, JobStatus::Paused).await;
}

#[tokio::test]
async fn a_pause_outlives_the_trainer_and_the_server() {
    let engine = TestEngine::start().await;
    let (id, mut alive) = job_in(&engine, JobStatus::Pausing).await;
    alive.pop().unwrap().exit(Exit::Signal(9));
    let second = engine.trainer().await;
    let engine = engine.crash_and_restart().await;
    let third = engine.trainer().await;
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(
        (job.status, job.attempt),
        (JobStatus::Pausing, 3),
        "still asked for"
    );
    third.train_from(0).await;
    third.pause_when_asked(0).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Paused).await;
    assert_eq!(job.attempt, 3);
    // Held to the end: the server that it belonged to mustn't wake up once it is taken for dead.
    drop(second);
}

#[tokio::test]
async fn a_job_that_ends_before_it_can_pause_has_ended() {
    let engine = TestEngine::start().await;
    let (id, mut alive) = job_in(&engine, JobStatus::Pausing).await;
    alive.pop().unwrap().finish(10).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert!(job.artifact.is_some() && !job.stopped);
}

#[tokio::test]
async fn a_job_paused_before_its_files_were_read_reads_them_when_resumed() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::ValidatingFiles).await;
    engine.service.pause_job(&alice(), &id).await.unwrap();
    let job = engine.service.resume_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::ValidatingFiles);
}

#[tokio::test]
async fn a_stopped_job_succeeds_with_what_it_has() {
    let engine = TestEngine::start().await;
    let (id, mut alive) = job_in(&engine, JobStatus::Running).await;
    let job = engine.service.stop_job(&alice(), &id).await.unwrap();
    assert_eq!((job.status, job.stopped), (JobStatus::Running, true));
    let again = engine.service.stop_job(&alice(), &id).await.unwrap_err();
    assert_eq!(again.code(), "job_not_stoppable");
    alive.pop().unwrap().stop_when_asked(1).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert!(job.stopped && job.artifact.is_some());
    let events = engine.events(&alice(), &id).await;
    assert!(
        events.last().unwrap().starts_with("The job was stopped early"),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_stop_after_a_crash_waits_until_the_lost_steps_are_trained_again() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "stopped", 3).await;
    trainer.exit(Exit::Signal(9));
    let mut trainer = engine.trainer().await;
    engine.service.stop_job(&alice(), &id).await.unwrap();
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.step(2).await;
    engine
        .wait_for(&alice(), &id, |job| {
            job.progress.as_ref().unwrap().stage == shared::run::Stage::Training
        })
        .await;
    assert_eq!(trainer.control.try_recv().ok(), None, "2 of the 3 steps are back");
    trainer.step(3).await;
    trainer.stop_when_asked(3).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.progress.unwrap().step, 3);
}

#[tokio::test]
async fn a_stop_while_lost_steps_are_trained_again_waits_for_the_last_that_was_seen() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "stopped").await;
    trainer.train_from(0).await;
    for step in 1..=3 {
        trainer.step(step).await;
    }
    engine.wait_step(&alice(), &id, 3).await;
    trainer.exit(Exit::Signal(9));
    let mut trainer = engine.trainer().await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    let told = RunEvent::Log {
        step: 1,
        level: shared::event::Level::Info,
        message: "one step is back".to_owned(),
    };
    trainer.say(told).await;
    let mut changed = engine.service.inner.jobs_changed.subscribe(id.as_str());
    while !engine
        .events(&alice(), &id)
        .await
        .contains(&"one step is back".to_owned())
    {
        changed.changed().await.unwrap();
    }
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!(
        job.progress.unwrap().step,
        3,
        "a replayed step never moves a job back"
    );
    engine.service.stop_job(&alice(), &id).await.unwrap();
    trainer.step(2).await;
    trainer.checkpoint(2).await;
    while engine
        .service
        .list_checkpoints(&alice(), &id)
        .await
        .unwrap()
        .checkpoints
        .is_empty()
    {
        changed.changed().await.unwrap();
    }
    assert_eq!(trainer.control.try_recv().ok(), None, "2 of the 3 steps are back");
    trainer.step(3).await;
    trainer.stop_when_asked(3).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
}

#[tokio::test]
async fn a_paused_job_can_be_stopped() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::Paused).await;
    let job = engine.service.stop_job(&alice(), &id).await.unwrap();
    assert_eq!((job.status, job.stopped), (JobStatus::Queued, true));
    let trainer = engine.trainer().await;
    trainer.train_from(1).await;
    trainer.stop_when_asked(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
}

#[tokio::test]
async fn of_a_cancellation_and_a_completion_one_wins_and_the_other_leaves_nothing() {
    // Whichever transaction comes first; both orders occur over the rounds, and neither leaves a mixture.
    for _ in 0..10 {
        let engine = TestEngine::start().await;
        let (id, mut alive) = job_in(&engine, JobStatus::Running).await;
        let owner = alice();
        let trainer = alive.pop().unwrap();
        let (cancelled, ()) = tokio::join!(engine.service.cancel_job(&owner, &id), trainer.finish(1));
        engine.service.inner.running.ended(id.as_str()).await;
        let job = engine.service.find_job(&alice(), &id).await.unwrap();
        match cancelled {
            Ok(_) => assert_eq!((job.status, job.artifact), (JobStatus::Cancelled, None)),
            Err(error) => {
                assert_eq!(error.code(), "job_not_cancellable");
                assert_eq!((job.status, job.artifact.is_some()), (JobStatus::Succeeded, true));
            }
        }
    }
}
