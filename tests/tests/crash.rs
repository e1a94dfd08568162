//! `kill -9` at moments that nobody chose: the job goes on from its last checkpoint, and its record has no gap and
//! no double.

use rustix::process::Signal;
use shared::{
    event::StreamMessage,
    job::{Job, NewJob},
    metrics::Series,
    status::JobStatus,
};
use std::{collections::BTreeMap, time::Duration};
use tests::{api::Api, process_tree, random::Random, server::Server};
use tokio::time::timeout;

/// Kills in one job, in turn of the server and of the trainer.
const KILLS: u64 = 5;

#[tokio::test]
async fn a_job_whose_server_and_trainer_are_killed_five_times_ends_as_if_nothing_had_happened() {
    let mut random = Random::announced();
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let body = api.new_job("killed-often", 96, 10).await;
    let total_steps = 120;

    let job = api.create_job(&body).await;
    let (server, seen) = kill_again_and_again(&mut random, server, &job, total_steps).await;
    let api = Api::signed_in(&server).await;
    let job = api.ended(&job.id).await;

    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.failure);
    assert!(
        u64::from(job.attempt) > KILLS / 2,
        "the killed trainers were started again: {}",
        job.attempt
    );
    let every_step: Vec<u64> = (1..=total_steps).collect();
    assert_eq!(api.steps(&job.id, Series::TrainLoss).await, every_step);
    assert!(
        seen.values().all(|times| *times == 1),
        "a follower saw a step twice: {seen:?}"
    );

    let mut checkpoints: Vec<_> = api
        .checkpoints(&job.id)
        .await
        .into_iter()
        .map(|kept| kept.step)
        .collect();
    assert_eq!(checkpoints.first(), Some(&total_steps));
    let listed = checkpoints.len();
    checkpoints.dedup();
    assert_eq!(checkpoints.len(), listed, "a checkpoint is listed twice");
    let completed = api
        .events(&job.id)
        .await
        .into_iter()
        .filter(|event| event.message.contains("successfully"));
    assert_eq!(completed.count(), 1);

    let undisturbed = NewJob {
        name: "left-alone".into(),
        ..body
    };
    let undisturbed = api.create_job(&undisturbed).await;
    let undisturbed = api.ended(&undisturbed.id).await;
    assert_eq!(undisturbed.attempt, 1);
    assert_eq!(
        api.adapter(&job).await,
        api.adapter(&undisturbed).await,
        "the same adapter, byte for byte"
    );
}

/// Follows the job, kills at random moments, and answers how often a follower saw each step.
async fn kill_again_and_again(
    random: &mut Random,
    mut server: Server,
    job: &Job,
    total_steps: u64,
) -> (Server, BTreeMap<u64, u32>) {
    let mut seen = BTreeMap::new();
    let mut last_id = None;
    for kill in 0..KILLS {
        // The moment: somewhere in this part of the job, at any instant within a step.
        let part = total_steps / (KILLS + 1);
        let step = 1 + kill * part + random.below(part);
        let instant = Duration::from_micros(random.below(200_000));
        let api = Api::signed_in(&server).await;
        let mut stream = api.stream(&job.id, last_id.as_deref()).await;
        let mut watch = async |until: u64| {
            while let Some(message) = stream.next().await {
                if let StreamMessage::Metrics { metrics } = message {
                    *seen.entry(metrics.step).or_insert(0) += 1;
                    if metrics.step >= until {
                        return;
                    }
                }
            }
        };
        watch(step).await;
        let _ = timeout(instant, watch(u64::MAX)).await;
        last_id.clone_from(&stream.last_id);
        if kill % 2 == 0 {
            println!("kill {kill}: the server, after step {step} and {instant:?}");
            server = server.kill().await.start().await;
        } else if let Some(trainer) = server.trainer() {
            println!("kill {kill}: the trainer, after step {step} and {instant:?}");
            process_tree::signal(trainer, Signal::KILL);
        } else {
            println!("kill {kill}: the trainer was between two attempts after step {step} and {instant:?}");
        }
    }
    (server, seen)
}
