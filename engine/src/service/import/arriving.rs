//! A file that is on its way: its bytes gather in the folder of uploads, and go again unless a row comes to stand for them.

use crate::error::Error;
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

/// Bytes that come piece by piece. Its calls block.
#[derive(Debug)]
pub struct ArrivingFile {
    id: String,
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    limit: u64,
    kept: bool,
}

fn failed(error: std::io::Error) -> Error {
    Error::storage("a file could not be written", error)
}

impl ArrivingFile {
    pub(super) fn create(path: PathBuf, id: String, limit: u64) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        Ok(Self {
            id,
            path,
            file: BufWriter::with_capacity(1 << 18, file),
            bytes: 0,
            limit,
            kept: false,
        })
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where the file becomes larger than files may be; storage.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        self.file.write_all(piece).map_err(failed)
    }

    /// Drops what has come: it begins anew.
    ///
    /// # Errors
    /// Storage only.
    pub fn begin_anew(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.file.get_ref().set_len(0).map_err(failed)
    }

    /// All has come: it is on the disk when this answers.
    ///
    /// # Errors
    /// Storage only.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(failed)?;
        self.file.get_ref().sync_all().map_err(failed)
    }

    /// How much has come.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// It still lies there. What nobody writes to for hours is cleared away while it waits for the rest of its job.
    pub(super) fn is_there(&self) -> bool {
        self.path.is_file()
    }

    /// A row stands for it.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for ArrivingFile {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = self.id, "a file that is not needed could not be removed");
        }
    }
}
