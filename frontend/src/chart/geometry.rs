//! Scales, ticks and paths. Pure arithmetic.

use crate::text::format::fixed;

/// A linear map from values to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
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
        }
    }

    /// The pixel of a value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// The value at a pixel.
    #[must_use]
    pub fn value_at(&self, pixel: f64) -> f64 {
        self.low + (pixel - self.start) / (self.end - self.start) * (self.high - self.low)
    }
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
        return shared::number::scientific(value);
    }
    let mut digits = 0;
    let mut rest = distance;
    while rest < 0.999_999 && digits < 6 {
        rest *= 10.0;
        digits += 1;
    }
    fixed(value, digits)
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

/// The path of a line through points, broken where there is no value.
#[must_use]
pub fn line_path(points: impl Iterator<Item = (f64, Option<f64>)>, x: Scale, y: Scale) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for (step, value) in points {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                path.push(if pen_down { 'L' } else { 'M' });
                path.push_str(&fixed(x.at(step), 1));
                path.push(' ');
                path.push_str(&fixed(y.at(value), 1));
                pen_down = true;
            }
            None => pen_down = false,
        }
    }
    path
}

/// Smooths values with an exponential moving average; what isn't a number leaves the average as it was.
#[must_use]
pub fn smooth(values: &[Option<f64>], weight: f64) -> Vec<Option<f64>> {
    let mut average = None;
    values
        .iter()
        .map(|value| {
            let value = (*value)?;
            let next = average.map_or(value, |average: f64| weight * average + (1.0 - weight) * value);
            average = Some(next);
            Some(next)
        })
        .collect()
}

/// The index of the point whose step is nearest.
#[must_use]
pub fn nearest(steps: &[u64], step: f64) -> Option<usize> {
    let after = steps.partition_point(|known| (*known as f64) < step);
    let before = after.checked_sub(1);
    let distance = |index: usize| steps.get(index).map(|known| (*known as f64 - step).abs());
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
        assert_eq!(nearest(&[1, 5, 9], 6.0), Some(1));
        assert_eq!(nearest(&[1, 5, 9], 100.0), Some(2));
        assert_eq!(nearest(&[1, 5, 9], -4.0), Some(0));
        assert_eq!(nearest(&[], 1.0), None);
    }

    #[test]
    fn smoothing_passes_over_gaps() {
        assert_eq!(
            smooth(&[Some(1.0), None, Some(3.0)], 0.5),
            [Some(1.0), None, Some(2.0)]
        );
    }
}
