//! An engine for tests: a temporary data folder, a clock that is set by hand, and trainers that the test plays.

use crate::{
    Clock, Config, Service,
    played::{Played, PlayedExecutor},
};
use futures_util::StreamExt as _;
use shared::{
    dataset::{Dataset, DatasetStatus, NewDataset},
    event::{EventQuery, StreamMessage, StreamStart},
    id::{DatasetId, JobId, Subject},
    job::{Job, NewJob},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub(crate) mod log;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.0
            .fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.0.load(Ordering::SeqCst))
    }
}

/// An engine in a temporary folder.
pub(crate) struct TestEngine {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) service: Service,
    trainers: Mutex<mpsc::UnboundedReceiver<Played>>,
}

/// Who owns things unless the test says otherwise.
pub(crate) fn alice() -> Subject {
    Subject::new("alice")
}

/// Somebody else.
pub(crate) fn mallory() -> Subject {
    Subject::new("mallory")
}

pub(crate) fn config(folder: &Path) -> Config {
    let mut config = Config::new(folder.join("data"));
    config.models_dir = Some(folder.join("models"));
    config.restart_delay = Duration::ZERO;
    config
}

impl TestEngine {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// An engine with other settings than usual.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("models/tiny");
        std::fs::create_dir_all(&model).unwrap();
        std::fs::write(
            model.join("config.json"),
            r#"{"model_type": "llama", "max_position_embeddings": 512}"#,
        )
        .unwrap();
        std::fs::write(
            model.join("attune.json"),
            r#"{"source": "hf:test/tiny", "defaults": {"learning_rate": 0.001, "epochs": 4}}"#,
        )
        .unwrap();
        let mut configured = config(folder.path());
        change(&mut configured);
        Self::start_in(
            folder,
            Arc::new(TestClock(AtomicI64::new(1_800_000_000_000))),
            configured,
        )
        .await
    }

    async fn start_in(folder: TempDir, clock: Arc<TestClock>, configured: Config) -> Self {
        let (executor, trainers) = PlayedExecutor::new();
        let service = Service::start(configured, clock.clone(), Arc::new(executor))
            .await
            .unwrap();
        Self {
            folder,
            clock,
            service,
            trainers: Mutex::new(trainers),
        }
    }

    /// As if the server had been killed: nothing is told to anybody, the next one starts in the same folder.
    pub(crate) async fn crash_and_restart(self) -> Self {
        let Self {
            folder,
            clock,
            service,
            trainers,
        } = self;
        // The lock goes with the process; what this one's tasks still hold is of no concern to the next.
        service.release_lock_as_if_dead();
        // Trainers of a dead server see the end of their standard input and leave.
        drop(trainers);
        let configured = service.config().clone();
        Self::start_in(folder, clock, configured).await
    }

    /// Goes down in good order and starts again.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        self.service.shutdown().await;
        let mut configured = self.service.config().clone();
        change(&mut configured);
        Self::start_in(self.folder, self.clock, configured).await
    }

    /// The attempts at a job, oldest first.
    pub(crate) async fn attempts(&self, subject: &Subject, id: &JobId) -> Vec<shared::attempt::Attempt> {
        let list = self.service.list_attempts(subject, id).await.unwrap();
        list.attempts
    }

    /// The next trainer that the engine starts.
    pub(crate) async fn trainer(&self) -> Played {
        std::future::poll_fn(|context| self.trainers.lock().unwrap().poll_recv(context))
            .await
            .unwrap()
    }

    /// Uploads a file and waits until its lines were read.
    pub(crate) async fn dataset(&self, owner: &Subject, text: &str) -> Dataset {
        let new = NewDataset {
            name: "messages".to_owned(),
            filename: "messages.jsonl".to_owned(),
            bytes: text.len() as u64,
        };
        let created = self.service.create_dataset(owner, new).await.unwrap();
        let token = created
            .upload
            .url
            .strip_prefix("/api/uploads/")
            .unwrap()
            .to_owned();
        self.service
            .write_upload(&token, 0, None, body(text.as_bytes()))
            .await
            .unwrap();
        self.service
            .confirm_dataset(owner, &created.dataset.id)
            .await
            .unwrap();
        self.validated(owner, &created.dataset.id).await
    }

    /// What datasets an owner has.
    pub(crate) async fn datasets(&self, owner: &Subject) -> Vec<Dataset> {
        self.service.list_datasets(owner).await.unwrap().datasets
    }

    /// Waits until a dataset's lines were read.
    pub(crate) async fn validated(&self, owner: &Subject, id: &DatasetId) -> Dataset {
        let mut changed = self.service.inner.files_changed.subscribe(id.as_str());
        loop {
            let dataset = self.service.find_dataset(owner, id).await.unwrap();
            if matches!(dataset.status, DatasetStatus::Ready | DatasetStatus::Error) {
                return dataset;
            }
            changed.changed().await.unwrap();
        }
    }

    /// A job on a dataset of twelve good lines.
    pub(crate) async fn job(&self, owner: &Subject, name: &str) -> Job {
        let dataset = self.dataset(owner, &lines(12)).await;
        self.service
            .create_job(owner, new_job(name, &dataset.id), None)
            .await
            .unwrap()
            .job
    }

    /// A job and the trainer that works on it.
    pub(crate) async fn running_job(&self, owner: &Subject, name: &str) -> (JobId, Played) {
        let job = self.job(owner, name).await;
        let trainer = self.trainer().await;
        (job.id, trainer)
    }

    /// A job whose first steps are trained and stored, and its trainer.
    pub(crate) async fn job_at_step(&self, owner: &Subject, name: &str, step: u64) -> (JobId, Played) {
        let (id, trainer) = self.running_job(owner, name).await;
        trainer.train_from(0).await;
        for step in 1..=step {
            trainer.step(step).await;
        }
        self.wait_step(owner, &id, step).await;
        (id, trainer)
    }

    /// Waits until a job is as wanted, by its stream.
    pub(crate) async fn wait_for(&self, owner: &Subject, id: &JobId, wanted: impl Fn(&Job) -> bool) -> Job {
        let mut changed = self.service.inner.jobs_changed.subscribe(id.as_str());
        loop {
            let job = self.service.find_job(owner, id).await.unwrap();
            if wanted(&job) {
                return job;
            }
            assert!(!job.status.is_terminal(), "{job:?}");
            changed.changed().await.unwrap();
        }
    }

    pub(crate) async fn wait_status(&self, owner: &Subject, id: &JobId, status: JobStatus) -> Job {
        self.wait_for(owner, id, |job| job.status == status).await
    }

    /// Waits until a step of a job is stored.
    pub(crate) async fn wait_step(&self, owner: &Subject, id: &JobId, step: u64) {
        self.wait_for(owner, id, |job| {
            job.progress
                .as_ref()
                .is_some_and(|progress| progress.step >= step)
        })
        .await;
    }

    /// Everything that a job's stream tells after a place, to its end.
    pub(crate) async fn whole_stream(
        &self,
        owner: &Subject,
        id: &JobId,
        after: Option<u64>,
    ) -> Vec<(Option<u64>, StreamMessage)> {
        self.service
            .stream(
                owner,
                id,
                after.map_or(StreamStart::Beginning, StreamStart::After),
            )
            .await
            .unwrap()
            .map(|told| (told.seq, told.message.clone()))
            .collect()
            .await
    }

    /// The messages of a job's events, oldest first.
    pub(crate) async fn events(&self, owner: &Subject, id: &JobId) -> Vec<String> {
        let all = EventQuery {
            limit: Some(1000),
            ..EventQuery::default()
        };
        let page = self.service.list_events(owner, id, &all).await.unwrap();
        page.events.into_iter().rev().map(|event| event.message).collect()
    }
}

/// Bytes as a body that comes in small pieces.
pub(crate) fn body(bytes: &[u8]) -> impl futures_util::Stream<Item = io::Result<bytes::Bytes>> + use<> {
    let chunks: Vec<_> = bytes
        .chunks(1 << 16)
        .map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk)))
        .collect();
    futures_util::stream::iter(chunks)
}

/// So many good training lines.
pub(crate) fn lines(count: usize) -> String {
    (0..count)
        .map(|number| {
            format!(
                "{{\"messages\":[{{\"role\":\"user\",\"content\":\"question {number}\"}},\
                 {{\"role\":\"assistant\",\"content\":\"answer {number}\"}}]}}\n"
            )
        })
        .collect()
}

/// So many good preference pairs.
pub(crate) fn pairs(count: usize) -> String {
    (0..count)
        .map(|number| {
            let answer = |text: &str| format!("[{{\"role\":\"assistant\",\"content\":\"{text} {number}\"}}]");
            format!(
                "{{\"input\":{{\"messages\":[{{\"role\":\"user\",\"content\":\"question {number}\"}}]}},\
                 \"preferred_output\":{},\"non_preferred_output\":{}}}\n",
                answer("good"),
                answer("bad")
            )
        })
        .collect()
}

/// A form as the wizard sends it.
pub(crate) fn new_job(name: &str, training_dataset: &DatasetId) -> NewJob {
    NewJob {
        name: name.to_owned(),
        base_model: "tiny".to_owned(),
        epochs: 2,
        evaluation_epochs: 1,
        warmup_epochs: 0,
        learning_rate: 0.001,
        training_dataset: Some(training_dataset.clone()),
        validation_dataset: None,
        method: None,
        beta: None,
        batch_size: None,
        lora: None,
        schedule: None,
        gradient_checkpointing: None,
        seed: None,
    }
}
