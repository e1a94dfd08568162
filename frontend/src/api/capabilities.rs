//! `/api/capabilities`.

use crate::query::{Query, Resource};
use shared::capabilities::Capabilities;

/// What the upstream can do.
#[must_use]
pub fn capabilities() -> Query<Capabilities> {
    Query::new("/api/capabilities", Resource::Capabilities)
}
