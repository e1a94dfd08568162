//! A console that stands still: jobs in every state, with the same ids, times and figures wherever it runs.
//!
//! What can't be had by waiting (a job that stays at one step, another that stays in the queue) is put into the engine's
//! own tables while the server runs. The server's one worker is kept busy by a job of somebody else's, whose trainer is
//! stopped.

mod scene;

use crate::{
    api::Api,
    browser::NOON_MS,
    examples, process_tree,
    server::{Server, Setup},
};
use rustix::process::Signal;
use scene::{DPO, MINUTE_MS, SCENES, notify, run};
use shared::{dataset::DatasetStatus, id::DatasetId, job::NewJob};
use std::time::Duration;
use tokio::time::interval;

/// A server with its still life; both go when it is dropped.
#[derive(Debug)]
pub struct StillLife {
    /// The server.
    pub server: Server,
    /// A dataset without a fault.
    pub training: DatasetId,
    /// A dataset of preference pairs.
    pub pairs: DatasetId,
    /// A dataset that can't be used.
    pub broken: DatasetId,
    trainer: u32,
}

/// Stays at one step.
pub const RUNNING: &str = "ftjob-0000000000000000000000000000run1";
/// Waits in the queue.
pub const QUEUED: &str = "ftjob-0000000000000000000000000000que1";
/// Is paused.
pub const PAUSED: &str = "ftjob-0000000000000000000000000000pau1";
/// Made an adapter.
pub const SUCCEEDED: &str = "ftjob-0000000000000000000000000000suc1";
/// Ran out of memory.
pub const FAILED: &str = "ftjob-0000000000000000000000000000fai1";
/// Was cancelled.
pub const CANCELLED: &str = "ftjob-0000000000000000000000000000can1";
/// To be compared with [`SUCCEEDED`].
pub const OTHER: &str = "ftjob-0000000000000000000000000000suc2";
/// Has a long name.
pub const LONG: &str = "ftjob-0000000000000000000000000000suc3";

impl StillLife {
    /// Puts jobs in every state and datasets of every kind into the folder of a server that was started with
    /// [`setup`].
    pub async fn arrange(server: Server, api: &Api) -> Self {
        let training = api.upload("support-tickets", examples::chats(48)).await;
        let pairs = api.upload("tone-pairs", examples::pairs(24)).await;
        let broken = api
            .upload(
                "three-broken-lines",
                examples::chats(12) + "{\n[]\n{\"messages\":[]}\n",
            )
            .await;
        assert_eq!(broken.status, DatasetStatus::Error);
        let busy = NewJob {
            epochs: 50,
            batch_size: Some(1),
            ..api.new_job("somebody-elses", 40, 1).await
        };
        let busy = api.create_job(&busy).await;
        let mut ticks = interval(Duration::from_millis(20));
        let trainer = loop {
            ticks.tick().await;
            if let Some(trainer) = server.trainer() {
                break trainer;
            }
        };
        let life = Self {
            server,
            training: training.id,
            pairs: pairs.id,
            broken: broken.id,
            trainer,
        };
        process_tree::signal(trainer, Signal::STOP);

        let mut database = life.server.setup.database().await;
        let db = &mut database;
        run(db, "BEGIN IMMEDIATE").await;
        for table in ["jobs", "events", "attempts"] {
            let whose = if table == "jobs" { "id" } else { "job_id" };
            run(
                db,
                &format!(
                    "UPDATE {table} SET owner = 'somebody' WHERE {whose} = '{}'",
                    busy.id
                ),
            )
            .await;
        }
        let file = busy.training_dataset.as_ref().expect("it has one").id.clone();
        run(
            db,
            &format!("UPDATE files SET owner = 'somebody' WHERE id = '{file}'"),
        )
        .await;
        for (dataset, age) in [(&life.training, 3_000), (&life.pairs, 2_000), (&life.broken, 30)] {
            let created = NOON_MS - age * MINUTE_MS;
            run(
                db,
                &format!("UPDATE files SET created_at = {created} WHERE id = '{dataset}'"),
            )
            .await;
        }
        for scene in &SCENES {
            let file = if scene.method == DPO {
                &life.pairs
            } else {
                &life.training
            };
            scene.place(db, file.as_str()).await;
        }
        notify(db).await;
        run(db, "COMMIT").await;
        sqlx::Connection::close(database)
            .await
            .expect("a closed database");
        life
    }
}

impl Drop for StillLife {
    fn drop(&mut self) {
        // A stopped process doesn't notice that its server is gone.
        process_tree::signal(self.trainer, Signal::KILL);
    }
}

/// What its server is started with.
#[must_use]
pub fn setup() -> Setup {
    Setup::new()
        .with("ATTUNE_ENGINE__MAX_RUNNING", "1")
        // The frame tells it, and not every machine has as many.
        .with("ATTUNE_ENGINE__THREADS", "1")
        .with("ATTUNE_ENGINE__SILENCE_MS", "86400000")
}
