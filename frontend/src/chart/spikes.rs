//! Where a curve stands out above what came before.

use super::geometry::smooth;

/// What the average before a step keeps over one step.
const WEIGHT: f64 = 0.9;
/// Steps at the beginning, where there is no average to speak of.
const LEAD_IN: u64 = 5;

/// The steps, with their values, that stand farthest above the average of what came before, the farthest first: at most
/// `count`, and none that is less than a tenth above it.
#[must_use]
pub fn spikes(steps: &[u64], values: &[Option<f64>], count: usize) -> Vec<(u64, f64)> {
    let averages = smooth(steps, values, WEIGHT);
    let first = steps.first().copied().unwrap_or(0);
    let mut average = None;
    let mut found = Vec::new();
    for ((step, value), next) in steps.iter().zip(values).zip(averages) {
        if let (Some(value), Some(average)) = (*value, average)
            && *step >= first + LEAD_IN
            && value > average * 1.1
        {
            found.push((*step, value, value - average));
        }
        average = next.or(average);
    }
    found.sort_by(|one, other| other.2.total_cmp(&one.2).then(one.0.cmp(&other.0)));
    found.truncate(count);
    found.into_iter().map(|(step, value, _)| (step, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out_is_found_and_a_high_beginning_is_not() {
        let steps: Vec<u64> = (1..=200).collect();
        let mut values: Vec<_> = steps.iter().map(|step| Some(1.0 + 30.0 / *step as f64)).collect();
        values[99] = Some(9.0);
        values[149] = Some(4.0);
        values[150] = None;
        assert_eq!(spikes(&steps, &values, 2), [(100, 9.0), (150, 4.0)]);
        assert_eq!(spikes(&steps, &values, 1), [(100, 9.0)]);
        let calm: Vec<_> = steps.iter().map(|step| Some(30.0 / *step as f64)).collect();
        assert!(spikes(&steps, &calm, 3).is_empty());
        assert!(spikes(&[], &[], 3).is_empty());
    }
}
