//! Sequences under continuation: keys and values of what was read are kept, so that a further token is one row of work.
//!
//! Any number of sequences advance together, each by any number of tokens: a whole prompt, a part of one, or one token
//! each. Deliberately not here: which token comes next.

mod attention;
#[cfg(test)]
mod tests;

use crate::{
    config::ModelConfig,
    matmul::{Matrix, multiply_parallel},
    model::Group,
    network::{
        Network, fit,
        linear::{Scratch, multiply_row},
    },
    ops::{feed_forward, norm},
    rope::RopeTable,
};

/// Tokens of a prompt that go through the model at once.
pub(crate) const PART: usize = 128;

/// Positions that a sequence's tables grow by.
const TABLE_STEP: usize = 256;

/// What was read of one sequence.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    /// Rotated keys, `[len, head_dim]` of each key head of each layer.
    keys: Vec<Vec<f32>>,
    /// Values, as the keys.
    values: Vec<Vec<f32>>,
    len: usize,
    /// What it may become; scalings that depend on a text's length go by it.
    length: usize,
    table: RopeTable,
}

impl Sequence {
    /// Nothing read yet of a sequence that becomes at most `length` tokens long; 0 where it stays within the length that
    /// the model was made for, up to which no scaling goes by it.
    pub(crate) fn new(config: &ModelConfig, length: usize) -> Self {
        let heads = config.num_hidden_layers * config.num_key_value_heads;
        Self {
            keys: vec![Vec::new(); heads],
            values: vec![Vec::new(); heads],
            len: 0,
            length,
            table: RopeTable::default(),
        }
    }

    /// Forgets what was read after the first `len` tokens.
    pub(crate) fn truncate(&mut self, config: &ModelConfig, len: usize) {
        self.len = self.len.min(len);
        for buffer in self.keys.iter_mut().chain(&mut self.values) {
            buffer.truncate(self.len * config.head_dim);
        }
    }

    /// Makes tables for so many more tokens.
    fn make_room(&mut self, config: &ModelConfig, count: usize) {
        let needed = self.len + count;
        if self.table.positions() < needed {
            // Doubled, so that a long text doesn't make them again and again.
            let positions = needed
                .max(2 * self.table.positions())
                .next_multiple_of(TABLE_STEP);
            self.table = RopeTable::new(
                &config.rope_scaling,
                config.rope_theta,
                config.head_dim,
                positions,
                self.length,
            );
        }
    }
}

/// Some more tokens of a sequence.
pub(crate) struct Reading<'a> {
    pub(crate) sequence: &'a mut Sequence,
    /// At least one.
    pub(crate) tokens: &'a [u32],
}

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    stream: Vec<f32>,
    sum: Vec<f32>,
    normed: Vec<f32>,
    product: Vec<f32>,
    scales: Vec<f32>,
    qkv: Vec<f32>,
    inner: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    active: Vec<f32>,
    scratch: Scratch,
}

impl Buffers {
    fn prepare(&mut self, config: &ModelConfig, rows: usize) {
        let (hidden, query) = (config.hidden_size, config.query_size());
        for buffer in [
            &mut self.stream,
            &mut self.sum,
            &mut self.normed,
            &mut self.product,
        ] {
            fit(buffer, rows * hidden);
        }
        fit(&mut self.scales, rows);
        fit(&mut self.qkv, rows * (query + 2 * config.key_size()));
        fit(&mut self.inner, rows * query);
        fit(&mut self.attended, rows * query);
        fit(&mut self.gate_up, rows * 2 * config.intermediate_size);
        fit(&mut self.active, rows * config.intermediate_size);
    }

    /// Reads on in each sequence, and gives the scores `[sequences, vocabulary]` of what may come after each.
    pub(crate) fn read(&mut self, network: Network<'_>, readings: &mut [Reading<'_>]) -> Vec<f32> {
        self.forward(network, readings);
        let width = network.model.config.hidden_size;
        let mut last = Vec::with_capacity(readings.len() * width);
        let mut end = 0;
        for reading in readings {
            end += reading.tokens.len();
            last.extend_from_slice(&self.stream[(end - 1) * width..end * width]);
        }
        scores(network, &last)
    }

    /// Reads a part of a prompt after which nothing is asked yet.
    pub(crate) fn read_part(&mut self, network: Network<'_>, sequence: &mut Sequence, tokens: &[u32]) {
        self.forward(network, &mut [Reading { sequence, tokens }]);
    }

    fn forward(&mut self, network: Network<'_>, readings: &mut [Reading<'_>]) {
        let model = network.model;
        let (config, eps) = (&model.config, model.config.rms_norm_eps);
        let tokens: Vec<u32> = readings
            .iter()
            .flat_map(|reading| reading.tokens)
            .copied()
            .collect();
        for reading in readings.iter_mut() {
            reading.sequence.make_room(config, reading.tokens.len());
        }
        self.prepare(config, tokens.len());
        let Self {
            stream,
            sum,
            normed,
            product,
            scales,
            qkv,
            inner,
            attended,
            gate_up,
            active,
            scratch,
        } = self;
        network.embed(&tokens, stream);
        for (index, layout) in model.layout.layers.iter().enumerate() {
            norm::forward(
                stream,
                network.vector(&layout.attention_norm),
                eps,
                normed,
                scales,
            );
            network
                .linear(index, Group::Attention)
                .forward_few(normed, qkv, scratch);
            attention::forward(network, index, readings, qkv, inner, attended);
            network
                .linear(index, Group::Output)
                .forward_few(attended, product, scratch);
            let weight = network.vector(&layout.mlp_norm);
            norm::add_forward((stream, product), weight, eps, sum, normed, scales);
            network
                .linear(index, Group::GateUp)
                .forward_few(normed, gate_up, scratch);
            feed_forward::forward(gate_up, config.intermediate_size, active);
            network
                .linear(index, Group::Down)
                .forward_few(active, product, scratch);
            norm::add(sum, product, stream);
        }
        for reading in readings {
            reading.sequence.len += reading.tokens.len();
        }
    }
}

/// Scores over the vocabulary of each row of the residual stream after the last layer.
pub(crate) fn scores(network: Network<'_>, stream: &[f32]) -> Vec<f32> {
    let model = network.model;
    let (width, vocabulary) = (model.config.hidden_size, model.config.vocab_size);
    let rows = stream.len() / width;
    let (mut normed, mut scales) = (vec![0.0; stream.len()], vec![0.0; rows]);
    let weight = network.vector(&model.layout.final_norm);
    norm::forward(
        stream,
        weight,
        model.config.rms_norm_eps,
        &mut normed,
        &mut scales,
    );
    let mut scores = vec![0.0; rows * vocabulary];
    let head = network.matrix(&model.layout.head);
    if rows == 1 {
        multiply_row(head, &normed, &mut scores);
        return scores;
    }
    let mut scratch = Vec::new();
    let head = Matrix::new(head.in_f32(&mut scratch), vocabulary, width).transposed();
    multiply_parallel(&mut scores, Matrix::new(&normed, rows, width), head, 1.0, false);
    scores
}
