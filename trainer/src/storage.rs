//! Files that survive a loss of power: written under a temporary name, flushed, renamed, their folder flushed. Whoever
//! sees the final name sees a whole file or folder.

use crate::Error;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// A file's digest and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// A folder that appears under its name only when it's whole. Dropped before [`PendingFolder::commit`], it leaves nothing.
#[derive(Debug)]
pub(crate) struct PendingFolder {
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl PendingFolder {
    /// Begins `target`, whose parent is created where it's missing.
    pub(crate) fn create(target: &Path) -> Result<Self, Error> {
        let name = target
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let parent = target.parent().unwrap_or(Path::new("."));
        create_folder(parent)?;
        let temporary = parent.join(format!(".{name}.tmp"));
        remove_folder(&temporary)?;
        fs::create_dir(&temporary).map_err(Error::write(&temporary))?;
        Ok(Self {
            temporary,
            target: target.to_owned(),
            committed: false,
        })
    }

    /// Where files may be put meanwhile.
    pub(crate) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Writes one file and flushes it to the disk.
    pub(crate) fn write(
        &self,
        name: &str,
        body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, Error> {
        write_file(&self.temporary.join(name), body)
    }

    /// Gives the folder its name, in place of an older one.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        sync_folder(&self.temporary)?;
        if self.target.exists() {
            // The two change places, so that at no instant there's none; dropping removes the older one.
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(
                rustix::fs::CWD,
                &self.temporary,
                rustix::fs::CWD,
                &self.target,
                flags,
            )
            .map_err(|error| Error::write(&self.target)(error.into()))?;
        } else {
            fs::rename(&self.temporary, &self.target).map_err(Error::write(&self.target))?;
            self.committed = true;
        }
        sync_folder(self.target.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for PendingFolder {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing can be done about a failure here, and the next attempt removes what's left.
            drop(fs::remove_dir_all(&self.temporary));
        }
    }
}

/// That a folder's disk has room for so many bytes, told before anything is written. A file system that doesn't tell
/// is believed to have it.
pub(crate) fn ensure_space(folder: &Path, needed: u64) -> Result<(), Error> {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= needed {
        return Ok(());
    }
    Err(Error::NoSpace {
        path: folder.display().to_string(),
        needed_mb: needed.div_ceil(1_000_000),
        free_mb: free / 1_000_000,
    })
}

/// Creates a folder and those above it that are missing, so that their names outlive a loss of power, too.
fn create_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    create_folder(above)?;
    fs::create_dir(path).map_err(Error::write(path))?;
    sync_folder(above)
}

/// Removes a folder that may not exist.
pub(crate) fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::write(path)(error)),
        _ => Ok(()),
    }
}

/// Writes a file under its own name and flushes it; for folders that are renamed afterwards.
pub(crate) fn write_file(
    path: &Path,
    body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Written, Error> {
    let attempt = || {
        let mut out = Hashing {
            inner: BufWriter::new(File::create(path)?),
            hash: Sha256::new(),
            bytes: 0,
        };
        body(&mut out)?;
        let Hashing { inner, hash, bytes } = out;
        inner
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        Ok(Written {
            sha256: hex(&hash.finalize()),
            bytes,
        })
    };
    attempt().map_err(Error::write(path))
}

/// Replaces a file by a whole new one.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let temporary = path.with_file_name(format!(".{name}.tmp"));
    write_file(&temporary, |out| out.write_all(content))?;
    fs::rename(&temporary, path).map_err(Error::write(path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Flushes a folder's list of names.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::write(path))
}

/// A file's SHA-256.
pub(crate) fn digest(path: &Path) -> Result<String, Error> {
    let attempt = || {
        let mut file = File::open(path)?;
        let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hex(&hash.finalize())),
                count => hash.update(&buffer[..count]),
            }
        }
    };
    attempt().map_err(Error::read(path))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_the_room_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure_space(folder.path(), 1).is_ok());
        let error = ensure_space(folder.path(), u64::MAX / 2).unwrap_err();
        assert_eq!(error.code(), "disk_full");
        assert!(error.to_string().contains("MB are needed"), "{error}");
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("inside").join("result");
        let pending = PendingFolder::create(&target).unwrap();
        let written = pending.write("a", |out| out.write_all(b"abc")).unwrap();
        assert_eq!(written.bytes, 3);
        assert_eq!(
            written.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(!target.exists());
        drop(pending);
        assert_eq!(fs::read_dir(parent.path().join("inside")).unwrap().count(), 0);
        let pending = PendingFolder::create(&target).unwrap();
        pending.write("a", |out| out.write_all(b"abc")).unwrap();
        pending.commit().unwrap();
        assert_eq!(digest(&target.join("a")).unwrap(), written.sha256);
        let pending = PendingFolder::create(&target).unwrap();
        pending.write("b", |out| out.write_all(b"abc")).unwrap();
        pending.commit().unwrap();
        assert!(target.join("b").exists() && !target.join("a").exists());
        assert_eq!(fs::read_dir(parent.path().join("inside")).unwrap().count(), 1);
    }

    #[test]
    fn what_can_not_be_written_is_told_with_its_path() {
        let error = write_file(Path::new("/dev/full"), |out| out.write_all(&[0; 100_000])).unwrap_err();
        assert_eq!(error.code(), "disk_full");
        assert!(error.to_string().contains("/dev/full"));
    }
}
