//! Errors on `/api`: problem details after RFC 9457 with a stable code and findings by field.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of every error answer of `/api`, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: [`Problem::code`] is what programs read.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The status in words, in English.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable, `snake_case`.
    pub code: String,
    /// Names the request in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Field → English text, where a field is at fault.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Field → code with parameters, where the finding is ours, so that a client can say it in its own words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_codes: BTreeMap<String, FieldCode>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

/// A finding about one field: a stable code and the values that its sentence needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldCode {
    /// Stable, `snake_case`; see [`crate::validate`].
    pub code: String,
    /// Parameter → value, already as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}
