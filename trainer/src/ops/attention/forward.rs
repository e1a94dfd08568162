//! The forward pass.

use super::{BLOCK, Cache, HeadNorms, Shape, Task, rotate, split_off, tasks};
use crate::{
    matmul::{Matrix, multiply},
    network::fit,
    ops::{ROWS_PER_TASK, norm::inverse_rms},
    simd,
};
use rayon::prelude::*;

/// Attention of rows `qkv` `[rows, width]` (queries, then keys, then values) into `attended` `[rows, query_width]`.
/// `scratch` is used for the same numbers in the inner layout.
pub(crate) fn forward(
    shape: Shape<'_>,
    norms: Option<HeadNorms<'_>>,
    qkv: &[f32],
    cache: &mut Cache,
    scratch: &mut Vec<f32>,
    attended: &mut [f32],
) {
    let rows = qkv.len() / shape.width();
    cache.resize(shape, rows);
    fit(scratch, rows * shape.query_width());
    let mut rest = scratch.as_mut_slice();
    let tasks: Vec<(Task<'_>, &mut [f32])> = tasks(shape, cache)
        .into_iter()
        .map(|task| {
            let size = task.query.len();
            (task, split_off(&mut rest, size))
        })
        .collect();
    tasks.into_par_iter().for_each(|(mut task, out)| {
        gather(shape, norms, qkv, &mut task);
        attend(shape, &mut task, out);
    });
    scatter_rows(shape, scratch, attended);
}

/// Copies a task's heads out of the rows, norms and rotates them.
fn gather(shape: Shape<'_>, norms: Option<HeadNorms<'_>>, qkv: &[f32], task: &mut Task<'_>) {
    let (head_dim, group, len) = (shape.head_dim, shape.group(), task.segment.len);
    let first_key = shape.query_width() + task.key_head * head_dim;
    let first_value = first_key + shape.key_width();
    simd::widest(
        #[inline(always)]
        || {
            for position in 0..len {
                let row = &qkv[(task.segment.start + position) * shape.width()..][..shape.width()];
                let (cos, sin) = task.table.at(position);
                for member in 0..group {
                    let from = (task.key_head * group + member) * head_dim;
                    let head = &mut task.query[(member * len + position) * head_dim..][..head_dim];
                    copy_head(
                        &row[from..from + head_dim],
                        norms.map(|norms| (norms.query, norms.eps)),
                        head,
                    );
                    rotate(head, cos, sin, 1.0);
                }
                let key = &mut task.key[position * head_dim..][..head_dim];
                copy_head(
                    &row[first_key..first_key + head_dim],
                    norms.map(|norms| (norms.key, norms.eps)),
                    key,
                );
                rotate(key, cos, sin, 1.0);
                task.value[position * head_dim..][..head_dim]
                    .copy_from_slice(&row[first_value..first_value + head_dim]);
            }
        },
    );
}

/// Copies one head, normed where the model has norms on heads.
#[inline(always)]
pub(crate) fn copy_head(from: &[f32], norm: Option<(&[f32], f32)>, to: &mut [f32]) {
    match norm {
        None => to.copy_from_slice(from),
        Some((weight, eps)) => {
            let scale = inverse_rms(from, eps);
            for ((to, value), weight) in to.iter_mut().zip(from).zip(weight) {
                *to = value * scale * weight;
            }
        }
    }
}

fn attend(shape: Shape<'_>, task: &mut Task<'_>, out: &mut [f32]) {
    let (head_dim, len) = (shape.head_dim, task.segment.len);
    let scale = 1.0 / (head_dim as f32).sqrt();
    let mut scores = vec![0.0; BLOCK.min(len) * len];
    for member in 0..shape.group() {
        let query = &task.query[member * len * head_dim..][..len * head_dim];
        let log_sums = &mut task.log_sums[member * len..][..len];
        let out = &mut out[member * len * head_dim..][..len * head_dim];
        for start in (0..len).step_by(BLOCK) {
            let end = (start + BLOCK).min(len);
            let rows = end - start;
            let scores = &mut scores[..rows * end];
            let keys = Matrix::new(&task.key[..end * head_dim], end, head_dim).transposed();
            let queries = Matrix::new(&query[start * head_dim..end * head_dim], rows, head_dim);
            multiply(scores, end, queries, keys, scale, false);
            simd::widest(
                #[inline(always)]
                || {
                    for (row, scores) in scores.chunks_exact_mut(end).enumerate() {
                        let (seen, hidden) = scores.split_at_mut(start + row + 1);
                        let largest = simd::maximum(seen);
                        let sum = simd::exp_shifted(seen, largest);
                        hidden.fill(0.0);
                        log_sums[start + row] = largest + sum.ln();
                        let share = 1.0 / sum;
                        for score in seen {
                            *score *= share;
                        }
                    }
                },
            );
            let values = Matrix::new(&task.value[..end * head_dim], end, head_dim);
            let out = &mut out[start * head_dim..end * head_dim];
            multiply(out, head_dim, Matrix::new(scores, rows, end), values, 1.0, false);
        }
    }
}

/// From `[head, position, head_dim]` of each sequence to rows.
fn scatter_rows(shape: Shape<'_>, inner: &[f32], rows: &mut [f32]) {
    let (width, head_dim) = (shape.query_width(), shape.head_dim);
    let mut rest = rows;
    for segment in shape.segments {
        let inner = &inner[segment.start * width..][..segment.len * width];
        split_off(&mut rest, segment.len * width)
            .par_chunks_mut(ROWS_PER_TASK * width)
            .enumerate()
            .for_each(|(task, rows)| {
                for (row, out) in rows.chunks_exact_mut(width).enumerate() {
                    let position = task * ROWS_PER_TASK + row;
                    for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
                        let from = (head * segment.len + position) * head_dim;
                        out.copy_from_slice(&inner[from..from + head_dim]);
                    }
                }
            });
    }
}
