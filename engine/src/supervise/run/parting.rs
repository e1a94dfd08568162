//! What becomes of a job whose supervision storage or a stop of the server cuts short.

use super::{MAX_FRUITLESS, Supervised};
use crate::{
    error::{Error, chain},
    service::backoff::Backoff,
    store::{
        attempts::{self, Ended},
        leases,
    },
    supervise::finish,
};
use shared::attempt::AttemptOutcome;

impl Supervised<'_> {
    /// Gives the job back to the queue for the next server; of a cancelled one there is nothing to give. Where the store
    /// refuses that, the next server takes the job from a dead one.
    pub(super) async fn leave(&self) -> Result<(), Error> {
        let requeued = Ended::well(AttemptOutcome::Requeued);
        self.requeue(self.row.fruitless, "after the server restarted", requeued)
            .await
    }

    /// Ends the supervision of a job that an error stands in the way of. One that storage has refused for longer than is
    /// waited for goes back to the queue, to be taken up again, unless attempt after attempt gets its record no further:
    /// then it is what the job has to say that is refused, and the job fails. So it does at once for any other error.
    pub(super) async fn part_with(&self, error: &Error) -> Result<(), Error> {
        if self.handle.cancelled.is_cancelled() {
            return self.forget_removed_silently().await;
        }
        if self.service.inner.stopping.is_cancelled() {
            return self.leave().await;
        }
        if !error.is_internal() {
            return finish::fail(self, &error.to_failure()).await;
        }
        let recorded = self.persist(|| self.recorded_steps()).await?;
        let fruitless = if self.recorded.is_some_and(|before| recorded > before) {
            0
        } else {
            self.row.fruitless + 1
        };
        let message = error.to_string();
        if fruitless >= MAX_FRUITLESS {
            let mut failure = error.to_failure();
            failure.message = format!(
                "what happened to the job could not be stored in {fruitless} attempts in a row: {message}. \
                 Its checkpoints are kept: retry it once the server's log has told why"
            );
            return finish::fail(self, &failure).await;
        }
        let requeued = Ended {
            message: Some(&message),
            ..Ended::well(AttemptOutcome::Requeued)
        };
        self.persist(|| self.requeue(fruitless, "after storage had failed", requeued))
            .await
    }

    /// Puts the job back into the queue, unless the attempt may not write any more.
    async fn requeue(&self, fruitless: i64, reason: &str, ended: Ended<'_>) -> Result<(), Error> {
        let mut transaction = self.service.inner.store.begin().await?;
        let now = self.service.now();
        if leases::requeue(&mut transaction, &self.fence, fruitless, reason, now).await? {
            attempts::end(&mut transaction, &self.row.id, now, ended).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Does a piece of work, and does it again after growing pauses where storage refuses it. What it begins in vain it has
    /// to leave so that it can be begun again.
    ///
    /// # Errors
    /// Its own; storage's once it has refused too often, or nobody waits any more.
    pub(crate) async fn persist<T, F>(&self, work: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = Backoff::new(self.service);
        loop {
            match work().await {
                Ok(done) => return Ok(done),
                Err(error) => self.wait_to_try_again(&mut backoff, error).await?,
            }
        }
    }

    /// Waits before the next try at what storage has refused.
    ///
    /// # Errors
    /// The error itself where no other try may help, or nobody waits for it.
    pub(crate) async fn wait_to_try_again(
        &self,
        backoff: &mut Backoff<'_>,
        error: Error,
    ) -> Result<(), Error> {
        if !backoff.may_help(&error) {
            return Err(error);
        }
        tracing::warn!(error = %chain(&error), job = %self.row.id, "storage refuses what happened to a job: trying again");
        let goes_on = tokio::select! {
            goes_on = backoff.wait() => goes_on,
            () = self.handle.cancelled.cancelled() => false,
        };
        if goes_on { Ok(()) } else { Err(error) }
    }
}
