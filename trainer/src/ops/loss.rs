//! Cross-entropy over target rows only, a chunk of rows at a time, so that the scores of a whole batch over the whole
//! vocabulary never exist at once. The gradient comes out of the same pass.

use crate::{
    matmul::{Matrix, multiply_columns_parallel, multiply_parallel},
    model::Numbers,
    network::fit,
    simd,
};
use rayon::prelude::*;
use shared::memory::score_rows;

/// One row whose next token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// The row that predicts.
    pub(crate) row: u32,
    /// The token that it should predict.
    pub(crate) token: u32,
}

/// Sums over target rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Totals {
    /// Cross-entropy in nats.
    pub(crate) loss: f64,
    /// Rows whose most likely token was right.
    pub(crate) correct: u64,
    /// Rows.
    pub(crate) count: u64,
}

impl Totals {
    pub(crate) fn sum(parts: &[Self]) -> Self {
        let mut totals = Self::default();
        parts.iter().for_each(|part| totals.add(*part));
        totals
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.count += other.count;
    }
}

/// Numbers of the head that are taken at once.
const HEAD_PART: usize = 1 << 21;

/// Loss of `hidden` `[targets, width]` (already normed) against `targets`, through `head` `[vocabulary, width]`, of each
/// target. With `grad_scale`, `hidden` is replaced by its gradient, scaled; with `grad_head` too, the gradient of `head` is
/// added there.
pub(crate) fn cross_entropy(
    hidden: &mut [f32],
    targets: &[Target],
    head: Numbers<'_>,
    width: usize,
    (scratch, head_scratch): (&mut Vec<f32>, &mut Vec<f32>),
    grad_scale: Option<f32>,
    mut grad_head: Option<&mut [f32]>,
) -> Vec<Totals> {
    let vocabulary = head.len() / width;
    let mut totals = Vec::with_capacity(targets.len());
    let rows = score_rows(vocabulary as u64) as usize;
    for (hidden, targets) in hidden.chunks_mut(rows * width).zip(targets.chunks(rows)) {
        let count = targets.len();
        if scratch.len() < count * vocabulary {
            fit(scratch, count * vocabulary);
        }
        let scores = &mut scratch[..count * vocabulary];
        for (first, part) in parts_of(head, width) {
            let part = Matrix::new(part.in_f32(head_scratch), part.len() / width, width);
            let hidden = Matrix::new(hidden, count, width);
            multiply_columns_parallel(scores, vocabulary, first, hidden, part.transposed(), 1.0, false);
        }
        let parts = scores
            .par_chunks_mut(vocabulary)
            .zip(targets)
            .map(|(scores, target)| one_row(scores, target.token as usize, grad_scale));
        totals.par_extend(parts);
        if grad_scale.is_some() {
            if let Some(grad_head) = grad_head.as_deref_mut() {
                multiply_parallel(
                    grad_head,
                    Matrix::new(scores, count, vocabulary).transposed(),
                    Matrix::new(hidden, count, width),
                    1.0,
                    true,
                );
            }
            for (first, part) in parts_of(head, width) {
                let tokens = part.len() / width;
                let part = Matrix::new(part.in_f32(head_scratch), tokens, width);
                let scores = Matrix::strided(&scores[first..], count, tokens, vocabulary);
                multiply_parallel(hidden, scores, part, 1.0, first > 0);
            }
        }
    }
    totals
}

/// The head, a part of the vocabulary at a time, each with its first token. The parts are the same however the head is
/// kept, so that sums over the vocabulary are, too.
fn parts_of(head: Numbers<'_>, width: usize) -> impl Iterator<Item = (usize, Numbers<'_>)> {
    let (vocabulary, tokens) = (head.len() / width, (HEAD_PART / width).max(1));
    (0..vocabulary).step_by(tokens).map(move |first| {
        let end = (first + tokens).min(vocabulary);
        (first, head.part(first * width..end * width))
    })
}

fn one_row(scores: &mut [f32], target: usize, grad_scale: Option<f32>) -> Totals {
    simd::widest(
        #[inline(always)]
        || {
            let wanted = scores[target];
            let largest = simd::maximum(scores);
            let sum = simd::exp_shifted(scores, largest);
            if let Some(scale) = grad_scale {
                let share = scale / sum;
                for score in scores.iter_mut() {
                    *score *= share;
                }
                scores[target] -= scale;
            }
            // A NaN anywhere makes the sum NaN, so that it can't hide.
            let loss = f64::from(largest) + f64::from(sum).ln() - f64::from(wanted);
            Totals {
                loss,
                correct: u64::from(wanted >= largest),
                count: 1,
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn loss_and_gradients_agree_with_the_definition() {
        let (width, vocabulary, count) = (5, 150_000, 70); // several chunks
        let stream = Stream::new(2, Purpose::Caller, &[]);
        let hidden: Vec<f32> = (0..count * width)
            .map(|place| stream.normal(place as u64) as f32)
            .collect();
        let head: Vec<f32> = (0..vocabulary * width)
            .map(|place| stream.normal(9_999 + place as u64) as f32)
            .collect();
        let targets: Vec<Target> = (0..count)
            .map(|row| Target {
                row: row as u32,
                token: (row * 37) as u32,
            })
            .collect();
        let mut scratch = Vec::new();
        let totals = Totals::sum(&cross_entropy(
            &mut hidden.clone(),
            &targets,
            Numbers::F32(&head),
            width,
            (&mut scratch, &mut Vec::new()),
            None,
            None,
        ));
        let loss_of = |row: usize, hidden: &[f32]| -> f64 {
            let score = |token: usize| -> f64 {
                (0..width)
                    .map(|at| f64::from(hidden[at]) * f64::from(head[token * width + at]))
                    .sum()
            };
            let sum: f64 = (0..vocabulary).map(|token| score(token).exp()).sum();
            sum.ln() - score(row * 37)
        };
        let expected: f64 = (0..count)
            .map(|row| loss_of(row, &hidden[row * width..][..width]))
            .sum();
        assert!(
            (totals.loss - expected).abs() < 1e-3 * expected,
            "{} {expected}",
            totals.loss
        );
        assert_eq!(totals.count, count as u64);

        let (mut grad, mut grad_head) = (hidden.clone(), vec![0.0; head.len()]);
        let scale = Some(0.5);
        cross_entropy(
            &mut grad,
            &targets,
            Numbers::F32(&head),
            width,
            (&mut scratch, &mut Vec::new()),
            scale,
            Some(&mut grad_head),
        );
        for row in [0, count - 1] {
            let here = &hidden[row * width..][..width];
            let (mut up, mut down) = (here.to_vec(), here.to_vec());
            up[2] += 1e-3;
            down[2] -= 1e-3;
            let expected = 0.5 * (loss_of(row, &up) - loss_of(row, &down)) / 2e-3;
            assert!(
                (f64::from(grad[row * width + 2]) - expected).abs() < 1e-3,
                "{row}"
            );
            // The row's own target dominates the gradient of its line of the head.
            let flow = f64::from(grad_head[row * 37 * width + 2]);
            let share = (-loss_of(row, here)).exp();
            assert!(
                (flow - 0.5 * (share - 1.0) * f64::from(here[2])).abs() < 1e-2,
                "{row} {flow}"
            );
        }
    }

    #[test]
    fn a_head_kept_in_sixteen_bits_gives_the_bits_that_it_gives_in_f32() {
        let (width, vocabulary) = (64, 40_000); // more than one part
        let bits: Vec<u16> = (0..width * vocabulary)
            .map(|place| half::bf16::from_f32((place as f32 * 0.37).sin()).to_bits())
            .collect();
        let mut full = vec![0.0; bits.len()];
        Numbers::Bf16(&bits).copy_to(&mut full);
        assert!(parts_of(Numbers::Bf16(&bits), width).count() > 1);
        let targets = [5, 39_999, 20_000].map(|token| Target { row: 0, token });
        let run = |head: Numbers<'_>| {
            let mut hidden: Vec<f32> = (0..3 * width).map(|place| (place as f32).cos()).collect();
            let scratch = (&mut Vec::new(), &mut Vec::new());
            let totals = cross_entropy(&mut hidden, &targets, head, width, scratch, Some(1.0), None);
            (totals, hidden)
        };
        assert_eq!(run(Numbers::Bf16(&bits)), run(Numbers::F32(&full)));
    }

    #[test]
    fn a_broken_number_makes_the_loss_no_number() {
        let head = [1.0, f32::NAN, 2.0];
        let targets = [Target { row: 0, token: 0 }];
        let scratch = (&mut Vec::new(), &mut Vec::new());
        let totals = cross_entropy(&mut [1.0], &targets, Numbers::F32(&head), 1, scratch, None, None);
        assert!(totals[0].loss.is_nan());
    }
}
