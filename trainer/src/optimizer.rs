//! `AdamW` with decoupled weight decay (Loshchilov and Hutter 2019) and clipping by the global norm, as in PyTorch.

use crate::simd;
use rayon::prelude::*;
use std::ops::Range;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f32 = 1e-8;

/// Numbers that one task takes.
const CHUNK: usize = 1 << 14;

/// The moments, laid out as the trained values are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    /// Steps done.
    pub(crate) step: u64,
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
}

impl AdamW {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            step: 0,
            first: vec![0.0; count],
            second: vec![0.0; count],
        }
    }

    /// One step. `grads` are multiplied by `grad_scale` first; values in `undecayed` ranges (sorted) get no decay.
    pub(crate) fn update(
        &mut self,
        values: &mut [f32],
        grads: &[f32],
        grad_scale: f32,
        learning_rate: f64,
        weight_decay: f64,
        undecayed: &[Range<usize>],
    ) {
        self.step += 1;
        let power = self.step.min(i32::MAX as u64) as i32;
        let size = (learning_rate / (1.0 - BETA1.powi(power))) as f32;
        let root = (1.0 - BETA2.powi(power)).sqrt() as f32;
        let keep = (1.0 - learning_rate * weight_decay) as f32;
        let mut start = 0;
        for (end, keep) in undecayed
            .iter()
            .flat_map(|range| [(range.start, keep), (range.end, 1.0)])
            .chain([(values.len(), keep)])
        {
            let range = start..end;
            start = end;
            let tasks = values[range.clone()]
                .par_chunks_mut(CHUNK)
                .zip(grads[range.clone()].par_chunks(CHUNK))
                .zip(self.first[range.clone()].par_chunks_mut(CHUNK))
                .zip(self.second[range].par_chunks_mut(CHUNK));
            tasks.for_each(|(((values, grads), first), second)| {
                simd::widest(
                    #[inline(always)]
                    || {
                        let all = values.iter_mut().zip(grads).zip(first).zip(second);
                        for (((value, grad), first), second) in all {
                            let grad = grad * grad_scale;
                            *first = BETA1 as f32 * *first + (1.0 - BETA1) as f32 * grad;
                            *second = BETA2 as f32 * *second + (1.0 - BETA2) as f32 * grad * grad;
                            *value = *value * keep - size * *first / (second.sqrt() / root + EPS);
                        }
                    },
                );
            });
        }
    }
}

/// L2 norm, summed in fixed order.
pub(crate) fn norm(grads: &[f32]) -> f64 {
    let parts: Vec<f64> = grads
        .par_chunks(CHUNK)
        .map(|chunk| chunk.iter().map(|grad| f64::from(*grad) * f64::from(*grad)).sum())
        .collect();
    parts.iter().sum::<f64>().sqrt()
}

/// What gradients of this norm are multiplied by, so that they are no longer than `longest`; 0 turns clipping off.
pub(crate) fn clip_scale(norm: f64, longest: f64) -> f32 {
    if longest > 0.0 {
        (longest / (norm + 1e-6)).min(1.0) as f32
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_moves_each_value_by_the_learning_rate() {
        let mut optimizer = AdamW::new(3);
        let mut values = vec![1.0, 2.0, 3.0];
        optimizer.update(&mut values, &[0.5, -4.0, 0.0], 1.0, 0.1, 0.0, &[]);
        assert!((values[0] - 0.9).abs() < 1e-6 && (values[1] - 2.1).abs() < 1e-6 && values[2] == 3.0);
    }

    #[test]
    fn decay_spares_the_ranges_it_should() {
        let mut optimizer = AdamW::new(4);
        let mut values = vec![1.0; 4];
        optimizer.update(&mut values, &[0.0; 4], 1.0, 0.5, 0.2, &[1..2, 3..4]);
        assert_eq!(values, [0.9, 1.0, 0.9, 1.0]);
    }

    #[test]
    fn many_steps_find_the_minimum_of_a_bowl() {
        let mut optimizer = AdamW::new(2);
        let mut values = vec![3.0, -2.0];
        for _ in 0..2000 {
            let grads: Vec<f32> = values.iter().map(|value| 2.0 * (value - 1.0)).collect();
            optimizer.update(&mut values, &grads, 1.0, 0.01, 0.0, &[]);
        }
        assert!(
            values.iter().all(|value| (value - 1.0).abs() < 1e-2),
            "{values:?}"
        );
    }

    #[test]
    fn clipping_shortens_only_what_is_too_long() {
        assert!((norm(&[3.0, 4.0]) - 5.0).abs() < 1e-12);
        assert!((clip_scale(5.0, 1.0) - 0.2).abs() < 1e-6);
        assert_eq!(clip_scale(0.5, 1.0), 1.0);
        assert_eq!(clip_scale(5.0, 0.0), 1.0);
    }
}
