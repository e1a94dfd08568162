//! Creating jobs on /v1: what is asked for, repeats, and every fault.

use super::Client;
use crate::{
    played::metrics,
    testing::{alice, pairs},
};
use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use shared::{
    id::JobId,
    run::{Rewards, RunEvent, StepMetrics},
    status::JobStatus,
};

pub(super) const JOBS: &str = "/v1/fine_tuning/jobs";

pub(super) async fn create(client: &Client, body: Value) -> Value {
    let answer = client.post(JOBS, &body).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&answer.bytes)
    );
    answer.json()
}

#[tokio::test]
async fn a_job_over_pairs_has_its_method_with_beta_and_tells_rewards() {
    let client = Client::start().await;
    let file = client.engine.dataset(&alice(), &pairs(12)).await.id;
    let body = json!({
        "model": "tiny", "training_file": file,
        "method": {"type": "dpo", "dpo": {"hyperparameters": {
            "beta": 0.2, "n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": "auto"}}},
    });
    let job = create(&client, body).await;
    assert_eq!(job["method"]["type"], "dpo");
    assert_eq!(job["method"]["dpo"]["hyperparameters"]["beta"], 0.2);
    assert!(job["method"].get("supervised").is_none());
    let (id, trainer) = (job["id"].as_str().unwrap(), client.engine.trainer().await);
    trainer.train_from(0).await;
    let rewards = Rewards {
        chosen: 0.5,
        rejected: -1.0,
        margin: 1.5,
        accuracy: 0.75,
    };
    let told = StepMetrics {
        rewards: Some(rewards),
        valid_rewards: Some(rewards),
        ..metrics(1)
    };
    trainer.say(RunEvent::Metrics(told)).await;
    client.engine.wait_step(&alice(), &JobId::new(id), 1).await;
    let settled = client.get(&format!("{JOBS}/{id}")).await.json();
    let expected = json!({"beta": 0.2, "n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 1.0});
    assert_eq!(settled["method"]["dpo"]["hyperparameters"], expected);
    assert!(
        settled["hyperparameters"].get("beta").is_none(),
        "the deprecated place has no word for it"
    );
    let events = client.get(&format!("{JOBS}/{id}/events")).await.json();
    let data = &events["data"][0]["data"];
    assert_eq!(
        (&data["reward_margin"], &data["reward_accuracy"]),
        (&json!(1.5), &json!(0.75))
    );
    assert_eq!(
        (&data["valid_reward_chosen"], &data["valid_reward_rejected"]),
        (&json!(0.5), &json!(-1.0))
    );

    let body = json!({"model": "tiny", "training_file": file, "method": {"type": "dpo"}});
    let beta = &create(&client, body).await["method"]["dpo"]["hyperparameters"]["beta"];
    assert!(*beta == "auto" || *beta == 0.1, "{beta}");
}

#[tokio::test]
async fn a_create_that_the_sdk_repeats_gives_the_first_job() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let body = json!({"model": "tiny", "training_file": file}).to_string();
    let send = async |header: (&str, &str)| {
        let request = client
            .request(Method::POST, JOBS)
            .header("content-type", "application/json")
            .header(header.0, header.1);
        client
            .send(request.body(Body::from(body.clone())).unwrap())
            .await
            .json()["id"]
            .clone()
    };
    let first = send(("x-stainless-retry-count", "0")).await;
    assert_eq!(send(("x-stainless-retry-count", "1")).await, first);
    let deliberate = send(("x-stainless-retry-count", "0")).await;
    assert_ne!(deliberate, first);
    let keyed = send(("idempotency-key", "k")).await;
    assert_eq!(send(("idempotency-key", "k")).await, keyed);
    let other = client
        .request(Method::POST, JOBS)
        .header("content-type", "application/json")
        .header("idempotency-key", "k");
    let body = json!({"model": "tiny", "training_file": file, "seed": 1}).to_string();
    let other = client.send(other.body(Body::from(body)).unwrap()).await;
    assert_eq!(
        (other.status, other.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("idempotency_key_reused"))
    );
    client.engine.clock.advance(std::time::Duration::from_secs(3600));
    assert_ne!(send(("x-stainless-retry-count", "2")).await, keyed);
}

#[tokio::test]
async fn every_fault_of_a_create_names_its_parameter() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let batch = client
        .form(&[("purpose", None, "batch"), ("file", Some("b.jsonl"), "{}\n")])
        .await
        .json();
    let good = json!({"model": "tiny", "training_file": file});
    let many: serde_json::Map<_, _> = (0..17).map(|key| (key.to_string(), json!("v"))).collect();
    let wandb = json!({"type": "wandb", "wandb": {"project": "p"}});
    let cases = [
        ("model", json!({"model": null})),
        ("model", json!({"model": "gpt-none"})),
        ("training_file", json!({"training_file": "file-none"})),
        ("training_file", json!({"training_file": batch["id"]})),
        ("validation_file", json!({"validation_file": "file-none"})),
        ("suffix", json!({"suffix": "x".repeat(65)})),
        ("suffix", json!({"suffix": ""})),
        ("seed", json!({"seed": 2_147_483_648_u64})),
        ("metadata", json!({"metadata": many})),
        ("metadata", json!({"metadata": {"k".repeat(65): "v"}})),
        ("metadata", json!({"metadata": {"k": "v".repeat(513)}})),
        ("integrations", json!({"integrations": {"type": "wandb"}})),
        ("integrations", json!({"integrations": [wandb, wandb]})),
        (
            "integrations[0].type",
            json!({"integrations": [{"type": "mlflow"}]}),
        ),
        (
            "integrations[0].wandb.project",
            json!({"integrations": [{"type": "wandb"}]}),
        ),
        (
            "integrations[0].wandb.project",
            json!({"integrations": [{"type": "wandb", "wandb": {"project": "a/b"}}]}),
        ),
        (
            "integrations[0].wandb.tags",
            json!({"integrations": [{"type": "wandb", "wandb": {"project": "p", "tags": [""]}}]}),
        ),
        (
            "method.type",
            json!({"method": {"type": "reinforcement", "reinforcement": {}}}),
        ),
        (
            "method.dpo.hyperparameters.beta",
            json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0}}}}),
        ),
        (
            "method.dpo.hyperparameters.beta",
            json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.5}}}}),
        ),
        (
            "method.dpo.hyperparameters.gamma",
            json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"gamma": 1}}}}),
        ),
        (
            "method.dpo.hyperparameters.beta",
            json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.001}}}}),
        ),
        (
            "method.dpo.hyperparameters.n_epochs",
            json!({"method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 51}}}}),
        ),
        (
            "method.type",
            json!({"method": {"type": "reinforcement", "reinforcement": {"hyperparameters": {"eval_samples": 1}}}}),
        ),
        ("method.type", json!({"method": {"type": "other"}})),
        (
            "hyperparameters.n_epochs",
            json!({"hyperparameters": {"n_epochs": 51}}),
        ),
        (
            "hyperparameters.batch_size",
            json!({"hyperparameters": {"batch_size": 0}}),
        ),
        (
            "hyperparameters.learning_rate_multiplier",
            json!({"hyperparameters": {"learning_rate_multiplier": 0}}),
        ),
        (
            "hyperparameters.n_epoch",
            json!({"hyperparameters": {"n_epoch": 3}}),
        ),
        (
            "hyperparameters.n_epoch",
            json!({"hyperparameters": {"n_epoch": 3}, "method": {"type": "supervised"}}),
        ),
        (
            "method.supervised.hyperparameters.beta",
            json!({"method": {"type": "supervised", "supervised": {"hyperparameters": {"beta": 1}}}}),
        ),
        (
            "learning_rate_multiplier",
            json!({"hyperparameters": {"learning_rate_multiplier": 5000}}),
        ),
        ("x_attune.learning_rat", json!({"x_attune": {"learning_rat": 1}})),
        ("x_attune", json!({"x_attune": "rank"})),
        ("x_attune.schedule", json!({"x_attune": {"schedule": "Linear"}})),
        // Lists of an object's values in their order.
        ("x_attune", json!({"x_attune": [0.1]})),
        ("x_attune.lora", json!({"x_attune": {"lora": [8]}})),
        (
            "x_attune.learning_rate",
            json!({"x_attune": {"learning_rate": 1.5}}),
        ),
        (
            "x_attune.warmup_ratio",
            json!({"x_attune": {"warmup_ratio": 0.1, "warmup_epochs": 1}}),
        ),
        (
            "x_attune.evaluation_epochs",
            json!({"x_attune": {"evaluation_epochs": 9}}),
        ),
        ("x_attune.lora.rank", json!({"x_attune": {"lora": {"rank": 0}}})),
        ("trainig_file", json!({"trainig_file": "x"})),
    ];
    for (param, change) in cases {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        client.post(JOBS, &body).await.refused(param);
    }
    let list = client.get(JOBS).await.json();
    assert!(list["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_within_our_parameters_is_told_in_words_of_json() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let whole = "a whole number from 0 to 4294967295";
    for (extras, message) in [
        (json!(3), "`x_attune` must be an object, not 3".to_owned()),
        (
            json!({"lora": {"rank": "four"}}),
            format!("`x_attune.lora.rank` must be {whole}, not the text \"four\""),
        ),
        (
            json!({"schedule": "Linear"}),
            "`x_attune.schedule` can't be `Linear`: write `constant`, `linear`, `cosine`".to_owned(),
        ),
        (
            json!({"lora": {"ranks": 4}}),
            "`x_attune.lora.ranks` is not known here: there is `rank`, `alpha`, `dropout`, `targets`"
                .to_owned(),
        ),
    ] {
        let body = json!({"model": "tiny", "training_file": file, "x_attune": extras});
        let answer = client.post(JOBS, &body).await;
        assert_eq!(answer.error()["message"], message);
    }
}

#[tokio::test]
async fn a_file_that_is_too_small_or_broken_fails_the_job_before_any_training() {
    let client = Client::start().await;
    let small = client.training_file(3).await;
    let broken = client
        .form(&[
            ("purpose", None, "fine-tune"),
            (
                "file",
                Some("t.jsonl"),
                &format!("{}nonsense\n", super::lines(12)),
            ),
        ])
        .await
        .json()["id"]
        .clone();
    let failed = async |file: Value| {
        let id = create(&client, json!({"model": "tiny", "training_file": file})).await["id"].clone();
        let id = JobId::new(id.as_str().unwrap());
        let job = client.engine.wait_status(&alice(), &id, JobStatus::Failed).await;
        let error = client.get(&format!("{JOBS}/{id}")).await.json()["error"].clone();
        (error, job.failure.unwrap().line)
    };
    let (error, line) = failed(json!(small)).await;
    assert_eq!(line, None);
    assert_eq!(
        error,
        json!({
            "code": "invalid_n_examples", "param": "training_file",
            "message": "Training file has 3 example(s), but must have at least 10 examples"
        })
    );
    let (error, line) = failed(broken).await;
    assert_eq!(line, Some(13));
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("invalid_training_file"), &json!("training_file"))
    );
    assert!(error["message"].as_str().unwrap().contains("line 13"), "{error}");
}
