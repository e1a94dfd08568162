//! GGUF files, the format of llama.cpp: reading what one says and holds, and turning it into a Hugging Face folder.
//!
//! Every length, count and offset in a file is untrusted: it's compared with the size of the file before anything is
//! allocated or read. Weights are read piece by piece and never held as a whole. Not read: version 1, files of
//! big-endian machines, models that are split over several files.
//!
//! Source: the specification `docs/gguf.md` of the ggml project.

mod config;
pub(crate) mod convert;
mod k_quants;
mod names;
mod reader;
mod rope;
mod sentence_piece;
mod tensor_type;
#[cfg(test)]
pub(crate) mod testing;
mod tokenizer;
mod value;
mod weights;

use crate::Error;
use reader::Reader;
use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};
pub(crate) use tensor_type::TensorType;
use value::{Metadata, Value};

const MAGIC: [u8; 4] = *b"GGUF";

/// Where tensors begin, unless the file says otherwise.
const DEFAULT_ALIGNMENT: u64 = 32;

/// The least that the description of a tensor takes: the length of its name, dimensions, one size, type, offset.
const LEAST_TENSOR_BYTES: u64 = 8 + 4 + 8 + 4 + 8;

/// The least that a metadata entry takes: the length of its key, its type, one byte.
const LEAST_ENTRY_BYTES: u64 = 8 + 4 + 1;

/// An open GGUF file.
#[derive(Debug)]
pub(crate) struct GgufFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    tensors: BTreeMap<String, TensorEntry>,
    data_start: u64,
}

/// Where a tensor lies and how.
#[derive(Debug, Clone)]
struct TensorEntry {
    /// Outermost dimension first, as Hugging Face writes it; the file has it the other way round.
    shape: Vec<usize>,
    kind: TensorType,
    /// From the start of all tensors.
    offset: u64,
}

impl TensorEntry {
    /// Length of a row, the innermost dimension.
    fn width(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    fn elements(&self) -> u64 {
        self.shape.iter().map(|side| *side as u64).product()
    }

    fn bytes(&self) -> u64 {
        self.elements() / self.kind.block() as u64 * self.kind.block_bytes() as u64
    }
}

impl GgufFile {
    /// Reads everything but the weights.
    ///
    /// # Errors
    /// [`Error::InvalidModel`] where it's no GGUF file or contradicts itself, [`Error::UnsupportedQuantisation`] where
    /// a tensor is of a type that can't be read, [`Error::Read`].
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::read(path))?;
        let mut reader = Reader::new(path, &file)?;
        if reader.bytes::<4>()? != MAGIC {
            return Err(reader.broken("it doesn't begin as one"));
        }
        match reader.u32()? {
            2 | 3 => {}
            1 => {
                return Err(
                    reader.broken("version 1 isn't read; convert the model anew with a recent llama.cpp")
                );
            }
            // The version as a machine of the other byte order reads it.
            version if version.swap_bytes() < 16 => {
                return Err(reader.broken("it's made for big-endian machines; use the little-endian file"));
            }
            version => {
                return Err(reader.broken(&format!("version {version} isn't known; known are 2 and 3")));
            }
        }
        let tensor_count = reader.count(LEAST_TENSOR_BYTES)?;
        let entry_count = reader.count(LEAST_ENTRY_BYTES)?;
        let mut entries = BTreeMap::new();
        for _ in 0..entry_count {
            let key = reader.text()?;
            let value = Value::read(&mut reader)?;
            if let Some(twice) = entries.insert(key.clone(), value) {
                drop(twice);
                return Err(reader.broken(&format!("`{key}` stands in it twice")));
            }
        }
        let mut tensors = BTreeMap::new();
        for _ in 0..tensor_count {
            let (name, entry) = read_tensor(&mut reader)?;
            if tensors.insert(name.clone(), entry).is_some() {
                return Err(reader.broken(&format!("the tensor `{name}` stands in it twice")));
            }
        }
        let metadata = Metadata::new(entries);
        let alignment = match metadata.integer("general.alignment")? {
            None => DEFAULT_ALIGNMENT,
            Some(alignment) if alignment.is_power_of_two() && alignment <= 1 << 20 => alignment,
            Some(alignment) => return Err(reader.broken(&format!("its alignment can't be {alignment}"))),
        };
        let data_start = reader.position().next_multiple_of(alignment);
        let room = reader.length().saturating_sub(data_start);
        let mut total = 0;
        for (name, tensor) in &tensors {
            let end = tensor.offset.checked_add(tensor.bytes());
            if end.is_none_or(|end| end > room) {
                return Err(reader.broken(&format!(
                    "the tensor `{name}` ends beyond it; it may be cut off, so fetch it again"
                )));
            }
            total += tensor.bytes();
        }
        // Tensors that share bytes could ask for any amount of room from a small file.
        if total > room {
            return Err(reader.broken("its tensors lie over each other"));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            tensors,
            data_start,
        })
    }

    /// Reads `count` rows of a tensor from `row` on into f32. The caller keeps inside the tensor.
    fn read_rows(&self, tensor: &TensorEntry, row: usize, out: &mut [f32]) -> Result<(), Error> {
        let per_row = tensor.width() / tensor.kind.block() * tensor.kind.block_bytes();
        let mut bytes = vec![0; out.len() / tensor.kind.block() * tensor.kind.block_bytes()];
        let start = self.data_start + tensor.offset + row as u64 * per_row as u64;
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(Error::read(&self.path))?;
        tensor.kind.dequantise(&bytes, out);
        Ok(())
    }
}

fn read_tensor(reader: &mut Reader<'_>) -> Result<(String, TensorEntry), Error> {
    let name = reader.text()?;
    let dimensions = reader.u32()?;
    if !(1..=4).contains(&dimensions) {
        return Err(reader.broken(&format!("the tensor `{name}` has {dimensions} dimensions")));
    }
    let mut shape = Vec::new();
    let mut elements = 1_u64;
    for _ in 0..dimensions {
        let side = reader.u64()?;
        // The bound keeps the size in bytes from overflowing, too.
        elements = elements
            .checked_mul(side)
            .filter(|elements| *elements > 0 && *elements < 1 << 48)
            .ok_or_else(|| reader.broken(&format!("the size of the tensor `{name}` makes no sense")))?;
        shape.insert(0, side as usize);
    }
    let kind = TensorType::from_id(reader.u32()?, &name)?;
    let entry = TensorEntry {
        shape,
        kind,
        offset: reader.u64()?,
    };
    if !entry.width().is_multiple_of(kind.block()) {
        return Err(reader.broken(&format!(
            "the rows of the tensor `{name}` are no whole number of {} blocks",
            kind.name()
        )));
    }
    Ok((name, entry))
}

#[cfg(test)]
mod tests;
