//! How things go at large: what has ended, what was trained, and when the next job starts.

use crate::testing::*;
use shared::{
    id::{JobId, Subject},
    job::{JobQuery, Outlook},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::time::Duration;

async fn outlook(engine: &TestEngine, owner: &Subject, from: Timestamp) -> Outlook {
    let query = JobQuery {
        // Filters don't narrow it.
        q: Some("no job is called so".to_owned()),
        week_from: Some(from),
        month_from: Some(from),
        ..JobQuery::default()
    };
    let list = engine.service.list_jobs(owner, &query).await.unwrap();
    list.outlook.unwrap()
}

async fn finished(engine: &TestEngine, owner: &Subject, name: &str, step: u64) -> JobId {
    let (id, trainer) = engine.running_job(owner, name).await;
    trainer.finish(step).await;
    engine.wait_status(owner, &id, JobStatus::Succeeded).await;
    id
}

#[tokio::test]
async fn the_outlook_counts_what_ended_since_and_what_is_trained_so_far() {
    let engine = TestEngine::start().await;
    finished(&engine, &alice(), "long-ago", 4).await;
    engine.clock.advance(Duration::from_secs(3600));
    let from = engine.service.now();
    finished(&engine, &alice(), "just-now", 2).await;
    finished(&engine, &mallory(), "hers", 9).await;
    let (running, _trainer) = engine.job_at_step(&alice(), "running", 1).await;
    engine
        .wait_for(&alice(), &running, |job| job.trained_tokens == Some(50))
        .await;
    let told = outlook(&engine, &alice(), from).await;
    let expected = Outlook {
        next_starts_in_ms: None,
        completed_in_week: Some(1),
        failed_in_week: Some(0),
        trained_tokens_in_month: Some(150),
        models: told.models,
    };
    assert_eq!(told, expected);
    let before = outlook(&engine, &alice(), Timestamp::from_unix_ms(0)).await;
    assert_eq!(
        (before.completed_in_week, before.trained_tokens_in_month),
        (Some(2), Some(350))
    );
    let plain = engine
        .service
        .list_jobs(&alice(), &JobQuery::default())
        .await
        .unwrap();
    assert_eq!(plain.outlook, None, "nobody asked");
}

#[tokio::test]
async fn the_models_that_are_counted_are_those_that_are_listed() {
    let engine = TestEngine::start().await;
    finished(&engine, &alice(), "hers", 4).await;
    finished(&engine, &mallory(), "somebody-elses", 4).await;
    let counted = async || {
        let told = outlook(&engine, &alice(), Timestamp::from_unix_ms(0)).await;
        let base = engine.service.list_models().await.unwrap().models.len();
        let tuned = engine
            .service
            .list_artifacts(&alice())
            .await
            .unwrap()
            .artifacts
            .len();
        (told.models, base, tuned)
    };
    let (told, base, tuned) = counted().await;
    assert_eq!((told, tuned), (Some(base as u64 + 1), 1));
    let model = |name: &str, config: &str| {
        let folder = engine.folder.path().join("models").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config).unwrap();
    };
    model("one-more", "{}");
    model("grouped/another", "{}");
    model("cant-be-read", "{");
    let (told, now, _) = counted().await;
    assert_eq!((told, now), (Some(base as u64 + 3), base + 2));
}

#[tokio::test]
async fn the_next_start_is_told_to_each_owner_and_only_where_it_is_known() {
    let engine = TestEngine::start().await;
    let from = engine.service.now();
    let (first, trainer) = engine.running_job(&alice(), "first").await;
    let second = engine.job(&alice(), "second").await.id;
    engine.wait_status(&alice(), &second, JobStatus::Queued).await;
    let next = async |owner: &Subject| outlook(&engine, owner, from).await.next_starts_in_ms;
    assert_eq!(
        next(&alice()).await,
        None,
        "nobody knows how long the first takes"
    );
    // Twelve examples in two epochs.
    engine.clock.advance(Duration::from_millis(2400));
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let _running = engine.trainer().await;
    for (owner, name) in [(alice(), "third"), (mallory(), "hers")] {
        let id = engine.job(&owner, name).await.id;
        engine.wait_status(&owner, &id, JobStatus::Queued).await;
    }
    // Mallory is next, and Alice's turn comes when hers has run.
    assert_eq!(next(&mallory()).await, Some(2400));
    assert_eq!(next(&alice()).await, Some(4800));
    assert_eq!(
        next(&Subject::new("nobody")).await,
        None,
        "has no job in the queue"
    );
}
