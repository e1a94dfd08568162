//! A job's object, events and checkpoints on /v1.

use super::{
    Client,
    jobs::{JOBS, create},
};
use crate::testing::alice;
use serde_json::{Value, json};
use shared::{id::JobId, status::JobStatus};

#[tokio::test]
async fn a_job_goes_from_create_to_a_model_with_every_field_where_sdks_expect_it() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let body = json!({
        "model": "tiny", "training_file": file, "suffix": "mine", "seed": 7, "metadata": {"team": "a"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": 2}}},
        "x_attune": {"warmup_epochs": 1, "lora": {"rank": 4}, "gradient_checkpointing": "on"}
    });
    let job = create(&client, body).await;
    let keys = [
        "id",
        "object",
        "created_at",
        "model",
        "organization_id",
        "status",
        "training_file",
        "validation_file",
        "result_files",
        "fine_tuned_model",
        "finished_at",
        "trained_tokens",
        "error",
        "hyperparameters",
        "seed",
        "method",
        "metadata",
        "integrations",
        "estimated_finish",
        "user_provided_suffix",
    ];
    for key in keys {
        assert!(job.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(
        (&job["object"], &job["error"], &job["seed"]),
        (&json!("fine_tuning.job"), &json!(null), &json!(7))
    );
    assert_eq!(job["hyperparameters"]["n_epochs"], 3);
    let id = JobId::new(job["id"].as_str().unwrap());
    let trainer = client.engine.trainer().await;
    let spec: shared::run::RunSpec =
        serde_json::from_slice(&std::fs::read(trainer.launch.run_dir.join("spec.json")).unwrap()).unwrap();
    assert_eq!((spec.learning_rate, spec.lora.rank, spec.seed), (0.002, 4, 7));
    assert_eq!(
        spec.gradient_checkpointing,
        shared::run::GradientCheckpointing::On
    );
    trainer.train_from(0).await;
    for step in 1..=5 {
        trainer.step(step).await;
    }
    trainer.checkpoint(5).await;
    trainer.step(6).await;
    trainer.checkpoint(6).await;
    trainer.finish(6).await;
    client
        .engine
        .wait_status(&alice(), &id, JobStatus::Succeeded)
        .await;

    let job = client.get(&format!("{JOBS}/{id}")).await.json();
    let model = job["fine_tuned_model"].as_str().unwrap().to_owned();
    assert!(model.starts_with("ft:tiny:attune:mine:"), "{model}");
    assert_eq!(
        (&job["status"], &job["trained_tokens"]),
        (&json!("succeeded"), &json!(300))
    );
    assert_eq!(job["hyperparameters"]["batch_size"], 8);

    let models = client.get("/v1/models").await.json();
    let ids: Vec<_> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"tiny") && ids.contains(&model.as_str()), "{ids:?}");
    assert_eq!(
        client.get(&format!("/v1/models/{model}")).await.json()["object"],
        "model"
    );
    assert_eq!(
        client.get("/v1/models/none").await.error()["code"],
        "model_not_found"
    );

    let result = job["result_files"][0].as_str().unwrap();
    let csv = client.get(&format!("/v1/files/{result}/content")).await;
    let csv = String::from_utf8(csv.bytes).unwrap();
    let rows: Vec<_> = csv.lines().collect();
    assert_eq!(
        rows[0],
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    );
    assert_eq!((rows[1], rows[5]), ("1,2,0.5,,", "5,0.4,0.5,1.5,0.25"));
    let encoded = client
        .get(&format!("/v1/files/{result}/content?encoding=base64"))
        .await;
    assert!(encoded.bytes.starts_with(b"c3RlcCx0cmFpbl9sb3Nz"));

    let checkpoints = client.get(&format!("{JOBS}/{id}/checkpoints")).await.json();
    let between = &checkpoints["data"][0]["metrics"];
    assert_eq!(
        (&between["step"], between.get("full_valid_loss")),
        (&json!(6), None),
        "no validation ran at this step"
    );
    let checkpoint = &checkpoints["data"][1];
    assert_eq!(
        checkpoint["fine_tuned_model_checkpoint"],
        format!("{model}:ckpt-step-5")
    );
    assert_eq!(checkpoint["metrics"]["full_valid_loss"], 1.5);
    assert_eq!(
        (&checkpoints["first_id"], &checkpoints["last_id"]),
        (&checkpoints["data"][0]["id"], &checkpoint["id"])
    );
}

#[tokio::test]
async fn events_page_back_without_a_gap_while_newer_ones_arrive() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let id = JobId::new(
        create(&client, json!({"model": "tiny", "training_file": file})).await["id"]
            .as_str()
            .unwrap(),
    );
    let trainer = client.engine.trainer().await;
    trainer.train_from(0).await;
    for step in 1..=5 {
        trainer.step(step).await;
    }
    client.engine.wait_step(&alice(), &id, 5).await;
    let mut seen: Vec<Value> = Vec::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("{JOBS}/{id}/events?limit=2{after}"))
            .await
            .json();
        seen.extend(page["data"].as_array().unwrap().iter().cloned());
        if seen.len() == 2 {
            trainer.step(6).await;
            client.engine.wait_step(&alice(), &id, 6).await;
        }
        if page["has_more"] == false {
            break;
        }
        after = format!("&after={}", seen.last().unwrap()["id"].as_str().unwrap());
    }
    let messages: Vec<_> = seen
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages[0], "Step 5/10: training loss=0.40, validation loss=1.50");
    assert_eq!(messages.len(), 9, "{messages:?}");
    assert!(messages[8].starts_with("Created fine-tuning job: ftjob-"));
    assert_eq!(
        (&seen[0]["type"], &seen[8]["type"]),
        (&json!("metrics"), &json!("message"))
    );
    assert_eq!(
        (&seen[0]["data"]["valid_loss"], seen[1]["data"].get("valid_loss")),
        (&json!(1.5), None)
    );
    client
        .get(&format!("{JOBS}/{id}/events?after=ftevent-x"))
        .await
        .refused("after");
    client
        .get(&format!("{JOBS}/{id}/events?limit=0"))
        .await
        .refused("limit");
    client
        .get(&format!("{JOBS}/{id}/checkpoints?limit=-1"))
        .await
        .refused("limit");
}
