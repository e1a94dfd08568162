//! The queue serves owners in turn, and remembers who was served across a restart.

use crate::testing::*;
use shared::{
    id::{JobId, Subject},
    status::JobStatus,
};

async fn queued(engine: &TestEngine, owner: &Subject, name: &str) -> JobId {
    let id = engine.job(owner, name).await.id;
    engine.wait_status(owner, &id, JobStatus::Queued).await;
    id
}

#[tokio::test]
async fn an_owner_with_many_jobs_does_not_starve_one_with_few() {
    let engine = TestEngine::start().await;
    let (first, trainer) = engine.running_job(&alice(), "first").await;
    let mut waiting = Vec::new();
    for name in ["second", "third", "fourth"] {
        waiting.push((alice(), queued(&engine, &alice(), name).await));
    }
    for name in ["mine", "also-mine"] {
        waiting.push((mallory(), queued(&engine, &mallory(), name).await));
    }
    let places = async |engine: &TestEngine| {
        let mut places = Vec::new();
        for (owner, id) in &waiting {
            let job = engine.service.find_job(owner, id).await.unwrap();
            let listed = engine
                .service
                .list_jobs(owner, &Default::default())
                .await
                .unwrap()
                .jobs;
            let listed = listed.iter().find(|job| job.id == *id).unwrap();
            assert_eq!(listed.queue_position, job.queue_position);
            places.push(job.queue_position.unwrap());
        }
        places
    };
    // Alice is being served, so Mallory is next and they take turns from then on.
    assert_eq!(places(&engine).await, [2, 3, 4, 0, 1]);
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    // Held to the end: the server that it belonged to mustn't wake up once it is taken for dead.
    let lost = engine.trainer().await;
    assert!(lost.launch.run_dir.ends_with(waiting[3].1.as_str()));

    // What was interrupted goes on first; then it's Alice's turn, as it was before.
    engine.clock.advance(std::time::Duration::from_secs(1));
    let engine = engine.crash_and_restart().await;
    let mallorys = engine.trainer().await;
    assert!(mallorys.launch.run_dir.ends_with(waiting[3].1.as_str()));
    mallorys.finish(1).await;
    let next = engine.trainer().await;
    assert!(next.launch.run_dir.ends_with(waiting[0].1.as_str()));
    drop(lost);
}

#[tokio::test]
async fn a_resumed_job_queues_behind_those_that_wait() {
    let engine = TestEngine::start().await;
    let (id, trainer) = engine.running_job(&alice(), "paused").await;
    trainer.train_from(0).await;
    trainer.step(1).await;
    engine.wait_step(&alice(), &id, 1).await;
    engine.service.pause_job(&alice(), &id).await.unwrap();
    trainer.pause_when_asked(1).await;
    engine.wait_status(&alice(), &id, JobStatus::Paused).await;
    let (_, _running) = engine.running_job(&alice(), "running").await;
    let waiting = queued(&engine, &alice(), "waiting").await;
    engine.clock.advance(std::time::Duration::from_secs(1));
    let job = engine.service.resume_job(&alice(), &id).await.unwrap();
    assert_eq!(job.queue_position, Some(1));
    let job = engine.service.find_job(&alice(), &waiting).await.unwrap();
    assert_eq!(job.queue_position, Some(0));
}
