//! Loops that run with the widest vectors the processor has, chosen at run time, in safe code; and the few vector
//! reductions and functions that compilers don't vectorise by themselves.
//!
//! Every helper is inlined into the closure that [`widest`] runs, so that it's compiled once for each vector width.

/// Runs the closure compiled for the widest vectors of this processor.
#[inline]
pub(crate) fn widest<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// Partial sums that a reduction keeps side by side: one vector of the widest kind. Fixed, so that the order of
/// additions is the same on every processor.
const LANES: usize = 16;

#[inline(always)]
fn fold_lanes(lanes: [f32; LANES], rest: f32) -> f32 {
    let mut sum = rest;
    for lane in lanes {
        sum += lane;
    }
    sum
}

/// Σ a·b.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (left_chunks, left_rest) = left.as_chunks::<LANES>();
    let (right_chunks, right_rest) = right.as_chunks::<LANES>();
    for (a, b) in left_chunks.iter().zip(right_chunks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    fold_lanes(lanes, rest)
}

/// Σ a·b·c.
#[inline(always)]
pub(crate) fn dot3(first: &[f32], second: &[f32], third: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (first_chunks, first_rest) = first.as_chunks::<LANES>();
    let (second_chunks, second_rest) = second.as_chunks::<LANES>();
    let (third_chunks, third_rest) = third.as_chunks::<LANES>();
    for ((a, b), c) in first_chunks.iter().zip(second_chunks).zip(third_chunks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane] * c[lane];
        }
    }
    let rest = first_rest
        .iter()
        .zip(second_rest)
        .zip(third_rest)
        .map(|((a, b), c)| a * b * c)
        .sum();
    fold_lanes(lanes, rest)
}

/// The largest number; −∞ of nothing. NaN is passed over.
#[inline(always)]
pub(crate) fn maximum(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = if chunk[lane] > lanes[lane] {
                chunk[lane]
            } else {
                lanes[lane]
            };
        }
    }
    lanes.iter().chain(rest).fold(
        f32::NEG_INFINITY,
        |best, value| if *value > best { *value } else { best },
    )
}

/// eˣ to about 2 units in the last place; 0 below −87.3, +∞ never (clamped at 88.3). NaN stays NaN.
#[inline(always)]
pub(crate) fn exp(value: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to a whole number kept in the low bits.
    let clamped = if value < -87.3 { -87.3 } else { value };
    let clamped = if clamped > 88.3 { 88.3 } else { clamped };
    let shifted = clamped * std::f32::consts::LOG2_E + MAGIC;
    let whole = shifted - MAGIC;
    // ln 2 in two parts, the first exact in few bits, so that the remainder keeps its precision.
    let rest = clamped - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut series = 1.987_569_1e-4;
    series = series * rest + 1.398_2e-3;
    series = series * rest + 8.333_452e-3;
    series = series * rest + 4.166_579_6e-2;
    series = series * rest + 1.666_666_5e-1;
    series = series * rest + 0.5;
    let power = series * rest * rest + rest + 1.0;
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if value < -87.3 { 0.0 } else { power * scale }
}

/// Replaces each x by e^(x − shift) and returns the sum.
#[inline(always)]
pub(crate) fn exp_shifted(values: &mut [f32], shift: f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exp(chunk[lane] - shift);
            lanes[lane] += chunk[lane];
        }
    }
    let mut sum = 0.0;
    for value in rest {
        *value = exp(*value - shift);
        sum += *value;
    }
    fold_lanes(lanes, sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_a_few_units_in_the_last_place() {
        for step in -870_000..880_000 {
            let value = step as f32 * 1e-4;
            let expected = f64::from(value).exp();
            let error = (f64::from(exp(value)) - expected).abs() / expected;
            assert!(error < 3e-7, "exp({value}) is off by {error}");
        }
        assert_eq!(exp(-100.0), 0.0);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::INFINITY) > 1e38);
    }

    #[test]
    fn reductions_agree_with_plain_loops() {
        let values: Vec<f32> = (0..53).map(|index| (index * 7 % 11) as f32 - 5.0).collect();
        let dot_expected: f32 = values.iter().map(|value| value * value).sum();
        let cubes: f32 = values.iter().map(|value| value * value * value).sum();
        assert_eq!(widest(|| dot(&values, &values)), dot_expected);
        assert_eq!(widest(|| dot3(&values, &values, &values)), cubes);
        assert_eq!(widest(|| maximum(&values)), 5.0);
        let mut copy = values.clone();
        let sum = widest(|| exp_shifted(&mut copy, 5.0));
        let expected: f64 = values.iter().map(|value| (f64::from(*value) - 5.0).exp()).sum();
        assert!((f64::from(sum) - expected).abs() < 1e-5);
    }
}
