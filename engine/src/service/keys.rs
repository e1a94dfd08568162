//! API keys: who calls /v1.

use super::Service;
use crate::{
    clock::Clock,
    data_folder::Layout,
    error::{Error, StartError},
    secret,
    store::{Store, api_keys},
};
use shared::{
    api_key::{ApiKey, ApiKeyList, CreatedApiKey, checked_name},
    id::{ApiKeyId, Subject},
    timestamp::Timestamp,
};
use std::path::Path;

/// How exactly it is known when a key was used last. A write for every request would cost more than the request.
const USE_NOTED_EVERY_MS: i64 = 60_000;
/// Keys of an owner.
const MAX_KEYS: usize = 100;

/// Who calls with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// On whose behalf.
    pub subject: Subject,
    /// With which key.
    pub key_id: String,
    /// May administer.
    pub admin: bool,
}

/// A key and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedKey {
    /// Whose.
    pub owner: Subject,
    /// The key.
    pub key: ApiKey,
}

impl Service {
    /// All of the subject's keys, the oldest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_api_keys(&self, subject: &Subject) -> Result<ApiKeyList, Error> {
        let rows = api_keys::list(self.inner.store.read(), subject).await?;
        Ok(ApiKeyList {
            keys: rows.iter().map(api_keys::ApiKeyRow::to_key).collect(),
        })
    }

    /// Makes a key for an owner. The secret is shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `name`; [`Error::Conflict`] where there are too many.
    pub async fn create_api_key(
        &self,
        name: &str,
        owner: &Subject,
        admin: bool,
    ) -> Result<CreatedApiKey, Error> {
        create(&self.inner.store, self.distinct_now(), name, owner, admin).await
    }

    /// Takes a key back: the next request with it is refused. An answer that is under way goes on to its end.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_api_key(&self, subject: &Subject, id: &ApiKeyId) -> Result<(), Error> {
        revoke(&self.inner.store, self.inner.clock.now(), subject, id).await
    }

    /// Whose a secret is, and notes that it is used; nothing where it isn't a key, or was taken back.
    ///
    /// # Errors
    /// Storage only.
    pub async fn subject_for_api_key(&self, secret: &str) -> Result<Option<Caller>, Error> {
        let Some(row) = api_keys::find(self.inner.store.read(), &secret::hash(secret)).await? else {
            return Ok(None);
        };
        let now = self.inner.clock.now();
        let last = row.to_key().last_used_at;
        let is_noted = |at: Timestamp| (0..USE_NOTED_EVERY_MS).contains(&(now.unix_ms() - at.unix_ms()));
        // Whoever calls neither waits for those who write, nor is refused because the disk is full.
        if !last.is_some_and(is_noted) {
            let (service, id) = (self.clone(), row.id.clone());
            self.inner.tasks.spawn(async move {
                if let Err(error) = note_use(&service.inner.store, &id, now).await {
                    tracing::warn!(error = %crate::error::chain(&error), "when a key was used could not be noted");
                }
            });
        }
        Ok(Some(Caller {
            subject: Subject::new(row.owner),
            key_id: row.id,
            admin: row.admin,
        }))
    }
}

/// The keys of a data folder, everybody's, whether a server works there or not: what `attune key` calls.
pub struct ApiKeyFolder {
    store: Store,
    clock: Box<dyn Clock>,
}

impl ApiKeyFolder {
    /// Opens the data folder.
    ///
    /// # Errors
    /// It can't be used or is of a newer version.
    pub async fn open(data_dir: &Path, clock: impl Clock) -> Result<Self, StartError> {
        let layout = Layout::prepare(data_dir)?;
        Ok(Self {
            store: Store::open(&layout.database()).await?,
            clock: Box::new(clock),
        })
    }

    /// Everybody's keys, the oldest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list(&self) -> Result<Vec<OwnedKey>, Error> {
        let rows = api_keys::list_all(self.store.read()).await?;
        let owned = |row: api_keys::ApiKeyRow| OwnedKey {
            key: row.to_key(),
            owner: Subject::new(row.owner),
        };
        Ok(rows.into_iter().map(owned).collect())
    }

    /// As [`Service::create_api_key`].
    ///
    /// # Errors
    /// As there.
    pub async fn create(&self, name: &str, owner: &Subject, admin: bool) -> Result<CreatedApiKey, Error> {
        create(&self.store, self.clock.now(), name, owner, admin).await
    }

    /// As [`Service::delete_api_key`].
    ///
    /// # Errors
    /// As there.
    pub async fn delete(&self, owner: &Subject, id: &ApiKeyId) -> Result<(), Error> {
        revoke(&self.store, self.clock.now(), owner, id).await
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }
}

async fn create(
    store: &Store,
    now: Timestamp,
    name: &str,
    owner: &Subject,
    admin: bool,
) -> Result<CreatedApiKey, Error> {
    let name = checked_name(name).ok_or_else(|| Error::field("name", "key_name_length"))?;
    let created = CreatedApiKey {
        key: ApiKey {
            id: ApiKeyId::new(secret::new_id("key-")?),
            name: name.to_owned(),
            admin,
            created_at: now,
            last_used_at: None,
        },
        secret: secret::new_secret("sk-attune-")?,
    };
    let mut transaction = store.begin().await?;
    if api_keys::list(&mut *transaction, owner).await?.len() >= MAX_KEYS {
        let message = format!("there are {MAX_KEYS} keys already: remove one first");
        return Err(Error::conflict("too_many_keys", message));
    }
    api_keys::insert(
        &mut transaction,
        owner,
        &created.key,
        &secret::hash(&created.secret),
    )
    .await?;
    transaction.commit().await?;
    Ok(created)
}

async fn revoke(store: &Store, now: Timestamp, owner: &Subject, id: &ApiKeyId) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    if !api_keys::revoke(&mut transaction, owner, id, now).await? {
        return Err(Error::NotFound("key"));
    }
    transaction.commit().await?;
    Ok(())
}

async fn note_use(store: &Store, id: &str, now: Timestamp) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    api_keys::note_use(&mut transaction, id, now, now.plus_ms(-USE_NOTED_EVERY_MS)).await?;
    transaction.commit().await?;
    Ok(())
}
