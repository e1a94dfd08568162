//! A model on its way into the folder of models: a hidden folder beside the others that becomes the model in one
//! rename, or goes away.
//!
//! What a cut transfer left stays there for the next try, under a lock, so that two processes never fill it together.

use super::{AddError, source::folder_of};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Holds what is on its way; hidden, so that nobody takes it for a model.
const ADDING: &str = ".adding";

/// A model on its way. What has arrived outlives this process, until it is committed, discarded or swept away.
#[derive(Debug)]
pub(super) struct Pending {
    folder: PathBuf,
    target: PathBuf,
    _lock: File,
}

impl Pending {
    /// Begins, or goes on with what an earlier try left of the same source.
    ///
    /// # Errors
    /// [`AddError::InvalidName`], [`AddError::Exists`], [`AddError::Busy`], [`AddError::Files`].
    pub(super) fn open(models: &Path, id: &str, source: &str) -> Result<Self, AddError> {
        let target = folder_of(models, id)?;
        if target.exists() {
            return Err(AddError::Exists(id.to_owned()));
        }
        let folder = folder_on_its_way(models, id);
        fs::create_dir_all(&folder).map_err(AddError::files(&folder))?;
        let lock_path = folder.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(AddError::files(&lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(AddError::Busy(id.to_owned())),
            Err(errno) => return Err(AddError::files(&lock_path)(errno.into())),
        }
        let pending = Self {
            folder,
            target,
            _lock: lock,
        };
        // Once it was known, the revision stands behind the source.
        let known = fs::read_to_string(pending.note()).unwrap_or_default();
        if known.split(' ').next() != Some(source) {
            pending.keep_only_what_came_from(source)?;
        }
        Ok(pending)
    }

    /// Tells where the files come from.
    fn note(&self) -> PathBuf {
        self.folder.join("source")
    }

    /// Another source's, or another revision's, beginnings are of no use.
    pub(super) fn keep_only_what_came_from(&self, source: &str) -> Result<(), AddError> {
        let (note, files) = (self.note(), self.files());
        if !fs::read_to_string(&note).is_ok_and(|known| known == source) {
            remove(&files)?;
            fs::write(&note, source).map_err(AddError::files(&note))?;
        }
        fs::create_dir_all(&files).map_err(AddError::files(&files))
    }

    /// Where the files go.
    pub(super) fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// That the disk has room for so many more bytes.
    ///
    /// # Errors
    /// [`AddError::NoSpace`].
    pub(super) fn ensure_space(&self, needed: u64) -> Result<(), AddError> {
        let Ok(disk) = rustix::fs::statvfs(&self.folder) else {
            // A file system that doesn't tell is believed to have it.
            return Ok(());
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= needed {
            return Ok(());
        }
        Err(AddError::NoSpace {
            path: self.folder.display().to_string(),
            needed_mb: needed.div_ceil(1_000_000),
            free_mb: free / 1_000_000,
        })
    }

    /// Leaves nothing.
    pub(super) fn discard(self) {
        discard(&self.folder);
    }

    /// Makes it a model, whole and durable.
    ///
    /// # Errors
    /// [`AddError::Exists`] where somebody put one there meanwhile, [`AddError::Files`].
    pub(super) fn commit(self, id: &str) -> Result<(), AddError> {
        let above = self.target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(above).map_err(AddError::files(above))?;
        let files = self.files();
        sync_all(&files).map_err(AddError::files(&files))?;
        if self.target.exists() {
            return Err(AddError::Exists(id.to_owned()));
        }
        fs::rename(&files, &self.target).map_err(AddError::files(&self.target))?;
        sync(above).map_err(AddError::files(above))?;
        discard(&self.folder);
        Ok(())
    }
}

fn discard(folder: &Path) {
    // Nothing can be done about a failure here; what is left is swept away one day.
    drop(fs::remove_dir_all(folder));
    if let Some(adding) = folder.parent() {
        // Only the last one empties it.
        drop(fs::remove_dir(adding));
    }
}

/// Whether nobody works on it.
fn is_free(folder: &Path) -> bool {
    File::open(folder.join("lock"))
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// Whence came what cut transfers and ended processes left, and nobody works on.
pub(super) fn left_behind(models: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(models.join(ADDING)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| is_free(&entry.path()))
        .filter_map(|entry| fs::read_to_string(entry.path().join("source")).ok())
        .collect()
}

/// Removes what is left of a model on its way, if nobody works on it.
pub(super) fn discard_left(models: &Path, id: &str) {
    let folder = folder_on_its_way(models, id);
    if is_free(&folder) {
        discard(&folder);
    }
}

fn folder_on_its_way(models: &Path, id: &str) -> PathBuf {
    models.join(ADDING).join(id.replace('/', "--"))
}

/// Removes what cut transfers left longer ago than this and nobody works on.
pub(super) fn sweep(models: &Path, older_than: Duration) {
    let Ok(entries) = fs::read_dir(models.join(ADDING)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let changed = fs::metadata(path.join("files")).and_then(|known| known.modified());
        let is_old = changed.is_ok_and(|at| {
            SystemTime::now()
                .duration_since(at)
                .is_ok_and(|age| age > older_than)
        });
        if is_old && is_free(&path) {
            discard(&path);
        }
    }
}

/// Removes a model: it is gone at once, whatever happens while its files are removed.
///
/// # Errors
/// [`AddError::Files`].
pub(super) fn remove_model(models: &Path, id: &str) -> Result<(), AddError> {
    let target = folder_of(models, id)?;
    let leaving = models.join(format!(".removing-{}", id.replace('/', "--")));
    remove(&leaving)?;
    fs::rename(&target, &leaving).map_err(AddError::files(&target))?;
    if let Some(group) = target.parent().filter(|group| *group != models) {
        // Only an empty one goes.
        drop(fs::remove_dir(group));
    }
    remove(&leaving)
}

fn remove(folder: &Path) -> Result<(), AddError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(AddError::files(folder)(error)),
        _ => Ok(()),
    }
}

/// Flushes the files of a folder and its list of names.
fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        sync(&entry?.path())?;
    }
    sync(folder)
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_model_appears_whole_or_not_at_all() {
        let models = tempfile::tempdir().unwrap();
        let pending = Pending::open(models.path(), "a/b", "here").unwrap();
        fs::write(pending.files().join("config.json"), b"{}").unwrap();
        assert_eq!(
            Pending::open(models.path(), "a/b", "here").unwrap_err().code(),
            "model_busy"
        );
        pending.discard();
        assert_eq!(names(models.path()), Vec::<String>::new());
        let pending = Pending::open(models.path(), "a/b", "here").unwrap();
        fs::write(pending.files().join("config.json"), b"{}").unwrap();
        pending.commit("a/b").unwrap();
        assert_eq!(names(models.path()), ["a"]);
        assert_eq!(names(&models.path().join("a/b")), ["config.json"]);
        assert_eq!(
            Pending::open(models.path(), "a/b", "here").unwrap_err().code(),
            "model_exists"
        );
        remove_model(models.path(), "a/b").unwrap();
        assert_eq!(names(models.path()), Vec::<String>::new());
    }

    #[test]
    fn what_has_arrived_serves_the_same_source_again_and_no_other() {
        let models = tempfile::tempdir().unwrap();
        let pending = Pending::open(models.path(), "m", "one").unwrap();
        fs::write(pending.files().join("part"), b"abc").unwrap();
        assert_eq!(left_behind(models.path()), Vec::<String>::new());
        drop(pending);
        assert_eq!(left_behind(models.path()), ["one"]);
        let pending = Pending::open(models.path(), "m", "one").unwrap();
        assert!(pending.files().join("part").exists());
        discard_left(models.path(), "m");
        assert!(pending.files().join("part").exists(), "somebody works on it");
        drop(pending);
        sweep(models.path(), Duration::from_secs(60));
        let pending = Pending::open(models.path(), "m", "two").unwrap();
        assert!(!pending.files().join("part").exists());
        drop(pending);
        sweep(models.path(), Duration::ZERO);
        assert_eq!(names(models.path()), Vec::<String>::new());
    }

    #[test]
    fn a_disk_without_the_room_is_told_beforehand() {
        let models = tempfile::tempdir().unwrap();
        let pending = Pending::open(models.path(), "m", "one").unwrap();
        assert!(pending.ensure_space(1).is_ok());
        assert_eq!(
            pending.ensure_space(u64::MAX / 2).unwrap_err().code(),
            "disk_full"
        );
    }
}
