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

/// What is kept of a forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing: there is no backward pass.
    Nothing,
    /// Each layer's input; the backward pass runs the layer again (gradient checkpointing, Chen et al. 2016).
    Inputs,
    /// All that the backward pass reads.
    Everything,
}

/// All buffers.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Whether training keeps only each layer's input.
    pub(super) gradient_checkpointing: bool,
    /// One a layer where everything is kept, else one for all.
    pub(crate) layers: Vec<LayerCache>,
    /// Each layer's input where only that is kept, `[rows, hidden]`.
    pub(super) inputs: Vec<Vec<f32>>,
    /// The residual stream, `[rows, hidden]`.
    pub(super) stream: Vec<f32>,
    pub(super) grad: Vec<f32>,
    pub(super) selected: Vec<f32>,
    pub(super) selected_normed: Vec<f32>,
    pub(super) selected_scales: Vec<f32>,
    pub(super) scores: Vec<f32>,
    pub(super) shared: Shared,
    pub(super) tables: Tables,
}

/// Buffers that each layer uses anew.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// `[rows, hidden]`, as `product`.
    pub(super) normed: Vec<f32>,
    pub(super) product: Vec<f32>,
    pub(super) qkv: Vec<f32>,
    /// `[rows, intermediate]`.
    pub(super) active: Vec<f32>,
    pub(super) inner: Vec<f32>,
    pub(super) scratch: Scratch,
}

impl Workspace {
    /// No buffers yet.
    pub(crate) fn new(gradient_checkpointing: bool) -> Self {
        Self {
            gradient_checkpointing,
            ..Self::default()
        }
    }

    /// Makes the buffers as large as this batch asks for.
    pub(super) fn prepare(&mut self, config: &ModelConfig, batch: &Batch, keep: Keep) {
        let (rows, layers) = (batch.tokens.len(), config.num_hidden_layers);
        let (hidden, query) = (config.hidden_size, config.query_size());
        let (caches, inputs) = match keep {
            Keep::Nothing => (1, 0),
            Keep::Inputs => (1, layers),
            Keep::Everything => (layers, 0),
        };
        self.layers.resize_with(caches, LayerCache::default);
        self.inputs.resize_with(inputs, Vec::new);
        for layer in &mut self.layers {
            fit(&mut layer.input, rows * hidden);
            fit(&mut layer.attention_scales, rows);
            fit(&mut layer.attended, rows * query);
            fit(&mut layer.middle, rows * hidden);
            fit(&mut layer.mlp_scales, rows);
            fit(&mut layer.gate_up, rows * 2 * config.intermediate_size);
        }
        let shared = &mut self.shared;
        for buffer in [&mut self.stream, &mut shared.normed, &mut shared.product]
            .into_iter()
            .chain(&mut self.inputs)
        {
            fit(buffer, rows * hidden);
        }
        fit(&mut shared.qkv, rows * (query + 2 * config.key_size()));
        fit(&mut shared.active, rows * config.intermediate_size);
        shared.scratch.first_row = batch.first_row;
        self.tables.prepare(config, &batch.segments);
    }
}

/// Gives a buffer this length. What was in it is lost, so that growing needs no memory for both.
pub(crate) fn fit(buffer: &mut Vec<f32>, len: usize) {
    if len > buffer.capacity() {
        *buffer = Vec::new();
        *buffer = vec![0.0; len];
    } else {
        buffer.resize(len, 0.0);
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

    /// The table of each sequence.
    pub(crate) fn of_each(&self, batch: &Batch) -> Vec<&RopeTable> {
        let of = |segment: &Segment| self.by_length.get(&segment.len).unwrap_or(&self.common);
        batch.segments.iter().map(of).collect()
    }
}

fn is_special(config: &ModelConfig, length: usize) -> bool {
    matches!(config.rope_scaling, RopeScaling::Dynamic { max_position, .. } if length > max_position)
}
