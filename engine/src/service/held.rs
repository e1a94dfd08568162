//! Files that somebody is using get a second name in `held/`, so that they stay whatever becomes of the first.

use super::job_retry::place;
use std::{io, path::Path};
use tempfile::TempDir;

/// Gives files of a folder second names in a folder of their own, which go when it is dropped.
///
/// # Errors
/// `NotFound` where one isn't there any more.
pub(crate) fn hold(scratch: &Path, from: &Path, names: &[impl AsRef<str>]) -> io::Result<TempDir> {
    let held = TempDir::new_in(scratch)?;
    for name in names {
        place(&from.join(name.as_ref()), &held.path().join(name.as_ref()))?;
    }
    Ok(held)
}
