//! RMS norm (Zhang and Sennrich 2019), fused with the residual addition before it.

use super::ROWS_PER_TASK;
use crate::simd;
use rayon::prelude::*;

/// 1 ÷ √(mean of squares + eps) of one row.
#[inline(always)]
pub(crate) fn inverse_rms(row: &[f32], eps: f32) -> f32 {
    1.0 / (simd::dot(row, row) / row.len() as f32 + eps).sqrt()
}

/// `normed = input · inverse_rms · weight` of each row of `input` `[rows, width]`; the factors go into `scales` `[rows]`.
pub(crate) fn forward(input: &[f32], weight: &[f32], eps: f32, normed: &mut [f32], scales: &mut [f32]) {
    let width = weight.len();
    let tasks = normed
        .par_chunks_mut(ROWS_PER_TASK * width)
        .zip(input.par_chunks(ROWS_PER_TASK * width))
        .zip(scales.par_chunks_mut(ROWS_PER_TASK));
    tasks.for_each(|((normed, input), scales)| {
        simd::widest(
            #[inline(always)]
            || {
                let rows = normed
                    .chunks_exact_mut(width)
                    .zip(input.chunks_exact(width))
                    .zip(scales);
                for ((normed, input), scale) in rows {
                    *scale = inverse_rms(input, eps);
                    for ((out, value), weight) in normed.iter_mut().zip(input).zip(weight) {
                        *out = value * *scale * weight;
                    }
                }
            },
        );
    });
}

/// `sum = left + right`, then [`forward`] of the sum.
pub(crate) fn add_forward(
    (left, right): (&[f32], &[f32]),
    weight: &[f32],
    eps: f32,
    sum: &mut [f32],
    normed: &mut [f32],
    scales: &mut [f32],
) {
    add(left, right, sum);
    forward(sum, weight, eps, normed, scales);
}

/// `sum = left + right`.
pub(crate) fn add(left: &[f32], right: &[f32], sum: &mut [f32]) {
    const CHUNK: usize = 1 << 14;
    let tasks = sum
        .par_chunks_mut(CHUNK)
        .zip(left.par_chunks(CHUNK))
        .zip(right.par_chunks(CHUNK));
    tasks.for_each(|((sum, left), right)| {
        simd::widest(
            #[inline(always)]
            || {
                for ((sum, left), right) in sum.iter_mut().zip(left).zip(right) {
                    *sum = left + right;
                }
            },
        );
    });
}

/// The normed rows once more, from the kept factors.
pub(crate) fn recompute(input: &[f32], weight: &[f32], scales: &[f32], normed: &mut [f32]) {
    let width = weight.len();
    let tasks = normed
        .par_chunks_mut(ROWS_PER_TASK * width)
        .zip(input.par_chunks(ROWS_PER_TASK * width))
        .zip(scales.par_chunks(ROWS_PER_TASK));
    tasks.for_each(|((normed, input), scales)| {
        simd::widest(
            #[inline(always)]
            || {
                let rows = normed
                    .chunks_exact_mut(width)
                    .zip(input.chunks_exact(width))
                    .zip(scales);
                for ((normed, input), scale) in rows {
                    for ((out, value), weight) in normed.iter_mut().zip(input).zip(weight) {
                        *out = value * scale * weight;
                    }
                }
            },
        );
    });
}

/// The gradient of one row: `grad_input` gets (or, with `add`, is added) what flows to `input`.
#[inline(always)]
pub(crate) fn backward_row(
    grad: &[f32],
    input: &[f32],
    weight: &[f32],
    scale: f32,
    grad_input: &mut [f32],
    add: bool,
) {
    let along = simd::dot3(grad, weight, input) * scale * scale * scale / input.len() as f32;
    let keep = if add { 1.0 } else { 0.0 };
    for (((out, grad), value), weight) in grad_input.iter_mut().zip(grad).zip(input).zip(weight) {
        *out = keep * *out + grad * weight * scale - value * along;
    }
}

/// Adds the gradient that flows through the norm to `grad_input`. All `[rows, width]`.
pub(crate) fn backward(grad: &[f32], input: &[f32], weight: &[f32], scales: &[f32], grad_input: &mut [f32]) {
    let width = weight.len();
    let tasks = grad_input
        .par_chunks_mut(ROWS_PER_TASK * width)
        .zip(grad.par_chunks(ROWS_PER_TASK * width))
        .zip(input.par_chunks(ROWS_PER_TASK * width))
        .zip(scales.par_chunks(ROWS_PER_TASK));
    tasks.for_each(|(((grad_input, grad), input), scales)| {
        simd::widest(
            #[inline(always)]
            || {
                let rows = grad_input
                    .chunks_exact_mut(width)
                    .zip(grad.chunks_exact(width))
                    .zip(input.chunks_exact(width))
                    .zip(scales);
                for (((out, grad), input), scale) in rows {
                    backward_row(grad, input, weight, *scale, out, true);
                }
            },
        );
    });
}

/// Adds the gradient of the weight: `grad_weight[c] += Σ grad · input · scale` over the rows, in fixed order.
pub(crate) fn backward_weight(grad: &[f32], input: &[f32], scales: &[f32], grad_weight: &mut [f32]) {
    let width = grad_weight.len();
    let parts: Vec<Vec<f32>> = grad
        .par_chunks(ROWS_PER_TASK * width)
        .zip(input.par_chunks(ROWS_PER_TASK * width))
        .zip(scales.par_chunks(ROWS_PER_TASK))
        .map(|((grad, input), scales)| {
            let mut part = vec![0.0; width];
            simd::widest(
                #[inline(always)]
                || {
                    let rows = grad
                        .chunks_exact(width)
                        .zip(input.chunks_exact(width))
                        .zip(scales);
                    for ((grad, input), scale) in rows {
                        for ((sum, grad), value) in part.iter_mut().zip(grad).zip(input) {
                            *sum += grad * value * scale;
                        }
                    }
                },
            );
            part
        })
        .collect();
    add_parts(&parts, grad_weight);
}

/// Adds partial sums in their order.
pub(crate) fn add_parts(parts: &[Vec<f32>], total: &mut [f32]) {
    for part in parts {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
}

/// `grad_bias[c] += Σ grad` over the rows of `grad` `[rows, width]`, in fixed order.
pub(crate) fn backward_bias(grad: &[f32], grad_bias: &mut [f32]) {
    let width = grad_bias.len();
    let parts: Vec<Vec<f32>> = grad
        .par_chunks(ROWS_PER_TASK * width)
        .map(|grad| {
            let mut part = vec![0.0; width];
            for row in grad.chunks_exact(width) {
                for (sum, value) in part.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            part
        })
        .collect();
    add_parts(&parts, grad_bias);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn gradients_agree_with_finite_differences() {
        let (rows, width, eps) = (70, 24, 1e-5);
        let stream = Stream::new(5, Purpose::Caller, &[]);
        let draw = |from: u64, count: usize| -> Vec<f32> {
            (0..count as u64)
                .map(|place| stream.normal(from + place) as f32)
                .collect()
        };
        let (input, weight, grad) = (draw(0, rows * width), draw(5000, width), draw(9000, rows * width));
        let objective = |input: &[f32], weight: &[f32]| -> f64 {
            let (mut normed, mut scales) = (vec![0.0; rows * width], vec![0.0; rows]);
            forward(input, weight, eps, &mut normed, &mut scales);
            normed
                .iter()
                .zip(&grad)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let (mut normed, mut scales) = (vec![0.0; rows * width], vec![0.0; rows]);
        forward(&input, &weight, eps, &mut normed, &mut scales);
        let mut again = vec![0.0; rows * width];
        recompute(&input, &weight, &scales, &mut again);
        assert_eq!(normed, again);
        let mut grad_input = vec![1.0; rows * width];
        backward(&grad, &input, &weight, &scales, &mut grad_input);
        let mut grad_weight = vec![0.0; width];
        backward_weight(&grad, &input, &scales, &mut grad_weight);
        let step = 1e-2;
        for place in [0, 7, 500, rows * width - 1] {
            let (mut up, mut down) = (input.clone(), input.clone());
            up[place] += step;
            down[place] -= step;
            let expected = (objective(&up, &weight) - objective(&down, &weight)) / (2.0 * f64::from(step));
            assert!(
                (f64::from(grad_input[place]) - 1.0 - expected).abs() < 2e-3,
                "input {place}"
            );
        }
        for place in [0, width - 1] {
            let (mut up, mut down) = (weight.clone(), weight.clone());
            up[place] += step;
            down[place] -= step;
            let expected = (objective(&input, &up) - objective(&input, &down)) / (2.0 * f64::from(step));
            assert!(
                (f64::from(grad_weight[place]) - expected).abs() < 2e-3,
                "weight {place}"
            );
        }
    }
}
