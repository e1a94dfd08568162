//! Safetensors files: read one tensor at a time into f32, written from f32 as a stream. The file is never held in memory
//! as a whole.

use crate::Error;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::{
    borrow::Cow,
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Longest header that is believed.
const MAX_HEADER: u64 = 100_000_000;

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats with 10 bits of fraction.
    F16,
    /// 16-bit floats with the exponent of f32.
    Bf16,
}

impl Precision {
    /// `torch_dtype` of `config.json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    pub(crate) const fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
        }
    }

    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// An open safetensors file.
#[derive(Debug)]
pub(crate) struct TensorFile {
    path: PathBuf,
    file: File,
    data_start: u64,
    metadata: Metadata,
}

impl TensorFile {
    /// Reads the header and checks that the file is as long as it says.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        let broken =
            |what: &str| Error::InvalidModel(format!("`{}` is no safetensors file: {what}", path.display()));
        let length = file.metadata().map_err(Error::read(path))?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size)
            .map_err(|_| broken("it is shorter than its header"))?;
        let size = u64::from_le_bytes(size);
        if size > MAX_HEADER || size + 8 > length {
            return Err(broken("its header can't be that long"));
        }
        let mut header = vec![0; size as usize];
        file.read_exact(&mut header).map_err(Error::read(path))?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| broken(&error.to_string()))?;
        if metadata.data_len() as u64 + size + 8 != length {
            return Err(broken(
                "its length doesn't fit its header; it may be cut off, so fetch it again",
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            data_start: size + 8,
            metadata,
        })
    }

    /// Names of all tensors, in no particular order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.metadata.tensors().into_keys().collect()
    }

    /// A tensor's shape.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.metadata.info(name).map(|info| info.shape.as_slice())
    }

    /// How a tensor is stored, where it's one of the ways that can be read.
    pub(crate) fn precision(&self, name: &str) -> Option<Precision> {
        [Precision::F32, Precision::F16, Precision::Bf16]
            .into_iter()
            .find(|precision| {
                self.metadata
                    .info(name)
                    .is_some_and(|info| info.dtype == precision.dtype())
            })
    }

    /// Reads the bits of a tensor of 16-bit numbers.
    pub(crate) fn read_bits(&mut self, name: &str, out: &mut [u16]) -> Result<(), Error> {
        self.seek(name)?;
        let mut buffer = vec![0; 1 << 17];
        for out in out.chunks_mut(1 << 16) {
            let bytes = &mut buffer[..out.len() * 2];
            self.file.read_exact(bytes).map_err(Error::read(&self.path))?;
            for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *out = u16::from_le_bytes(*bytes);
            }
        }
        Ok(())
    }

    /// Goes to where a tensor begins.
    fn seek(&mut self, name: &str) -> Result<(), Error> {
        let start = self.data_start + self.info(name)?.data_offsets.0 as u64;
        self.file
            .seek(SeekFrom::Start(start))
            .map_err(Error::read(&self.path))?;
        Ok(())
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        self.metadata.info(name).ok_or_else(|| {
            Error::InvalidModel(format!("`{}` lacks the tensor `{name}`", self.path.display()))
        })
    }

    /// Reads a tensor of this shape into f32.
    pub(crate) fn read(&mut self, name: &str, shape: &[usize], out: &mut [f32]) -> Result<(), Error> {
        let info = self.info(name)?;
        if info.shape != shape {
            return Err(Error::WeightShapeMismatch {
                name: name.to_owned(),
                found: info.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        let dtype = info.dtype;
        let width = match dtype {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
            other => {
                return Err(Error::InvalidModel(format!(
                    "tensor `{name}` is stored as {other:?}; use f32, f16 or bf16 weights"
                )));
            }
        };
        self.seek(name)?;
        let mut buffer = vec![0; (1 << 16) * width];
        for out in out.chunks_mut(1 << 16) {
            let bytes = &mut buffer[..out.len() * width];
            self.file.read_exact(bytes).map_err(Error::read(&self.path))?;
            match dtype {
                Dtype::F32 => {
                    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                        *out = f32::from_le_bytes(*bytes);
                    }
                }
                Dtype::F16 => {
                    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                        *out = half::f16::from_le_bytes(*bytes).to_f32();
                    }
                }
                _ => {
                    for (out, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                        *out = half::bf16::from_le_bytes(*bytes).to_f32();
                    }
                }
            }
        }
        Ok(())
    }
}

/// One tensor to be written.
#[derive(Debug, Clone)]
pub(crate) struct Tensor<V> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// Its numbers, or what tells them.
    pub(crate) values: V,
}

/// Writes the tensors sorted by name, as transformers and PEFT do (`{"format": "pt"}` in the header).
pub(crate) fn write(
    out: &mut impl Write,
    tensors: Vec<Tensor<Cow<'_, [f32]>>>,
    precision: Precision,
) -> io::Result<()> {
    write_each(out, tensors, precision, |values| Cow::Borrowed(values))
}

/// [`write`] for tensors whose numbers are told one tensor at a time, so that not all of them need be in memory.
pub(crate) fn write_each<V>(
    out: &mut impl Write,
    mut tensors: Vec<Tensor<V>>,
    precision: Precision,
    tell: impl Fn(&V) -> Cow<'_, [f32]>,
) -> io::Result<()> {
    tensors.sort_by(|left, right| left.name.cmp(&right.name));
    let mut offset = 0;
    let infos = tensors
        .iter()
        .map(|tensor| {
            let start = offset;
            offset += tensor.shape.iter().product::<usize>() * precision.bytes();
            let info = TensorInfo {
                dtype: precision.dtype(),
                shape: tensor.shape.clone(),
                data_offsets: (start, offset),
            };
            (tensor.name.clone(), info)
        })
        .collect();
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(format), infos).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    let mut buffer = Vec::with_capacity(1 << 18);
    for tensor in &tensors {
        for values in tell(&tensor.values).chunks(1 << 16) {
            buffer.clear();
            match precision {
                Precision::F32 => values.iter().for_each(|value| buffer.extend(value.to_le_bytes())),
                Precision::F16 => {
                    values
                        .iter()
                        .for_each(|value| buffer.extend(half::f16::from_f32(*value).to_le_bytes()));
                }
                Precision::Bf16 => {
                    values
                        .iter()
                        .for_each(|value| buffer.extend(half::bf16::from_f32(*value).to_le_bytes()));
                }
            }
            out.write_all(&buffer)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(precision: Precision, cut: usize) -> (tempfile::TempDir, PathBuf) {
        let values = [1.0, -2.5, 0.125, 3.0, 0.0, 7.0];
        let tensors = vec![
            Tensor {
                name: "b".to_owned(),
                shape: vec![2],
                values: Cow::Borrowed(&values[..2]),
            },
            Tensor {
                name: "a".to_owned(),
                shape: vec![2, 2],
                values: Cow::Borrowed(&values[2..]),
            },
        ];
        let mut bytes = Vec::new();
        write(&mut bytes, tensors, precision).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        (folder, path)
    }

    #[test]
    fn every_precision_comes_back() {
        for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
            let (_folder, path) = file(precision, 0);
            let mut file = TensorFile::open(&path).unwrap();
            let mut values = [0.0; 4];
            file.read("a", &[2, 2], &mut values).unwrap();
            assert_eq!(values, [0.125, 3.0, 0.0, 7.0]);
            assert_eq!(file.shape("b"), Some([2].as_slice()));
            assert_eq!(
                file.read("a", &[4], &mut values).unwrap_err().code(),
                "weight_shape_mismatch"
            );
            assert_eq!(
                file.read("c", &[4], &mut values).unwrap_err().code(),
                "invalid_model"
            );
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_no_tensor_file_is_refused() {
        let (_folder, path) = file(Precision::F32, 3);
        assert!(
            TensorFile::open(&path)
                .unwrap_err()
                .to_string()
                .contains("cut off")
        );
        std::fs::write(&path, [255; 40]).unwrap();
        assert_eq!(TensorFile::open(&path).unwrap_err().code(), "invalid_model");
        std::fs::write(&path, b"{}").unwrap();
        assert_eq!(TensorFile::open(&path).unwrap_err().code(), "invalid_model");
    }
}
