//! Tells the readers of a job's stream that its record has grown. They read what from the store, so a slow reader
//! costs no memory.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// One channel a thing that somebody follows.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    channels: Mutex<HashMap<String, watch::Sender<()>>>,
}

impl Notifier {
    /// Follows a job (or a file): every change from now on marks the receiver.
    pub(crate) fn subscribe(&self, id: &str) -> watch::Receiver<()> {
        let mut channels = self.lock();
        channels.retain(|_, sender| sender.receiver_count() > 0);
        channels
            .entry(id.to_owned())
            .or_insert_with(|| watch::channel(()).0)
            .subscribe()
    }

    /// Wakes everybody who follows.
    pub(crate) fn changed(&self, id: &str) {
        if let Some(sender) = self.lock().get(id) {
            sender.send_modify(|()| {});
        }
    }

    /// How many things are followed.
    pub(crate) fn followers(&self) -> usize {
        self.lock().values().map(watch::Sender::receiver_count).sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
