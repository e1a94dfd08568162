//! Jobs over preference pairs: which datasets they take, what reaches the trainer, and what is kept of what it measures.

use crate::{Error, played::metrics, testing::*};
use shared::{
    attempt::RetryJob,
    dataset::PreviewQuery,
    id::DatasetId,
    job::NewJob,
    metrics::{MetricsQuery, Series},
    run::{Method, MethodSpec, Rewards, RunEvent, RunSpec, StepMetrics},
    status::JobStatus,
    training_line::LineFormat,
};

fn over_pairs(dataset: &DatasetId, beta: Option<f64>) -> NewJob {
    NewJob {
        method: Some(Method::Dpo),
        beta,
        ..new_job("preferences", dataset)
    }
}

fn spec(trainer: &crate::played::Played) -> RunSpec {
    serde_json::from_slice(&std::fs::read(trainer.launch.run_dir.join("spec.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_dataset_of_pairs_says_so_and_shows_both_answers() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &pairs(12)).await;
    assert_eq!((dataset.method, dataset.examples), (Some(Method::Dpo), Some(12)));
    let report = engine
        .service
        .dataset_report(&alice(), &dataset.id)
        .await
        .unwrap();
    assert_eq!(report.format, Some(LineFormat::Preference));
    assert_eq!((report.errors, report.messages), (0, 36));
    let preview = engine
        .service
        .dataset_preview(&alice(), &dataset.id, &PreviewQuery::default())
        .await
        .unwrap();
    let first = &preview.examples[0];
    let said: Vec<_> = first
        .messages
        .iter()
        .map(|message| message.content.as_str())
        .collect();
    assert_eq!(said, ["question 0", "good 0"]);
    assert_eq!(first.non_preferred.as_ref().unwrap().content, "bad 0");
    let chats = engine.dataset(&alice(), &lines(12)).await;
    assert_eq!(chats.method, Some(Method::Supervised));
}

#[tokio::test]
async fn a_job_over_pairs_tells_the_trainer_its_method_and_keeps_its_rewards() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &pairs(12)).await;
    let created = engine
        .service
        .create_job(&alice(), over_pairs(&dataset.id, None), None)
        .await
        .unwrap()
        .job;
    let chosen = created.hyperparameters.unwrap();
    assert_eq!((chosen.method, chosen.beta), ("dpo".to_owned(), Some(0.1)));
    assert!(chosen.auto.contains(&"beta".to_owned()));
    let trainer = engine.trainer().await;
    assert_eq!(spec(&trainer).method, MethodSpec::Dpo { beta: 0.1 });
    trainer.train_from(0).await;
    let rewards = |margin| Rewards {
        chosen: margin - 0.25,
        rejected: -0.25,
        margin,
        accuracy: 0.75,
    };
    for step in 1..=3 {
        let told = StepMetrics {
            rewards: Some(rewards(step as f64)),
            valid_rewards: (step == 3).then(|| rewards(0.5)),
            ..metrics(step)
        };
        trainer.say(RunEvent::Metrics(told)).await;
    }
    engine.wait_step(&alice(), &created.id, 3).await;
    let measured = engine
        .service
        .job_metrics(&alice(), &created.id, &MetricsQuery::default())
        .await
        .unwrap();
    let curve = |series| {
        let curve = measured
            .curves
            .iter()
            .find(|curve| curve.series == series)
            .unwrap();
        (curve.steps.clone(), curve.values.clone())
    };
    assert_eq!(
        curve(Series::RewardMargin),
        (vec![1, 2, 3], vec![Some(1.0), Some(2.0), Some(3.0)])
    );
    assert_eq!(
        curve(Series::RewardChosen).1,
        [Some(0.75), Some(1.75), Some(2.75)]
    );
    assert_eq!(curve(Series::ValidRewardMargin), (vec![3], vec![Some(0.5)]));
    assert_eq!(curve(Series::ValidRewardAccuracy), (vec![3], vec![Some(0.75)]));

    engine.service.cancel_job(&alice(), &created.id).await.unwrap();
    let retried = engine
        .service
        .retry_job(&alice(), &created.id, RetryJob::default(), None)
        .await
        .unwrap();
    assert_eq!(retried.job.hyperparameters.unwrap().method, "dpo");
}

#[tokio::test]
async fn a_dataset_of_another_method_is_refused_with_the_method_that_fits() {
    let engine = TestEngine::start().await;
    let pairs = engine.dataset(&alice(), &pairs(12)).await.id;
    let chats = engine.dataset(&alice(), &lines(12)).await.id;
    let validated = |training: &DatasetId, validation: &DatasetId| NewJob {
        validation_dataset: Some(validation.clone()),
        ..over_pairs(training, None)
    };
    for (job, field, words) in [
        (
            new_job("chats", &pairs),
            "training_dataset",
            "take the method `dpo`",
        ),
        (
            over_pairs(&chats, None),
            "training_dataset",
            "take the method `supervised`",
        ),
        (
            validated(&pairs, &chats),
            "validation_dataset",
            "take the method `supervised`",
        ),
    ] {
        let Err(Error::Invalid(findings)) = engine.service.create_job(&alice(), job, None).await else {
            panic!("a finding under `{field}`");
        };
        let finding = &findings[field];
        assert_eq!((findings.len(), finding.code.as_str()), (1, "wrong_format"));
        let sentence = crate::error::english(field, finding);
        assert!(sentence.contains(words), "{sentence}");
    }
    // One whose lines are still being read can't be refused at once: the job fails with the reason.
    let mut transaction = engine.service.inner.store.begin().await.unwrap();
    sqlx::query("UPDATE files SET status = 'validating', report = NULL WHERE id = $1")
        .bind(pairs.as_str())
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let created = engine
        .service
        .create_job(&alice(), new_job("early", &pairs), None)
        .await
        .unwrap()
        .job;
    engine.service.start_file_validation(alice(), pairs.to_string());
    let mut changed = engine.service.inner.jobs_changed.subscribe(created.id.as_str());
    let failed = loop {
        let job = engine.service.find_job(&alice(), &created.id).await.unwrap();
        if job.status == JobStatus::Failed {
            break job.failure.unwrap();
        }
        changed.changed().await.unwrap();
    };
    assert_eq!(
        (failed.code.as_str(), failed.param.as_deref()),
        ("wrong_format", Some("training_file"))
    );
    assert!(
        failed.message.starts_with("Training file holds preference pairs"),
        "{}",
        failed.message
    );
}
