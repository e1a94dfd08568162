//! The queue at work: claims jobs, has a trainer started for each, keeps the leases alive.
//!
//! Everything that must survive a crash is in the database: this module's own state is only which trainers this
//! process minds at the moment.

pub(crate) mod attempt;
pub(crate) mod finish;
pub(crate) mod ingest;
pub(crate) mod post_mortem;
pub(crate) mod prepare;
pub(crate) mod run;
pub(crate) mod watch;

use crate::{
    error::{Error, chain},
    service::Service,
    store::{
        attempts::{self, Ended},
        jobs::{self, JobRow},
        leases, queue,
    },
};
use shared::{
    attempt::AttemptOutcome,
    event::Level,
    id::{JobId, Subject},
    timestamp::Timestamp,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often a lease is prolonged while it lasts.
const HEARTBEATS: u32 = 6;

/// How often the queue is looked at without a word that there is work.
const LOOK: Duration = Duration::from_secs(5);

/// The jobs that this process minds. One may stand here twice: a supervisor whose lease ran out, and has not noticed
/// yet, beside the one that has taken the job up again. Each takes off the list no other than itself.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<Vec<(String, Handle)>>);

/// The strings to one supervised job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handle {
    /// Pulled when the job was cancelled.
    pub(crate) cancelled: CancellationToken,
    /// Pulled when something else is asked of the job; what, stands in its row. Keeps a pull that nobody waited for.
    pub(crate) nudged: Arc<Notify>,
    /// Pulled when the supervisor has left and no trainer of its is alive.
    ended: CancellationToken,
}

impl Running {
    /// Tells whoever minds a job that it was cancelled.
    pub(crate) fn cancel(&self, id: &str) {
        for handle in self.of(id) {
            handle.cancelled.cancel();
        }
    }

    /// Tells whoever minds a job to look what is asked of it.
    pub(crate) fn nudge(&self, id: &str) {
        for handle in self.of(id) {
            handle.nudged.notify_one();
        }
    }

    /// Waits until those who mind a job now have left it.
    pub(crate) async fn ended(&self, id: &str) {
        for handle in self.of(id) {
            handle.ended.cancelled().await;
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn ids(&self) -> Vec<String> {
        self.lock().iter().map(|(id, _)| id.clone()).collect()
    }

    fn of(&self, id: &str) -> Vec<Handle> {
        let running = self.lock();
        let handles = running.iter().filter(|(of, _)| of == id);
        handles.map(|(_, handle)| handle.clone()).collect()
    }

    fn add(&self, id: &str) -> Handle {
        let handle = Handle::default();
        self.lock().push((id.to_owned(), handle.clone()));
        handle
    }

    fn remove(&self, handle: &Handle) {
        self.lock()
            .retain(|(_, other)| !Arc::ptr_eq(&other.nudged, &handle.nudged));
        handle.ended.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(String, Handle)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts to take work.
pub(crate) fn start(service: &Service) {
    service.inner.tasks.spawn(take_work(service.clone()));
    service.inner.tasks.spawn(keep_leases(service.clone()));
}

async fn take_work(service: Service) {
    let stopping = service.inner.stopping.clone();
    while !stopping.is_cancelled() {
        if let Err(error) = start_queued(&service).await {
            tracing::error!(error = %chain(&error), "the queue could not be read");
        }
        tokio::select! {
            () = service.inner.work.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stopping.cancelled() => {}
        }
    }
}

async fn start_queued(service: &Service) -> Result<(), Error> {
    while service.inner.running.count() < service.inner.config.max_running.max(1) {
        let Some(row) = claim(service).await? else {
            return Ok(());
        };
        let handle = service.inner.running.add(&row.id);
        service.job_has_changed(&JobId::new(&row.id)).await;
        let service = service.clone();
        service.inner.tasks.clone().spawn(async move {
            let id = row.id.clone();
            run::supervise(&service, row, &handle).await;
            service.inner.running.remove(&handle);
            service.job_has_changed(&JobId::new(&id)).await;
            service.inner.work.notify_one();
        });
    }
    Ok(())
}

async fn claim(service: &Service) -> Result<Option<JobRow>, Error> {
    let now = service.now();
    let mut transaction = service.inner.store.begin().await?;
    let row = queue::claim(
        &mut transaction,
        &service.inner.server,
        now,
        lease_end(service, now),
    )
    .await?;
    if let Some(row) = &row {
        attempts::begin(&mut transaction, &row.id, &row.owner(), row.attempt, now).await?;
    }
    transaction.commit().await?;
    Ok(row)
}

fn lease_end(service: &Service, now: Timestamp) -> Timestamp {
    let lease = i64::try_from(service.inner.config.lease.as_millis()).unwrap_or(i64::MAX);
    now.plus_ms(lease)
}

fn heartbeat(service: &Service) -> Duration {
    service.inner.config.lease / HEARTBEATS
}

async fn keep_leases(service: Service) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(heartbeat(&service)) => {}
            () = service.inner.stopping.cancelled() => return,
        }
        if let Err(error) = beat(&service).await {
            tracing::warn!(error = %chain(&error), "the leases could not be prolonged");
        }
    }
}

/// Prolongs the leases of what is minded here, and takes back jobs whose lease nobody prolongs.
pub(crate) async fn beat(service: &Service) -> Result<(), Error> {
    let now = service.now();
    // Kept whatever becomes of the rest: what runs here must not be lost for a job of another server.
    prolong(service, now).await?;
    take_back(service, now).await
}

async fn prolong(service: &Service, now: Timestamp) -> Result<(), Error> {
    let mut transaction = service.inner.store.begin().await?;
    for id in service.inner.running.ids() {
        leases::heartbeat(
            &mut *transaction,
            &service.inner.server,
            &id,
            now,
            lease_end(service, now),
        )
        .await?;
    }
    Ok(transaction.commit().await?)
}

async fn take_back(service: &Service, now: Timestamp) -> Result<(), Error> {
    let mut transaction = service.inner.store.begin().await?;
    let orphans =
        leases::requeue_orphans(&mut transaction, Some(now), "after its server was lost", now).await?;
    for (owner, id) in &orphans {
        let lost = Ended::well(AttemptOutcome::Lost);
        attempts::end(&mut transaction, id, now, lost).await?;
        let message = "The server that worked on the job was lost: it is queued again";
        jobs::add_event(
            &mut transaction,
            id,
            &Subject::new(owner),
            now,
            Level::Warn,
            message,
        )
        .await?;
    }
    transaction.commit().await?;
    for (_, id) in orphans {
        service.inner.jobs_changed.changed(&id);
        service.inner.work.notify_one();
    }
    Ok(())
}
