//! `SwiGLU` (Shazeer 2020): silu(gate) · up.

use super::ROWS_PER_TASK;
use crate::simd;
use rayon::prelude::*;

/// `active[r, c] = silu(gate) · up` for `gate_up` `[rows, 2 · width]` (gate first), `active` `[rows, width]`.
pub(crate) fn forward(gate_up: &[f32], width: usize, active: &mut [f32]) {
    let tasks = active
        .par_chunks_mut(ROWS_PER_TASK * width)
        .zip(gate_up.par_chunks(2 * ROWS_PER_TASK * width));
    tasks.for_each(|(active, gate_up)| {
        simd::widest(
            #[inline(always)]
            || {
                for (active, gate_up) in active
                    .chunks_exact_mut(width)
                    .zip(gate_up.chunks_exact(2 * width))
                {
                    let (gate, up) = gate_up.split_at(width);
                    for ((out, gate), up) in active.iter_mut().zip(gate).zip(up) {
                        *out = gate * up / (1.0 + simd::exp(-gate));
                    }
                }
            },
        );
    });
}

/// Replaces `gate_up` by its gradient, given that of `active`, which is replaced by the active values themselves.
pub(crate) fn backward(gate_up: &mut [f32], width: usize, grad_then_active: &mut [f32]) {
    let tasks = grad_then_active
        .par_chunks_mut(ROWS_PER_TASK * width)
        .zip(gate_up.par_chunks_mut(2 * ROWS_PER_TASK * width));
    tasks.for_each(|(grad, gate_up)| {
        simd::widest(
            #[inline(always)]
            || {
                for (grad, gate_up) in grad
                    .chunks_exact_mut(width)
                    .zip(gate_up.chunks_exact_mut(2 * width))
                {
                    let (gate, up) = gate_up.split_at_mut(width);
                    for ((grad, gate), up) in grad.iter_mut().zip(gate).zip(up) {
                        let sigmoid = 1.0 / (1.0 + simd::exp(-*gate));
                        let silu = *gate * sigmoid;
                        let flow = *grad;
                        *grad = silu * *up;
                        *gate = flow * *up * sigmoid * (1.0 + *gate * (1.0 - sigmoid));
                        *up = flow * silu;
                    }
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (rows, width) = (3, 5);
        let gate_up: Vec<f32> = (0..rows * 2 * width)
            .map(|place| (place as f32 * 0.7).sin() * 2.0)
            .collect();
        let grad: Vec<f32> = (0..rows * width)
            .map(|place| (place as f32 * 1.3).cos())
            .collect();
        let objective = |gate_up: &[f32]| -> f64 {
            let mut active = vec![0.0; rows * width];
            forward(gate_up, width, &mut active);
            active
                .iter()
                .zip(&grad)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let (mut flow, mut active) = (gate_up.clone(), grad.clone());
        backward(&mut flow, width, &mut active);
        let mut expected_active = vec![0.0; rows * width];
        forward(&gate_up, width, &mut expected_active);
        assert!(
            active
                .iter()
                .zip(&expected_active)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        for place in 0..gate_up.len() {
            let (mut up, mut down) = (gate_up.clone(), gate_up.clone());
            up[place] += 1e-2;
            down[place] -= 1e-2;
            let expected = (objective(&up) - objective(&down)) / 2e-2;
            assert!((f64::from(flow[place]) - expected).abs() < 1e-3, "{place}");
        }
    }
}
