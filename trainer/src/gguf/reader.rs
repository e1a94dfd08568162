//! Reading numbers and texts from the head of a GGUF file, never beyond its end.

use crate::Error;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// Longest head that is believed: a vocabulary of 256,000 tokens with its merges takes about 15 MB.
const MAX_HEAD: u64 = 64 << 20;

/// Reads little-endian values one after the other.
pub(super) struct Reader<'a> {
    path: &'a Path,
    inner: BufReader<&'a File>,
    position: u64,
    length: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, file: &'a File) -> Result<Self, Error> {
        let length = file.metadata().map_err(Error::read(path))?.len();
        Ok(Self {
            path,
            inner: BufReader::with_capacity(1 << 16, file),
            position: 0,
            length,
        })
    }

    /// Bytes read so far.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the whole file.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// The refusal of this file.
    pub(super) fn broken(&self, what: &str) -> Error {
        Error::InvalidModel(format!(
            "`{}` is no usable GGUF file: {what}",
            self.path.display()
        ))
    }

    /// That so many bytes are still to come.
    fn expect(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.length - self.position {
            return Err(self.broken("it ends too early; it may be cut off, so fetch it again"));
        }
        if bytes > MAX_HEAD - self.position.min(MAX_HEAD) {
            return Err(self.broken("what stands before its tensors can't be that long"));
        }
        Ok(())
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.expect(N as u64)?;
        let mut bytes = [0; N];
        self.inner
            .read_exact(&mut bytes)
            .map_err(Error::read(self.path))?;
        self.position += N as u64;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Error> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A number of things that each take at least `least` bytes.
    pub(super) fn count(&mut self, least: u64) -> Result<u64, Error> {
        let count = self.u64()?;
        self.expect(count.saturating_mul(least))?;
        Ok(count)
    }

    /// A text with its length before it.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let length = self.count(1)?;
        let mut bytes = vec![0; length as usize];
        self.inner
            .read_exact(&mut bytes)
            .map_err(Error::read(self.path))?;
        self.position += length;
        String::from_utf8(bytes).map_err(|_| self.broken("it holds a text that is no UTF-8"))
    }
}
