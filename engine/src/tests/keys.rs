//! Keys of /v1: whose they are, what is told of them, and that they can be taken back.

use crate::{
    ApiKeyFolder, Clock as _, Error, Service, StartError,
    testing::{TestEngine, alice, config, mallory},
};
use shared::id::ApiKeyId;
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

    let used = async || {
        service
            .subject_for_api_key(&laptop.secret)
            .await
            .unwrap()
            .unwrap();
        listed().await[0].last_used_at.unwrap().unix_ms() - engine.clock.now().unix_ms()
    };
    assert_eq!(used().await, 0, "the first use is noted");
    engine.clock.advance(Duration::from_secs(59));
    assert_eq!(used().await, -59_000, "and not again within a minute");
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(used().await, 0);
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
async fn a_key_has_a_name_that_can_be_shown() {
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
    let longest = engine.service.create_api_key(&long[2..], &alice(), false).await;
    assert!(longest.is_ok());
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
