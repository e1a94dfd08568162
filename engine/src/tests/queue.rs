//! The queue serves owners in turn, and remembers who was served across a restart.

use crate::testing::*;
use shared::{
    id::{JobId, Subject},
    queue::{JobChange, Priority, QueueMove},
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
    let (id, trainer) = engine.job_at_step(&alice(), "paused", 1).await;
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

impl TestEngine {
    async fn set_priority(&self, owner: &Subject, id: &JobId, priority: Priority) {
        let change = JobChange {
            priority: Some(priority),
            queue_move: None,
        };
        self.service.change_job(owner, id, change).await.unwrap();
    }

    async fn shift(&self, owner: &Subject, id: &JobId, to: QueueMove) {
        let change = JobChange {
            priority: None,
            queue_move: Some(to),
        };
        self.service.change_job(owner, id, change).await.unwrap();
    }

    /// The names of queued jobs in the order in which they will run.
    async fn line(&self, owners: &[Subject]) -> String {
        let mut line = Vec::new();
        for owner in owners {
            let listed = self
                .service
                .list_jobs(owner, &Default::default())
                .await
                .unwrap()
                .jobs;
            line.extend(
                listed
                    .into_iter()
                    .filter_map(|job| Some((job.queue_position?, job.name))),
            );
        }
        line.sort();
        line.into_iter()
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[tokio::test]
async fn an_owner_says_which_of_their_own_jobs_goes_first_and_nobody_elses_turn_moves() {
    let engine = TestEngine::start().await;
    let (_, _running) = engine.running_job(&alice(), "running").await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four"] {
        ids.push(queued(&engine, &alice(), name).await);
    }
    for name in ["her-one", "her-two"] {
        queued(&engine, &mallory(), name).await;
    }
    let both = [alice(), mallory()];
    assert_eq!(engine.line(&both).await, "her-one her-two one two three four");
    // All of them queued in the same millisecond or not: a move is exact.
    for (id, to, expected) in [
        (3, QueueMove::First, "four one two three"),
        (0, QueueMove::Later, "four two one three"),
        (2, QueueMove::Earlier, "four two three one"),
        (3, QueueMove::Last, "two three one four"),
        (3, QueueMove::Later, "two three one four"),
        (1, QueueMove::Earlier, "two three one four"),
    ] {
        engine.shift(&alice(), &ids[id], to).await;
        assert_eq!(engine.line(&[alice()]).await, expected, "{to:?}");
        assert!(
            engine.line(&both).await.starts_with("her-one her-two"),
            "nobody else's place moves"
        );
    }
    engine.set_priority(&alice(), &ids[3], Priority::High).await;
    engine.set_priority(&alice(), &ids[1], Priority::Low).await;
    assert_eq!(engine.line(&[alice()]).await, "four three one two");
    // A move goes no further than the priority reaches.
    engine.shift(&alice(), &ids[1], QueueMove::First).await;
    assert_eq!(engine.line(&both).await, "her-one her-two four three one two");
    let told = engine.events(&alice(), &ids[3]).await;
    assert!(
        told.contains(&"The job's priority is high now".to_owned()),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_order_that_was_chosen_is_the_order_that_runs_also_after_a_restart() {
    let engine = TestEngine::start().await;
    let (first, trainer) = engine.running_job(&alice(), "running").await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(queued(&engine, &alice(), name).await);
    }
    engine.shift(&alice(), &ids[2], QueueMove::First).await;
    engine.set_priority(&alice(), &ids[1], Priority::High).await;
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let next = engine.trainer().await;
    assert!(next.launch.run_dir.ends_with(ids[1].as_str()), "the high one");
    next.finish(1).await;
    engine.wait_status(&alice(), &ids[1], JobStatus::Succeeded).await;
    // The moved one is at work now; the one behind it waits.
    let interrupted = engine.trainer().await;
    let engine = engine.crash_and_restart().await;
    for expected in [2, 0] {
        let next = engine.trainer().await;
        assert!(
            next.launch.run_dir.ends_with(ids[expected].as_str()),
            "{expected}"
        );
        next.finish(1).await;
        engine
            .wait_status(&alice(), &ids[expected], JobStatus::Succeeded)
            .await;
    }
    drop(interrupted);
}

#[tokio::test]
async fn the_start_is_estimated_from_what_jobs_of_the_same_base_model_took() {
    let engine = TestEngine::start().await;
    let (first, trainer) = engine.running_job(&alice(), "first").await;
    let second = queued(&engine, &alice(), "second").await;
    let starts_in = async |id: &JobId| {
        let job = engine.service.find_job(&alice(), id).await.unwrap();
        job.starts_in_ms
    };
    assert_eq!(starts_in(&second).await, None, "nothing is known yet");
    // Twelve examples in two epochs.
    engine.clock.advance(std::time::Duration::from_millis(2400));
    trainer.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let _running = engine.trainer().await;
    let third = queued(&engine, &alice(), "third").await;
    let fourth = queued(&engine, &alice(), "fourth").await;
    assert_eq!(starts_in(&third).await, Some(2400), "when the second has run");
    assert_eq!(starts_in(&fourth).await, Some(4800), "when the third has, too");
    engine.set_priority(&alice(), &fourth, Priority::High).await;
    assert_eq!(starts_in(&fourth).await, Some(2400));
    assert_eq!(starts_in(&third).await, Some(4800));
}

#[tokio::test]
async fn a_night_without_a_server_is_no_measure_of_a_job() {
    let engine = TestEngine::start().await;
    let (first, lost) = engine.running_job(&alice(), "first").await;
    let hours = std::time::Duration::from_secs(9 * 3600);
    engine.clock.advance(hours);
    let engine = engine.crash_and_restart().await;
    engine.trainer().await.finish(1).await;
    engine.wait_status(&alice(), &first, JobStatus::Succeeded).await;
    let (_, _running) = engine.running_job(&alice(), "running").await;
    let waiting = queued(&engine, &alice(), "waiting").await;
    let job = engine.service.find_job(&alice(), &waiting).await.unwrap();
    assert_eq!(job.starts_in_ms, None);
    drop(lost);
}

#[tokio::test]
async fn between_owners_who_were_never_served_no_priority_moves_a_turn() {
    let engine = TestEngine::start().await;
    let (_, _running) = engine.running_job(&Subject::new("first"), "running").await;
    let early = queued(&engine, &alice(), "early").await;
    engine.clock.advance(std::time::Duration::from_secs(1));
    queued(&engine, &mallory(), "hers").await;
    engine.clock.advance(std::time::Duration::from_secs(1));
    let late = queued(&engine, &alice(), "late").await;
    let both = [alice(), mallory()];
    assert_eq!(engine.line(&both).await, "early hers late");
    engine.set_priority(&alice(), &late, Priority::High).await;
    assert_eq!(engine.line(&both).await, "late hers early");
    engine.set_priority(&alice(), &early, Priority::Low).await;
    assert_eq!(engine.line(&both).await, "late hers early");
}
