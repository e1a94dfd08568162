//! `/api/models`: base models to choose from.

use crate::query::{Query, Resource};
use shared::model::ModelList;

/// All base models.
#[must_use]
pub fn list() -> Query<ModelList> {
    Query::new("/api/models", Resource::Models)
}
