//! What stands in a GGUF file before its tensors: names with a value each.

use super::reader::Reader;
use crate::Error;
use std::collections::BTreeMap;

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Integer(i128),
    Float(f64),
    Bool(bool),
    Text(String),
    Integers(Vec<i32>),
    Floats(Vec<f32>),
    Texts(Vec<String>),
    /// Something that no model is described with: an array of 64-bit or logical values.
    Other,
}

/// The types of values, by their numbers in the file.
mod kind {
    pub(super) const U8: u32 = 0;
    pub(super) const I8: u32 = 1;
    pub(super) const U16: u32 = 2;
    pub(super) const I16: u32 = 3;
    pub(super) const U32: u32 = 4;
    pub(super) const I32: u32 = 5;
    pub(super) const F32: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const TEXT: u32 = 8;
    pub(super) const ARRAY: u32 = 9;
    pub(super) const U64: u32 = 10;
    pub(super) const I64: u32 = 11;
    pub(super) const F64: u32 = 12;
}

impl Value {
    /// Reads a type and a value of it.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        match reader.u32()? {
            kind::ARRAY => Self::array(reader),
            kind => Self::single(kind, reader),
        }
    }

    fn single(kind: u32, reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(match kind {
            kind::U8 => Self::Integer(u8::from_le_bytes(reader.bytes()?).into()),
            kind::I8 => Self::Integer(i8::from_le_bytes(reader.bytes()?).into()),
            kind::U16 => Self::Integer(u16::from_le_bytes(reader.bytes()?).into()),
            kind::I16 => Self::Integer(i16::from_le_bytes(reader.bytes()?).into()),
            kind::U32 => Self::Integer(u32::from_le_bytes(reader.bytes()?).into()),
            kind::I32 => Self::Integer(i32::from_le_bytes(reader.bytes()?).into()),
            kind::U64 => Self::Integer(u64::from_le_bytes(reader.bytes()?).into()),
            kind::I64 => Self::Integer(i64::from_le_bytes(reader.bytes()?).into()),
            kind::F32 => Self::Float(f32::from_le_bytes(reader.bytes()?).into()),
            kind::F64 => Self::Float(f64::from_le_bytes(reader.bytes()?)),
            kind::BOOL => Self::Bool(reader.bytes::<1>()? != [0]),
            kind::TEXT => Self::Text(reader.text()?),
            other => return Err(reader.broken(&format!("it holds a value of the unknown type {other}"))),
        })
    }

    fn array(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let kind = reader.u32()?;
        let least = match kind {
            kind::U8 | kind::I8 | kind::BOOL => 1,
            kind::U16 | kind::I16 => 2,
            kind::U32 | kind::I32 | kind::F32 => 4,
            kind::U64 | kind::I64 | kind::F64 | kind::TEXT => 8,
            other => return Err(reader.broken(&format!("it holds an array of the type {other}"))),
        };
        let count = reader.count(least)?;
        let (mut integers, mut floats, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            match Self::single(kind, reader)? {
                Self::Text(text) => texts.push(text),
                Self::Float(value) if kind == kind::F32 => floats.push(value as f32),
                // Unsigned ones beyond the range make no sense anywhere; they become negative and are refused there.
                Self::Integer(value) if least <= 4 => integers.push(value as i32),
                _ => {}
            }
        }
        Ok(match kind {
            kind::TEXT => Self::Texts(texts),
            kind::F32 => Self::Floats(floats),
            _ if least <= 4 && kind != kind::BOOL => Self::Integers(integers),
            _ => Self::Other,
        })
    }
}

/// All values by their names.
#[derive(Debug, Default)]
pub(super) struct Metadata(BTreeMap<String, Value>);

impl Metadata {
    pub(super) const fn new(entries: BTreeMap<String, Value>) -> Self {
        Self(entries)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A number that isn't negative.
    pub(super) fn integer(&self, name: &str) -> Result<Option<u64>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Integer(value)) => u64::try_from(*value).map(Some).map_err(|_| unfit(name)),
            Some(_) => Err(unfit(name)),
        }
    }

    /// A number that isn't negative and must be there.
    pub(super) fn needed(&self, name: &str) -> Result<u64, Error> {
        self.integer(name)?.ok_or_else(|| missing(name))
    }

    /// A token's number.
    pub(super) fn token(&self, name: &str) -> Result<Option<u32>, Error> {
        self.integer(name)?
            .map(|id| u32::try_from(id).map_err(|_| unfit(name)))
            .transpose()
    }

    /// A finite number.
    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Float(value)) if value.is_finite() => Ok(Some(*value)),
            Some(_) => Err(unfit(name)),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(unfit(name)),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(unfit(name)),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<&[String]>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(_) => Err(unfit(name)),
        }
    }

    pub(super) fn integers(&self, name: &str) -> Result<Option<&[i32]>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Integers(values)) => Ok(Some(values)),
            Some(_) => Err(unfit(name)),
        }
    }

    pub(super) fn floats(&self, name: &str) -> Result<Option<&[f32]>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Floats(values)) => Ok(Some(values)),
            Some(_) => Err(unfit(name)),
        }
    }
}

fn unfit(name: &str) -> Error {
    Error::InvalidModel(format!(
        "`{name}` in the GGUF file has a value that can't be used"
    ))
}

/// The refusal of a file that lacks a value.
pub(super) fn missing(name: &str) -> Error {
    Error::InvalidModel(format!(
        "the GGUF file lacks `{name}`; convert the model anew with a recent llama.cpp"
    ))
}
