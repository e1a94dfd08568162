//! The backward pass. It uses the cache up: queries, keys and values are replaced by their gradients.

use super::{BLOCK, Cache, HeadNorms, Shape, Task, rotate, tasks};
use crate::{
    matmul::{Matrix, multiply},
    ops::{
        ROWS_PER_TASK,
        norm::{add_parts, backward_row, inverse_rms},
    },
    simd,
};
use rayon::prelude::*;

/// What the forward pass saw and what flows back to it.
pub(crate) struct Gradients<'a> {
    /// The forward pass's result, `[rows, query_width]`.
    pub(crate) attended: &'a [f32],
    /// Its gradient.
    pub(crate) grad_attended: &'a [f32],
    /// The forward pass's input, `[rows, width]`; read only where heads have norms, empty otherwise.
    pub(crate) qkv: &'a [f32],
    /// Gradient of the head norms' weights, queries' then keys', `[2 · head_dim]`, added to where it's wanted.
    pub(crate) norm_weights: Option<&'a mut [f32]>,
}

/// Writes the gradient of the forward pass's input to `grad_qkv` `[rows, width]`.
pub(crate) fn backward(
    shape: Shape<'_>,
    norms: Option<HeadNorms<'_>>,
    gradients: Gradients<'_>,
    cache: &mut Cache,
    grad_qkv: &mut [f32],
) {
    let Gradients {
        attended,
        grad_attended,
        qkv,
        norm_weights,
    } = gradients;
    let parts: Vec<Vec<f32>> = tasks(shape, cache)
        .into_par_iter()
        .map(|mut task| {
            flow(shape, attended, grad_attended, &mut task);
            turn_back(shape, norms, qkv, &mut task)
        })
        .collect();
    if let Some(total) = norm_weights {
        add_parts(&parts, total);
    }
    gather_rows(shape, cache, grad_qkv);
}

fn flow(shape: Shape<'_>, attended: &[f32], grad_attended: &[f32], task: &mut Task<'_>) {
    let (head_dim, len, width) = (shape.head_dim, task.segment.len, shape.query_width());
    let scale = 1.0 / (head_dim as f32).sqrt();
    let block = BLOCK.min(len);
    let (mut scores, mut flows) = (vec![0.0; block * len], vec![0.0; block * len]);
    let mut deltas = vec![0.0; block];
    let mut grad_query = vec![0.0; len * head_dim];
    let (mut grad_key, mut grad_value) = (vec![0.0; len * head_dim], vec![0.0; len * head_dim]);
    for member in 0..shape.group() {
        let column = (task.key_head * shape.group() + member) * head_dim;
        let query = &mut task.query[member * len * head_dim..][..len * head_dim];
        let log_sums = &task.log_sums[member * len..][..len];
        for start in (0..len).step_by(BLOCK) {
            let end = (start + BLOCK).min(len);
            let rows = end - start;
            let (scores, flows) = (&mut scores[..rows * end], &mut flows[..rows * end]);
            let first = (task.segment.start + start) * width + column;
            let grad = Matrix::strided(&grad_attended[first..], rows, head_dim, width);
            let queries = Matrix::new(&query[start * head_dim..end * head_dim], rows, head_dim);
            let keys = Matrix::new(&task.key[..end * head_dim], end, head_dim);
            let values = Matrix::new(&task.value[..end * head_dim], end, head_dim);
            multiply(scores, end, queries, keys.transposed(), scale, false);
            multiply(flows, end, grad, values.transposed(), 1.0, false);
            simd::widest(
                #[inline(always)]
                || {
                    for (row, delta) in deltas[..rows].iter_mut().enumerate() {
                        let at = first + row * width;
                        *delta = simd::dot(&attended[at..at + head_dim], &grad_attended[at..at + head_dim]);
                    }
                    let all = scores
                        .chunks_exact_mut(end)
                        .zip(flows.chunks_exact_mut(end))
                        .enumerate();
                    for (row, (scores, flows)) in all {
                        let seen = start + row + 1;
                        let (log_sum, delta) = (log_sums[start + row], deltas[row]);
                        for (score, flow) in scores[..seen].iter_mut().zip(&mut flows[..seen]) {
                            *score = simd::exp(*score - log_sum);
                            *flow = *score * (*flow - delta);
                        }
                        scores[seen..].fill(0.0);
                        flows[seen..].fill(0.0);
                    }
                },
            );
            let (scores, flows) = (Matrix::new(scores, rows, end), Matrix::new(flows, rows, end));
            multiply(&mut grad_value, head_dim, scores.transposed(), grad, 1.0, true);
            multiply(&mut grad_key, head_dim, flows.transposed(), queries, scale, true);
            multiply(
                &mut grad_query[start * head_dim..end * head_dim],
                head_dim,
                flows,
                keys,
                scale,
                false,
            );
        }
        query.copy_from_slice(&grad_query);
    }
    task.key.copy_from_slice(&grad_key);
    task.value.copy_from_slice(&grad_value);
}

/// Takes rotation and norm off again; gives this task's share of the norm weights' gradient.
fn turn_back(shape: Shape<'_>, norms: Option<HeadNorms<'_>>, qkv: &[f32], task: &mut Task<'_>) -> Vec<f32> {
    let (head_dim, group, len) = (shape.head_dim, shape.group(), task.segment.len);
    let mut weights = vec![0.0; if norms.is_some() { 2 * head_dim } else { 0 }];
    let mut grad_head = vec![0.0; head_dim];
    simd::widest(
        #[inline(always)]
        || {
            for position in 0..len {
                let (cos, sin) = task.table.at(position);
                for member in 0..=group {
                    let (head, column) = if member < group {
                        let from = (member * len + position) * head_dim;
                        (
                            &mut task.query[from..from + head_dim],
                            (task.key_head * group + member) * head_dim,
                        )
                    } else {
                        let from = position * head_dim;
                        let column = shape.query_width() + task.key_head * head_dim;
                        (&mut task.key[from..from + head_dim], column)
                    };
                    rotate(head, cos, sin, -1.0);
                    if let Some(norms) = norms {
                        let at = (task.segment.start + position) * shape.width() + column;
                        let input = &qkv[at..at + head_dim];
                        let scale = inverse_rms(input, norms.eps);
                        let (weight, sums) = if member < group {
                            (norms.query, &mut weights[..head_dim])
                        } else {
                            (norms.key, &mut weights[head_dim..])
                        };
                        for ((sum, grad), value) in sums.iter_mut().zip(head.iter()).zip(input) {
                            *sum += grad * value * scale;
                        }
                        grad_head.copy_from_slice(head);
                        backward_row(&grad_head, input, weight, scale, head, false);
                    }
                }
            }
        },
    );
    weights
}

/// From `[head, position, head_dim]` of each sequence to rows of q, k and v.
fn gather_rows(shape: Shape<'_>, cache: &Cache, rows: &mut [f32]) {
    let (width, head_dim) = (shape.width(), shape.head_dim);
    let (query_width, key_width) = (shape.query_width(), shape.key_width());
    let mut rest = rows;
    for segment in shape.segments {
        let query = &cache.query[segment.start * query_width..][..segment.len * query_width];
        let key = &cache.key[segment.start * key_width..][..segment.len * key_width];
        let value = &cache.value[segment.start * key_width..][..segment.len * key_width];
        let rows = super::split_off(&mut rest, segment.len * width);
        rows.par_chunks_mut(ROWS_PER_TASK * width)
            .enumerate()
            .for_each(|(task, rows)| {
                for (row, out) in rows.chunks_exact_mut(width).enumerate() {
                    let position = task * ROWS_PER_TASK + row;
                    let (out_query, out_rest) = out.split_at_mut(query_width);
                    let (out_key, out_value) = out_rest.split_at_mut(key_width);
                    for (inner, out) in [(query, out_query), (key, out_key), (value, out_value)] {
                        for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
                            let from = (head * segment.len + position) * head_dim;
                            out.copy_from_slice(&inner[from..from + head_dim]);
                        }
                    }
                }
            });
    }
}
