//! The linear layer with its adapter, forward and backward.
//!
//! Without dropout the adapter is added into a scratch copy of the weight first: rank ÷ rows of the product's cost,
//! and one product instead of three. With dropout its input differs, so it's computed beside.

use super::{Dropout, workspace::fit};
use crate::{
    lora::{Adapter, AdapterGroup},
    matmul::{Matrix, multiply, multiply_columns_parallel, multiply_parallel},
    model::{GroupLayout, Numbers},
    ops::norm::backward_bias,
    random::Stream,
    simd,
};
use rayon::prelude::*;
use std::ops::Range;

/// One product of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear<'a> {
    pub(crate) layout: &'a GroupLayout,
    pub(crate) weight: Numbers<'a>,
    pub(crate) bias: &'a [f32],
    pub(crate) adapter: Option<(&'a Adapter, &'a AdapterGroup)>,
    /// And which layer this is.
    pub(crate) dropout: Option<(Dropout, usize)>,
}

/// Numbers of a weight that one task prepares.
const WEIGHT_PIECE: usize = 1 << 16;

/// Numbers of a weight that one task multiplies with a single row.
const ROW_PIECE: usize = 1 << 16;

/// Buffers that all linear layers share.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// A weight in f32.
    pub(super) weight: Vec<f32>,
    dropped: Vec<f32>,
    inner: Vec<f32>,
    grad_inner: Vec<f32>,
    /// Rows of the same step before this batch; keys the dropout masks.
    pub(crate) first_row: u64,
}

/// Adds (alpha ÷ rank) · B A to these rows of a weight `[outputs, inputs]`.
pub(crate) fn add_update(adapter: &Adapter, group: &AdapterGroup, rows: Range<usize>, weight: &mut [f32]) {
    let (rank, inputs) = (adapter.spec.rank as usize, group.inputs);
    for part in &group.parts {
        let (first, last) = (part.rows.start.max(rows.start), part.rows.end.min(rows.end));
        if first < last {
            let a = part_of_a(adapter, group, part.column).transposed();
            let b = &adapter.values[part.b.clone()][(first - part.rows.start) * rank..];
            let b = Matrix::new(b, last - first, rank);
            let weight = &mut weight[(first - rows.start) * inputs..(last - rows.start) * inputs];
            multiply(weight, inputs, b, a, adapter.scale(), true);
        }
    }
}

/// One projection's `[inputs, rank]` of a group's A.
fn part_of_a<'a>(adapter: &'a Adapter, group: &AdapterGroup, column: usize) -> Matrix<'a> {
    let a = &adapter.values[group.a.clone()];
    Matrix::strided(
        &a[column..],
        group.inputs,
        adapter.spec.rank as usize,
        group.width,
    )
}

/// `out = weight · input` with `weight` `[outputs, inputs]`: each weight is read once, from where it lies.
pub(crate) fn multiply_row(weight: Numbers<'_>, input: &[f32], out: &mut [f32]) {
    let inputs = input.len();
    let rows = (ROW_PIECE / inputs).max(1);
    out.par_chunks_mut(rows).enumerate().for_each(|(task, out)| {
        let weight = weight.part(task * rows * inputs..(task * rows + out.len()) * inputs);
        match weight {
            Numbers::F32(values) => simd::widest(
                #[inline(always)]
                || {
                    for (out, row) in out.iter_mut().zip(values.chunks_exact(inputs)) {
                        *out = simd::dot(row, input);
                    }
                },
            ),
            Numbers::F16(_) | Numbers::Bf16(_) => {
                let mut row = vec![0.0; inputs];
                for (index, out) in out.iter_mut().enumerate() {
                    weight
                        .part(index * inputs..(index + 1) * inputs)
                        .copy_to(&mut row);
                    *out = simd::widest(
                        #[inline(always)]
                        || simd::dot(&row, input),
                    );
                }
            }
        }
    });
}

impl Linear<'_> {
    /// [`Linear::forward`] without dropout; one row alone is computed without a copy of the weight, the adapter beside it.
    pub(crate) fn forward_few(&self, input: &[f32], out: &mut [f32], scratch: &mut Scratch) {
        if self.rows(input) != 1 {
            return self.forward(input, out, scratch);
        }
        multiply_row(self.weight, input, out);
        for (out, bias) in out.iter_mut().zip(self.bias) {
            *out += bias;
        }
        let Some((adapter, group)) = self.adapter else {
            return;
        };
        let (rank, scale) = (adapter.spec.rank as usize, adapter.scale());
        fit(&mut scratch.inner, group.width);
        let inner = &mut scratch.inner[..];
        simd::widest(
            #[inline(always)]
            || {
                inner.fill(0.0);
                let a = adapter.values[group.a.clone()].chunks_exact(group.width);
                for (value, a) in input.iter().zip(a) {
                    for (inner, a) in inner.iter_mut().zip(a) {
                        *inner += value * a;
                    }
                }
                for part in &group.parts {
                    let inner = &inner[part.column..part.column + rank];
                    let b = adapter.values[part.b.clone()].chunks_exact(rank);
                    for (out, b) in out[part.rows.clone()].iter_mut().zip(b) {
                        *out += scale * simd::dot(b, inner);
                    }
                }
            },
        );
    }

    fn rows(&self, input: &[f32]) -> usize {
        input.len() / self.layout.inputs
    }

    /// The weight as the product needs it: with the adapter in it, in `scratch`, unless dropout keeps the two apart.
    fn effective<'b>(&'b self, scratch: &'b mut Vec<f32>) -> &'b [f32] {
        let (Some((adapter, group)), None) = (self.adapter, self.dropout) else {
            return self.weight.in_f32(scratch);
        };
        let (inputs, count) = (self.layout.inputs, self.weight.len());
        if scratch.len() < count {
            fit(scratch, count);
        }
        let copy = &mut scratch[..count];
        // A piece is still in the cache when the adapter is added to it.
        let piece = (WEIGHT_PIECE / inputs).max(1);
        copy.par_chunks_mut(piece * inputs)
            .enumerate()
            .for_each(|(task, copy)| {
                let start = task * piece * inputs;
                self.weight.part(start..start + copy.len()).copy_to(copy);
                let rows = task * piece..task * piece + copy.len() / inputs;
                add_update(adapter, group, rows, copy);
            });
        copy
    }

    /// `out = input · Wᵀ + bias`, adapter included; `input` `[rows, inputs]`, `out` `[rows, outputs]`.
    pub(crate) fn forward(&self, input: &[f32], out: &mut [f32], scratch: &mut Scratch) {
        let (inputs, outputs) = (self.layout.inputs, self.layout.outputs);
        let rows = self.rows(input);
        let input_matrix = Matrix::new(input, rows, inputs);
        if !self.bias.is_empty() {
            out.par_chunks_mut(outputs)
                .for_each(|row| row.copy_from_slice(self.bias));
        }
        let weight = self.effective(&mut scratch.weight);
        let weight = Matrix::new(weight, outputs, inputs).transposed();
        multiply_parallel(out, input_matrix, weight, 1.0, !self.bias.is_empty());
        if let (Some((adapter, group)), Some((dropout, layer))) = (self.adapter, self.dropout) {
            let rank = adapter.spec.rank as usize;
            for part in &group.parts {
                let stream = dropout.stream(layer, part.projection);
                drop_out(
                    input,
                    inputs,
                    stream,
                    dropout.probability,
                    scratch.first_row,
                    &mut scratch.dropped,
                );
                fit(&mut scratch.inner, rows * rank);
                let a = part_of_a(adapter, group, part.column);
                multiply_parallel(
                    &mut scratch.inner,
                    Matrix::new(&scratch.dropped, rows, inputs),
                    a,
                    1.0,
                    false,
                );
                let b = Matrix::new(&adapter.values[part.b.clone()], part.rows.len(), rank).transposed();
                let inner = Matrix::new(&scratch.inner, rows, rank);
                multiply_columns_parallel(out, outputs, part.rows.start, inner, b, adapter.scale(), true);
            }
        }
    }

    /// `grad_input = grad · W`, adapter included; overwrites.
    pub(crate) fn backward_input(&self, grad: &[f32], grad_input: &mut [f32], scratch: &mut Scratch) {
        let (inputs, outputs) = (self.layout.inputs, self.layout.outputs);
        let rows = grad.len() / outputs;
        let weight = self.effective(&mut scratch.weight);
        let weight = Matrix::new(weight, outputs, inputs);
        multiply_parallel(grad_input, Matrix::new(grad, rows, outputs), weight, 1.0, false);
        if let (Some((adapter, group)), Some((dropout, layer))) = (self.adapter, self.dropout) {
            let rank = adapter.spec.rank as usize;
            for part in &group.parts {
                fit(&mut scratch.grad_inner, rows * rank);
                let b = Matrix::new(&adapter.values[part.b.clone()], part.rows.len(), rank);
                let part_grad = Matrix::strided(&grad[part.rows.start..], rows, part.rows.len(), outputs);
                multiply_parallel(&mut scratch.grad_inner, part_grad, b, adapter.scale(), false);
                fit(&mut scratch.dropped, rows * inputs);
                let a = part_of_a(adapter, group, part.column).transposed();
                let grad_inner = Matrix::new(&scratch.grad_inner, rows, rank);
                multiply_parallel(&mut scratch.dropped, grad_inner, a, 1.0, false);
                let stream = dropout.stream(layer, part.projection);
                add_dropped(
                    &scratch.dropped,
                    inputs,
                    stream,
                    dropout.probability,
                    scratch.first_row,
                    grad_input,
                );
            }
        }
    }

    /// Adds the gradients of A and B to `grads`, which lie as the adapter's values do.
    pub(crate) fn backward_adapter(
        &self,
        input: &[f32],
        grad: &[f32],
        scratch: &mut Scratch,
        grads: &mut [f32],
    ) {
        let Some((adapter, group)) = self.adapter else {
            return;
        };
        let (inputs, outputs) = (self.layout.inputs, self.layout.outputs);
        let (rows, rank, width) = (self.rows(input), adapter.spec.rank as usize, group.width);
        let a = &adapter.values[group.a.clone()];
        fit(&mut scratch.inner, rows * width);
        fit(&mut scratch.grad_inner, rows * width);
        if self.dropout.is_none() {
            let a = Matrix::new(a, inputs, width);
            multiply_parallel(
                &mut scratch.inner,
                Matrix::new(input, rows, inputs),
                a,
                1.0,
                false,
            );
        }
        for part in &group.parts {
            if let Some((dropout, layer)) = self.dropout {
                let stream = dropout.stream(layer, part.projection);
                drop_out(
                    input,
                    inputs,
                    stream,
                    dropout.probability,
                    scratch.first_row,
                    &mut scratch.dropped,
                );
                let dropped = Matrix::new(&scratch.dropped, rows, inputs);
                let a = part_of_a(adapter, group, part.column);
                multiply_columns_parallel(&mut scratch.inner, width, part.column, dropped, a, 1.0, false);
            }
            let part_grad = Matrix::strided(&grad[part.rows.start..], rows, part.rows.len(), outputs);
            let inner = Matrix::strided(&scratch.inner[part.column..], rows, rank, width);
            let grad_b = &mut grads[part.b.clone()];
            multiply_parallel(grad_b, part_grad.transposed(), inner, adapter.scale(), true);
            let b = Matrix::new(&adapter.values[part.b.clone()], part.rows.len(), rank);
            multiply_columns_parallel(
                &mut scratch.grad_inner,
                width,
                part.column,
                part_grad,
                b,
                adapter.scale(),
                false,
            );
            if self.dropout.is_some() {
                let dropped = Matrix::new(&scratch.dropped, rows, inputs).transposed();
                let grad_inner = Matrix::strided(&scratch.grad_inner[part.column..], rows, rank, width);
                let grad_a = &mut grads[group.a.clone()];
                multiply_columns_parallel(grad_a, width, part.column, dropped, grad_inner, 1.0, true);
            }
        }
        if self.dropout.is_none() {
            let grad_inner = Matrix::new(&scratch.grad_inner, rows, width);
            let input = Matrix::new(input, rows, inputs).transposed();
            multiply_parallel(&mut grads[group.a.clone()], input, grad_inner, 1.0, true);
        }
    }

    /// Adds the gradients of weight and bias to `grads`, which lie as the model's weights do.
    pub(crate) fn backward_weight(&self, input: &[f32], grad: &[f32], grads: &mut [f32]) {
        let (inputs, outputs) = (self.layout.inputs, self.layout.outputs);
        let rows = self.rows(input);
        let grad_matrix = Matrix::new(grad, rows, outputs).transposed();
        let input = Matrix::new(input, rows, inputs);
        multiply_parallel(
            &mut grads[self.layout.weight.clone()],
            grad_matrix,
            input,
            1.0,
            true,
        );
        if !self.bias.is_empty() {
            backward_bias(grad, &mut grads[self.layout.bias.clone()]);
        }
    }
}

/// `dropped = input ÷ (1 − p)` where the mask keeps, 0 elsewhere.
fn drop_out(
    input: &[f32],
    width: usize,
    stream: Stream,
    probability: f64,
    first_row: u64,
    dropped: &mut Vec<f32>,
) {
    fit(dropped, input.len());
    let keep = (1.0 / (1.0 - probability)) as f32;
    let threshold = Stream::threshold(probability);
    let chunk = 64 * width;
    dropped
        .par_chunks_mut(chunk)
        .zip(input.par_chunks(chunk))
        .enumerate()
        .for_each(|(task, (out, input))| {
            let first = first_row * width as u64 + (task * chunk) as u64;
            simd::widest(
                #[inline(always)]
                || {
                    for ((out, value), place) in out.iter_mut().zip(input).zip(first..) {
                        let kept = value * keep;
                        *out = if stream.is_below(place, threshold) {
                            0.0
                        } else {
                            kept
                        };
                    }
                },
            );
        });
}

/// Adds the gradient that flows back through the same mask.
fn add_dropped(
    grad: &[f32],
    width: usize,
    stream: Stream,
    probability: f64,
    first_row: u64,
    total: &mut [f32],
) {
    let keep = (1.0 / (1.0 - probability)) as f32;
    let threshold = Stream::threshold(probability);
    let chunk = 64 * width;
    total
        .par_chunks_mut(chunk)
        .zip(grad.par_chunks(chunk))
        .enumerate()
        .for_each(|(task, (out, grad))| {
            let first = first_row * width as u64 + (task * chunk) as u64;
            simd::widest(
                #[inline(always)]
                || {
                    for ((out, value), place) in out.iter_mut().zip(grad).zip(first..) {
                        let kept = *out + value * keep;
                        *out = if stream.is_below(place, threshold) {
                            *out
                        } else {
                            kept
                        };
                    }
                },
            );
        });
}
