//! The decoder's forward and backward pass over a batch of sequences that lie one after the other, without padding.
//!
//! Nothing is built at run time: one fixed architecture, written out. What the backward pass needs is kept, the rest is
//! computed again where that's cheap (norms, activations, attention scores). No gradient of a frozen matrix exists.

pub(crate) mod linear;
mod pass;
mod workspace;

pub(crate) use workspace::{Keep, Workspace, fit};

use crate::{
    lora::Adapter,
    model::{Group, Model, Numbers},
    ops::{
        attention::{HeadNorms, Segment},
        loss::{Target, Totals},
    },
    random::{Purpose, Stream},
};
use std::ops::Range;

/// Sequences that are processed together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// All tokens, sequence after sequence.
    pub(crate) tokens: Vec<u32>,
    /// Where each sequence lies.
    pub(crate) segments: Vec<Segment>,
    /// The rows that count.
    pub(crate) targets: Vec<Target>,
    /// Rows of the same optimizer step that came before this batch; keys the dropout masks.
    pub(crate) first_row: u64,
}

impl Batch {
    /// Adds a sequence; `counts[i]` says whether token i counts as a target (the first never does: nothing predicts it).
    pub(crate) fn push(&mut self, tokens: &[u32], counts: impl IntoIterator<Item = bool>) {
        let start = self.tokens.len();
        self.tokens.extend_from_slice(tokens);
        self.segments.push(Segment {
            start,
            len: tokens.len(),
        });
        for (place, (token, counts)) in tokens.iter().zip(counts).enumerate().skip(1) {
            if counts {
                self.targets.push(Target {
                    row: (start + place - 1) as u32,
                    token: *token,
                });
            }
        }
    }

    /// For each target the sequence that it lies in.
    pub(crate) fn text_of_targets(&self) -> impl Iterator<Item = usize> {
        let mut text = 0;
        self.targets.iter().map(move |target| {
            let ends = |text: usize| self.segments[text].start + self.segments[text].len;
            while target.row as usize >= ends(text) {
                text += 1;
            }
            text
        })
    }

    /// Sums over the targets of each sequence.
    pub(crate) fn by_text(&self, targets: &[Totals]) -> Vec<Totals> {
        let mut texts = vec![Totals::default(); self.segments.len()];
        for (text, totals) in self.text_of_targets().zip(targets) {
            texts[text].add(*totals);
        }
        texts
    }
}

/// Keys the dropout masks of one optimizer step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) probability: f64,
}

impl Dropout {
    pub(crate) fn stream(self, layer: usize, projection: shared::run::Projection) -> Stream {
        Stream::new(
            self.seed,
            Purpose::Dropout,
            &[self.step, layer as u64, projection as u64],
        )
    }
}

/// A model, perhaps with an adapter on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network<'a> {
    pub(crate) model: &'a Model,
    pub(crate) adapter: Option<&'a Adapter>,
    /// On in training with dropout only.
    pub(crate) dropout: Option<Dropout>,
}

/// Whose gradients are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trained {
    /// The adapter's; the buffer is laid out as [`Adapter::values`].
    Adapter,
    /// Every weight's; the buffer is laid out as the model's weights.
    Everything,
}

impl<'a> Network<'a> {
    pub(crate) const fn frozen(model: &'a Model) -> Self {
        Self {
            model,
            adapter: None,
            dropout: None,
        }
    }

    /// Numbers of a norm or a bias.
    pub(crate) fn vector(&self, range: &Range<usize>) -> &'a [f32] {
        self.model.weights.vector(range)
    }

    /// Numbers of a matrix, perhaps kept in 16 bits.
    pub(crate) fn matrix(&self, range: &Range<usize>) -> Numbers<'a> {
        self.model.weights.matrix(range)
    }

    /// The embedding of each token, as a row of `rows`.
    pub(crate) fn embed(&self, tokens: &[u32], rows: &mut [f32]) {
        let table = self.matrix(&self.model.layout.embedding);
        let width = self.model.config.hidden_size;
        for (row, token) in rows.chunks_exact_mut(width).zip(tokens) {
            let start = *token as usize * width;
            table.part(start..start + width).copy_to(row);
        }
    }

    pub(crate) fn head_norms(&self, layer: usize) -> Option<HeadNorms<'a>> {
        let range = &self.model.layout.layers[layer].head_norms;
        let (query, key) = self.vector(range).split_at(range.len() / 2);
        let eps = self.model.config.rms_norm_eps;
        (!range.is_empty()).then_some(HeadNorms { query, key, eps })
    }

    pub(crate) fn linear(&self, layer: usize, group: Group) -> linear::Linear<'a> {
        let layout = &self.model.layout.layers[layer].groups[group as usize];
        linear::Linear {
            layout,
            weight: self.matrix(&layout.weight),
            bias: self.vector(&layout.bias),
            adapter: self.adapter.and_then(|adapter| {
                adapter.layers[layer][group as usize]
                    .as_ref()
                    .map(|group| (adapter, group))
            }),
            dropout: self.dropout.map(|dropout| (dropout, layer)),
        }
    }
}

#[cfg(test)]
mod tests;
