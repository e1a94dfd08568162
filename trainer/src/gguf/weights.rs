//! The weights of a GGUF file as `model.safetensors`, written piece by piece.
//!
//! Matrices that are quantised, or not all stored alike, become f16; everything else stays as it is. llama.cpp keeps the
//! rows of q and k of its `llama` architecture in another order (the two halves of each head interleaved); here they go
//! back to where they were.

use super::{
    GgufFile, TensorEntry,
    names::{ROPE_FACTORS, gguf_name},
    tensor_type::TensorType,
};
use crate::{
    Error, Precision,
    config::{Family, ModelConfig},
    model::Layout,
};
use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorInfo};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// Numbers that are in memory at a time, where a row isn't longer.
const PIECE: usize = 1 << 18;

/// All tensors of a model and where each comes from.
pub(super) struct Plan<'a> {
    file: &'a GgufFile,
    tensors: Vec<Planned<'a>>,
    /// Of all matrices.
    precision: Precision,
}

/// One tensor to be written.
struct Planned<'a> {
    name: String,
    source: &'a TensorEntry,
    precision: Precision,
    /// The width of a head where rows have to be put back in order.
    interleaved: Option<usize>,
}

impl<'a> Plan<'a> {
    /// Finds every tensor that the configuration asks for.
    ///
    /// # Errors
    /// [`Error::InvalidModel`] where one is missing or one too many, [`Error::WeightShapeMismatch`].
    pub(super) fn new(file: &'a GgufFile, config: &ModelConfig) -> Result<Self, Error> {
        // A layer is many tensors: a small file can't ask for a long list of them.
        if config.num_hidden_layers > file.tensors.len() {
            return Err(Error::InvalidModel(format!(
                "the GGUF file has {} tensors where {} layers are asked for",
                file.tensors.len(),
                config.num_hidden_layers
            )));
        }
        let mut unused: BTreeSet<&str> = file.tensors.keys().map(String::as_str).collect();
        unused.remove(ROPE_FACTORS);
        let mut tensors = Vec::new();
        for tensor in Layout::new(config).tensors(config) {
            let source_name = gguf_name(&tensor.name).ok_or_else(|| {
                Error::InvalidModel(format!("tensor `{}` has no name in GGUF files", tensor.name))
            })?;
            let source = file.tensors.get(&source_name).ok_or_else(|| {
                Error::InvalidModel(format!("the GGUF file lacks the tensor `{source_name}`"))
            })?;
            if source.shape != tensor.shape {
                return Err(Error::WeightShapeMismatch {
                    name: source_name,
                    found: source.shape.clone(),
                    expected: tensor.shape,
                });
            }
            unused.remove(source_name.as_str());
            let is_query_or_key = [".attn_q.", ".attn_k."]
                .iter()
                .any(|part| source_name.contains(part));
            tensors.push(Planned {
                interleaved: (config.family == Family::Llama && is_query_or_key).then_some(config.head_dim),
                precision: precision_of(source.kind),
                name: tensor.name,
                source,
            });
        }
        if let Some(name) = unused.first() {
            return Err(Error::InvalidModel(format!(
                "the GGUF file holds the tensor `{name}`, which the architecture has no use for"
            )));
        }
        // Training keeps matrices in 16 bits only where all are stored alike.
        let is_matrix = |tensor: &Planned<'_>| tensor.source.shape.len() > 1;
        let mut found = tensors
            .iter()
            .filter(|tensor| is_matrix(tensor))
            .map(|tensor| tensor.precision);
        let precision = match found.next() {
            Some(first) if found.all(|other| other == first) => first,
            _ => Precision::F16,
        };
        for tensor in &mut tensors {
            if is_matrix(tensor) {
                tensor.precision = precision;
            }
        }
        // Wide numbers first, so that each begins at a multiple of its width.
        tensors.sort_by(|left, right| {
            (Reverse(left.precision.bytes()), &left.name)
                .cmp(&(Reverse(right.precision.bytes()), &right.name))
        });
        Ok(Self {
            file,
            tensors,
            precision,
        })
    }

    /// How matrices are stored.
    pub(super) const fn precision(&self) -> Precision {
        self.precision
    }

    /// Bytes of all tensors as they will be written.
    pub(super) fn bytes(&self) -> u64 {
        self.tensors.iter().map(Planned::bytes).sum()
    }

    /// Writes the file and flushes it to the disk.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`], [`Error::InvalidModel`] where a number isn't finite.
    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut out = BufWriter::new(File::create(path).map_err(Error::write(path))?);
        let header = self.header().map_err(Error::write(path))?;
        out.write_all(&header).map_err(Error::write(path))?;
        for tensor in &self.tensors {
            tensor.write(self.file, &mut out, path)?;
        }
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(Error::write(path))
    }

    fn header(&self) -> io::Result<Vec<u8>> {
        let mut end = 0;
        let infos = self
            .tensors
            .iter()
            .map(|tensor| {
                let start = end;
                end += tensor.bytes() as usize;
                let info = TensorInfo {
                    dtype: tensor.precision.dtype(),
                    shape: tensor.source.shape.clone(),
                    data_offsets: (start, end),
                };
                (tensor.name.clone(), info)
            })
            .collect();
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let metadata = Metadata::new(Some(format), infos).map_err(io::Error::other)?;
        let mut text = serde_json::to_vec(&metadata)?;
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut header = (text.len() as u64).to_le_bytes().to_vec();
        header.extend(text);
        Ok(header)
    }
}

impl Planned<'_> {
    fn bytes(&self) -> u64 {
        self.source.elements() * self.precision.bytes() as u64
    }

    fn write(&self, file: &GgufFile, out: &mut impl Write, path: &Path) -> Result<(), Error> {
        let width = self.source.width();
        let rows = (self.source.elements() / width as u64) as usize;
        let mut bytes = Vec::new();
        match self.interleaved {
            // A bias: its numbers are what rows are of a matrix.
            Some(head_dim) if rows == 1 => {
                let mut values = vec![0.0; width];
                file.read_rows(self.source, 0, &mut values)?;
                let ordered: Vec<f32> = (0..width)
                    .map(|place| values[row_in_file(place, head_dim)])
                    .collect();
                self.encode(&ordered, &mut bytes)?;
                out.write_all(&bytes).map_err(Error::write(path))
            }
            Some(head_dim) => {
                let mut values = vec![0.0; width];
                for row in 0..rows {
                    file.read_rows(self.source, row_in_file(row, head_dim), &mut values)?;
                    self.encode(&values, &mut bytes)?;
                    out.write_all(&bytes).map_err(Error::write(path))?;
                }
                Ok(())
            }
            None => {
                let at_once = (PIECE / width).max(1);
                let mut values = vec![0.0; at_once.min(rows) * width];
                for row in (0..rows).step_by(at_once) {
                    let values = &mut values[..at_once.min(rows - row) * width];
                    file.read_rows(self.source, row, values)?;
                    self.encode(values, &mut bytes)?;
                    out.write_all(&bytes).map_err(Error::write(path))?;
                }
                Ok(())
            }
        }
    }

    fn encode(&self, values: &[f32], bytes: &mut Vec<u8>) -> Result<(), Error> {
        bytes.clear();
        let mut is_finite = true;
        for value in values {
            match self.precision {
                Precision::F32 => {
                    is_finite &= value.is_finite();
                    bytes.extend(value.to_le_bytes());
                }
                Precision::F16 => {
                    let value = f16::from_f32(*value);
                    is_finite &= value.is_finite();
                    bytes.extend(value.to_le_bytes());
                }
                Precision::Bf16 => {
                    let value = bf16::from_f32(*value);
                    is_finite &= value.is_finite();
                    bytes.extend(value.to_le_bytes());
                }
            }
        }
        if is_finite {
            return Ok(());
        }
        Err(Error::InvalidModel(format!(
            "tensor `{}` holds numbers that aren't finite or are too large for 16 bits; fetch the file again or use another",
            self.name
        )))
    }
}

/// Where row `row` of a Hugging Face tensor lies in llama.cpp's order, in which the two halves of a head interleave.
const fn row_in_file(row: usize, head_dim: usize) -> usize {
    let (head, inside, half) = (row / head_dim, row % head_dim, head_dim / 2);
    head * head_dim + inside % half * 2 + inside / half
}

const fn precision_of(kind: TensorType) -> Precision {
    match kind {
        TensorType::F32 => Precision::F32,
        TensorType::Bf16 => Precision::Bf16,
        _ => Precision::F16,
    }
}
