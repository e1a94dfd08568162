//! A model's numbers in memory: matrices as they are stored, in 16 bits or f32, and everything else in f32.
//!
//! Sixteen bits are only kept, never computed with: a matrix becomes f32 piece by piece, just before its product.

use crate::{network::fit, simd, tensor_file::Precision};
use half::{f16, slice::HalfBitsSliceExt, slice::HalfFloatSliceExt};
use rayon::prelude::*;
use std::ops::Range;

/// Numbers that one task turns into f32.
const CHUNK: usize = 1 << 14;

/// All numbers, placed as [`super::Layout`] says: matrices first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    /// How `matrices` is to be read.
    precision: Precision,
    /// The bits of all matrices where they are kept in 16, else nothing.
    matrices: Vec<u16>,
    /// Everything after `matrices`: norms and biases; of an f32 model all numbers.
    pub(crate) full: Vec<f32>,
}

/// Some numbers of a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F16(&'a [u16]),
    Bf16(&'a [u16]),
}

impl Weights {
    /// Room for `total` numbers in f32.
    pub(crate) fn full(total: usize) -> Self {
        Self {
            precision: Precision::F32,
            matrices: Vec::new(),
            full: vec![0.0; total],
        }
    }

    /// Room for `matrices` numbers in this precision and f32 for the rest of `total`.
    pub(crate) fn stored(precision: Precision, matrices: usize, total: usize) -> Self {
        match precision {
            Precision::F32 => Self::full(total),
            Precision::F16 | Precision::Bf16 => Self {
                precision,
                matrices: vec![0; matrices],
                full: vec![0.0; total - matrices],
            },
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.matrices.len() + self.full.len()
    }

    /// Whether all numbers are f32.
    pub(crate) const fn is_full(&self) -> bool {
        self.matrices.is_empty()
    }

    /// Numbers of a norm or a bias, of which a model may have none.
    pub(crate) fn vector(&self, range: &Range<usize>) -> &[f32] {
        if range.is_empty() {
            return &[];
        }
        let before = self.matrices.len();
        &self.full[range.start - before..range.end - before]
    }

    /// Numbers of a matrix.
    pub(crate) fn matrix(&self, range: &Range<usize>) -> Numbers<'_> {
        match self.precision {
            Precision::F32 => Numbers::F32(&self.full[range.clone()]),
            Precision::F16 => Numbers::F16(&self.matrices[range.clone()]),
            Precision::Bf16 => Numbers::Bf16(&self.matrices[range.clone()]),
        }
    }

    /// Any numbers.
    pub(crate) fn numbers(&self, range: &Range<usize>) -> Numbers<'_> {
        if range.start < self.matrices.len() {
            self.matrix(range)
        } else {
            Numbers::F32(self.vector(range))
        }
    }

    /// Where to put numbers that are read: their bits, or f32.
    pub(crate) fn place(&mut self, range: &Range<usize>) -> Place<'_> {
        let before = self.matrices.len();
        if range.start < before {
            Place::Bits(&mut self.matrices[range.clone()])
        } else {
            Place::F32(&mut self.full[range.start - before..range.end - before])
        }
    }

    /// The same numbers, all in f32.
    pub(crate) fn into_full(self) -> Self {
        if self.is_full() {
            return self;
        }
        let (matrices, mut full) = (self.matrices.len(), vec![0.0; self.len()]);
        self.matrix(&(0..matrices)).read(&mut full[..matrices]);
        full[matrices..].copy_from_slice(&self.full);
        Self {
            precision: Precision::F32,
            matrices: Vec::new(),
            full,
        }
    }
}

/// A part of [`Weights`] that is being read from a file.
pub(crate) enum Place<'a> {
    Bits(&'a mut [u16]),
    F32(&'a mut [f32]),
}

impl<'a> Numbers<'a> {
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(bits) | Self::Bf16(bits) => bits.len(),
        }
    }

    pub(crate) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::F32(values) => Self::F32(&values[range]),
            Self::F16(bits) => Self::F16(&bits[range]),
            Self::Bf16(bits) => Self::Bf16(&bits[range]),
        }
    }

    /// Writes them as f32, as many as `out` is long, on the calling thread.
    pub(crate) fn copy_to(self, out: &mut [f32]) {
        match self {
            Self::F32(values) => out.copy_from_slice(values),
            Self::F16(bits) => bits.reinterpret_cast::<f16>().convert_to_f32_slice(out),
            Self::Bf16(bits) => simd::widest(
                #[inline(always)]
                || {
                    for (out, bits) in out.iter_mut().zip(bits) {
                        *out = f32::from_bits(u32::from(*bits) << 16);
                    }
                },
            ),
        }
    }

    /// [`Numbers::copy_to`] over all threads of the current pool.
    pub(crate) fn read(self, out: &mut [f32]) {
        out.par_chunks_mut(CHUNK).enumerate().for_each(|(task, out)| {
            let start = task * CHUNK;
            self.part(start..start + out.len()).copy_to(out);
        });
    }

    /// Themselves where they are f32, else a copy in `scratch`.
    pub(crate) fn in_f32<'b>(self, scratch: &'b mut Vec<f32>) -> &'b [f32]
    where
        'a: 'b,
    {
        if let Self::F32(values) = self {
            return values;
        }
        let count = self.len();
        if scratch.len() < count {
            fit(scratch, count);
        }
        self.read(&mut scratch[..count]);
        &scratch[..count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_become_the_very_numbers_that_they_stand_for() {
        let bits: Vec<u16> = (0..=u16::MAX).collect();
        let mut out = vec![0.0; bits.len()];
        Numbers::Bf16(&bits).read(&mut out);
        for (bits, value) in bits.iter().zip(&out) {
            let expected = half::bf16::from_bits(*bits).to_f32();
            assert!(expected.is_nan() && value.is_nan() || expected.to_bits() == value.to_bits());
        }
        Numbers::F16(&bits).read(&mut out);
        for (bits, value) in bits.iter().zip(&out) {
            let expected = f16::from_bits(*bits).to_f32();
            assert!(expected.is_nan() && value.is_nan() || expected.to_bits() == value.to_bits());
        }
    }
}
