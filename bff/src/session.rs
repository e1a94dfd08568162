//! Sessions: a cookie of 256 random bits, whose hash is looked up in a store.
//!
//! The store never sees the cookie's value, so who reads the store can't sign in with what it holds. A session
//! ends by sign-out, by lying idle, or by its age.

mod memory;
mod recent;
#[cfg(feature = "embedded")]
mod sqlite;

use crate::clock::Clock;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use recent::Recent;
use sha2::{Digest as _, Sha256};
use shared::{id::Subject, session::Session, timestamp::Timestamp};
#[cfg(feature = "embedded")]
use std::path::Path;
use std::{error::Error, fmt, sync::Arc};
use tokio::sync::broadcast;

/// The cookie's name. The prefix makes browsers refuse it without `Secure` and `Path=/`, or with `Domain`.
pub const COOKIE: &str = "__Host-attune";
/// A session that nobody uses ends after a week.
pub const IDLE_MS: i64 = 7 * 24 * 3_600_000;
/// A session ends after thirty days, whatever happens.
pub const ABSOLUTE_MS: i64 = 30 * 24 * 3_600_000;
/// How often the time of last use is written down at most.
const TOUCH_MS: i64 = 60_000;

/// The cookie's value. Never logged: it has no `Debug` that tells it.
pub struct SessionToken(String);

impl SessionToken {
    /// 256 fresh random bits.
    fn generate() -> Result<Self, SessionError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(SessionError::new)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What a browser sent.
    #[must_use]
    pub fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the store knows it by.
    #[must_use]
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// What the store knows a session by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash([u8; 32]);

/// A stored session.
#[derive(Clone)]
struct Record {
    session: Arc<Session>,
    created_at: Timestamp,
    used_at: Timestamp,
}

impl Record {
    const fn is_over(&self, now: Timestamp) -> bool {
        let (now, used, created) = (now.unix_ms(), self.used_at.unix_ms(), self.created_at.unix_ms());
        now - used >= IDLE_MS || now - created >= ABSOLUTE_MS
    }
}

/// The store failed.
#[derive(Debug)]
pub struct SessionError(Box<dyn Error + Send + Sync>);

impl SessionError {
    fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the session store failed: {}", self.0)
    }
}

impl Error for SessionError {}

/// Where sessions are kept.
pub struct Sessions {
    store: Store,
    recent: Recent,
    clock: Clock,
    ended: broadcast::Sender<SessionHash>,
}

/// Tells when a session ends, to whoever does something for it all the while.
pub struct Ending {
    hash: SessionHash,
    ended: broadcast::Receiver<SessionHash>,
}

impl Ending {
    /// Waits until the session is ended; may wake too early, so look the session up then.
    pub async fn wait(&mut self) {
        loop {
            match self.ended.recv().await {
                Ok(hash) if hash != self.hash => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The store is going down with the server.
                Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

enum Store {
    Memory(memory::MemoryStore),
    #[cfg(feature = "embedded")]
    Sqlite(sqlite::SqliteStore),
}

impl Sessions {
    /// In memory: they end with the process.
    #[must_use]
    pub fn in_memory(clock: Clock) -> Self {
        Self::over(Store::Memory(memory::MemoryStore::default()), clock)
    }

    /// In a SQLite file of their own, made where it isn't there.
    ///
    /// # Errors
    /// The file can't be opened or migrated.
    #[cfg(feature = "embedded")]
    pub async fn in_file(path: &Path, clock: Clock) -> Result<Self, SessionError> {
        Ok(Self::over(
            Store::Sqlite(sqlite::SqliteStore::open(path).await?),
            clock,
        ))
    }

    fn over(store: Store, clock: Clock) -> Self {
        Self {
            store,
            recent: Recent::default(),
            clock,
            ended: broadcast::Sender::new(64),
        }
    }

    /// Watches for the end of a session.
    #[must_use]
    pub fn watch(&self, hash: SessionHash) -> Ending {
        Ending {
            hash,
            ended: self.ended.subscribe(),
        }
    }

    /// Begins a session and returns its cookie's value, which nobody can learn later.
    ///
    /// # Errors
    /// The store failed, or the system has no randomness.
    pub async fn begin(
        &self,
        subject: Subject,
        provider: &str,
    ) -> Result<(SessionToken, Arc<Session>), SessionError> {
        let token = SessionToken::generate()?;
        let now = self.clock.now();
        let session = Arc::new(Session {
            subject,
            provider: provider.to_owned(),
        });
        let record = Record {
            session: Arc::clone(&session),
            created_at: now,
            used_at: now,
        };
        match &self.store {
            Store::Memory(store) => store.insert(token.hash(), record, now),
            #[cfg(feature = "embedded")]
            Store::Sqlite(store) => store.insert(token.hash(), &record, now).await?,
        }
        Ok((token, session))
    }

    /// The session of a cookie, if it is still good; being used keeps it from lying idle.
    ///
    /// # Errors
    /// The store failed.
    pub async fn find(&self, hash: SessionHash) -> Result<Option<Arc<Session>>, SessionError> {
        let now = self.clock.now();
        let record = match self.recent.find(hash, now) {
            Some(record) => record,
            None => match self.look_up(hash, now).await? {
                Some(record) => record,
                None => return Ok(None),
            },
        };
        if record.is_over(now) {
            self.end(hash).await?;
            return Ok(None);
        }
        if now.unix_ms() - record.used_at.unix_ms() >= TOUCH_MS {
            match &self.store {
                Store::Memory(store) => store.touch(hash, now),
                #[cfg(feature = "embedded")]
                Store::Sqlite(store) => store.touch(hash, now).await?,
            }
            self.recent.touch(hash, now);
        }
        Ok(Some(record.session))
    }

    /// Asks the store, and remembers what it says unless the session has ended meanwhile.
    async fn look_up(&self, hash: SessionHash, now: Timestamp) -> Result<Option<Record>, SessionError> {
        let before = self.recent.begin();
        let record = match &self.store {
            Store::Memory(store) => store.find(hash),
            #[cfg(feature = "embedded")]
            Store::Sqlite(store) => store.find(hash).await?,
        };
        if let Some(record) = &record {
            self.recent.keep(before, hash, record.clone(), now);
        }
        Ok(record)
    }

    /// Ends a session for good.
    ///
    /// # Errors
    /// The store failed.
    pub async fn end(&self, hash: SessionHash) -> Result<(), SessionError> {
        match &self.store {
            Store::Memory(store) => store.remove(hash),
            #[cfg(feature = "embedded")]
            Store::Sqlite(store) => store.remove(hash).await?,
        }
        self.recent.forget(hash);
        // Nobody may be watching.
        let _watchers = self.ended.send(hash);
        Ok(())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// It doesn't.
    pub async fn ping(&self) -> Result<(), SessionError> {
        self.look_up(SessionHash([0; 32]), self.clock.now())
            .await
            .map(|_| ())
    }
}

#[cfg(test)]
mod tests;
