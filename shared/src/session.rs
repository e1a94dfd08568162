//! Who is signed in.

use crate::id::Subject;
use serde::{Deserialize, Serialize};

/// `GET /api/session`, and the answer of `POST`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Who this is.
    pub subject: Subject,
    /// How they signed in; always `local` for now.
    pub provider: String,
}

/// The body of `POST /api/session`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The local sign-in token.
    pub token: String,
}
