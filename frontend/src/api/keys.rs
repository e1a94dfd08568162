//! `/api/keys`: who may call `/v1` on the user's behalf.

use super::{ApiError, read, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    api_key::{ApiKeyList, CreatedApiKey, NewApiKey},
    id::{ApiKeyId, encode_segment},
};

const PATH: &str = "/api/keys";

/// All of them, the oldest first.
#[must_use]
pub fn list() -> Query<ApiKeyList> {
    Query::new(PATH, Resource::Keys)
}

/// Makes one; its secret is in this answer alone.
///
/// # Errors
/// 400 where it can't be called so.
pub(crate) async fn create(key: &NewApiKey) -> Result<CreatedApiKey, ApiError> {
    read(&send(Method::POST, PATH, write(key), &[], None).await?.text)
}

/// Removes one: it is refused from then on.
///
/// # Errors
/// 404 where it is gone.
pub(crate) async fn delete(id: &ApiKeyId) -> Result<(), ApiError> {
    let path = format!("{PATH}/{}", encode_segment(id.as_str()));
    send(Method::DELETE, &path, None, &[], None).await.map(drop)
}
