//! Texts put together to batches: without padding, and never more tokens at once than memory should hold.

use crate::{data::Examples, network::Batch};
use std::ops::Range;

/// Tokens of one forward and backward pass; a step of more is taken in several, with the same result.
pub(crate) const TOKENS_PER_PASS: usize = shared::memory::TOKENS_PER_PASS as usize;

/// Batches of at most `tokens_per_pass` tokens, or of one text. `first_row` is the number of tokens of the same step
/// that came before.
pub(crate) fn pack<'a>(
    texts: impl Iterator<Item = (&'a [u32], &'a [bool])>,
    mut first_row: u64,
    tokens_per_pass: usize,
) -> Vec<Batch> {
    let texts: Vec<_> = texts.filter(|(tokens, _)| !tokens.is_empty()).collect();
    let lengths = texts.iter().map(|(tokens, _)| tokens.len());
    passes(lengths, tokens_per_pass)
        .into_iter()
        .map(|pass| {
            let mut batch = Batch {
                first_row,
                ..Batch::default()
            };
            for (tokens, counts) in &texts[pass] {
                batch.push(tokens, counts.iter().copied());
            }
            first_row += batch.tokens.len() as u64;
            batch
        })
        .collect()
}

/// Batches of these examples, each whole in one of them.
pub(crate) fn pack_examples(
    all: &Examples,
    examples: &[usize],
    mut first_row: u64,
    tokens_per_pass: usize,
) -> Vec<Batch> {
    let lengths = examples.iter().map(|example| all.tokens_of(*example));
    passes(lengths, tokens_per_pass)
        .into_iter()
        .map(|pass| {
            let mut batch = Batch {
                first_row,
                ..Batch::default()
            };
            for tokens in examples[pass].iter().flat_map(|example| all.texts(*example)) {
                batch.push(&tokens.ids, tokens.counts.iter().copied());
            }
            first_row += batch.tokens.len() as u64;
            batch
        })
        .collect()
}

/// Which texts of these lengths go into each batch.
pub(crate) fn passes(lengths: impl Iterator<Item = usize>, tokens_per_pass: usize) -> Vec<Range<usize>> {
    let (mut passes, mut filled): (Vec<Range<usize>>, usize) = (Vec::new(), 0);
    for (text, length) in lengths.enumerate() {
        match passes.last_mut() {
            Some(pass) if filled + length <= tokens_per_pass => {
                pass.end = text + 1;
                filled += length;
            }
            _ => {
                passes.push(text..text + 1);
                filled = length;
            }
        }
    }
    passes
}

/// The examples of one step in at most `count` parts of about the same number.
pub(crate) fn parts(examples: &[usize], count: usize) -> impl Iterator<Item = &[usize]> {
    examples.chunks(examples.len().div_ceil(count.max(1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_below_the_bound_and_lose_nothing() {
        let texts: Vec<(Vec<u32>, Vec<bool>)> = [3000, 1000, 200, 5000, 0, 1]
            .map(|length| (vec![1; length], vec![true; length]))
            .to_vec();
        let batches = pack(
            texts
                .iter()
                .map(|(tokens, counts)| (tokens.as_slice(), counts.as_slice())),
            7,
            TOKENS_PER_PASS,
        );
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.tokens.len()).collect();
        assert_eq!(sizes, [4000, 200, 5000, 1]);
        assert_eq!(
            batches.iter().map(|batch| batch.first_row).collect::<Vec<_>>(),
            [7, 4007, 4207, 9207]
        );
        assert_eq!(batches[0].targets.len(), 3998);
    }
}
