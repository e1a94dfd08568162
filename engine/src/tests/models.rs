//! Adding base models: over cut connections, past lies and refusals, and out of the console's sight.

mod stage;

use crate::{
    Service,
    error::Error,
    models::Models,
    testing::{TestEngine, alice, lines, new_job},
};
use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::{
    id::JobId,
    model::{AddModel, AdditionStage, ModelAddition},
};
use stage::{CONFIG, Mood, Stage, script};
use std::fs;

#[tokio::test]
async fn a_model_of_the_hub_arrives_over_cut_connections_and_nothing_else_does() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.cuts = 3);
    stage.add("hf:owner/model").await.unwrap();
    let files = [
        "attune.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ];
    assert_eq!(
        stage.lies_there(),
        files.map(|name| format!("owner/model/{name}"))
    );
    let model = stage.folder.path().join("models/owner/model");
    assert_eq!(
        fs::read(model.join("model.safetensors")).unwrap(),
        stage.hub.files["model.safetensors"]
    );
    let note: Value = serde_json::from_slice(&fs::read(model.join("attune.json")).unwrap()).unwrap();
    assert_eq!(
        note,
        json!({ "source": "hf:owner/model", "licence": "apache-2.0" })
    );
    let mood = stage.hub.mood.lock().unwrap();
    assert_eq!(mood.asked.len(), 4, "{:?}", mood.asked);
    assert_eq!(mood.asked[0].0, None);
    assert!(
        mood.asked[1..].iter().all(|(range, _)| range.is_some()),
        "{:?}",
        mood.asked
    );
    assert!(
        mood.asked
            .iter()
            .all(|(_, token)| token.as_deref() == Some("Bearer hf_secret"))
    );
    let listed = Models::new(&stage.config).list();
    assert_eq!(listed.models[0].id, "owner/model");
}

#[tokio::test]
async fn a_transfer_that_was_given_up_goes_on_with_the_next_try() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.cuts = usize::MAX);
    // Each connection brings half of what is missing: it ends when that is nothing.
    assert_eq!(
        stage.add("hf:owner/model").await.unwrap_err().code(),
        "unreachable"
    );
    assert!(
        stage.lies_there().iter().all(|name| name.starts_with(".adding/")),
        "{:?}",
        stage.lies_there()
    );
    stage.mood(|mood| {
        mood.cuts = 0;
        mood.asked.clear();
    });
    stage.add("hf:owner/model").await.unwrap();
    assert!(
        stage.hub.mood.lock().unwrap().asked[0].0.is_some(),
        "it asks for the rest alone"
    );
}

#[tokio::test]
async fn a_redirect_to_another_host_keeps_the_range_and_not_the_token() {
    let stage = Stage::start().await;
    let elsewhere = Stage::start().await;
    stage.mood(|mood| mood.elsewhere = Some(elsewhere.config.hub.endpoint.clone()));
    elsewhere.mood(|mood| mood.cuts = 1);
    stage.add("hf:owner/model").await.unwrap();
    let asked = &elsewhere.hub.mood.lock().unwrap().asked;
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked[1].0.is_some() && asked.iter().all(|(_, token)| token.is_none()),
        "{asked:?}"
    );
    assert!(
        stage
            .hub
            .mood
            .lock()
            .unwrap()
            .asked
            .iter()
            .all(|(_, token)| token.is_some())
    );
}

#[tokio::test]
async fn a_gated_model_and_a_token_that_is_none_are_told_apart() {
    let mut stage = Stage::start().await;
    stage.mood(|mood| mood.status = Some(StatusCode::UNAUTHORIZED));
    assert_eq!(stage.add("hf:owner/model").await.unwrap_err().code(), "bad_token");
    stage.config.hub.token = None;
    assert_eq!(
        stage.add("hf:owner/model").await.unwrap_err().code(),
        "not_on_hub"
    );
    stage.mood(|mood| (mood.status, mood.gated) = (None, true));
    assert_eq!(stage.add("hf:owner/model").await.unwrap_err().code(), "gated");
    // The small files came; they serve whoever shows a token next, or are swept away.
    assert!(
        !stage
            .lies_there()
            .iter()
            .any(|name| name.ends_with("config.json")),
        "{:?}",
        stage.lies_there()
    );
}

#[tokio::test]
async fn a_server_that_gives_the_whole_again_is_taken_at_its_word() {
    let stage = Stage::start().await;
    stage.mood(|mood| (mood.cuts, mood.whole) = (1, true));
    stage.add("hf:owner/model").await.unwrap();
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_leaves_nothing() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.lies = true);
    let error = stage.add("hf:owner/model").await.unwrap_err();
    assert_eq!(error.code(), "damaged");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    assert_eq!(stage.lies_there(), [""; 0]);
    stage.mood(|mood| *mood = Mood::default());
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "bad_token"),
        (StatusCode::FORBIDDEN, "gated"),
        (StatusCode::IM_A_TEAPOT, "hub_answer"),
    ] {
        stage.mood(|mood| mood.status = Some(status));
        let error = stage.add("hf:owner/model").await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains("hf_secret"));
        assert_eq!(stage.lies_there(), [""; 0]);
    }
    stage.mood(|mood| mood.status = None);
    assert_eq!(
        stage.add("hf:owner/other").await.unwrap_err().code(),
        "not_on_hub"
    );
    let mut refusing = Stage::start().await;
    let refused =
        json!({ "type": "refused", "code": "invalid_model", "message": "the weights lack a tensor" });
    refusing.config.prepare_model = script(&refusing.folder, &format!("echo '{refused}'; exit 1"));
    let error = refusing.add("hf:owner/model").await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("invalid_model", "the weights lack a tensor")
    );
    assert_eq!(refusing.lies_there(), [""; 0]);
    refusing.config.prepare_model = script(&refusing.folder, "echo dead >&2; kill -9 $$");
    let error = refusing.add("hf:owner/model").await.unwrap_err();
    assert_eq!(error.code(), "prepare_failed");
    assert!(error.to_string().contains("dead"), "{error}");
    assert_eq!(refusing.lies_there(), [""; 0]);
}

#[tokio::test]
async fn a_configuration_that_can_not_be_trained_is_refused_before_the_weights_come() {
    let other = Stage::start_with(br#"{"model_type": "mamba"}"#).await;
    assert_eq!(
        other.add("hf:owner/model").await.unwrap_err().code(),
        "unknown_architecture"
    );
    assert!(other.hub.mood.lock().unwrap().asked.is_empty());
    assert_eq!(other.lies_there(), [""; 0]);
}

#[tokio::test]
async fn a_folder_is_copied_without_what_training_has_no_use_for() {
    let stage = Stage::start().await;
    let source = stage.folder.path().join("mine");
    fs::create_dir(&source).unwrap();
    for name in ["config.json", "model-00001-of-00001.safetensors", "notes.txt"] {
        fs::write(source.join(name), CONFIG).unwrap();
    }
    stage.add(source.to_str().unwrap()).await.unwrap();
    assert_eq!(
        stage.lies_there(),
        [
            "mine/attune.json",
            "mine/config.json",
            "mine/model-00001-of-00001.safetensors"
        ]
    );
    assert_eq!(
        stage.add(source.to_str().unwrap()).await.unwrap_err().code(),
        "model_exists"
    );
    let empty = stage.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(
        stage.add(empty.to_str().unwrap()).await.unwrap_err().code(),
        "invalid_model"
    );
}

fn wanted(source: &str) -> AddModel {
    AddModel {
        source: source.to_owned(),
    }
}

async fn addition(service: &Service) -> Option<ModelAddition> {
    service.list_models().await.unwrap().additions.into_iter().next()
}

/// Waits until the one addition is as wanted, or gone.
async fn until(service: &Service, is_it: impl Fn(Option<&ModelAddition>) -> bool) {
    loop {
        if is_it(addition(service).await.as_ref()) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_console_follows_gives_up_and_tries_again() {
    let stage = Stage::start().await;
    let (hub, prepare) = (stage.config.hub.clone(), stage.config.prepare_model.clone());
    let engine = TestEngine::start_with(|config| (config.hub, config.prepare_model) = (hub, prepare)).await;
    let service = &engine.service;
    for bad in ["/etc", "owner/model", "hf:owner", "hf:../x"] {
        let refused = service.add_model(&wanted(bad)).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{bad}: {refused}");
    }
    stage.mood(|mood| mood.held = true);
    let begun = service.add_model(&wanted("hf:owner/model")).await.unwrap();
    assert_eq!(
        (begun.id.as_str(), begun.stage),
        ("owner/model", AdditionStage::Waiting)
    );
    // The same again is the same addition.
    assert_eq!(
        service.add_model(&wanted("hf:owner/model")).await.unwrap().id,
        begun.id
    );
    until(service, |addition| {
        addition.is_some_and(|addition| addition.bytes_total.is_some())
    })
    .await;
    service.remove_model("owner/model").await.unwrap();
    assert_eq!(addition(service).await, None);
    // Tried again while the Hub says no.
    stage.mood(|mood| (mood.held, mood.status) = (false, Some(StatusCode::FORBIDDEN)));
    while service.add_model(&wanted("hf:owner/model")).await.is_err() {
        tokio::task::yield_now().await;
    }
    until(service, |addition| {
        addition.is_some_and(|addition| addition.stage == AdditionStage::Failed)
    })
    .await;
    let failure = addition(service).await.unwrap().failure.unwrap();
    assert!(failure.message.contains("HF_TOKEN"), "{failure:?}");
    // And when it says yes.
    stage.mood(|mood| mood.status = None);
    service.add_model(&wanted("hf:owner/model")).await.unwrap();
    until(service, |addition| addition.is_none()).await;
    let list = service.list_models().await.unwrap();
    assert!(list.models.iter().any(|model| model.id == "owner/model"));
    let again = service.add_model(&wanted("hf:owner/model")).await.unwrap_err();
    assert_eq!(again.code(), "model_exists");
}

#[tokio::test]
async fn a_server_shows_what_the_one_before_it_left_unfinished() {
    let stage = Stage::start().await;
    stage.mood(|mood| mood.held = true);
    let hub = stage.config.hub.clone();
    let engine = TestEngine::start_with(|config| config.hub = hub).await;
    engine.service.add_model(&wanted("hf:owner/model")).await.unwrap();
    until(&engine.service, |addition| {
        addition.is_some_and(|addition| addition.bytes_total.is_some())
    })
    .await;
    let engine = engine.restart().await;
    let left = addition(&engine.service).await.unwrap();
    assert_eq!(
        (left.id.as_str(), left.source.as_str()),
        ("owner/model", "hf:owner/model")
    );
    assert_eq!(left.failure.unwrap().code, "interrupted");
    engine.service.remove_model("owner/model").await.unwrap();
    let engine = engine.restart().await;
    assert_eq!(addition(&engine.service).await, None);
}

#[tokio::test]
async fn a_model_and_a_job_on_it_never_miss_each_other() {
    let engine = TestEngine::start().await;
    let dataset = engine.dataset(&alice(), &lines(12)).await;
    let new = new_job("late", &dataset.id);

    // A job that comes while the model goes.
    let mut creating = engine.service.inner.store.begin().await.unwrap();
    let service = engine.service.clone();
    let removal = tokio::spawn(async move { service.remove_model("tiny").await });
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    sqlx::query(
        "INSERT INTO jobs (id, owner, name, search_text, name_key, base_model, status, created_at, training_file, \
                           parameters) \
         VALUES ('ftjob-raced', 'alice', 'raced', 'raced', 'raced', 'tiny', 'paused', 1, $1, '{}')",
    )
    .bind(dataset.id.as_str())
    .execute(&mut *creating)
    .await
    .unwrap();
    creating.commit().await.unwrap();
    assert_eq!(removal.await.unwrap().unwrap_err().code(), "model_in_use");
    let raced = JobId::new("ftjob-raced");
    engine.service.cancel_job(&alice(), &raced).await.unwrap();

    // A model that goes while the job comes.
    let writing = engine.service.inner.store.begin().await.unwrap();
    let service = engine.service.clone();
    let creation = tokio::spawn(async move { service.create_job(&alice(), new, None).await });
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    fs::remove_dir_all(engine.folder.path().join("models/tiny")).unwrap();
    drop(writing);
    let refused = creation.await.unwrap().unwrap_err();
    assert!(refused.fields().contains_key("base_model"), "{refused}");
}

#[tokio::test]
async fn a_model_that_something_needs_is_not_removed() {
    let engine = TestEngine::start().await;
    let job = engine.job(&alice(), "needs-it").await;
    let refused = engine.service.remove_model("tiny").await.unwrap_err();
    assert_eq!(refused.code(), "model_in_use");
    assert!(refused.to_string().contains("1 unfinished job"), "{refused}");
    engine.service.cancel_job(&alice(), &job.id).await.unwrap();
    engine.service.remove_model("tiny").await.unwrap();
    assert_eq!(
        engine.service.remove_model("tiny").await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(
        engine
            .service
            .remove_model("attune-tiny")
            .await
            .unwrap_err()
            .code(),
        "model_not_added"
    );
    // Nor what the operator put there by hand.
    let by_hand = engine.folder.path().join("models/by-hand");
    fs::create_dir(&by_hand).unwrap();
    fs::write(by_hand.join("config.json"), CONFIG).unwrap();
    assert_eq!(
        engine.service.remove_model("by-hand").await.unwrap_err().code(),
        "model_not_added"
    );
    assert!(by_hand.exists());
    let dataset = job.training_dataset.unwrap();
    let refused = engine
        .service
        .create_job(&alice(), new_job("later", &dataset.id), None)
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}
