//! The engine's in-process API. One file for each resource; this one starts and stops it all.

pub(crate) mod alerts;
pub(crate) mod artifacts;
pub(crate) mod backoff;
pub(crate) mod counters;
pub(crate) mod curves;
pub(crate) mod datasets;
pub(crate) mod downloads;
pub(crate) mod estimate;
pub(crate) mod examples;
pub(crate) mod held;
pub mod import;
pub(crate) mod job_actions;
pub(crate) mod job_create;
pub(crate) mod job_queue;
pub(crate) mod job_retry;
pub(crate) mod job_validation;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod models;
pub(crate) mod notifications;
mod outlook;
pub(crate) mod pages;
pub(crate) mod part_uploads;
mod preview;
pub(crate) mod record;
mod step_examples;
pub(crate) mod stream;
pub(crate) mod tuned_models;
pub(crate) mod uploads;
pub(crate) mod validation;
pub(crate) mod wandb;
pub(crate) mod webhooks;

use crate::{
    blobs::Blobs,
    clock::{Clock, Distinct},
    config::Config,
    data_folder::Layout,
    error::{Error, StartError},
    executor::Executor,
    inference::Inference,
    models::Models,
    notify::Notifier,
    secret,
    store::{self, Store, attempts::Ended, leases},
    supervise,
};
use counters::Tallies;
use shared::{attempt::AttemptOutcome, event::Level, id::Subject, timestamp::Timestamp};
use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The engine. Cheap to clone: every clone is the same engine.
#[derive(Clone)]
pub struct Service {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) distinct: Distinct,
    pub(crate) layout: Layout,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) models: Models,
    /// Models that are being added.
    pub(crate) additions: models::Additions,
    /// Names this server in leases.
    pub(crate) server: String,
    /// Told when a job's record or status changes.
    pub(crate) jobs_changed: Notifier,
    /// What those who follow jobs share.
    pub(crate) boards: stream::Boards,
    /// Told when a file's status changes.
    pub(crate) files_changed: Notifier,
    /// Told when a job may have become ready to run.
    pub(crate) work: tokio::sync::Notify,
    pub(crate) running: supervise::Running,
    pub(crate) writers: uploads::Writers,
    /// Set once the bundled model lies in the data folder.
    pub(crate) models_ready: OnceCell<()>,
    pub(crate) tallies: Tallies,
    pub(crate) estimates: estimate::Estimates,
    pub(crate) step_examples: step_examples::Turn,
    /// How many read through datasets for a line at once.
    pub(crate) line_readers: Arc<Semaphore>,
    pub(crate) inference: Inference,
    pub(crate) outbox: webhooks::Outbox,
    /// Cancelled when the service goes down.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
    /// Keeps other servers out of the data folder until it is dropped.
    lock: Mutex<Option<File>>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Service")
            .field("data_dir", &self.inner.config.data_dir)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Opens the data folder, goes on where the server before this one ended, and takes work.
    ///
    /// # Errors
    /// The data folder is in use, of a newer version, or can't be used; see [`StartError`].
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        executor: Arc<dyn Executor>,
    ) -> Result<Self, StartError> {
        let path = config.data_dir.display().to_string();
        let layout = Layout::prepare(&config.data_dir)?;
        let lock = layout.lock()?;
        layout.clear_scratch();
        let store = Store::open(&layout.database())
            .await
            .map_err(|error| match error {
                StartError::Newer { .. } => StartError::Newer { path: path.clone() },
                other => other,
            })?;
        let blobs = Blobs::in_folder(&layout.blobs()).map_err(|error| StartError::DataFolder {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let server = secret::new_id("server-").map_err(|error| StartError::Database {
            path: path.clone(),
            source: error.into(),
        })?;
        let inner = Inner {
            models: Models::new(&config),
            inference: Inference::new(&config.inference),
            additions: models::Additions::default(),
            config,
            clock,
            distinct: Distinct::default(),
            layout,
            store,
            blobs,
            executor,
            server,
            jobs_changed: Notifier::default(),
            boards: stream::Boards::default(),
            files_changed: Notifier::default(),
            work: tokio::sync::Notify::new(),
            running: supervise::Running::default(),
            writers: uploads::Writers::default(),
            models_ready: OnceCell::new(),
            tallies: Tallies::default(),
            estimates: estimate::Estimates::default(),
            step_examples: step_examples::Turn::default(),
            line_readers: Arc::new(Semaphore::new(2)),
            outbox: webhooks::Outbox::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            lock: Mutex::new(Some(lock)),
        };
        let service = Self {
            inner: Arc::new(inner),
        };
        service.recover().await.map_err(|error| StartError::Database {
            path,
            source: error.into(),
        })?;
        service.show_interrupted_additions();
        let starting = service.clone();
        service
            .inner
            .tasks
            .spawn(async move { starting.unpack_models().await });
        let sweeping = service.clone();
        service
            .inner
            .tasks
            .spawn(async move { sweeping.sweep_forever().await });
        let delivering = service.clone();
        service
            .inner
            .tasks
            .spawn(async move { delivering.deliver_forever().await });
        supervise::start(&service);
        Ok(service)
    }

    /// Takes up what the server before this one left: running jobs go back into the queue, validations begin again.
    async fn recover(&self) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        for (owner, id) in
            leases::requeue_orphans(&mut transaction, None, "after the server restarted", now).await?
        {
            let owner = Subject::new(owner);
            store::attempts::end(&mut transaction, &id, now, Ended::well(AttemptOutcome::Lost)).await?;
            let message =
                "The server restarted: the job is queued again and will go on from its last checkpoint";
            store::jobs::add_event(&mut transaction, &id, &owner, now, Level::Warn, message).await?;
        }
        transaction.commit().await?;
        self.resume_validations().await
    }

    /// Stops taking work, lets every trainer write a checkpoint within the configured time, puts the jobs back into
    /// the queue, and closes the store. Streams end. The service can't be used afterwards.
    pub async fn shutdown(&self) {
        self.inner.stopping.cancel();
        self.inner.inference.end().await;
        self.inner.tasks.close();
        // Supervisors bound their own wait for a trainer; this is for whatever else hangs.
        let limit = self.inner.config.shutdown_grace + Duration::from_secs(5);
        if tokio::time::timeout(limit, self.inner.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some work did not end in time and is left behind");
        }
        self.inner.store.close().await;
        drop(
            self.inner
                .lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// The store answers, and the service isn't going down.
    ///
    /// # Errors
    /// [`Error::Stopping`], or a storage error.
    pub async fn ping(&self) -> Result<(), Error> {
        if self.inner.stopping.is_cancelled() {
            return Err(Error::Stopping);
        }
        self.inner.store.ping().await
    }

    /// Does work to its end, though whoever asked for it may go away meanwhile.
    pub(crate) async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner
            .tasks
            .spawn(work)
            .await
            .map_err(|error| Error::storage("work was interrupted", error))
    }

    /// The settings that the service was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    #[cfg(test)]
    pub(crate) fn release_lock_as_if_dead(&self) {
        drop(
            self.inner
                .lock
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    /// How many of the machine's cores a trainer computes on.
    #[must_use]
    pub fn trainer_cores(&self) -> u32 {
        self.inner.config.trainer_cores()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// An instant that no other row has as its creation time.
    pub(crate) fn distinct_now(&self) -> Timestamp {
        self.inner.distinct.after(self.inner.clock.now())
    }

    /// Clears away now and then what has expired.
    async fn sweep_forever(&self) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(error = %error, "clearing away what has expired failed");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(600)) => {}
                () = self.inner.stopping.cancelled() => return,
            }
        }
    }
}
