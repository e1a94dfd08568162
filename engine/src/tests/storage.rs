//! Storage that refuses what has to be stored, for a while or for good: triggers play its part.

use crate::{
    executor::{Control, Exit},
    testing::{log::Log, *},
};
use shared::{
    attempt::{AttemptOutcome, FailureCause},
    dataset::{DatasetStatus, NewDataset},
    run::{RunCommand, RunEvent, exit_code},
    status::JobStatus,
};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use std::time::Duration;

/// Runs a statement beside the engine's own.
async fn run(engine: &TestEngine, sql: impl SqlSafeStr) {
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    sqlx::query(sql).execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_job_that_could_not_be_queued_is_tried_again_until_it_can() {
    let engine = TestEngine::start().await;
    // Until the first failure is told, so exactly once.
    run(
        &engine,
        "CREATE TRIGGER refusal BEFORE UPDATE OF status ON jobs WHEN NEW.status = 'queued' AND NOT EXISTS \
         (SELECT 1 FROM events WHERE message LIKE 'Validating the files failed%') \
         BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    let job = engine.job(&alice(), "patient").await;
    let trainer = engine.trainer().await;
    assert!(trainer.launch.run_dir.ends_with(job.id.as_str()));
    let events = engine.events(&alice(), &job.id).await;
    assert_eq!(
        events[2..4],
        [
            "Validating the files failed: the server could not reach its storage. Trying again",
            "Files validated, moving job to queued state"
        ]
    );
}

#[tokio::test]
async fn a_job_that_can_not_be_queued_at_all_fails_with_the_reason() {
    let engine = TestEngine::start().await;
    run(
        &engine,
        "CREATE TRIGGER refusal BEFORE UPDATE OF status ON jobs WHEN NEW.status = 'queued' \
         BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    let job = engine.job(&alice(), "hopeless").await;
    let job = engine.wait_status(&alice(), &job.id, JobStatus::Failed).await;
    let failure = job.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.cause),
        ("storage", Some(FailureCause::Storage))
    );
    assert!(!failure.message.contains("out of order"), "{}", failure.message);
}

/// What is logged before another try.
const REFUSED: &str = "storage refuses what happened to a job";

const NO_SECOND_STEP: &str = "CREATE TRIGGER refusal BEFORE INSERT ON steps WHEN NEW.step = 2 \
                              BEGIN SELECT RAISE(ABORT, 'out of order'); END";

#[tokio::test]
async fn a_step_that_could_not_be_stored_for_a_while_costs_nothing() {
    let mut log = Log::begin();
    let engine = TestEngine::start_with(|config| config.restart_delay = Duration::from_millis(200)).await;
    let (id, trainer) = engine.running_job(&alice(), "patient").await;
    run(&engine, NO_SECOND_STEP).await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.step(2).await;
    log.wait_for(REFUSED).await;
    run(&engine, "DROP TRIGGER refusal").await;
    engine.wait_step(&alice(), &id, 2).await;
    trainer.finish(2).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(engine.attempts(&alice(), &id).await.len(), 1);
}

#[tokio::test]
async fn a_lost_job_that_can_not_be_taken_back_costs_no_other_its_lease() {
    let engine = TestEngine::start_with(|config| config.max_running = 2).await;
    let (lost, _silent) = engine.job_at_step(&alice(), "lost", 1).await;
    let (id, trainer) = engine.job_at_step(&alice(), "kept", 1).await;
    let long_ago = format!("UPDATE jobs SET lease_expires_at = 0 WHERE id = '{lost}'");
    run(&engine, AssertSqlSafe(long_ago)).await;
    run(
        &engine,
        "CREATE TRIGGER refusal BEFORE UPDATE OF status ON jobs WHEN NEW.status = 'queued' \
         BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    // Together longer than a lease.
    for _ in 0..2 {
        engine.clock.advance(Duration::from_secs(20));
        crate::supervise::beat(&engine.service).await.unwrap_err();
    }
    trainer.step(2).await;
    engine.wait_step(&alice(), &id, 2).await;
}

#[tokio::test]
async fn a_trainer_whose_steps_can_not_be_stored_saves_and_leaves_and_the_next_tells_them() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "patient", 1).await;
    run(&engine, NO_SECOND_STEP).await;
    trainer.step(2).await;
    trainer.wait_for(Control::Command(RunCommand::Pause)).await;
    let mut ended = Box::pin(engine.service.inner.running.ended(id.as_str()));
    assert!(
        futures_util::poll!(&mut ended).is_pending(),
        "its trainer is alive"
    );
    trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    ended.await;
    run(&engine, "DROP TRIGGER refusal").await;
    let next = engine.trainer().await;
    assert_eq!(next.launch.replay_after, 1);
    next.step(2).await;
    next.train_from(2).await;
    next.finish(2).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(job.failure, None);
    let ends: Vec<_> = engine.attempts(&alice(), &id).await;
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[0].outcome, Some(AttemptOutcome::Requeued));
}

#[tokio::test]
async fn an_end_that_could_not_be_stored_for_a_while_costs_nothing() {
    let refusals = [
        (
            JobStatus::Succeeded,
            "CREATE TRIGGER refusal BEFORE INSERT ON artifacts BEGIN SELECT RAISE(ABORT, 'out of order'); END",
        ),
        (
            JobStatus::Failed,
            "CREATE TRIGGER refusal BEFORE UPDATE OF failure_message ON jobs \
             BEGIN SELECT RAISE(ABORT, 'out of order'); END",
        ),
        (
            JobStatus::Paused,
            "CREATE TRIGGER refusal BEFORE UPDATE OF status ON jobs WHEN NEW.status = 'paused' \
             BEGIN SELECT RAISE(ABORT, 'out of order'); END",
        ),
    ];
    for (status, refusal) in refusals {
        let mut log = Log::begin();
        let engine = TestEngine::start_with(|config| config.restart_delay = Duration::from_millis(200)).await;
        let (id, trainer) = engine.job_at_step(&alice(), "patient", 2).await;
        run(&engine, refusal).await;
        match status {
            JobStatus::Succeeded => trainer.finish(2).await,
            JobStatus::Failed => {
                trainer
                    .say(RunEvent::Failed {
                        step: 2,
                        code: "diverged".to_owned(),
                        message: "the loss is no number".to_owned(),
                        line: None,
                    })
                    .await;
                trainer.exit(Exit::Code(i32::from(exit_code::DIVERGED)));
            }
            _ => {
                engine.service.pause_job(&alice(), &id).await.unwrap();
                trainer.pause_when_asked(2).await;
            }
        }
        log.wait_for(REFUSED).await;
        run(&engine, "DROP TRIGGER refusal").await;
        let job = engine.wait_status(&alice(), &id, status).await;
        let failure = job.failure.map(|failure| failure.message);
        let wanted = (status == JobStatus::Failed).then(|| "the loss is no number".to_owned());
        assert_eq!(failure, wanted);
        assert_eq!(engine.attempts(&alice(), &id).await.len(), 1, "{status:?}");
    }
}

#[tokio::test]
async fn a_restart_that_could_not_be_stored_for_a_while_is_made_all_the_same() {
    let mut log = Log::begin();
    let engine = TestEngine::start_with(|config| config.restart_delay = Duration::from_millis(200)).await;
    let (id, trainer) = engine.job_at_step(&alice(), "patient", 1).await;
    run(
        &engine,
        "CREATE TRIGGER refusal BEFORE UPDATE OF attempt ON jobs BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    trainer.exit(Exit::Signal(9));
    log.wait_for(REFUSED).await;
    run(&engine, "DROP TRIGGER refusal").await;
    let next = engine.trainer().await;
    next.train_from(1).await;
    next.step(2).await;
    next.finish(2).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    let ends: Vec<_> = engine.attempts(&alice(), &id).await;
    let ends: Vec<_> = ends.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(ends, [Some(AttemptOutcome::Died), Some(AttemptOutcome::Done)]);
}

#[tokio::test]
async fn a_run_that_could_not_be_prepared_for_a_while_begins_all_the_same() {
    let mut log = Log::begin();
    let engine = TestEngine::start_with(|config| config.restart_delay = Duration::from_millis(200)).await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    // A file where the folder of all runs was: nothing can be made in it.
    let runs = engine.service.inner.layout.runs();
    std::fs::remove_dir(&runs).unwrap();
    std::fs::write(&runs, "in the way").unwrap();
    let new = new_job("patient", &dataset.id);
    let job = engine.service.create_job(&alice(), new, None).await.unwrap().job;
    log.wait_for(REFUSED).await;
    std::fs::remove_file(&runs).unwrap();
    std::fs::create_dir(&runs).unwrap();
    let trainer = engine.trainer().await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &job.id, JobStatus::Succeeded).await;
    assert_eq!(engine.attempts(&alice(), &job.id).await.len(), 1);
}

/// A job whose record gets no further is given up after as many attempts as one whose trainer dies.
const ATTEMPTS: usize = 5;

#[tokio::test]
async fn a_job_whose_steps_can_not_be_stored_at_all_fails_with_the_reason() {
    let engine = TestEngine::start().await;
    let (id, first) = engine.job_at_step(&alice(), "hopeless", 1).await;
    run(&engine, NO_SECOND_STEP).await;
    // The first attempt has brought a step into the record, so it doesn't count.
    let attempts = 1 + ATTEMPTS;
    let mut trainers = vec![first];
    while let Some(mut trainer) = trainers.pop() {
        trainer.step(2).await;
        trainer.wait_for(Control::Command(RunCommand::Pause)).await;
        // It has trained on, which doesn't get the record further.
        let attempt = engine.attempts(&alice(), &id).await.len();
        let folder = trainer
            .launch
            .run_dir
            .join(format!("checkpoints/step-{}", attempt + 1));
        std::fs::create_dir_all(folder).unwrap();
        trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
        if attempt < attempts {
            trainers.push(engine.trainer().await);
        }
    }
    let job = engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    let failure = job.failure.unwrap();
    assert_eq!(
        (failure.code.as_str(), failure.cause),
        ("storage", Some(FailureCause::Storage))
    );
    assert!(
        failure.message.contains("could not be stored in 5 attempts"),
        "{}",
        failure.message
    );
    assert!(!failure.message.contains("out of order"), "{}", failure.message);
    assert_eq!(engine.attempts(&alice(), &id).await.len(), attempts);
}

#[tokio::test]
async fn attempts_that_get_the_record_further_are_not_counted() {
    let engine = TestEngine::start().await;
    let (id, mut trainer) = engine.job_at_step(&alice(), "slow", 1).await;
    for step in 2..=ATTEMPTS as u64 + 2 {
        // The next step is stored, the one after it isn't.
        trainer.step(step).await;
        engine.wait_step(&alice(), &id, step).await;
        let refusal = format!(
            "CREATE TRIGGER refusal BEFORE INSERT ON steps WHEN NEW.step > {step} \
             BEGIN SELECT RAISE(ABORT, 'out of order'); END"
        );
        run(&engine, AssertSqlSafe(refusal)).await;
        trainer.step(step + 1).await;
        trainer.wait_for(Control::Command(RunCommand::Pause)).await;
        trainer.exit(Exit::Code(i32::from(exit_code::PAUSED)));
        let next = engine.trainer().await;
        run(&engine, "DROP TRIGGER refusal").await;
        trainer = next;
    }
    trainer.finish(ATTEMPTS as u64 + 2).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
}

#[tokio::test]
async fn a_file_whose_findings_could_not_be_stored_is_read_again_until_they_can() {
    let engine = TestEngine::start().await;
    run(
        &engine,
        "CREATE TRIGGER refusal BEFORE UPDATE OF status ON files WHEN NEW.status = 'ready' \
         BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    run(
        &engine,
        "CREATE TRIGGER no_way_out BEFORE UPDATE OF status ON files WHEN NEW.status = 'error' \
         BEGIN SELECT RAISE(ABORT, 'out of order'); END",
    )
    .await;
    let text = lines(12);
    let new = NewDataset {
        name: "patient".to_owned(),
        filename: "patient.jsonl".to_owned(),
        bytes: text.len() as u64,
    };
    let created = engine.service.create_dataset(&alice(), new).await.unwrap();
    let (id, token) = (
        created.dataset.id,
        created.upload.url.strip_prefix("/api/uploads/").unwrap(),
    );
    engine
        .service
        .write_upload(token, 0, None, body(text.as_bytes()))
        .await
        .unwrap();
    engine.service.confirm_dataset(&alice(), &id).await.unwrap();
    // A try takes what is staged, so what is staged after the first shows whether there is another.
    let staged = engine.service.staged(id.as_str());
    let taken = async || {
        while staged.exists() {
            tokio::task::yield_now().await;
        }
    };
    taken().await;
    let beside = engine.folder.path().join("again");
    std::fs::write(&beside, &text).unwrap();
    std::fs::rename(&beside, &staged).unwrap();
    taken().await;
    run(&engine, "DROP TRIGGER refusal").await;
    let dataset = engine.validated(&alice(), &id).await;
    assert_eq!(
        (dataset.status, dataset.examples),
        (DatasetStatus::Ready, Some(12))
    );
}
