//! API keys: who calls /v1.

use super::Service;
use crate::{
    clock::Clock,
    data_folder::Layout,
    error::{Error, StartError},
    secret,
    store::{Store, api_keys},
};
use shared::id::Subject;
use std::path::Path;

/// A key as its maker sees it, once.
#[derive(Clone)]
pub struct ApiKey {
    /// Names the key.
    pub id: String,
    /// What to send after `Authorization: Bearer`; only its hash is kept.
    pub secret: String,
}

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

impl Service {
    /// Makes a key for an owner. The secret is shown this once.
    ///
    /// # Errors
    /// Storage only.
    pub async fn create_api_key(&self, name: &str, owner: &Subject, admin: bool) -> Result<ApiKey, Error> {
        insert_key(&self.inner.store, self.inner.clock.as_ref(), name, owner, admin).await
    }

    /// Whose a secret is; nothing where it isn't a key, or was revoked.
    ///
    /// # Errors
    /// Storage only.
    pub async fn subject_for_api_key(&self, secret: &str) -> Result<Option<Caller>, Error> {
        let found = api_keys::find(self.inner.store.read(), &secret::hash(secret)).await?;
        Ok(found.map(|row| Caller {
            subject: Subject::new(row.owner),
            key_id: row.id,
            admin: row.admin,
        }))
    }
}

/// Makes a key in a data folder whether a server works there or not: what `attune key create` calls.
///
/// # Errors
/// The data folder can't be used or is of a newer version.
pub async fn create_api_key_in(
    data_dir: &Path,
    clock: &dyn Clock,
    name: &str,
    owner: &Subject,
    admin: bool,
) -> Result<ApiKey, StartError> {
    let layout = Layout::prepare(data_dir)?;
    let store = Store::open(&layout.database()).await?;
    let key = insert_key(&store, clock, name, owner, admin).await;
    store.close().await;
    key.map_err(|error| StartError::Database {
        path: layout.root().display().to_string(),
        source: error.into(),
    })
}

async fn insert_key(
    store: &Store,
    clock: &dyn Clock,
    name: &str,
    owner: &Subject,
    admin: bool,
) -> Result<ApiKey, Error> {
    let key = ApiKey {
        id: secret::new_id("key-")?,
        secret: secret::new_secret("sk-attune-")?,
    };
    let mut transaction = store.begin().await?;
    api_keys::insert(
        &mut transaction,
        &key.id,
        owner,
        name,
        &secret::hash(&key.secret),
        admin,
        clock.now(),
    )
    .await?;
    transaction.commit().await?;
    Ok(key)
}
