//! Keys of `/v1`: who made which, and what may be told of them afterwards.

use crate::{id::ApiKeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// Longest name of a key, in characters.
const MAX_KEY_NAME: usize = 100;

/// What a key is called, without blanks around it; nothing where it can't be called so: a name has 1 to
/// 100 characters that can be shown.
#[must_use]
pub fn checked_name(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = !name.is_empty() && name.chars().count() <= MAX_KEY_NAME;
    (fits && !name.contains(char::is_control)).then_some(name)
}

/// A key without its secret, which was shown once, when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// Names it, `key-…`; no secret.
    pub id: ApiKeyId,
    /// What its maker calls it; several may have the same.
    pub name: String,
    /// It may administer: it was made so on the command line.
    #[serde(default)]
    pub admin: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the minute; absent where it never was, or not since the server keeps this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// `GET /api/keys`, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKeyList {
    /// All of the subject's that are valid.
    pub keys: Vec<ApiKey>,
}

/// The body of `POST /api/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What to call it, 1 to 100 characters.
    pub name: String,
}

/// A key as its maker sees it, once. It can't be printed: it has the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// What was made.
    pub key: ApiKey,
    /// What to send after `Authorization: Bearer`, `sk-attune-…`; it can't be seen again.
    pub secret: String,
}
