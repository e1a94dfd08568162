//! `/v1/fine_tuning` and `/v1/models`.

use super::{Answer, Client};
use crate::{
    played::metrics,
    testing::{alice, mallory, pairs},
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

const JOBS: &str = "/v1/fine_tuning/jobs";

async fn create(client: &Client, body: Value) -> Value {
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

#[tokio::test]
async fn an_illegal_cancel_is_400_so_that_sdks_do_not_retry_it() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    let id = create(&client, json!({"model": "tiny", "training_file": file})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let cancel = async || -> Answer {
        let request = client.request(Method::POST, &format!("{JOBS}/{id}/cancel"));
        client.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(cancel().await.json()["status"], "cancelled");
    let again = cancel().await;
    assert_eq!(
        (again.status, again.error()["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("job_not_cancellable"))
    );
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
async fn lists_filter_by_metadata() {
    let client = Client::start().await;
    let file = client.training_file(12).await;
    for metadata in [
        json!({"team": "a"}),
        json!({"team": ""}),
        json!({"team": "a", "run": "2"}),
        json!(null),
    ] {
        create(
            &client,
            json!({"model": "tiny", "training_file": file, "metadata": metadata}),
        )
        .await;
    }
    let count = async |query: &str| {
        client.get(&format!("{JOBS}?{query}")).await.json()["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("").await, 4);
    assert_eq!(count("metadata%5Bteam%5D=a").await, 2);
    assert_eq!(count("metadata%5Bteam%5D=a&metadata%5Brun%5D=2").await, 1);
    assert_eq!(count("metadata[team]=").await, 1);
    assert_eq!(count("metadata=null").await, 1);
    let many = |count: usize| {
        let pairs: Vec<_> = (0..count)
            .map(|number| format!("metadata[k{number}]=v"))
            .collect();
        pairs.join("&")
    };
    assert_eq!(count(&many(16)).await, 0);
    for too_much in [many(17), many(2000), format!("metadata[{}]=v", "k".repeat(65))] {
        client
            .get(&format!("{JOBS}?{too_much}"))
            .await
            .refused("metadata");
    }
    let page = client.get(&format!("{JOBS}?limit=3")).await.json();
    assert_eq!(page["has_more"], true);
    let after = page["data"][2]["id"].as_str().unwrap();
    let page = client.get(&format!("{JOBS}?limit=3&after={after}")).await.json();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["has_more"]),
        (1, &json!(false))
    );
    client
        .get(&format!("{JOBS}?after=ftjob-x"))
        .await
        .refused("after");
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
        ("integrations", json!({"integrations": [{"type": "wandb"}]})),
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
        ("x_attune", json!({"x_attune": {"learning_rat": 1}})),
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
        client.engine.wait_status(&alice(), &id, JobStatus::Failed).await;
        client.get(&format!("{JOBS}/{id}")).await.json()["error"].clone()
    };
    assert_eq!(
        failed(json!(small)).await,
        json!({
            "code": "invalid_n_examples", "param": "training_file",
            "message": "Training file has 3 example(s), but must have at least 10 examples"
        })
    );
    let error = failed(broken).await;
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("invalid_training_file"), &json!("training_file"))
    );
    assert!(error["message"].as_str().unwrap().contains("line 13"), "{error}");
}

#[tokio::test]
async fn jobs_of_somebody_else_are_not_there() {
    let client = Client::start().await;
    let theirs = client.engine.job(&mallory(), "theirs").await.id;
    for path in ["", "/events", "/checkpoints"] {
        let answer = client.get(&format!("{JOBS}/{theirs}{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        answer.error();
    }
    let cancel = client
        .request(Method::POST, &format!("{JOBS}/{theirs}/cancel"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(cancel).await.status, StatusCode::NOT_FOUND);
}
