//! Causal grouped-query attention over sequences that lie one after the other, with rotary embeddings and, where the
//! model has them, RMS norms on each head. Scores are never kept: the backward pass computes them again from the
//! logarithms of their sums (Dao et al. 2022), a block of query rows at a time.
//!
//! Inside, each sequence is laid out `[head, position, head_dim]`, so that one task owns one key head of one sequence.

mod backward;
mod forward;

pub(crate) use backward::{Gradients, backward};
pub(crate) use forward::{copy_head, forward};

use crate::{network::fit, rope::RopeTable};

/// Query rows whose scores are held at once.
pub(crate) const BLOCK: usize = 64;

/// One sequence's place among the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// First row.
    pub(crate) start: usize,
    /// Number of rows.
    pub(crate) len: usize,
}

/// What stays the same for all layers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) heads: usize,
    pub(crate) key_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) segments: &'a [Segment],
    /// One table a sequence.
    pub(crate) tables: &'a [&'a RopeTable],
}

impl Shape<'_> {
    pub(crate) fn group(&self) -> usize {
        self.heads / self.key_heads
    }
    pub(crate) fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }
    pub(crate) fn key_width(&self) -> usize {
        self.key_heads * self.head_dim
    }
    /// Width of a row of q, k and v together.
    pub(crate) fn width(&self) -> usize {
        self.query_width() + 2 * self.key_width()
    }
}

/// Weights of the RMS norms on each head, `[head_dim]` both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNorms<'a> {
    pub(crate) query: &'a [f32],
    pub(crate) key: &'a [f32],
    pub(crate) eps: f32,
}

/// What the forward pass leaves for the backward pass, laid out by sequence and head.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Rotated queries, `[heads, len, head_dim]` of each sequence.
    pub(crate) query: Vec<f32>,
    /// Rotated keys, `[key_heads, len, head_dim]` of each sequence.
    pub(crate) key: Vec<f32>,
    /// Values, as the keys.
    pub(crate) value: Vec<f32>,
    /// Logarithm of each query's sum of exponentials, `[heads, len]` of each sequence.
    pub(crate) log_sums: Vec<f32>,
}

impl Cache {
    fn resize(&mut self, shape: Shape<'_>, rows: usize) {
        fit(&mut self.query, rows * shape.query_width());
        fit(&mut self.key, rows * shape.key_width());
        fit(&mut self.value, rows * shape.key_width());
        fit(&mut self.log_sums, rows * shape.heads);
    }
}

/// One key head of one sequence, with the query heads that share it.
struct Task<'a> {
    segment: Segment,
    table: &'a RopeTable,
    /// Which key head.
    key_head: usize,
    query: &'a mut [f32],
    key: &'a mut [f32],
    value: &'a mut [f32],
    log_sums: &'a mut [f32],
}

fn tasks<'a>(shape: Shape<'a>, cache: &'a mut Cache) -> Vec<Task<'a>> {
    let (mut query, mut key) = (cache.query.as_mut_slice(), cache.key.as_mut_slice());
    let (mut value, mut log_sums) = (cache.value.as_mut_slice(), cache.log_sums.as_mut_slice());
    let mut tasks = Vec::with_capacity(shape.segments.len() * shape.key_heads);
    for (segment, table) in shape.segments.iter().zip(shape.tables) {
        for key_head in 0..shape.key_heads {
            let size = segment.len * shape.head_dim;
            tasks.push(Task {
                segment: *segment,
                table,
                key_head,
                query: split_off(&mut query, size * shape.group()),
                key: split_off(&mut key, size),
                value: split_off(&mut value, size),
                log_sums: split_off(&mut log_sums, segment.len * shape.group()),
            });
        }
    }
    tasks
}

/// Takes the first `count` numbers off a slice.
pub(crate) fn split_off<'a>(rest: &mut &'a mut [f32], count: usize) -> &'a mut [f32] {
    let (head, tail) = std::mem::take(rest).split_at_mut(count);
    *rest = tail;
    head
}

/// Turns one head by its position's angles; `direction` −1 turns it back.
#[inline(always)]
pub(crate) fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], direction: f32) {
    let (first, second) = head.split_at_mut(head.len() / 2);
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
        let sin = sin * direction;
        let (x, y) = (*a, *b);
        *a = x * cos - y * sin;
        *b = y * cos + x * sin;
    }
}

#[cfg(test)]
mod tests;
