//! Texts put together to batches: without padding, and never more tokens at once than memory should hold.

use crate::network::Batch;

/// Tokens of one forward and backward pass; a step of more is taken in several, with the same result.
const TOKENS_PER_PASS: usize = 4096;

/// Batches of at most [`TOKENS_PER_PASS`] tokens, or of one text. `first_row` is the number of tokens of the same step
/// that came before.
pub(crate) fn pack<'a>(
    texts: impl Iterator<Item = (&'a [u32], &'a [bool])>,
    mut first_row: u64,
) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (tokens, counts) in texts.filter(|(tokens, _)| !tokens.is_empty()) {
        if batches
            .last()
            .is_none_or(|batch| batch.tokens.len() + tokens.len() > TOKENS_PER_PASS)
        {
            batches.push(Batch {
                first_row,
                ..Batch::default()
            });
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(tokens, counts.iter().copied());
        }
        first_row += tokens.len() as u64;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_below_the_bound_and_lose_nothing() {
        let texts: Vec<(Vec<u32>, Vec<bool>)> = [3000, 1000, 200, 5000, 1]
            .map(|length| (vec![1; length], vec![true; length]))
            .to_vec();
        let batches = pack(
            texts
                .iter()
                .map(|(tokens, counts)| (tokens.as_slice(), counts.as_slice())),
            7,
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
