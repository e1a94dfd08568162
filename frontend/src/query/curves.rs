//! Joins the curves that were fetched with the steps that the stream told since.
//!
//! The curves are fetched behind the place that the stream goes on from ([`super::live`]), so the two overlap and a step in both is
//! taken once. Numbers that are missing are no loss: an upstream may tell every tenth step only. What is fetched may be reduced by
//! M4, so a step at or before the last fetched one is never added: it was there when the server reduced.

use shared::{
    event::MeasuredStep,
    metrics::{Curve, Metrics, Series},
};

/// A tail that is longer than this is worth fetching the curves anew.
const LONG: usize = 1_000;

/// The steps that a stream told and the fetched curves don't hold yet, ascending; at least the newest. However long a job
/// is, these are few.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tail(Vec<MeasuredStep>);

impl Tail {
    /// Takes a step; a step told twice counts once.
    pub fn push(&mut self, metrics: MeasuredStep) {
        let place = self.0.partition_point(|known| known.step < metrics.step);
        if self.0.get(place).is_none_or(|known| known.step != metrics.step) {
            self.0.insert(place, metrics);
        }
    }

    /// Forgets what the fetched curves hold, but for the newest step. True where so much is left that they should be
    /// fetched anew.
    pub fn shorten(&mut self, fetched: &Metrics) -> bool {
        let last = last_step(fetched);
        let held = self.0.partition_point(|known| known.step <= last);
        self.0.drain(..held.min(self.0.len().saturating_sub(1)));
        self.0.len() > LONG
    }

    /// The steps after a step.
    fn after(&self, step: u64) -> &[MeasuredStep] {
        self.0
            .get(self.0.partition_point(|known| known.step <= step)..)
            .unwrap_or_default()
    }

    /// The newest step that was told.
    #[must_use]
    pub fn last(&self) -> Option<&MeasuredStep> {
        self.0.last()
    }

    /// How many steps are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No step is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The largest step that the fetched curves have.
#[must_use]
pub fn last_step(metrics: &Metrics) -> u64 {
    metrics
        .curves
        .iter()
        .filter_map(|curve| curve.steps.last().copied())
        .max()
        .unwrap_or(0)
}

/// Fetched curves don't reach a step yet.
#[must_use]
pub fn ends_before(fetched: Option<&Metrics>, step: u64) -> bool {
    fetched.is_none_or(|fetched| last_step(fetched) < step)
}

/// The curves with the told steps at their end.
#[must_use]
pub fn join(fetched: &Metrics, tail: &Tail) -> Metrics {
    let mut joined = fetched.clone();
    for metrics in tail.after(last_step(fetched)) {
        let step = metrics.step;
        for (series, value) in values(metrics) {
            let curve = curve_of(&mut joined, series);
            curve.steps.push(step);
            curve.values.push(value);
            curve.total_points += 1;
        }
        joined.to = joined.to.max(step);
        if joined.from == 0 {
            joined.from = step;
        }
    }
    joined
}

fn curve_of(metrics: &mut Metrics, series: Series) -> &mut Curve {
    let place = metrics
        .curves
        .iter()
        .position(|curve| curve.series == series)
        .unwrap_or_else(|| {
            metrics.curves.push(Curve {
                series,
                total_points: 0,
                steps: Vec::new(),
                values: Vec::new(),
            });
            metrics.curves.len() - 1
        });
    &mut metrics.curves[place]
}

/// What a step adds to each curve. A training loss that is missing was no number: it becomes a gap.
fn values(metrics: &MeasuredStep) -> impl Iterator<Item = (Series, Option<f64>)> {
    Series::ALL.into_iter().filter_map(|series| {
        let value = metrics.value(series);
        (value.is_some() || series == Series::TrainLoss).then_some((series, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: u64, valid_loss: Option<f64>) -> MeasuredStep {
        MeasuredStep {
            step,
            total_steps: 100,
            train_loss: Some(1.0 / step as f64),
            tokens: Some(10),
            valid_loss,
            ..MeasuredStep::default()
        }
    }

    fn fetched(steps: &[u64], total_points: u64) -> Metrics {
        let values = steps.iter().map(|step| Some(1.0 / *step as f64)).collect();
        let curve = Curve {
            series: Series::TrainLoss,
            total_points,
            steps: steps.to_vec(),
            values,
        };
        Metrics {
            from: 1,
            to: steps.last().copied().unwrap_or(0),
            curves: vec![curve],
            times: None,
            incomplete: false,
        }
    }

    fn train_steps(metrics: &Metrics) -> Vec<u64> {
        let curve = metrics
            .curves
            .iter()
            .find(|curve| curve.series == Series::TrainLoss);
        curve.map(|curve| curve.steps.clone()).unwrap_or_default()
    }

    #[test]
    fn an_overlap_of_fetched_and_streamed_steps_is_taken_once() {
        let mut tail = Tail::default();
        for told in [3, 2, 3, 4, 5, 5] {
            tail.push(step(told, (told == 4).then_some(0.3)));
        }
        let base = fetched(&[1, 2, 3], 3);
        let joined = join(&base, &tail);
        assert_eq!(train_steps(&joined), [1, 2, 3, 4, 5]);
        assert_eq!(joined.curves[0].total_points, 5);
        let valid = joined
            .curves
            .iter()
            .find(|curve| curve.series == Series::ValidLoss)
            .expect("one was told");
        assert_eq!(
            (valid.steps.as_slice(), valid.values.as_slice()),
            ([4].as_slice(), [Some(0.3)].as_slice())
        );
    }

    #[test]
    fn a_step_that_the_server_reduced_away_is_not_added_again() {
        let mut tail = Tail::default();
        (40..=51).for_each(|told| tail.push(step(told, None)));
        let joined = join(&fetched(&[1, 20, 50], 50), &tail);
        assert_eq!(train_steps(&joined), [1, 20, 50, 51]);
        assert_eq!(joined.curves[0].total_points, 51);
    }

    #[test]
    fn a_tail_stays_short_however_long_the_job_is() {
        let (mut tail, mut base, mut fetches) = (Tail::default(), fetched(&[1], 1), 0);
        for told in 2..=50_000 {
            tail.push(step(told, None));
            if tail.shorten(&base) {
                base = fetched(&[1, told - 10], told - 10);
                fetches += 1;
            }
            assert!(tail.len() <= LONG + 1, "{} at {told}", tail.len());
            if told % 997 == 0 {
                assert_eq!(join(&base, &tail).curves[0].total_points, told, "none is lost");
            }
            assert_eq!(tail.last().map(|last| last.step), Some(told));
        }
        assert!(fetches < 60, "{fetches}");
        tail.shorten(&fetched(&[1, 50_000], 50_000));
        assert_eq!(tail.len(), 1, "the newest stays, whatever was fetched");
    }

    #[test]
    fn steps_that_an_upstream_leaves_out_are_no_loss() {
        let mut tail = Tail::default();
        for told in [30, 40] {
            tail.push(step(told, None));
        }
        let base = fetched(&[10, 20], 2);
        assert!(!tail.shorten(&base));
        assert_eq!(train_steps(&join(&base, &tail)), [10, 20, 30, 40]);
    }

    #[test]
    fn a_loss_that_is_no_number_becomes_a_gap() {
        let mut tail = Tail::default();
        tail.push(MeasuredStep {
            train_loss: None,
            ..step(1, None)
        });
        let joined = join(
            &Metrics {
                from: 0,
                to: 0,
                curves: Vec::new(),
                times: None,
                incomplete: false,
            },
            &tail,
        );
        assert_eq!(joined.curves[0].values, [None]);
    }
}
