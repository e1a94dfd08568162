//! What upstreams over the network have in common: the HTTP client with its key and its limits, reading JSON tolerantly,
//! shared answers, lists that are searched here, and one job for one draft.
//!
//! What one of them says in its own words lives beside this module, in a file of its name.

pub(super) mod client;
pub(super) mod creations;
pub(super) mod jobs_page;
pub(super) mod json;
pub(super) mod read;
pub(super) mod single_flight;
pub(super) mod unchanged;

use super::{Answer, UpstreamError};
use shared::id::encode_segment;

/// 404 for a collection means that no such API stands there.
pub(super) fn no_such_call(error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::NotFound(_) => {
            UpstreamError::InvalidResponse("it knows no such call; check `upstream.base_url`".to_owned())
        }
        other => other,
    }
}

/// The path of one thing of a collection, and what is below it. Addresses resolve `.` and `..` however they are encoded,
/// so these name nothing.
pub(super) fn path_of(collection: &str, what: &'static str, id: &str, below: &str) -> Answer<String> {
    if matches!(id, "" | "." | "..") {
        return Err(UpstreamError::NotFound(what));
    }
    Ok(format!("{collection}/{}{below}", encode_segment(id)))
}
