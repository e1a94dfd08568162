//! How much memory a training run needs, from its shape alone.
//!
//! The trainer's buffers written down as sums: pure arithmetic, so that the browser, the server and the trainer itself
//! tell the same figure. Deliberately not here: the memory that a machine has, and any decision.

use crate::run::Projection;
use serde::{Deserialize, Serialize};

/// Bytes of an f32, in which everything but a base model's matrices is held.
const FLOAT: u64 = 4;

/// What the program itself takes: its code and its threads' stacks.
const PROGRAM: u64 = 16 << 20;

/// What a trainer's allocator has at the peak besides what is in use: rooms of each thread, and what was given back by a
/// batch of another shape. Measured with the program's own allocator (release): 47 to 64 MB with the bundled model, 68 MB
/// with one of 135 million parameters.
const GIVEN_BACK: u64 = 48 << 20;

/// What is left of reading a tokenizer, a token of the vocabulary.
const TOKENIZER_ENTRY: u64 = 400;

/// A token of an example: its number, and whether it counts.
const TOKEN: u64 = 5;

/// Query rows whose attention scores are held at once.
const ATTENTION_BLOCK: u64 = 64;

/// Scores over the vocabulary that are held at once.
const SCORES: u64 = 1 << 23;

/// Tokens that go through a model at once, at most, unless one text alone is longer.
pub const TOKENS_PER_PASS: u64 = 4096;

/// Rows whose scores over the vocabulary are held at once.
#[must_use]
pub fn score_rows(vocab_size: u64) -> u64 {
    (SCORES / vocab_size.max(1)).clamp(32, 1024)
}

/// What of a base model decides about memory, in the words of its `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelShape {
    /// Tokens that have an embedding.
    pub vocab_size: u64,
    /// Width of the residual stream.
    pub hidden_size: u64,
    /// Inner width of the feed-forward part.
    pub intermediate_size: u64,
    /// Decoder layers.
    pub num_hidden_layers: u64,
    /// Query heads.
    pub num_attention_heads: u64,
    /// Width of all query heads together.
    pub query_size: u64,
    /// Width of all key heads together.
    pub key_size: u64,
    /// Whether the output projection is the embedding table.
    pub tie_word_embeddings: bool,
    /// Whether each head of q and k has a norm.
    pub head_norms: bool,
    /// Numbers in all biases of a layer.
    pub layer_biases: u64,
    /// Bytes of one weight of a matrix in memory: 2 where they are stored as f16 or bf16, else 4.
    pub weight_bytes: u64,
}

/// What of a run decides about memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunShape {
    /// Tokens of the largest batch that goes through the model at once.
    pub rows: u64,
    /// The most tokens of such a batch that the loss counts.
    pub target_rows: u64,
    /// Tokens of the longest example.
    pub longest: u64,
    /// Tokens of all examples together, which stay in memory.
    pub data_tokens: u64,
    /// The adapter's inner dimension.
    pub rank: u64,
    /// Projections that have an adapter.
    pub targets: Vec<Projection>,
    /// Whether the adapter's inputs are dropped in training.
    pub dropout: bool,
    /// Worker threads.
    pub threads: u64,
}

/// Bytes at a run's peak, by what they are for: what the system tells as the trainer process's largest resident memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The base model.
    pub weights: u64,
    /// The adapter, its gradient, two moments of each value, and two copies while a checkpoint is written.
    pub adapter: u64,
    /// What the forward pass keeps for the backward pass.
    pub activations: u64,
    /// Buffers for one layer at a time and for the loss.
    pub scratch: u64,
    /// The program and its allocator, the examples, and what reading the tokenizer leaves.
    pub program: u64,
}

impl Memory {
    /// Everything together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.weights + self.adapter + self.activations + self.scratch + self.program
    }
}

/// The four products of a layer, each over the projections that read the same input.
const GROUPS: [&[Projection]; 4] = [
    &[Projection::QProj, Projection::KProj, Projection::VProj],
    &[Projection::OProj],
    &[Projection::GateProj, Projection::UpProj],
    &[Projection::DownProj],
];

impl ModelShape {
    /// Inputs and outputs of a projection.
    #[must_use]
    pub const fn projection(&self, projection: Projection) -> (u64, u64) {
        match projection {
            Projection::QProj => (self.hidden_size, self.query_size),
            Projection::KProj | Projection::VProj => (self.hidden_size, self.key_size),
            Projection::OProj => (self.query_size, self.hidden_size),
            Projection::GateProj | Projection::UpProj => (self.hidden_size, self.intermediate_size),
            Projection::DownProj => (self.intermediate_size, self.hidden_size),
        }
    }

    /// Weights in the matrices of all layers.
    #[must_use]
    pub fn layer_weights(&self) -> u64 {
        let layer: u64 = Projection::ALL
            .iter()
            .map(|projection| {
                let (inputs, outputs) = self.projection(*projection);
                inputs * outputs
            })
            .sum();
        layer * self.num_hidden_layers
    }

    /// Weights of the embedding table, and of the output projection where it's another.
    #[must_use]
    pub const fn vocabulary_weights(&self) -> u64 {
        let tables = if self.tie_word_embeddings { 1 } else { 2 };
        tables * self.vocab_size * self.hidden_size
    }

    /// Values of an adapter.
    #[must_use]
    pub fn adapter_values(&self, rank: u64, targets: &[Projection]) -> u64 {
        let sides: u64 = targets
            .iter()
            .map(|target| {
                let (inputs, outputs) = self.projection(*target);
                inputs + outputs
            })
            .sum();
        sides * rank * self.num_hidden_layers
    }

    /// Norms and biases, always f32.
    const fn vectors(&self) -> u64 {
        let head_norms = if self.head_norms {
            2 * self.query_size / self.num_attention_heads
        } else {
            0
        };
        let layer = 2 * self.hidden_size + head_norms + self.layer_biases;
        self.num_hidden_layers * layer + self.hidden_size
    }

    /// Width of q, k and v together.
    const fn qkv_size(&self) -> u64 {
        self.query_size + 2 * self.key_size
    }

    /// Numbers that a layer keeps of each row.
    const fn kept(&self) -> u64 {
        let before_norms = if self.head_norms { self.qkv_size() } else { 0 };
        // The stream before the layer and in its middle; rotated q, k and v; what attention gives; gate and up; the
        // norms' factors and the sums of attention.
        2 * self.hidden_size
            + before_norms
            + self.qkv_size()
            + self.query_size
            + 2 * self.intermediate_size
            + self.num_attention_heads
            + 2
    }
}

/// The peak memory of a run, with or without gradient checkpointing.
#[must_use]
pub fn peak(model: &ModelShape, run: &RunShape, gradient_checkpointing: bool) -> Memory {
    let matrices = model.layer_weights() + model.vocabulary_weights();
    let kept = if gradient_checkpointing {
        model.num_hidden_layers * model.hidden_size + model.kept()
    } else {
        model.num_hidden_layers * model.kept()
    };
    Memory {
        weights: matrices * model.weight_bytes + model.vectors() * FLOAT,
        adapter: 6 * model.adapter_values(run.rank, &run.targets) * FLOAT,
        activations: run.rows * kept * FLOAT,
        scratch: scratch(model, run) * FLOAT,
        program: PROGRAM + GIVEN_BACK + TOKENIZER_ENTRY * model.vocab_size + TOKEN * run.data_tokens,
    }
}

/// What answering takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerMemory {
    /// Whatever the length of the text.
    pub fixed: u64,
    /// For each token of prompt and answer.
    pub token: u64,
}

impl AnswerMemory {
    /// For a text of so many tokens.
    #[must_use]
    pub const fn total(&self, tokens: u64) -> u64 {
        self.fixed.saturating_add(self.token.saturating_mul(tokens))
    }
}

/// What answering takes when a prompt is read `part` tokens at a time.
#[must_use]
pub fn answering(model: &ModelShape, part: u64, threads: u64) -> AnswerMemory {
    let matrices = model.layer_weights() + model.vocabulary_weights();
    let largest = GROUPS
        .iter()
        .map(|group| {
            group
                .iter()
                .map(|projection| {
                    let (inputs, outputs) = model.projection(*projection);
                    inputs * outputs
                })
                .sum::<u64>()
        })
        .max()
        .unwrap_or(0);
    // The stream twice, its norm and a product; q, k and v; queries by head and by row; gate and up, and both as one.
    let rows = 4 * model.hidden_size + model.qkv_size() + 2 * model.query_size + 3 * model.intermediate_size;
    let group = (model.query_size / model.key_size.max(1)).max(1);
    // Keys and values with the room that they grow by, and a block's attention scores of each thread.
    let cache = 2 * model.key_size * model.num_hidden_layers * 5 / 4;
    let scores = threads * group * ATTENTION_BLOCK;
    AnswerMemory {
        fixed: matrices * model.weight_bytes
            + (model.vectors() + largest + part * rows + 4 * model.vocab_size) * FLOAT
            + PROGRAM
            + TOKENIZER_ENTRY * model.vocab_size,
        token: (cache + scores) * FLOAT,
    }
}

/// Numbers in the buffers that layers and loss share.
fn scratch(model: &ModelShape, run: &RunShape) -> u64 {
    let (mut weight, mut dropped, mut width) = (0, 0, 0);
    for group in GROUPS {
        let adapted = group.iter().filter(|projection| run.targets.contains(projection));
        let count = adapted.count() as u64;
        let (inputs, _) = model.projection(group[0]);
        let outputs: u64 = group
            .iter()
            .map(|projection| model.projection(*projection).1)
            .sum();
        if model.weight_bytes < FLOAT || count > 0 && !run.dropout {
            weight = weight.max(inputs * outputs);
        }
        if count > 0 && run.dropout {
            dropped = dropped.max(inputs);
        }
        width = width.max(count * run.rank);
    }
    // The stream, its gradient, a normed copy and a product; q, k and v; two of the inner width.
    let rows = 4 * model.hidden_size
        + model.qkv_size()
        + model.query_size
        + model.intermediate_size
        + dropped
        + 2 * width;
    let head_dim = model.query_size / model.num_attention_heads.max(1);
    let attention = run.threads * run.longest * (2 * ATTENTION_BLOCK + 3 * head_dim);
    let scores = run.target_rows.min(score_rows(model.vocab_size)) * model.vocab_size;
    weight + run.rows * rows + attention + scores + 2 * run.target_rows * model.hidden_size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smollm2_135m() -> ModelShape {
        ModelShape {
            vocab_size: 49_152,
            hidden_size: 576,
            intermediate_size: 1536,
            num_hidden_layers: 30,
            num_attention_heads: 9,
            query_size: 576,
            key_size: 192,
            tie_word_embeddings: true,
            head_norms: false,
            layer_biases: 0,
            weight_bytes: 2,
        }
    }

    fn run() -> RunShape {
        RunShape {
            rows: 2048,
            target_rows: 1024,
            longest: 256,
            data_tokens: 100_000,
            rank: 16,
            targets: Projection::ALL.to_vec(),
            dropout: false,
            threads: 2,
        }
    }

    #[test]
    fn a_known_model_has_its_known_number_of_weights() {
        let model = smollm2_135m();
        assert_eq!(
            model.layer_weights() + model.vocabulary_weights() + model.vectors(),
            134_515_008
        );
        let memory = peak(&model, &run(), false);
        assert_eq!(memory.weights, 2 * 134_479_872 + 4 * 35_136);
        assert_eq!(model.adapter_values(16, &Projection::ALL), 4_884_480);
    }

    #[test]
    fn answering_takes_the_weights_and_a_little_for_each_token() {
        let model = smollm2_135m();
        let memory = answering(&model, 128, 2);
        let weights = 2 * 134_479_872;
        assert!(
            (weights..weights + 80_000_000).contains(&memory.fixed),
            "{memory:?}"
        );
        let cache = 2 * 192 * 30 * 4;
        assert!((cache..2 * cache).contains(&memory.token), "{memory:?}");
        assert_eq!(memory.total(10) - memory.total(0), 10 * memory.token);
        assert_eq!(memory.total(u64::MAX), u64::MAX);
    }

    #[test]
    fn every_figure_of_a_run_moves_the_peak_the_right_way() {
        let model = smollm2_135m();
        let base = peak(&model, &run(), false);
        let total = |change: &dyn Fn(&mut RunShape)| {
            let mut run = run();
            change(&mut run);
            peak(&model, &run, false).total()
        };
        assert!(total(&|run| run.rows *= 2) > base.total() + base.activations / 2);
        assert!(total(&|run| run.rank *= 2) > base.total() + base.adapter / 2);
        assert!(total(&|run| run.target_rows = 20) < base.total());
        assert!(total(&|run| run.targets.truncate(2)) < base.total() - base.adapter / 2);
        assert!(total(&|run| run.threads = 64) > base.total());
        let with = peak(&model, &run(), true);
        assert!(with.activations * 5 < base.activations && with.scratch == base.scratch);
        let wide = ModelShape {
            weight_bytes: 4,
            ..model
        };
        assert!(peak(&wide, &run(), false).weights > base.weights * 19 / 10);
    }
}
