//! A model on its way into the folder of models: a hidden folder beside the others that becomes the model in one
//! rename, or goes away.
//!
//! What a cut transfer left stays there for the next try, under a lock, so that two processes never fill it together.

use super::{AddError, source::folder_of};
use crate::data_folder::free_bytes;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Holds what is on its way; hidden, so that nobody takes it for a model.
const ADDING: &str = ".adding";

/// Begins the names of models that are being removed.
const REMOVING: &str = ".removing-";

/// Stands for the `/` of an identifier, which can't have it itself.
const SEPARATOR: &str = "@";

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
        refuse_taken(models, &target, id)?;
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
        let Some(free) = free_bytes(&self.folder) else {
            // A file system that doesn't tell is believed to have it.
            return Ok(());
        };
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

    /// Begins anew, whatever is there.
    ///
    /// # Errors
    /// [`AddError::Files`].
    pub(super) fn start_over(&self) -> Result<(), AddError> {
        let files = self.files();
        remove(&files)?;
        fs::create_dir_all(&files).map_err(AddError::files(&files))
    }

    /// Makes it a model, whole and durable.
    ///
    /// # Errors
    /// [`AddError::Exists`] where somebody put one there meanwhile, [`AddError::Files`].
    pub(super) fn commit(&self) -> Result<(), AddError> {
        let above = self.target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(above).map_err(AddError::files(above))?;
        let files = self.files();
        sync_all(&files).map_err(AddError::files(&files))?;
        if self.target.exists() {
            return Err(AddError::Exists(self.target.display().to_string()));
        }
        fs::rename(&files, &self.target).map_err(AddError::files(&self.target))?;
        sync(above).map_err(AddError::files(above))
    }
}

/// That nothing stands where the model would, and that it wouldn't stand inside of another.
fn refuse_taken(models: &Path, target: &Path, id: &str) -> Result<(), AddError> {
    if target.join("config.json").exists() {
        return Err(AddError::Exists(id.to_owned()));
    }
    let inside = target
        .parent()
        .is_some_and(|above| above != models && above.join("config.json").exists());
    if inside || target.exists() {
        return Err(AddError::Taken(id.to_owned()));
    }
    Ok(())
}

fn discard(folder: &Path) {
    // Nothing can be done about a failure here; what is left is swept away one day.
    drop(fs::remove_dir_all(folder));
    if let Some(adding) = folder.parent() {
        // Only the last one empties it.
        drop(fs::remove_dir(adding));
    }
}

/// The lock of a model on its way, if nobody works on it.
fn free(folder: &Path) -> Option<File> {
    let lock = File::open(folder.join("lock")).ok()?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(lock)
}

/// What cut transfers and ended processes left, and nobody works on: identifier and whence it came.
pub(super) fn left_behind(models: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(models.join(ADDING)) else {
        return Vec::new();
    };
    let described = |entry: fs::DirEntry| {
        let _free = free(&entry.path())?;
        let id = entry.file_name().into_string().ok()?.replace(SEPARATOR, "/");
        Some((id, fs::read_to_string(entry.path().join("source")).ok()?))
    };
    entries.flatten().filter_map(described).collect()
}

/// Removes what is left of a model on its way, once nobody works on it any more.
pub(super) fn discard_left(models: &Path, id: &str) {
    let folder = folder_on_its_way(models, id);
    if let Ok(lock) = File::open(folder.join("lock"))
        && flock(&lock, FlockOperation::LockExclusive).is_ok()
    {
        discard(&folder);
    }
}

fn folder_on_its_way(models: &Path, id: &str) -> PathBuf {
    models.join(ADDING).join(id.replace('/', SEPARATOR))
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
        if is_old && let Some(_lock) = free(&path) {
            discard(&path);
        }
    }
}

/// Removes what is left of models whose removal was interrupted.
pub(super) fn finish_removals(models: &Path) {
    for entry in fs::read_dir(models).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(REMOVING) {
            // What can't be removed now is tried again at the next start.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// What a model was: no model any more, but files that take room. Dropped unclear, it goes with the next sweep.
#[derive(Debug)]
#[must_use]
pub(crate) struct Removed(PathBuf);

impl Removed {
    /// Removes the files.
    ///
    /// # Errors
    /// [`AddError::Files`].
    pub(crate) fn clear(self) -> Result<(), AddError> {
        remove(&self.0)
    }
}

/// A model that may go.
#[derive(Debug)]
pub(crate) struct Leaving {
    id: String,
    models: PathBuf,
    folder: PathBuf,
    /// Where it is put before it is cleared away.
    aside: PathBuf,
}

impl Leaving {
    /// Makes room for a model to go; what a removal that was cut has left of it may take its time.
    ///
    /// # Errors
    /// [`AddError::Files`].
    pub(super) fn prepare(models: &Path, id: &str) -> Result<Self, AddError> {
        let aside = models.join(format!("{REMOVING}{}", id.replace('/', SEPARATOR)));
        remove(&aside)?;
        Ok(Self {
            folder: folder_of(models, id)?,
            id: id.to_owned(),
            models: models.to_owned(),
            aside,
        })
    }

    /// Makes the model vanish at once.
    ///
    /// # Errors
    /// [`AddError::Unknown`] where it is gone by now, [`AddError::Files`].
    pub(crate) fn go(self) -> Result<Removed, AddError> {
        fs::rename(&self.folder, &self.aside).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => AddError::Unknown(self.id.clone()),
            _ => AddError::files(&self.folder)(error),
        })?;
        if let Some(group) = self.folder.parent().filter(|group| *group != self.models) {
            // Only an empty one goes.
            drop(fs::remove_dir(group));
        }
        Ok(Removed(self.aside))
    }
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
        pending.commit().unwrap();
        pending.discard();
        assert_eq!(names(models.path()), ["a"]);
        assert_eq!(names(&models.path().join("a/b")), ["config.json"]);
        assert_eq!(
            Pending::open(models.path(), "a/b", "here").unwrap_err().code(),
            "model_exists"
        );
        Leaving::prepare(models.path(), "a/b")
            .unwrap()
            .go()
            .unwrap()
            .clear()
            .unwrap();
        assert_eq!(names(models.path()), Vec::<String>::new());
    }

    #[test]
    fn what_has_arrived_serves_the_same_source_again_and_no_other() {
        let models = tempfile::tempdir().unwrap();
        let pending = Pending::open(models.path(), "m", "one").unwrap();
        fs::write(pending.files().join("part"), b"abc").unwrap();
        assert_eq!(left_behind(models.path()), []);
        drop(pending);
        assert_eq!(left_behind(models.path()), [("m".to_owned(), "one".to_owned())]);
        let pending = Pending::open(models.path(), "m", "one").unwrap();
        assert!(pending.files().join("part").exists());
        sweep(models.path(), Duration::ZERO);
        assert!(pending.files().join("part").exists(), "somebody works on it");
        drop(pending);
        sweep(models.path(), Duration::from_secs(60));
        let pending = Pending::open(models.path(), "m", "two").unwrap();
        assert!(!pending.files().join("part").exists());
        drop(pending);
        sweep(models.path(), Duration::ZERO);
        assert_eq!(names(models.path()), Vec::<String>::new());
        let pending = Pending::open(models.path(), "a/m", "two").unwrap();
        drop(pending);
        assert_eq!(left_behind(models.path())[0].0, "a/m");
        discard_left(models.path(), "a/m");
        assert_eq!(names(models.path()), Vec::<String>::new());
    }

    #[test]
    fn no_model_stands_inside_of_another_or_in_the_place_of_several() {
        let models = tempfile::tempdir().unwrap();
        for id in ["alone", "group/one"] {
            let pending = Pending::open(models.path(), id, "here").unwrap();
            fs::write(pending.files().join("config.json"), b"{}").unwrap();
            pending.commit().unwrap();
            pending.discard();
        }
        for id in ["alone/inner", "group"] {
            assert_eq!(
                Pending::open(models.path(), id, "here").unwrap_err().code(),
                "name_taken"
            );
        }
        fs::create_dir(models.path().join(".removing-x")).unwrap();
        finish_removals(models.path());
        assert_eq!(names(models.path()), ["alone", "group"]);
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
