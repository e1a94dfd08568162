//! A real model from outside: SmolLM2-135M-Instruct out of a Python wheel, added and fine-tuned for a few steps.
//!
//! `cargo xtask test` fetches the wheel where it can be had; where not, this says so and tries nothing.

use shared::{
    job::{Job, NewJob},
    metrics::{Metrics, Series},
    model::ModelList,
    status::JobStatus,
};
use std::{env, time::Duration};
use tests::{api::Api, examples::first_lines, server::Setup};

#[tokio::test]
async fn a_model_out_of_a_wheel_learns_the_example() {
    let Some(wheel) = env::var("ATTUNE_SMOLLM2_WHEEL")
        .ok()
        .filter(|path| !path.is_empty())
    else {
        println!("the wheel with SmolLM2 can't be had here: not tried");
        return;
    };
    let setup = Setup::new();
    let added = setup
        .command(&["model", "add", &wheel, "--name", "smollm2"])
        .output();
    let added = added.await.expect("the command starts");
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );
    let server = setup.start().await;
    let api = Api::signed_in(&server).await;
    let list: ModelList = api.get("/api/models").await.expect(200);
    let model = list
        .models
        .iter()
        .find(|model| model.id == "smollm2")
        .expect("it was added");
    assert_eq!(model.parameters, Some(134_515_008));
    let installed = model.installed.as_ref().expect("it is here");
    assert!(
        (260_000_000..300_000_000).contains(&installed.bytes),
        "{installed:?}"
    );
    assert_eq!(installed.licence.as_deref(), Some("apache-2.0"));

    let training = api.upload("training", first_lines("training.jsonl", 60)).await;
    let validation = api.upload("validation", first_lines("validation.jsonl", 8)).await;
    let job = api
        .create_job(&NewJob {
            name: "smollm2-triage".to_owned(),
            base_model: "smollm2".to_owned(),
            epochs: 1,
            evaluation_epochs: 1,
            warmup_epochs: 0,
            learning_rate: 1e-3,
            training_dataset: Some(training.id),
            validation_dataset: Some(validation.id),
            method: None,
            beta: None,
            batch_size: Some(2),
            lora: None,
            schedule: None,
            gradient_checkpointing: None,
            seed: Some(7),
        })
        .await;
    let ended = tokio::time::timeout(Duration::from_secs(480), api.ended(&job.id)).await;
    let ended: Job = ended.expect("thirty steps end in time");
    assert_eq!(ended.status, JobStatus::Succeeded, "{:?}", ended.failure);
    let metrics: Metrics = api
        .get(&format!("/api/jobs/{}/metrics?points=200", job.id))
        .await
        .expect(200);
    let curve = metrics
        .curves
        .iter()
        .find(|curve| curve.series == Series::TrainLoss);
    let losses: Vec<f64> = curve.expect("a curve").values.iter().copied().flatten().collect();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert_eq!(losses.len(), 30);
    let (first, last) = (mean(&losses[..5]), mean(&losses[25..]));
    assert!(last < 0.5 * first, "{losses:?}");
    let valid = ended
        .progress
        .and_then(|progress| progress.valid_loss)
        .expect("it was validated");
    println!("training loss {first:.3} → {last:.3}, validation loss {valid:.3}");
    assert!(valid < first, "{valid}");
}
