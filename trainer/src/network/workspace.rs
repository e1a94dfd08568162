//! The buffers of a pass, kept from batch to batch so that memory is taken once.

use super::{Batch, linear::Scratch};
use crate::{
    config::ModelConfig,
    ops::attention::{Cache, Segment},
    rope::{RopeScaling, RopeTable},
};
use std::collections::BTreeMap;

/// What one layer keeps for the backward pass.
#[derive(Debug, Default)]
pub(crate) struct LayerCache {
    /// The residual stream before the layer, `[rows, hidden]`.
    pub(super) input: Vec<f32>,
    pub(super) attention_scales: Vec<f32>,
    /// q, k and v before norms and rotation; kept only where heads have norms.
    pub(super) qkv: Vec<f32>,
    pub(crate) attention: Cache,
    /// `[rows, query_size]`.
    pub(super) attended: Vec<f32>,
    /// The residual stream between attention and feed-forward, `[rows, hidden]`.
    pub(super) middle: Vec<f32>,
    pub(super) mlp_scales: Vec<f32>,
    /// `[rows, 2 · intermediate]`.
    pub(super) gate_up: Vec<f32>,
}

/// All buffers.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) layers: Vec<LayerCache>,
    /// The residual stream, `[rows, hidden]`.
    pub(super) stream: Vec<f32>,
    pub(super) normed: Vec<f32>,
    pub(super) product: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    pub(super) active: Vec<f32>,
    pub(super) inner: Vec<f32>,
    pub(super) grad: Vec<f32>,
    pub(super) selected: Vec<f32>,
    pub(super) selected_normed: Vec<f32>,
    pub(super) selected_scales: Vec<f32>,
    pub(super) scores: Vec<f32>,
    pub(super) scratch: Scratch,
    pub(super) tables: Tables,
}

impl Workspace {
    /// Makes the buffers large enough; with `keep`, one cache a layer.
    pub(super) fn prepare(&mut self, config: &ModelConfig, batch: &Batch, keep: bool) {
        let rows = batch.tokens.len();
        let (hidden, query) = (config.hidden_size, config.query_size());
        self.layers.resize_with(
            if keep { config.num_hidden_layers } else { 1 },
            LayerCache::default,
        );
        for layer in &mut self.layers {
            layer.input.resize(rows * hidden, 0.0);
            layer.attention_scales.resize(rows, 0.0);
            layer.attended.resize(rows * query, 0.0);
            layer.middle.resize(rows * hidden, 0.0);
            layer.mlp_scales.resize(rows, 0.0);
            layer.gate_up.resize(rows * 2 * config.intermediate_size, 0.0);
        }
        for buffer in [&mut self.stream, &mut self.normed, &mut self.product] {
            buffer.resize(rows * hidden, 0.0);
        }
        self.qkv.resize(rows * (query + 2 * config.key_size()), 0.0);
        self.active.resize(rows * config.intermediate_size, 0.0);
        self.scratch.first_row = batch.first_row;
        self.tables.prepare(config, &batch.segments);
    }
}

/// Rotary tables: one for all ordinary lengths, and one for each length that dynamic scaling treats by itself.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    common: RopeTable,
    by_length: BTreeMap<usize, RopeTable>,
}

impl Tables {
    pub(crate) fn prepare(&mut self, config: &ModelConfig, segments: &[Segment]) {
        let table = |positions: usize, length: usize| {
            RopeTable::new(
                &config.rope_scaling,
                config.rope_theta,
                config.head_dim,
                positions,
                length,
            )
        };
        let longest = segments.iter().map(|segment| segment.len).max().unwrap_or(0);
        if self.common.positions() < longest {
            self.common = table(longest.next_multiple_of(256), 0);
        }
        for segment in segments {
            if is_special(config, segment.len) {
                self.by_length
                    .entry(segment.len)
                    .or_insert_with(|| table(segment.len, segment.len));
            }
        }
    }

    pub(crate) fn of(&self, length: usize) -> &RopeTable {
        self.by_length.get(&length).unwrap_or(&self.common)
    }
}

fn is_special(config: &ModelConfig, length: usize) -> bool {
    matches!(config.rope_scaling, RopeScaling::Dynamic { max_position, .. } if length > max_position)
}
