//! M4 decimation: a curve reduced to what a chart of so many pixel columns can show, without hiding an extreme.
//!
//! After Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation" (VLDB 2014): of each column the
//! first, the smallest, the largest and the last point are kept, which draws the same lines as all points would.
//! Added here: the first point of a column that isn't a finite number is kept too, so that no gap is lost.

/// Reduces `points` (strictly ascending by step) to the range `from..=to`, cut into `columns` equal parts (at least
/// one). Keeps at most four finite points a column, and one that isn't finite; what has few enough points stays whole.
#[must_use]
pub fn m4(points: &[(u64, f64)], from: u64, to: u64, columns: u32) -> Vec<(u64, f64)> {
    if from > to {
        return Vec::new();
    }
    let start = points.partition_point(|(step, _)| *step < from);
    let end = points.partition_point(|(step, _)| *step <= to);
    let in_range = points.get(start..end).unwrap_or_default();
    cut(in_range, |step| column_of(step, from, to, columns), keep_column)
}

/// Reduces `points` (strictly ascending by step) by any cut into columns: `column` ascends with the step. Of each column no more is kept
/// than it needs, however few points it has, so that a curve may be reduced in several goes, each to columns that hold whole ones
/// of the one before, and comes to the same.
#[must_use]
pub fn m4_by<C: PartialOrd>(points: &[(u64, f64)], column: impl Fn(u64) -> C) -> Vec<(u64, f64)> {
    cut(points, column, keep_extremes)
}

/// A step and its value.
type Point = (u64, f64);

fn cut<C: PartialOrd>(
    points: &[(u64, f64)],
    column: impl Fn(u64) -> C,
    keep: fn(&[Point], &mut Vec<Point>),
) -> Vec<(u64, f64)> {
    let mut kept = Vec::new();
    let mut rest = points;
    while let Some((step, _)) = rest.first() {
        let here = column(*step);
        let length = rest.partition_point(|(step, _)| column(*step) <= here);
        // A first point always belongs to its own column, so `length` is at least 1 for ascending input; `max`
        // makes the loop end for any input.
        let (here, after) = rest.split_at(length.max(1).min(rest.len()));
        keep(here, &mut kept);
        rest = after;
    }
    kept
}

/// The column that a step of the range falls into, from 0.
fn column_of(step: u64, from: u64, to: u64, columns: u32) -> u128 {
    let width = u128::from(to) - u128::from(from) + 1;
    u128::from(step.saturating_sub(from)) * u128::from(columns.max(1)) / width
}

fn keep_column(points: &[(u64, f64)], kept: &mut Vec<(u64, f64)>) {
    let gaps = points.iter().filter(|(_, value)| !value.is_finite()).count();
    if gaps <= 1 && points.len() - gaps <= 4 {
        kept.extend_from_slice(points);
    } else {
        keep_extremes(points, kept);
    }
}

fn keep_extremes(points: &[(u64, f64)], kept: &mut Vec<(u64, f64)>) {
    let mut indices: Vec<usize> = points
        .iter()
        .position(|(_, value)| !value.is_finite())
        .into_iter()
        .collect();
    let mut finite = points
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| value.is_finite());
    if let Some((first, (_, value))) = finite.next() {
        let (mut smallest, mut largest, mut last) = ((first, *value), (first, *value), first);
        for (index, (_, value)) in finite {
            if *value < smallest.1 {
                smallest = (index, *value);
            }
            if *value > largest.1 {
                largest = (index, *value);
            }
            last = index;
        }
        indices.extend([first, smallest.0, largest.0, last]);
    }
    indices.sort_unstable();
    indices.dedup();
    kept.extend(indices.into_iter().filter_map(|index| points.get(index).copied()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn same(left: &[(u64, f64)], right: &[(u64, f64)]) -> bool {
        left.len() == right.len()
            && left
                .iter()
                .zip(right)
                .all(|(l, r)| l.0 == r.0 && l.1.to_bits() == r.1.to_bits())
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points: Vec<_> = (1..=400).map(|step| (step, 1.0 / step as f64)).collect();
        assert!(same(&m4(&points, 1, 400, 100), &points));
    }

    #[test]
    fn a_spike_and_a_gap_survive() {
        let mut points: Vec<_> = (0..100_000).map(|step| (step, 1.0)).collect();
        points[54_321].1 = 99.0;
        points[54_400].1 = f64::NAN;
        let kept = m4(&points, 0, 99_999, 50);
        assert!(kept.len() <= 50 * 4 + 1);
        assert!(kept.contains(&(54_321, 99.0)));
        assert!(kept.iter().any(|(step, value)| *step == 54_400 && value.is_nan()));
    }

    #[test]
    fn the_whole_range_of_steps_does_not_overflow() {
        let points = [(0, 1.0), (u64::MAX, 2.0)];
        assert_eq!(m4(&points, 0, u64::MAX, u32::MAX), points);
        assert_eq!(m4(&points, 0, u64::MAX, 0), points);
        assert!(m4(&points, 2, 1, 10).is_empty());
    }

    fn curve() -> impl Strategy<Value = Vec<(u64, f64)>> {
        let value = prop_oneof![8 => -1e6..1e6f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
        proptest::collection::btree_map(0..2_000u64, value, 0..400)
            .prop_map(|points: BTreeMap<u64, f64>| points.into_iter().collect())
    }

    proptest! {
        #[test]
        fn reduction_keeps_extremes_and_bounds(
            points in curve(), from in 0..500u64, length in 0..2_000u64, columns in 1..60u32,
        ) {
            let to = from + length;
            let kept = m4(&points, from, to, columns);
            prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "ascending without duplicates");
            let mut by_column: BTreeMap<u128, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
            for point in points.iter().filter(|(step, _)| (from..=to).contains(step)) {
                by_column.entry(column_of(point.0, from, to, columns)).or_default().0.push(point.1);
            }
            for point in &kept {
                prop_assert!(points.iter().any(|p| p.0 == point.0 && p.1.to_bits() == point.1.to_bits()));
                by_column.entry(column_of(point.0, from, to, columns)).or_default().1.push(point.1);
            }
            for (before, after) in by_column.values() {
                prop_assert!(after.iter().filter(|v| v.is_finite()).count() <= 4);
                prop_assert!(after.iter().filter(|v| !v.is_finite()).count() <= 1);
                prop_assert_eq!(before.iter().any(|v| !v.is_finite()), after.iter().any(|v| !v.is_finite()));
                let finite = |values: &[f64]| values.iter().copied().filter(|v| v.is_finite()).collect::<Vec<_>>();
                let (before, after) = (finite(before), finite(after));
                prop_assert_eq!(before.iter().copied().reduce(f64::min), after.iter().copied().reduce(f64::min));
                prop_assert_eq!(before.iter().copied().reduce(f64::max), after.iter().copied().reduce(f64::max));
                prop_assert_eq!(before.first(), after.first());
                prop_assert_eq!(before.last(), after.last());
            }
            prop_assert!(same(&m4(&kept, from, to, columns), &kept), "idempotent");
        }
    }
}
