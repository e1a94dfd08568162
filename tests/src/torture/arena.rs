//! A server whose one job is tortured, and what a client sees of that job.

use super::{Course, model, phase, phase::Lookout};
use crate::{
    api::Api,
    examples,
    server::{Server, Setup},
    stream::JobStream,
};
use shared::{
    dataset::DatasetStatus,
    event::StreamMessage,
    job::{Job, NewJob},
    run::Stage,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Far above what a job takes to go on after anything that is done to it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Short, so that a server asleep is lost soon; the settings allow no less than a second.
pub(super) const LEASE: Duration = Duration::from_millis(1_500);
const SILENCE_MS: u64 = 2_000;

/// The job: 20 epochs of 15 steps, 10 validations.
const CHATS: usize = 120;
const VALIDATION_CHATS: usize = 64;
const BATCH: u32 = 8;
const EPOCHS: u32 = 20;
const EVALUATIONS: u32 = 10;

impl Course {
    /// The course of the job.
    pub(super) fn of_the_job() -> Self {
        let steps_per_epoch = CHATS as u64 / u64::from(BATCH);
        let every = u64::from(EPOCHS / EVALUATIONS) * steps_per_epoch;
        Self {
            total_steps: u64::from(EPOCHS) * steps_per_epoch,
            evaluated: (1..=u64::from(EVALUATIONS))
                .map(|number| number * every)
                .collect(),
        }
    }
}

/// A server on a folder of its own.
#[derive(Debug)]
pub(super) struct Arena {
    setup: Setup,
    server: Option<Server>,
    pub(super) api: Api,
    job: NewJob,
}

impl Arena {
    /// Starts a server on the folder and gives it the data. `models` holds the base model.
    pub(super) async fn open(folder: &Path, models: &Path, threads: u32) -> Self {
        let setup = Setup::in_folder(folder)
            .with("ATTUNE_MODELS_DIR", models.to_str().expect("text"))
            .with("ATTUNE_ENGINE__THREADS", threads.to_string())
            .with("ATTUNE_ENGINE__LEASE_MS", LEASE.as_millis().to_string())
            .with("ATTUNE_ENGINE__SILENCE_MS", SILENCE_MS.to_string());
        let server = setup.start().await;
        let api = Api::signed_in(&server).await;
        let mut datasets = Vec::new();
        for (name, chats) in [("training", CHATS), ("validation", VALIDATION_CHATS)] {
            let dataset = api.upload(name, examples::chats(chats)).await;
            assert_eq!(dataset.status, DatasetStatus::Ready);
            datasets.push(dataset.id);
        }
        let job = NewJob {
            name: "tortured".to_owned(),
            base_model: model::NAME.to_owned(),
            epochs: EPOCHS,
            evaluation_epochs: EVALUATIONS,
            warmup_epochs: 1,
            learning_rate: 0.01,
            validation_dataset: datasets.pop(),
            training_dataset: datasets.pop(),
            method: None,
            beta: None,
            batch_size: Some(BATCH),
            lora: None,
            schedule: None,
            gradient_checkpointing: None,
            seed: Some(7),
        };
        Self {
            setup: server.setup.clone(),
            server: Some(server),
            api,
            job,
        }
    }

    /// Begins the job and follows it.
    pub(super) async fn begin(&self) -> Follow {
        let job = self.api.create_job(&self.job).await;
        self.follow(job).await
    }

    /// Follows a job from its first message on.
    pub(super) async fn follow(&self, job: Job) -> Follow {
        let run_dir = self.setup.data_dir().join("runs").join(job.id.as_str());
        Follow {
            stream: self.api.stream(&job.id, None).await,
            steps: Vec::new(),
            trained: BTreeMap::new(),
            ended: false,
            lookout: Lookout::new(&run_dir),
            run_dir,
            job,
        }
    }

    pub(super) fn server(&self) -> &Server {
        self.server.as_ref().expect("it was started again")
    }

    /// SIGKILL for the server, and back when it is dead.
    pub(super) async fn kill_server(&mut self) {
        if let Some(server) = self.server.take() {
            self.setup = server.kill().await;
        }
    }

    /// The next server on the same folder and port; tells when it was started.
    pub(super) async fn start_server(&mut self) -> Instant {
        let started = Instant::now();
        let server = self.setup.start().await;
        self.api = Api::signed_in(&server).await;
        self.server = Some(server);
        started
    }

    /// The same with another number of threads for the trainers.
    pub(super) async fn with_threads(mut self, threads: u32) -> Self {
        self.kill_server().await;
        self.setup = self.setup.with("ATTUNE_ENGINE__THREADS", threads.to_string());
        self.start_server().await;
        self
    }

    /// Where the server puts runs.
    pub(super) fn runs(folder: &Path) -> PathBuf {
        folder.join("data/runs")
    }

    /// The end of the server's log.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.setup.scratch().join("server.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// One job as its stream tells it, over any number of servers.
pub(super) struct Follow {
    stream: JobStream,
    /// Every step that was told, in that order.
    pub(super) steps: Vec<u64>,
    /// When each attempt was first seen to train.
    pub(super) trained: BTreeMap<u32, Instant>,
    pub(super) ended: bool,
    pub(super) run_dir: PathBuf,
    pub(super) lookout: Lookout,
    /// As it was told last.
    pub(super) job: Job,
}

impl Follow {
    /// Reads on until this holds.
    pub(super) async fn until(&mut self, api: &Api, holds: impl Fn(&Self) -> bool) {
        let reading = async {
            while !holds(&*self) && !self.ended {
                self.read(api).await;
            }
        };
        timeout(PATIENCE, reading).await.expect("the job goes on");
    }

    /// Reads until then, or until the job has ended.
    pub(super) async fn read_for(&mut self, api: &Api, time: Duration) {
        let _ = timeout(time, async {
            while !self.ended {
                self.read(api).await;
            }
        })
        .await;
    }

    /// Goes on at another server.
    pub(super) async fn reopen(&mut self, api: &Api) {
        let last_id = self.stream.last_id.clone();
        self.stream = api.stream(&self.job.id, last_id.as_deref()).await;
        self.stream.last_id = last_id;
    }

    /// Whether the newest attempt is known to train.
    pub(super) fn trains(&self) -> bool {
        self.trained.contains_key(&phase::attempt(&self.run_dir))
    }

    async fn read(&mut self, api: &Api) {
        let Some(message) = self.stream.next().await else {
            // Its server lives, or this wouldn't be read: streams may end at any time.
            return self.reopen(api).await;
        };
        match message {
            StreamMessage::Job { job } => {
                let stage = job.progress.as_ref().map(|progress| progress.stage);
                if matches!(stage, Some(Stage::Training | Stage::Saving)) && !job.status.is_terminal() {
                    self.trained.entry(job.attempt).or_insert_with(Instant::now);
                }
                self.job = *job;
            }
            StreamMessage::Metrics { metrics } => self.steps.push(metrics.step),
            StreamMessage::End { .. } => self.ended = true,
            StreamMessage::Event { .. }
            | StreamMessage::Checkpoint { .. }
            | StreamMessage::CheckpointRemoved { .. } => {}
        }
    }
}
