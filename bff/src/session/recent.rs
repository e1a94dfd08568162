//! Sessions that were looked up lately, so that a page that asks often doesn't ask the store each time.
//!
//! Nothing is decided here: who is found is still checked for age, and the end of a session is told at once. An end
//! that another server wrote into a common store is seen when the entry has grown old.

use super::{Record, SessionHash};
use shared::timestamp::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long an entry is believed.
const LIFETIME_MS: i64 = 5_000;
/// Entries kept at most; beyond, all are dropped and come back as they are asked for.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Recent(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    by_hash: HashMap<SessionHash, Entry>,
    /// How many sessions have ended.
    ended: u64,
}

struct Entry {
    record: Record,
    read_at: Timestamp,
}

/// When a look-up began, counted in ended sessions.
#[derive(Clone, Copy)]
pub(super) struct Begun(u64);

impl Recent {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, hash: SessionHash, now: Timestamp) -> Option<Record> {
        let entries = self.entries();
        let entry = entries.by_hash.get(&hash)?;
        (0..LIFETIME_MS)
            .contains(&(now.unix_ms() - entry.read_at.unix_ms()))
            .then(|| entry.record.clone())
    }

    /// Called before the store is asked.
    pub(super) fn begin(&self) -> Begun {
        Begun(self.entries().ended)
    }

    /// Keeps what the store said, unless a session has ended since it was asked: it could be this one.
    pub(super) fn keep(&self, begun: Begun, hash: SessionHash, record: Record, now: Timestamp) {
        let mut entries = self.entries();
        if entries.ended != begun.0 {
            return;
        }
        if entries.by_hash.len() >= MOST {
            entries.by_hash.clear();
        }
        entries.by_hash.insert(hash, Entry { record, read_at: now });
    }

    pub(super) fn touch(&self, hash: SessionHash, now: Timestamp) {
        if let Some(entry) = self.entries().by_hash.get_mut(&hash) {
            entry.record.used_at = now;
        }
    }

    pub(super) fn forget(&self, hash: SessionHash) {
        let mut entries = self.entries();
        entries.by_hash.remove(&hash);
        entries.ended += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{id::Subject, session::Session};
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);
    const HASH: SessionHash = SessionHash([7; 32]);

    fn record() -> Record {
        Record {
            session: Arc::new(Session {
                subject: Subject::from("local"),
                provider: "local".to_owned(),
            }),
            created_at: NOW,
            used_at: NOW,
        }
    }

    #[test]
    fn a_session_that_ended_while_it_was_looked_up_is_not_remembered() {
        let recent = Recent::default();
        let begun = recent.begin();
        recent.forget(HASH);
        recent.keep(begun, HASH, record(), NOW);
        assert!(recent.find(HASH, NOW).is_none());
        recent.keep(recent.begin(), HASH, record(), NOW);
        assert!(recent.find(HASH, NOW).is_some());
    }

    #[test]
    fn an_entry_is_believed_for_a_short_time_and_never_after_its_end() {
        let recent = Recent::default();
        recent.keep(recent.begin(), HASH, record(), NOW);
        let later = |milliseconds| NOW.plus_ms(milliseconds);
        assert!(recent.find(HASH, later(LIFETIME_MS - 1)).is_some());
        assert!(recent.find(HASH, later(LIFETIME_MS)).is_none());
        assert!(
            recent.find(HASH, later(-1)).is_none(),
            "a clock that was set back"
        );
        recent.forget(HASH);
        assert!(recent.find(HASH, NOW).is_none());
    }
}
