//! Attention of new rows over everything before them and over each other, causally.

use super::Reading;
use crate::{
    config::ModelConfig,
    matmul::{Matrix, multiply},
    network::Network,
    ops::attention::{BLOCK, HeadNorms, copy_head, rotate, split_off},
    simd,
};
use rayon::prelude::*;

/// Rows of one sequence's keys and values grow by at least this many at once.
const GROWTH: usize = 64;

/// Some new rows of one sequence and one key head, with the query heads that share it.
struct Task<'a> {
    keys: &'a [f32],
    values: &'a [f32],
    /// The rows' queries, `[query heads, rows, head_dim]`, normed and rotated; attended values in their place after.
    queries: &'a mut [f32],
    rows: usize,
    /// What the first of the rows sees, itself included.
    seen: usize,
}

/// Takes keys and values of the rows `qkv` over into the sequences, and writes what the rows attend to into `attended`
/// `[rows, query_size]`. `inner` is used for the same numbers by head.
pub(super) fn forward(
    network: Network<'_>,
    layer: usize,
    readings: &mut [Reading<'_>],
    qkv: &[f32],
    inner: &mut [f32],
    attended: &mut [f32],
) {
    let config = &network.model.config;
    let norms = network.head_norms(layer);
    let width = config.query_size() + 2 * config.key_size();
    let mut blocks = Vec::new();
    let (mut qkv_rest, mut inner_rest) = (qkv, &mut *inner);
    for reading in &mut *readings {
        let count = reading.tokens.len();
        let (rows, rest) = qkv_rest.split_at(count * width);
        qkv_rest = rest;
        blocks.push((
            reading,
            rows,
            split_off(&mut inner_rest, count * config.query_size()),
        ));
    }
    blocks.into_par_iter().for_each(|(reading, rows, queries)| {
        simd::widest(
            #[inline(always)]
            || take_over(config, norms, layer, reading, rows, queries),
        );
    });
    tasks(config, layer, readings, inner)
        .into_par_iter()
        .for_each(|mut task| attend(config.head_dim, &mut task));
    gather(config, readings, inner, attended);
}

/// Appends keys and values, and lays the queries out by block, key head, query head and row.
#[inline(always)]
fn take_over(
    config: &ModelConfig,
    norms: Option<HeadNorms<'_>>,
    layer: usize,
    reading: &mut Reading<'_>,
    rows: &[f32],
    queries: &mut [f32],
) {
    let (head_dim, key_heads) = (config.head_dim, config.num_key_value_heads);
    let (group, len) = (config.group_size(), reading.sequence.len);
    let width = config.query_size() + 2 * config.key_size();
    let sequence = &mut *reading.sequence;
    let heads = layer * key_heads..(layer + 1) * key_heads;
    for buffer in sequence.keys[heads.clone()]
        .iter_mut()
        .chain(&mut sequence.values[heads])
    {
        let more = reading.tokens.len() * head_dim;
        if buffer.capacity() - buffer.len() < more {
            buffer.reserve_exact(more.max(GROWTH * head_dim).max(buffer.len() / 4));
        }
    }
    let mut head = vec![0.0; head_dim];
    let count = reading.tokens.len();
    for (row, numbers) in rows.chunks_exact(width).enumerate() {
        let (cos, sin) = sequence.table.at(len + row);
        let (query, key_value) = numbers.split_at(config.query_size());
        let (key, value) = key_value.split_at(config.key_size());
        let block = row / BLOCK * BLOCK;
        let size = (count - block).min(BLOCK);
        for (index, query) in query.chunks_exact(head_dim).enumerate() {
            let place = block * config.query_size() + (index * size + row - block) * head_dim;
            let out = &mut queries[place..place + head_dim];
            copy_head(query, norms.map(|norms| (norms.query, norms.eps)), out);
            rotate(out, cos, sin, 1.0);
        }
        debug_assert_eq!(query.len(), key_heads * group * head_dim);
        for (index, (key, value)) in key
            .chunks_exact(head_dim)
            .zip(value.chunks_exact(head_dim))
            .enumerate()
        {
            copy_head(key, norms.map(|norms| (norms.key, norms.eps)), &mut head);
            rotate(&mut head, cos, sin, 1.0);
            sequence.keys[layer * key_heads + index].extend_from_slice(&head);
            sequence.values[layer * key_heads + index].extend_from_slice(value);
        }
    }
}

/// Each block of rows of each key head.
fn tasks<'a>(
    config: &ModelConfig,
    layer: usize,
    readings: &'a [Reading<'_>],
    inner: &'a mut [f32],
) -> Vec<Task<'a>> {
    let (key_heads, head_dim) = (config.num_key_value_heads, config.head_dim);
    let mut rest = inner;
    let mut tasks = Vec::new();
    for reading in readings {
        let (count, len) = (reading.tokens.len(), reading.sequence.len);
        for first in (0..count).step_by(BLOCK) {
            let rows = (count - first).min(BLOCK);
            for head in 0..key_heads {
                let end = (len + first + rows) * head_dim;
                tasks.push(Task {
                    keys: &reading.sequence.keys[layer * key_heads + head][..end],
                    values: &reading.sequence.values[layer * key_heads + head][..end],
                    queries: split_off(&mut rest, config.group_size() * rows * head_dim),
                    rows,
                    seen: len + first + 1,
                });
            }
        }
    }
    tasks
}

fn attend(head_dim: usize, task: &mut Task<'_>) {
    let (rows, length) = (task.queries.len() / head_dim, task.keys.len() / head_dim);
    let scale = 1.0 / (head_dim as f32).sqrt();
    let mut scores = vec![0.0; rows * length];
    let keys = Matrix::new(task.keys, length, head_dim).transposed();
    let queries = Matrix::new(task.queries, rows, head_dim);
    multiply(&mut scores, length, queries, keys, scale, false);
    simd::widest(
        #[inline(always)]
        || {
            for (row, scores) in scores.chunks_exact_mut(length).enumerate() {
                let (seen, hidden) = scores.split_at_mut(task.seen + row % task.rows);
                let largest = simd::maximum(seen);
                let share = 1.0 / simd::exp_shifted(seen, largest);
                hidden.fill(0.0);
                for score in seen {
                    *score *= share;
                }
            }
        },
    );
    let values = Matrix::new(task.values, length, head_dim);
    multiply(
        task.queries,
        head_dim,
        Matrix::new(&scores, rows, length),
        values,
        1.0,
        false,
    );
}

/// From blocks by head to rows.
fn gather(config: &ModelConfig, readings: &[Reading<'_>], inner: &[f32], attended: &mut [f32]) {
    let (head_dim, width) = (config.head_dim, config.query_size());
    let (mut inner_rest, mut attended_rest) = (inner, attended);
    for reading in readings {
        let count = reading.tokens.len();
        for first in (0..count).step_by(BLOCK) {
            let rows = (count - first).min(BLOCK);
            let (block, rest) = inner_rest.split_at(rows * width);
            inner_rest = rest;
            let out = split_off(&mut attended_rest, rows * width);
            for (place, head) in block.chunks_exact(head_dim).enumerate() {
                let (index, row) = (place / rows, place % rows);
                out[row * width + index * head_dim..][..head_dim].copy_from_slice(head);
            }
        }
    }
}
