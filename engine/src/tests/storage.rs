//! Storage that refuses what has to be stored, for a while or for good: triggers play its part.

use crate::{
    executor::{Control, Exit},
    testing::{log::Log, *},
};
use shared::{
    attempt::{AttemptOutcome, FailureCause},
    dataset::{DatasetStatus, NewDataset},
    run::{RunCommand, exit_code},
    status::JobStatus,
};
use std::time::Duration;

/// Runs a statement beside the engine's own.
async fn run(engine: &TestEngine, sql: &'static str) {
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
    log.wait_for("storage refuses what a trainer tells").await;
    run(&engine, "DROP TRIGGER refusal").await;
    engine.wait_step(&alice(), &id, 2).await;
    trainer.finish(2).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!(engine.attempts(&alice(), &id).await.len(), 1);
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
