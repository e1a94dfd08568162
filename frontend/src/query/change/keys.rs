//! Keys of `/v1`: made, removed.

use crate::{
    api::{self, ApiError},
    query::{Resource, Store},
};
use shared::{
    api_key::{ApiKeyList, CreatedApiKey, NewApiKey},
    id::ApiKeyId,
};

impl Store {
    /// Makes a key.
    ///
    /// # Errors
    /// As [`api::keys::create`].
    pub async fn create_key(&self, key: &NewApiKey) -> Result<CreatedApiKey, ApiError> {
        let outcome = self.watch(api::keys::create(key).await);
        self.invalidate(Resource::Keys);
        outcome
    }

    /// Removes a key; it leaves the list at once.
    ///
    /// # Errors
    /// As [`api::keys::delete`].
    pub async fn delete_key(&self, id: &ApiKeyId) -> Result<(), ApiError> {
        let undo = self.optimistic::<ApiKeyList>(Resource::Keys, |list| {
            list.keys.retain(|key| key.id != *id);
        });
        let outcome = self.watch(api::keys::delete(id).await);
        match &outcome {
            Ok(()) => self.invalidate(Resource::Keys),
            Err(_) => self.roll_back(undo),
        }
        outcome
    }
}
