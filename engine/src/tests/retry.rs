//! A job tried again: the parent is known, its checkpoint can be the beginning, its values can be changed.

use super::actions::job_in;
use crate::testing::*;
use shared::{
    attempt::{FailureCause, RetryJob},
    job::Created,
    run::{LoraSpec, RunSpec},
    status::JobStatus,
};

fn spec(trainer: &crate::played::Played) -> RunSpec {
    serde_json::from_slice(&std::fs::read(trainer.launch.run_dir.join("spec.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_retry_repeats_its_parent_with_what_is_changed_and_the_same_key_makes_one() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::Failed).await;
    let parent = engine.service.find_job(&alice(), &id).await.unwrap();
    let failure = parent.failure.clone().unwrap();
    assert_eq!(failure.cause, Some(FailureCause::Diverged));
    let change = failure.change.unwrap();
    assert_eq!(change.learning_rate, Some(0.0001), "a tenth");
    let retry = async |change: &RetryJob| {
        engine
            .service
            .retry_job(&alice(), &id, change.clone(), Some("once"))
            .await
    };
    let Created { job, repeated } = retry(&change).await.unwrap();
    assert_eq!((job.name.as_str(), job.parent.as_ref()), ("job-retry", Some(&id)));
    let again = retry(&change).await.unwrap();
    assert_eq!(
        (again.job.id, repeated, again.repeated),
        (job.id.clone(), false, true)
    );
    let other = retry(&RetryJob::default()).await.unwrap_err();
    assert_eq!(other.code(), "idempotency_key_reused");
    let trainer = engine.trainer().await;
    let (new, old) = (job.hyperparameters.unwrap(), parent.hyperparameters.unwrap());
    assert_eq!(
        new.seed, old.seed,
        "the same run, but for what was asked to be different"
    );
    assert_eq!(spec(&trainer).learning_rate, 0.0001);
}

#[tokio::test]
async fn with_nothing_changed_a_checkpoint_is_taken_over_whole() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::Paused).await;
    let retry = RetryJob {
        from_step: Some(1),
        ..RetryJob::default()
    };
    let job = engine
        .service
        .retry_job(&alice(), &id, retry, None)
        .await
        .unwrap()
        .job;
    assert_eq!(job.parent_step, Some(1));
    // The parent can go: what was taken over stays.
    engine.service.delete_job(&alice(), &id).await.unwrap();
    engine.service.remove_run(id.as_str(), None).await;
    let trainer = engine.trainer().await;
    let run_dir = &trainer.launch.run_dir;
    assert!(run_dir.ends_with(job.id.as_str()));
    assert!(
        run_dir
            .join("checkpoints/step-1/adapter_model.safetensors")
            .exists()
    );
    assert!(run_dir.join("metrics.jsonl").exists());
    assert_eq!(spec(&trainer).start_adapter, None);
}

#[tokio::test]
async fn with_other_values_the_adapter_alone_is_the_beginning() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::Paused).await;
    let retry = RetryJob {
        from_step: Some(1),
        name: Some("gentler".to_owned()),
        batch_size: Some(2),
        ..RetryJob::default()
    };
    let job = engine
        .service
        .retry_job(&alice(), &id, retry, None)
        .await
        .unwrap()
        .job;
    let trainer = engine.trainer().await;
    let spec = spec(&trainer);
    assert_eq!(
        (spec.start_adapter.as_deref(), spec.batch_size),
        (Some("start"), 2)
    );
    assert!(trainer.launch.run_dir.join("start/adapter_config.json").exists());
    assert!(!trainer.launch.run_dir.join("checkpoints").exists());
    assert!(
        !job.hyperparameters
            .unwrap()
            .auto
            .contains(&"batch_size".to_owned())
    );
}

#[tokio::test]
async fn a_retry_with_faults_is_refused_field_by_field_and_leaves_nothing() {
    let engine = TestEngine::start().await;
    let (id, _) = job_in(&engine, JobStatus::Paused).await;
    let retry = RetryJob {
        name: Some("x".to_owned()),
        from_step: Some(99),
        learning_rate: Some(3.0),
        lora: Some(LoraSpec {
            rank: 3,
            alpha: 6.0,
            dropout: 0.0,
            targets: vec![shared::run::Projection::QProj],
        }),
        ..RetryJob::default()
    };
    let error = engine
        .service
        .retry_job(&alice(), &id, retry, None)
        .await
        .unwrap_err();
    let fields: Vec<_> = error.fields().into_keys().collect();
    assert_eq!(fields, ["from_step", "learning_rate", "lora", "name"]);
    let runs = std::fs::read_dir(engine.folder.path().join("data/runs"))
        .unwrap()
        .count();
    assert_eq!(runs, 1);
}
