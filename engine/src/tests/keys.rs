//! Keys of /v1: whose they are, what is told of them, and that they can be taken back.

use crate::{
    ApiKeyFolder, Clock as _, Error, Service, StartError,
    store::api_keys,
    testing::{TestEngine, alice, config, mallory},
};
use shared::{id::ApiKeyId, timestamp::Timestamp};
use std::time::Duration;

#[tokio::test]
async fn a_key_stands_for_its_owner_and_only_its_hash_is_kept() {
    let engine = TestEngine::start().await;
    let service = &engine.service;
    let made = service.create_api_key("laptop", &alice(), false).await.unwrap();
    let caller = service.subject_for_api_key(&made.secret).await.unwrap().unwrap();
    assert_eq!((caller.subject, caller.admin), (alice(), false));
    assert_eq!(
        service.subject_for_api_key("sk-attune-guess").await.unwrap(),
        None
    );
    let row: (String, String, String) = sqlx::query_as("SELECT id, name, hash FROM api_keys")
        .fetch_one(service.inner.store.read())
        .await
        .unwrap();
    for kept in [row.0, row.1, row.2] {
        assert!(
            !kept.contains(&made.secret) && !made.secret.contains(&kept),
            "{kept}"
        );
    }
}

/// Waits until it is noted that a key was used at an instant: nobody who calls with it waits for that.
async fn noted(service: &Service, id: &ApiKeyId, at: Timestamp) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        let keys = api_keys::list_all(service.inner.store.read()).await.unwrap();
        let key = keys
            .iter()
            .map(api_keys::ApiKeyRow::to_key)
            .find(|key| key.id == *id);
        if key.unwrap().last_used_at == Some(at) {
            return;
        }
        ticks.tick().await;
    }
}

#[tokio::test]
async fn keys_are_listed_for_their_owner_with_when_they_were_used_last() {
    let engine = TestEngine::start().await;
    let service = &engine.service;
    let laptop = service.create_api_key(" laptop ", &alice(), false).await.unwrap();
    let boss = service.create_api_key("boss", &alice(), true).await.unwrap();
    service.create_api_key("hers", &mallory(), false).await.unwrap();
    let listed = async || service.list_api_keys(&alice()).await.unwrap().keys;
    assert_eq!(listed().await, [laptop.key.clone(), boss.key.clone()]);
    assert_eq!((laptop.key.name.as_str(), boss.key.admin), ("laptop", true));

    let uses = async || {
        let caller = service.subject_for_api_key(&laptop.secret).await.unwrap();
        assert!(caller.is_some());
    };
    let first = engine.clock.now();
    uses().await;
    noted(service, &laptop.key.id, first).await;
    engine.clock.advance(Duration::from_secs(59));
    uses().await;
    assert_eq!(
        listed().await[0].last_used_at,
        Some(first),
        "not again within a minute"
    );
    engine.clock.advance(Duration::from_secs(1));
    uses().await;
    noted(service, &laptop.key.id, engine.clock.now()).await;
    assert_eq!(listed().await[1].last_used_at, None, "the other was not used");
}

#[tokio::test]
async fn a_key_that_was_removed_opens_nothing_and_is_told_of_no_more() {
    let engine = TestEngine::start().await;
    let service = &engine.service;
    let lost = service.create_api_key("lost", &alice(), false).await.unwrap();
    let kept = service.create_api_key("kept", &alice(), false).await.unwrap();
    let is_not_there =
        |answer: Result<(), Error>| answer.is_err_and(|error| matches!(error, Error::NotFound("key")));
    assert!(is_not_there(
        service.delete_api_key(&mallory(), &lost.key.id).await
    ));
    assert!(is_not_there(
        service.delete_api_key(&alice(), &ApiKeyId::new("key-none")).await
    ));
    let opens = async |secret| service.subject_for_api_key(secret).await.unwrap().is_some();
    assert!(opens(&lost.secret).await);

    service.delete_api_key(&alice(), &lost.key.id).await.unwrap();
    assert!(!opens(&lost.secret).await);
    assert!(opens(&kept.secret).await);
    let left = service.list_api_keys(&alice()).await.unwrap().keys;
    assert_eq!(left.iter().map(|key| &key.id).collect::<Vec<_>>(), [&kept.key.id]);
    assert!(is_not_there(service.delete_api_key(&alice(), &lost.key.id).await));
}

#[tokio::test]
async fn a_key_has_a_name_that_can_be_shown_and_an_owner_a_hundred_of_them() {
    let engine = TestEngine::start().await;
    let long = "ä".repeat(101);
    for name in ["", "  ", long.as_str(), "a\nb", "\u{1b}[2J"] {
        let refused = engine.service.create_api_key(name, &alice(), false).await;
        let error = refused.map(|made| made.key).unwrap_err();
        assert_eq!(
            error.fields()["name"],
            "the key's name must have 1 to 100 characters, no control characters",
            "{name:?}"
        );
    }
    let made = async |name: &str| engine.service.create_api_key(name, &alice(), false).await;
    for number in 0..99 {
        assert!(made(&number.to_string()).await.is_ok());
    }
    let longest = engine.service.create_api_key(&long[2..], &alice(), false).await;
    assert!(longest.is_ok(), "the hundredth");
    let refused = made("one more").await.map(|made| made.key);
    assert!(matches!(
        refused,
        Err(Error::Conflict {
            code: "too_many_keys",
            ..
        })
    ));
    assert!(
        engine
            .service
            .create_api_key("hers", &mallory(), false)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn keys_are_made_listed_and_removed_beside_a_running_server() {
    let engine = TestEngine::start().await;
    let service = &engine.service;
    let data_dir = engine.folder.path().join("data");
    let folder = ApiKeyFolder::open(&data_dir, crate::SystemClock).await.unwrap();
    let made = folder.create("cli", &mallory(), true).await.unwrap();
    let caller = service.subject_for_api_key(&made.secret).await.unwrap().unwrap();
    assert!(caller.admin);
    noted(service, &made.key.id, engine.clock.now()).await;
    service.create_api_key("console", &alice(), false).await.unwrap();
    let mut known: Vec<_> = folder.list().await.unwrap();
    known.sort_by(|one, other| one.key.name.cmp(&other.key.name));
    let told: Vec<_> = (known.iter())
        .map(|known| {
            (
                known.key.name.as_str(),
                known.owner.as_str(),
                known.key.last_used_at.is_some(),
            )
        })
        .collect();
    assert_eq!(told, [("cli", "mallory", true), ("console", "alice", false)]);

    folder.delete(&mallory(), &made.key.id).await.unwrap();
    folder.close().await;
    assert_eq!(service.subject_for_api_key(&made.secret).await.unwrap(), None);
    let second = Service::start(
        config(engine.folder.path()),
        engine.clock.clone(),
        service.inner.executor.clone(),
    )
    .await;
    assert!(matches!(second, Err(StartError::InUse { .. })));
}
