//! Scales, ticks and paths. Pure arithmetic.

use crate::text::format::{digits as written, fixed, localised};

/// A map from values to pixels, linear or by the logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Values, or their logarithms.
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Scale {
    /// Maps `low..high` to `start..end`; an empty range of values is widened a little.
    #[must_use]
    pub fn new(low: f64, high: f64, start: f64, end: f64) -> Self {
        let (low, high) = if high > low {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        Self {
            low,
            high,
            start,
            end,
            log: false,
        }
    }

    /// Maps the logarithms of `low..high`, both above 0, to `start..end`.
    #[must_use]
    pub fn logarithmic(low: f64, high: f64, start: f64, end: f64) -> Self {
        Self {
            log: true,
            ..Self::new(low.ln(), high.ln(), start, end)
        }
    }

    /// The pixel of a value; not a number where the scale has no place for it.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.ln() } else { value };
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// The value at a pixel.
    #[must_use]
    pub fn value_at(&self, pixel: f64) -> f64 {
        let value = self.low + (pixel - self.start) / (self.end - self.start) * (self.high - self.low);
        if self.log { value.exp() } else { value }
    }
}

/// Round numbers that divide `low..high`, both above 0, on a logarithmic axis: powers of ten, where these are few also 2 and
/// 5 times each, where even those are few as on a linear one.
#[must_use]
pub fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    if !(low > 0.0 && high > low && high.is_finite()) {
        return Vec::new();
    }
    for factors in [&[1.0][..], &[1.0, 2.0, 5.0]] {
        let mut found = Vec::new();
        let mut power = power_of_ten_below(low);
        while power <= high && found.len() < 40 {
            found.extend(
                factors
                    .iter()
                    .map(|factor| factor * power)
                    .filter(|tick| (low..=high).contains(tick)),
            );
            power *= 10.0;
        }
        if found.len() >= 3 {
            let every = found.len().div_ceil(8);
            return found.into_iter().step_by(every).collect();
        }
    }
    ticks(low, high, 5)
}

/// Round numbers that divide `low..high` into about `count` parts: 1, 2 or 5 times a power of ten apart.
#[must_use]
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let range = high - low;
    if !range.is_finite() || range <= 0.0 || count == 0 {
        return Vec::new();
    }
    let rough = range / count as f64;
    let power = power_of_ten_below(rough);
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.7);
    let step = step.unwrap_or(power * 10.0);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .take(100)
        .map(|index| index as f64 * step)
        .collect()
}

/// The largest power of ten that isn't above a positive number.
fn power_of_ten_below(number: f64) -> f64 {
    let mut power = 1.0;
    while power > number && power > 1e-300 {
        power /= 10.0;
    }
    while power * 10.0 <= number {
        power *= 10.0;
    }
    power
}

/// A tick's label with as many digits as its distance to the next needs.
#[must_use]
pub fn tick_label(value: f64, distance: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() < 1e-3 || value.abs() >= 1e6 {
        return localised(&shared::number::scientific(value));
    }
    let mut digits = 0;
    let mut rest = distance;
    while rest < 0.999_999 && digits < 6 {
        rest *= 10.0;
        digits += 1;
    }
    written(value, digits)
}

/// A range of values that leaves a little room and starts at zero where zero is near.
#[must_use]
pub fn value_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return None;
    }
    if low >= 0.0 && low < high * 0.75 {
        low = 0.0;
    }
    let room = if high > low {
        (high - low) * 0.04
    } else {
        high.abs().max(1.0) * 0.1
    };
    Some((if low == 0.0 { 0.0 } else { low - room }, high + room))
}

/// The range that a logarithmic axis needs, or nothing where no value is above 0.
#[must_use]
pub fn log_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
    for value in values.filter(|value| value.is_finite() && *value > 0.0) {
        low = low.min(value);
        high = high.max(value);
    }
    (low <= high).then(|| (low / 1.1, high * 1.1))
}

/// The path of a line through points, broken where there is no value or the scale has no place for it.
#[must_use]
pub fn line_path(points: impl Iterator<Item = (f64, Option<f64>)>, x: Scale, y: Scale) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for (step, value) in points {
        match value.map(|value| y.at(value)).filter(|at| at.is_finite()) {
            Some(at) => {
                path.push(if pen_down { 'L' } else { 'M' });
                path.push_str(&fixed(x.at(step), 1));
                path.push(' ');
                path.push_str(&fixed(at, 1));
                pen_down = true;
            }
            None => pen_down = false,
        }
    }
    path
}

/// Smooths values with an exponential moving average; what isn't a number leaves the average as it was.
///
/// `weight` is what the average keeps over one step. Where a curve is reduced, steps lie apart: over the distance of several the
/// average keeps as little as over all of them one by one.
#[must_use]
pub fn smooth(steps: &[u64], values: &[Option<f64>], weight: f64) -> Vec<Option<f64>> {
    let mut average = None;
    let mut before = None;
    steps
        .iter()
        .zip(values)
        .map(|(step, value)| {
            let value = (*value)?;
            let distance = before.map_or(1, |before| step.saturating_sub(before));
            before = Some(*step);
            let kept = weight.powi(i32::try_from(distance).unwrap_or(i32::MAX));
            let next = average.map_or(value, |average: f64| kept * average + (1.0 - kept) * value);
            average = Some(next);
            Some(next)
        })
        .collect()
}

/// The index of the nearest of ascending numbers.
#[must_use]
pub fn nearest(all: &[f64], to: f64) -> Option<usize> {
    let after = all.partition_point(|known| *known < to);
    let before = after.checked_sub(1);
    let distance = |index: usize| all.get(index).map(|known| (known - to).abs());
    match (before.and_then(distance), distance(after)) {
        (Some(left), Some(right)) => Some(if left <= right { after - 1 } else { after }),
        (Some(_), None) => before,
        (None, Some(_)) => Some(after),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_maps_both_ways_and_survives_an_empty_range() {
        let scale = Scale::new(0.0, 2.0, 100.0, 0.0);
        assert_eq!(scale.at(0.5), 75.0);
        assert_eq!(scale.value_at(75.0), 0.5);
        assert_eq!(Scale::new(3.0, 3.0, 0.0, 10.0).at(3.0), 5.0);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 2.6, 5), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(ticks(0.0, 2.5, 5), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(ticks(1.0, 500.0, 5), [100.0, 200.0, 300.0, 400.0, 500.0]);
        assert!(ticks(1.0, 1.0, 5).is_empty());
        assert!(ticks(0.0, f64::INFINITY, 5).is_empty());
        for (low, high) in [(0.0, 1e-9), (-3.0, 7.7), (1e9, 3e9)] {
            let ticks = ticks(low, high, 6);
            assert!((3..=13).contains(&ticks.len()), "{ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|tick| (low - 1e-12..=high + 1e-12).contains(tick)),
                "{ticks:?}"
            );
        }
    }

    #[test]
    fn tick_labels_have_the_digits_they_need() {
        assert_eq!(tick_label(0.5, 0.5), "0.5");
        assert_eq!(tick_label(100.0, 100.0), "100");
        assert_eq!(tick_label(0.0, 0.5), "0");
        assert_eq!(tick_label(0.0001, 0.0001), "1e-4");
    }

    #[test]
    fn the_range_holds_every_extreme() {
        let (low, high) = value_range([1.0, 99.0, 2.0, f64::NAN].into_iter()).expect("there are values");
        assert!(low == 0.0 && high > 99.0);
        let (low, high) = value_range([5.0].into_iter()).expect("there is a value");
        assert!(low < 5.0 && high > 5.0);
        assert!(value_range([f64::NAN].into_iter()).is_none());
    }

    #[test]
    fn a_line_breaks_at_a_gap() {
        let unit = Scale::new(0.0, 10.0, 0.0, 10.0);
        let points = [(0.0, Some(1.0)), (1.0, None), (2.0, Some(3.0)), (3.0, Some(4.0))];
        assert_eq!(
            line_path(points.into_iter(), unit, unit),
            "M0.0 1.0M2.0 3.0L3.0 4.0"
        );
    }

    #[test]
    fn the_nearest_point_is_found() {
        assert_eq!(nearest(&[1.0, 5.0, 9.0], 6.0), Some(1));
        assert_eq!(nearest(&[1.0, 5.0, 9.0], 100.0), Some(2));
        assert_eq!(nearest(&[1.0, 5.0, 9.0], -4.0), Some(0));
        assert_eq!(nearest(&[], 1.0), None);
    }

    #[test]
    fn smoothing_passes_over_gaps() {
        assert_eq!(
            smooth(&[1, 2, 3], &[Some(1.0), None, Some(3.0)], 0.5),
            [Some(1.0), None, Some(2.5)]
        );
    }

    #[test]
    fn a_reduced_curve_is_smoothed_as_if_it_was_whole() {
        let steps: Vec<u64> = (1..=200).collect();
        let whole: Vec<_> = steps.iter().map(|step| Some(1.0 / *step as f64)).collect();
        let smoothed = smooth(&steps, &whole, 0.9);
        let kept: Vec<u64> = (1..=200).step_by(2).collect();
        let reduced = smooth(
            &kept,
            &kept
                .iter()
                .map(|step| Some(1.0 / *step as f64))
                .collect::<Vec<_>>(),
            0.9,
        );
        let (Some(whole), Some(reduced)) = (smoothed[198], reduced[99]) else {
            panic!("every step has a value")
        };
        assert!((whole - reduced).abs() / whole < 0.02, "{whole} {reduced}");
    }

    #[test]
    fn a_logarithmic_axis_has_round_ticks_and_a_gap_where_nothing_is_above_zero() {
        assert_eq!(log_ticks(0.004, 30.0), [0.01, 0.1, 1.0, 10.0]);
        assert_eq!(log_ticks(0.9, 6.0), [1.0, 2.0, 5.0]);
        assert!(log_ticks(1.0, 1.2).len() >= 2 && log_ticks(0.0, 1.0).is_empty());
        assert!(log_ticks(1e-300, 1e300).len() <= 8);
        let scale = Scale::logarithmic(0.01, 100.0, 200.0, 0.0);
        assert!((scale.at(1.0) - 100.0).abs() < 1e-9 && (scale.value_at(50.0) - 10.0).abs() < 1e-9);
        let points = [
            (1.0, Some(1.0)),
            (2.0, Some(0.0)),
            (3.0, Some(-1.0)),
            (4.0, Some(10.0)),
        ];
        let unit = Scale::new(0.0, 10.0, 0.0, 10.0);
        assert_eq!(line_path(points.into_iter(), unit, scale), "M1.0 100.0M4.0 50.0");
        assert_eq!(log_range([0.0, -3.0, 2.0].into_iter()), Some((2.0 / 1.1, 2.2)));
        assert_eq!(log_range([0.0].into_iter()), None);
    }
}
