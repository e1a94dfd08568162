//! A job's life.

use crate::{Error, executor::Exit, testing::*};
use futures_util::TryStreamExt as _;
use shared::{
    metrics::{MetricsQuery, Series},
    run::{RunEvent, RunSpec},
    status::JobStatus,
};

#[tokio::test]
async fn a_job_trains_and_leaves_an_artifact() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "first-job").await;
    let spec: RunSpec =
        serde_json::from_slice(&std::fs::read(trainer.launch.run_dir.join("spec.json")).unwrap()).unwrap();
    assert_eq!(
        (spec.epochs, spec.base_model.as_str(), spec.max_sequence_length),
        (2, "tiny", 512)
    );
    assert_eq!(
        std::fs::read_to_string(trainer.launch.run_dir.join(&spec.training_file)).unwrap(),
        lines(12)
    );
    trainer.train_from(0).await;
    for step in 1..=10 {
        trainer.step(step).await;
    }
    trainer.checkpoint(9).await;
    trainer.checkpoint(10).await;
    trainer.finish(10).await;
    let job = engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    assert_eq!((job.trained_tokens, job.attempt), (Some(500), 1));
    let model = job.fine_tuned_model.unwrap();
    assert!(model.starts_with("ft:tiny:attune:first-job:"), "{model}");
    assert_eq!(job.progress.unwrap().step, 10);

    let artifact = engine
        .service
        .find_artifact(&alice(), &job.artifact.unwrap())
        .await
        .unwrap();
    let names: Vec<_> = artifact.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["adapter_config.json", "adapter_model.safetensors"]);
    assert_eq!(artifact.bytes, 2000);

    let checkpoints = engine
        .service
        .list_checkpoints(&alice(), &id)
        .await
        .unwrap()
        .checkpoints;
    let losses: Vec<_> = checkpoints
        .iter()
        .map(|checkpoint| (checkpoint.step, checkpoint.valid_loss))
        .collect();
    assert_eq!(losses, [(10, Some(1.5)), (9, None)], "validation ran at 5 and 10");
    assert_eq!(checkpoints[0].train_loss, Some(0.2));

    let metrics = engine
        .service
        .job_metrics(&alice(), &id, &MetricsQuery::default())
        .await
        .unwrap();
    let loss = metrics
        .curves
        .iter()
        .find(|curve| curve.series == Series::TrainLoss)
        .unwrap();
    assert_eq!(loss.steps, (1..=10).collect::<Vec<_>>());
    let valid = metrics
        .curves
        .iter()
        .find(|curve| curve.series == Series::ValidLoss)
        .unwrap();
    assert_eq!(valid.steps, [5, 10]);

    let csv: Vec<_> = engine
        .service
        .metrics_csv(&alice(), &id)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let csv = String::from_utf8(csv.concat()).unwrap();
    assert_eq!(csv.lines().count(), 11);
    assert!(csv.lines().nth(4).unwrap().ends_with(",,,,,,,,,,"), "{csv}");
    assert_eq!(
        engine
            .events(&alice(), &id)
            .await
            .iter()
            .map(|message| message.split(':').next().unwrap())
            .collect::<Vec<_>>(),
        [
            "Created fine-tuning job",
            "Validating training file",
            "Files validated, moving job to queued state",
            "Fine-tuning job started",
            "New fine-tuned model created",
            "The job has successfully completed"
        ]
    );
}

#[tokio::test]
async fn a_cancelled_job_cannot_complete_any_more() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.job_at_step(&alice(), "cancelled", 1).await;
    let job = engine.service.cancel_job(&alice(), &id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    // The trainer reports its success too late.
    trainer
        .say(RunEvent::Done {
            step: 10,
            trained_tokens: 1,
            complete: true,
        })
        .await;
    trainer.exit_when_killed().await;
    engine.service.inner.running.ended(id.as_str()).await;
    let job = engine.service.find_job(&alice(), &id).await.unwrap();
    assert_eq!((job.status, job.artifact), (JobStatus::Cancelled, None));
    let again = engine.service.cancel_job(&alice(), &id).await;
    assert!(matches!(
        again,
        Err(Error::Conflict {
            code: "job_not_cancellable",
            ..
        })
    ));
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_the_next_one_runs() {
    let engine = TestEngine::start().await;
    let (first, trainer) = engine.running_job(&alice(), "first").await;
    let second = engine.job(&alice(), "second").await.id;
    let third = engine.job(&alice(), "third").await.id;
    engine.wait_status(&alice(), &second, JobStatus::Queued).await;
    let waiting = engine.wait_status(&alice(), &third, JobStatus::Queued).await;
    assert_eq!(waiting.queue_position, Some(1));
    engine.service.cancel_job(&alice(), &second).await.unwrap();
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let trainer = engine.trainer().await;
    assert!(trainer.launch.run_dir.ends_with(third.as_str()));
}

#[tokio::test]
async fn an_active_job_is_not_deleted_and_an_ended_one_leaves_nothing() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "deleted").await;
    let run_dir = trainer.launch.run_dir.clone();
    assert!(matches!(
        engine.service.delete_job(&alice(), &id).await,
        Err(Error::Conflict {
            code: "job_active",
            ..
        })
    ));
    trainer.train_from(0).await;
    trainer.step(1).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Succeeded).await;
    engine.service.delete_job(&alice(), &id).await.unwrap();
    assert!(matches!(
        engine.service.find_job(&alice(), &id).await,
        Err(Error::NotFound(_))
    ));
    engine.service.remove_run(id.as_str(), None).await;
    assert!(!run_dir.exists());
    for table in ["jobs", "steps", "events", "artifacts", "checkpoints"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let left: i64 = sqlx::query_scalar(sql)
            .fetch_one(engine.service.inner.store.read())
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_failure_of_the_trainer_is_the_jobs_failure() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "diverges").await;
    let message = "the loss is not a number: lower the learning rate".to_owned();
    trainer
        .say(RunEvent::Failed {
            step: 3,
            code: "nan_loss".to_owned(),
            message: message.clone(),
            line: None,
        })
        .await;
    trainer.exit(Exit::Code(3));
    let job = engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    let failure = job.failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.message), ("nan_loss", message));
}

#[tokio::test]
async fn the_line_that_the_trainer_tells_is_the_failures_and_no_number_of_its_words() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "mixed").await;
    trainer
        .say(RunEvent::Failed {
            step: 0,
            code: "invalid_training_file".to_owned(),
            message: "unlike line 4 it is a preference pair".to_owned(),
            line: Some(9),
        })
        .await;
    trainer.exit(Exit::Code(2));
    let job = engine.wait_status(&alice(), &id, JobStatus::Failed).await;
    let failure = job.failure.unwrap();
    assert_eq!(
        (failure.param.as_deref(), failure.line),
        (Some("training_file"), Some(9))
    );
}
