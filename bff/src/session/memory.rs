//! Sessions in memory, for the thin build and for tests.

use super::{Record, SessionHash};
use shared::timestamp::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Ended sessions are swept out when there are more than this.
const SWEEP_ABOVE: usize = 10_000;

#[derive(Default)]
pub(super) struct MemoryStore(Mutex<HashMap<SessionHash, Record>>);

impl MemoryStore {
    fn records(&self) -> MutexGuard<'_, HashMap<SessionHash, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, hash: SessionHash, record: Record, now: Timestamp) {
        let mut records = self.records();
        if records.len() >= SWEEP_ABOVE {
            records.retain(|_, record| !record.is_over(now));
        }
        records.insert(hash, record);
    }

    pub(super) fn find(&self, hash: SessionHash) -> Option<Record> {
        self.records().get(&hash).cloned()
    }

    pub(super) fn touch(&self, hash: SessionHash, now: Timestamp) {
        if let Some(record) = self.records().get_mut(&hash) {
            record.used_at = now;
        }
    }

    pub(super) fn remove(&self, hash: SessionHash) {
        self.records().remove(&hash);
    }
}
