//! What a job would take, with a tool that is a script.

use crate::{
    Error,
    testing::{TestEngine, alice, lines, mallory, pairs},
};
use shared::{
    estimate::EstimateQuery,
    id::DatasetId,
    job::JobEstimate,
    run::{MethodSpec, RunSpec},
    status::JobStatus,
};
use std::{fs, sync::atomic::Ordering, time::Duration};

const ANSWER: &str = r#"{"memory_bytes": 900, "memory_bytes_with_gradient_checkpointing": 500, "total_steps": 3,
    "training_tokens": 40, "target_tokens": 12, "longest_tokens": 9}"#;

/// An engine whose tool notes each call, keeps the specification that it was given, and answers.
async fn engine(memory_bytes: u64, then: &str) -> TestEngine {
    let then = then.to_owned();
    TestEngine::start_with(move |config| {
        let folder = config.data_dir.parent().unwrap().to_owned();
        let tool = folder.join("tool.sh");
        let noted = folder.join("calls").display().to_string();
        let spec = folder.join("spec.json").display().to_string();
        fs::write(
            &tool,
            format!("echo call >> {noted}; cp $1/spec.json {spec}; {then}"),
        )
        .unwrap();
        config.estimate_run = vec!["/bin/sh".to_owned(), tool.display().to_string()];
        config.memory_bytes = Some(memory_bytes);
    })
    .await
}

fn query(dataset: &DatasetId) -> EstimateQuery {
    EstimateQuery {
        base_model: "tiny".to_owned(),
        training_dataset: dataset.clone(),
        validation_dataset: None,
        epochs: 2,
        batch_size: Some(4),
        lora_rank: Some(8),
    }
}

fn calls(engine: &TestEngine) -> usize {
    let noted = fs::read_to_string(engine.folder.path().join("calls"));
    noted.map_or(0, |text| text.lines().count())
}

/// What is laid out for estimates right now.
fn laid_out(engine: &TestEngine) -> usize {
    fs::read_dir(engine.folder.path().join("data/estimates"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn an_estimate_tells_the_time_that_jobs_with_the_model_took() {
    let engine = engine(600, &format!("echo '{ANSWER}'")).await;
    let (first, trainer) = engine.running_job(&alice(), "first").await;
    // Twelve examples in two epochs.
    engine.clock.advance(Duration::from_millis(2400));
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let dataset = engine.dataset(&alice(), &lines(24)).await;
    let longer = EstimateQuery {
        epochs: 5,
        ..query(&dataset.id)
    };
    let estimate = engine.service.estimate(&alice(), &longer).await.unwrap();
    assert_eq!(estimate.duration_ms, Some(12_000), "twice as many in five epochs");
}

#[tokio::test]
async fn an_estimate_is_the_tools_once_for_the_same_and_says_how_the_job_would_fit() {
    let engine = engine(600, &format!("echo '{ANSWER}'")).await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let estimate = engine
        .service
        .estimate(&alice(), &query(&dataset.id))
        .await
        .unwrap();
    assert!(estimate.fits && estimate.gradient_checkpointing, "{estimate:?}");
    assert_eq!(
        (
            estimate.memory_bytes,
            estimate.available_bytes,
            estimate.total_steps
        ),
        (500, Some(600), 3)
    );
    assert_eq!(estimate.trained_tokens, 24, "of two epochs");
    assert_eq!(estimate.duration_ms, None, "no job has told a pace");
    let spec = fs::read(engine.folder.path().join("spec.json")).unwrap();
    let spec: RunSpec = serde_json::from_slice(&spec).unwrap();
    assert_eq!((spec.epochs, spec.batch_size, spec.lora.rank), (2, 4, 8));
    assert_eq!(spec.memory_limit_bytes, Some(600));
    assert_eq!(spec.method, MethodSpec::Supervised);
    engine
        .service
        .estimate(&alice(), &query(&dataset.id))
        .await
        .unwrap();
    assert_eq!(calls(&engine), 1);
    // Another model of the same name has come in its place.
    let config = engine.folder.path().join("models/tiny/config.json");
    fs::write(
        config,
        r#"{"model_type": "llama", "max_position_embeddings": 1024}"#,
    )
    .unwrap();
    engine
        .service
        .estimate(&alice(), &query(&dataset.id))
        .await
        .unwrap();
    assert_eq!((calls(&engine), laid_out(&engine)), (2, 0));
}

#[tokio::test]
async fn the_lines_of_a_dataset_tell_the_method_that_is_estimated() {
    let engine = engine(600, &format!("echo '{ANSWER}'")).await;
    let dataset = engine.dataset(&alice(), &pairs(12)).await;
    let asked = query(&dataset.id);
    engine.service.estimate(&alice(), &asked).await.unwrap();
    let spec = fs::read(engine.folder.path().join("spec.json")).unwrap();
    let spec: RunSpec = serde_json::from_slice(&spec).unwrap();
    assert_eq!(spec.method, MethodSpec::Dpo { beta: 0.1 });
}

#[tokio::test]
async fn what_can_not_be_estimated_is_told_by_field() {
    let engine = engine(400, "echo no >&2; exit 1").await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let field = |outcome: Result<_, Error>| match outcome {
        Err(Error::Invalid(findings)) => findings
            .into_iter()
            .map(|(field, code)| (field, code.code))
            .next()
            .unwrap(),
        other => panic!("{other:?}"),
    };
    let told = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let asked = query(&dataset.id);
    let outcome = engine.service.estimate(&alice(), &asked).await;
    assert_eq!(field(outcome), told("base_model", "cannot_estimate"));
    let outcome = engine.service.estimate(&mallory(), &asked).await;
    assert_eq!(field(outcome), told("training_dataset", "unknown_file"));
    let unknown = EstimateQuery {
        base_model: "none".to_owned(),
        ..asked
    };
    let outcome = engine.service.estimate(&alice(), &unknown).await;
    assert_eq!(field(outcome), told("base_model", "unknown_model"));
    let broken = engine.dataset(&alice(), "no JSON\n").await;
    let outcome = engine.service.estimate(&alice(), &query(&broken.id)).await;
    assert_eq!(field(outcome), told("training_dataset", "has_errors"));
    assert_eq!(laid_out(&engine), 0);
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_nothing_behind() {
    let engine = engine(400, "echo begun > $1/begun; read never").await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let subject = alice();
    let asked = query(&dataset.id);
    let mut waiting = Box::pin(engine.service.estimate(&subject, &asked));
    while calls(&engine) == 0 {
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(laid_out(&engine), 1);
    drop(waiting);
    assert_eq!(laid_out(&engine), 0);
}

#[tokio::test]
async fn a_job_keeps_what_was_reckoned_and_tells_what_it_took_while_it_runs() {
    let engine = TestEngine::start().await;
    let (first, trainer) = engine.job_at_step(&alice(), "first", 1).await;
    trainer.estimate(900, 500).await;
    trainer.step(2).await;
    engine.wait_step(&alice(), &first, 2).await;
    let told = engine.service.find_job(&alice(), &first).await.unwrap();
    assert_eq!(told.trained_tokens, Some(100), "while it runs");
    let mut expected = JobEstimate {
        trained_tokens: 500,
        memory_bytes: 900,
        duration_ms: None,
    };
    assert_eq!(told.estimate, Some(expected), "no job has told a pace");
    trainer.peak_memory.store(1_000, Ordering::Relaxed);
    trainer.step(3).await;
    engine.wait_step(&alice(), &first, 3).await;
    // Another attempt reckons again and takes less: what was known stays.
    let engine = engine.crash_and_restart().await;
    let trainer = engine.trainer().await;
    trainer.train_from(0).await;
    trainer.estimate(1, 1).await;
    trainer.peak_memory.store(700, Ordering::Relaxed);
    trainer.step(4).await;
    engine.wait_step(&alice(), &first, 4).await;
    let told = engine.service.find_job(&alice(), &first).await.unwrap();
    assert_eq!(
        (told.estimate, told.peak_memory_bytes),
        (Some(expected), Some(1_000))
    );
    trainer.finish(4).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;

    // A job that wasn't lost in mid-way tells a pace, and the next is reckoned by it.
    let (paced, trainer) = engine.job_at_step(&alice(), "paced", 1).await;
    engine.clock.advance(Duration::from_secs(6));
    trainer.finish(1).await;
    engine.wait_status(&alice(), &paced, JobStatus::Succeeded).await;
    let (next, trainer) = engine.job_at_step(&alice(), "next", 1).await;
    trainer.estimate(900, 500).await;
    trainer.step(2).await;
    engine.wait_step(&alice(), &next, 2).await;
    expected.duration_ms = Some(6_000);
    let told = engine.service.find_job(&alice(), &next).await.unwrap();
    assert_eq!(told.estimate, Some(expected));
}
