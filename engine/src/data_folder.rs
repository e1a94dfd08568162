//! The data folder: its layout, and the lock that keeps two servers from sharing it.

use crate::error::StartError;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Where things lie below the data folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Creates what is missing; the root stays readable by its owner only.
    pub(crate) fn prepare(root: &Path) -> Result<Self, StartError> {
        let unusable = |error: &io::Error| StartError::DataFolder {
            path: root.display().to_string(),
            reason: error.to_string(),
        };
        let existed = root.is_dir();
        fs::create_dir_all(root).map_err(|error| unusable(&error))?;
        if !existed {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(root, fs::Permissions::from_mode(0o700)).map_err(|error| unusable(&error))?;
        }
        // Absolute, because a trainer has another working directory.
        let root = fs::canonicalize(root).map_err(|error| unusable(&error))?;
        let layout = Self { root: root.clone() };
        for folder in [
            layout.blobs(),
            layout.uploads(),
            layout.runs(),
            layout.models(),
            layout.estimates(),
            layout.held(),
        ] {
            fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("attune.db")
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Uploads that are still coming.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// What estimates and the examples of steps are told from, while they are.
    pub(crate) fn estimates(&self) -> PathBuf {
        self.root.join("estimates")
    }

    /// Second names of adapters' files, while somebody asks or downloads them.
    pub(crate) fn held(&self) -> PathBuf {
        self.root.join("held")
    }

    /// What the decoding process says besides its answers.
    pub(crate) fn inference_log(&self) -> PathBuf {
        self.root.join("inference.log")
    }

    /// Takes away what a server that was killed left in its scratch folders. Only under the lock.
    pub(crate) fn clear_scratch(&self) {
        let folders = [self.estimates(), self.held()];
        for entry in folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .flatten()
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }

    /// One job's run directory.
    pub(crate) fn run(&self, job_id: &str) -> PathBuf {
        self.runs().join(job_id)
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Takes the data folder for this server, or tells that another has it. Held until the file is dropped.
    pub(crate) fn lock(&self) -> Result<File, StartError> {
        let path = self.root.display().to_string();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.root.join("lock"))
            .map_err(|error| StartError::DataFolder {
                path: path.clone(),
                reason: error.to_string(),
            })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StartError::InUse { path }),
            Err(errno) => Err(StartError::DataFolder {
                path,
                reason: io::Error::from(errno).to_string(),
            }),
        }
    }
}

/// Whether nobody holds the run's `run.lock`: taken and given back at once.
pub(crate) fn run_is_free(run_dir: &Path) -> io::Result<bool> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(run_dir.join("run.lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Room on the disk that holds a folder, in bytes; nothing where the file system doesn't tell.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_told_that_the_folder_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(folder.path()).unwrap();
        let first = layout.lock().unwrap();
        assert!(matches!(layout.lock(), Err(StartError::InUse { .. })));
        drop(first);
        assert!(layout.lock().is_ok());
    }

    #[test]
    fn a_run_is_free_once_its_trainer_has_left() {
        let folder = tempfile::tempdir().unwrap();
        let held = File::create(folder.path().join("run.lock")).unwrap();
        flock(&held, FlockOperation::LockExclusive).unwrap();
        assert!(!run_is_free(folder.path()).unwrap());
        drop(held);
        assert!(run_is_free(folder.path()).unwrap());
    }
}
