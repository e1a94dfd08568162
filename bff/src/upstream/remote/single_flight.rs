//! One request in flight for each thing: whoever asks meanwhile waits for the same answer, and a good answer
//! serves for a short time.

use crate::upstream::{Answer, UpstreamError, error::Cause};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

type Flying<T> = Shared<BoxFuture<'static, Answer<Arc<T>>>>;

/// When an answer came, and whether it can be kept.
struct Landing {
    at: Instant,
    is_good: bool,
}

/// The newest answer for each thing, and the requests in flight. Without a lifetime (0) nothing is shared: everybody
/// asks for themselves.
pub(in crate::upstream) struct SingleFlight<K, T> {
    flights: Mutex<HashMap<K, Flight<T>>>,
    lifetime: Duration,
}

struct Flight<T> {
    answer: Flying<T>,
    landed: Arc<OnceLock<Landing>>,
}

impl<K: Eq + Hash, T: Send + Sync + 'static> SingleFlight<K, T> {
    pub(in crate::upstream) fn new(lifetime: Duration) -> Self {
        Self {
            flights: Mutex::default(),
            lifetime,
        }
    }

    /// The answer in flight or a fresh one, else what `fetch` brings. The fetch runs to its end even when
    /// everybody who waits for it leaves.
    pub(in crate::upstream) async fn get<F>(&self, key: K, fetch: impl FnOnce() -> F) -> Answer<Arc<T>>
    where
        F: Future<Output = Answer<T>> + Send + 'static,
    {
        if self.lifetime.is_zero() {
            return fetch().await.map(Arc::new);
        }
        let answer = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            // What serves nobody any more goes, so that there are never more than were asked for lately.
            flights.retain(|_, flight| flight.serves(self.lifetime));
            flights
                .entry(key)
                .or_insert_with(|| Flight::begin(fetch()))
                .answer
                .clone()
        };
        answer.await
    }

    /// Forgets the answers: something was changed. Who already waits gets what they asked for.
    pub(in crate::upstream) fn forget(&self) {
        self.flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl<T: Send + Sync + 'static> Flight<T> {
    fn begin(fetch: impl Future<Output = Answer<T>> + Send + 'static) -> Self {
        let landed = Arc::new(OnceLock::new());
        let mark = Arc::clone(&landed);
        let task = tokio::spawn(async move {
            let answer = fetch.await.map(Arc::new);
            // The first and only landing: there is nothing to overwrite.
            let _first = mark.set(Landing {
                at: Instant::now(),
                is_good: answer.is_ok(),
            });
            answer
        });
        let answer = async move {
            task.await
                .unwrap_or_else(|error| Err(UpstreamError::Internal(Cause::new(error))))
        };
        Self {
            answer: answer.boxed().shared(),
            landed,
        }
    }

    fn serves(&self, lifetime: Duration) -> bool {
        match self.landed.get() {
            None => true,
            Some(landed) => landed.is_good && landed.at.elapsed() < lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn who_asks_together_is_answered_by_one_fetch() {
        let flights = SingleFlight::new(Duration::from_secs(60));
        let fetched = Arc::new(AtomicU32::new(0));
        let ask = || {
            let fetched = Arc::clone(&fetched);
            flights.get((), move || async move {
                tokio::task::yield_now().await;
                Ok(fetched.fetch_add(1, Ordering::SeqCst))
            })
        };
        let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
        assert!(
            answers
                .into_iter()
                .all(|answer| answer.is_ok_and(|value| *value == 0))
        );
        assert_eq!(fetched.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_has_taken_yet_serves_the_next() {
        let flights = SingleFlight::<(), u32>::new(Duration::from_secs(60));
        let (came, landed) = tokio::sync::oneshot::channel();
        let mut first = Box::pin(flights.get((), || async {
            let _told = came.send(());
            Ok(1)
        }));
        assert!(first.as_mut().now_or_never().is_none());
        landed.await.expect("the fetch runs by itself");
        while !flights
            .flights
            .lock()
            .expect("no panic")
            .values()
            .all(|flight| flight.landed.get().is_some())
        {
            tokio::task::yield_now().await;
        }
        assert_eq!(*flights.get((), || async { Ok(2) }).await.expect("ok"), 1);
        assert_eq!(*first.await.expect("ok"), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_wait_and_not_kept() {
        let flights = SingleFlight::<(), u32>::new(Duration::from_secs(60));
        let failed = flights.get((), || async { Err(UpstreamError::TimedOut) }).await;
        assert!(matches!(failed, Err(UpstreamError::TimedOut)));
        let mended = flights.get((), || async { Ok(7) }).await;
        assert_eq!(*mended.expect("the second fetch succeeds"), 7);
    }

    #[tokio::test]
    async fn a_change_drops_the_answer() {
        let flights = SingleFlight::<(), u32>::new(Duration::from_secs(60));
        assert_eq!(*flights.get((), || async { Ok(1) }).await.expect("ok"), 1);
        assert_eq!(*flights.get((), || async { Ok(2) }).await.expect("ok"), 1);
        flights.forget();
        assert_eq!(*flights.get((), || async { Ok(3) }).await.expect("ok"), 3);
    }

    #[tokio::test]
    async fn each_thing_has_an_answer_of_its_own_and_old_ones_go() {
        let flights = SingleFlight::new(Duration::from_secs(60));
        for key in ["a", "b", "a"] {
            let answer = flights
                .get(key, move || async move { Ok(key.to_uppercase()) })
                .await;
            assert_eq!(*answer.expect("ok"), key.to_uppercase());
        }
        assert_eq!(flights.flights.lock().expect("unpoisoned").len(), 2);
        let unkept = SingleFlight::new(Duration::ZERO);
        for (key, number) in [("a", 1), ("b", 2), ("a", 3)] {
            let answer = unkept.get(key, move || async move { Ok(number) }).await;
            assert_eq!(*answer.expect("ok"), number, "nothing is kept without a lifetime");
        }
        assert_eq!(unkept.flights.lock().expect("unpoisoned").len(), 0);
    }
}
