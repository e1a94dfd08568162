//! What a chart can show of a job: measures, each of one or two series, as lines over an axis.

use super::lines::{Axis, Line};
use crate::text;
use shared::{
    job::Job,
    metrics::{Curve, Metrics, Series, Times},
};
use std::rc::Rc;

/// A measure: series that belong on one chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each shows the series of its name, of training and of validation"
)]
pub enum Measure {
    Loss,
    TokenAccuracy,
    LearningRate,
    GradientNorm,
    Tokens,
    RewardMargin,
    RewardAccuracy,
    Rewards,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Loss,
        Self::TokenAccuracy,
        Self::LearningRate,
        Self::GradientNorm,
        Self::Tokens,
        Self::RewardMargin,
        Self::RewardAccuracy,
        Self::Rewards,
    ];

    /// Its series, that of training first.
    #[must_use]
    pub const fn series(self) -> &'static [Series] {
        match self {
            Self::Loss => &[Series::TrainLoss, Series::ValidLoss],
            Self::TokenAccuracy => &[Series::TrainTokenAccuracy, Series::ValidTokenAccuracy],
            Self::LearningRate => &[Series::LearningRate],
            Self::GradientNorm => &[Series::GradientNorm],
            Self::Tokens => &[Series::Tokens],
            Self::RewardMargin => &[Series::RewardMargin, Series::ValidRewardMargin],
            Self::RewardAccuracy => &[Series::RewardAccuracy, Series::ValidRewardAccuracy],
            Self::Rewards => &[
                Series::RewardChosen,
                Series::RewardRejected,
                Series::ValidRewardChosen,
                Series::ValidRewardRejected,
            ],
        }
    }

    /// The word in the address: its first series'.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self.series() {
            [first, ..] => first.as_str(),
            [] => "",
        }
    }

    /// The measure of an address; the loss unless it names another.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let named = Self::ALL.into_iter().find(|measure| measure.as_str() == word);
        named.unwrap_or(Self::Loss)
    }

    /// Whether its values are drawn as they are: a learning rate isn't noisy.
    #[must_use]
    pub const fn is_smoothed(self) -> bool {
        !matches!(self, Self::LearningRate | Self::Tokens)
    }

    /// A value as people read it.
    #[must_use]
    pub fn value(self) -> fn(f64) -> String {
        match self {
            Self::Loss => |value| text::series_value(Series::TrainLoss, value),
            Self::TokenAccuracy => |value| text::series_value(Series::TrainTokenAccuracy, value),
            Self::LearningRate => |value| text::series_value(Series::LearningRate, value),
            Self::GradientNorm => |value| text::series_value(Series::GradientNorm, value),
            Self::Tokens => |value| text::series_value(Series::Tokens, value),
            Self::RewardMargin | Self::Rewards => |value| text::series_value(Series::RewardMargin, value),
            Self::RewardAccuracy => |value| text::series_value(Series::RewardAccuracy, value),
        }
    }
}

/// Whether a series is measured now and then.
#[must_use]
pub const fn is_validation(series: Series) -> bool {
    matches!(
        series,
        Series::ValidLoss
            | Series::ValidTokenAccuracy
            | Series::ValidRewardMargin
            | Series::ValidRewardAccuracy
            | Series::ValidRewardChosen
            | Series::ValidRewardRejected
    )
}

/// Where the steps of a job lie on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Places {
    /// Which axis.
    pub axis: Axis,
    /// Epochs a step.
    pub epochs_per_step: f64,
    /// When steps were recorded, where the axis is of time.
    pub times: Rc<Times>,
}

impl Places {
    /// Where a job's steps lie.
    #[must_use]
    pub fn of_job(job: &Job, axis: Axis) -> Self {
        let total = job.progress.as_ref().map_or(0, |progress| progress.total_steps);
        Self {
            axis,
            epochs_per_step: f64::from(job.epochs.unwrap_or(1)) / total.max(1) as f64,
            times: Rc::default(),
        }
    }

    /// The same where the times of these curves are known.
    #[must_use]
    pub fn timed_by(&self, metrics: Option<&Metrics>) -> Self {
        let times = metrics.and_then(|metrics| metrics.times.clone());
        Self {
            times: times.map_or_else(|| Rc::clone(&self.times), Rc::new),
            ..self.clone()
        }
    }

    /// Where training that was taken up again after a step shows: on an axis of time when its next step came, so that the gap
    /// lies before the mark.
    #[must_use]
    pub fn resumed_at(&self, step: u64) -> f64 {
        self.at(step + u64::from(self.axis == Axis::Time))
    }

    /// The place of a step.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        match self.axis {
            Axis::Step => step as f64,
            Axis::Epoch => step as f64 * self.epochs_per_step,
            Axis::Time => self.time_at(step),
        }
    }

    /// Between two known instants as if the steps lay evenly; beyond them the nearest.
    fn time_at(&self, step: u64) -> f64 {
        let Times { steps, elapsed_ms } = &*self.times;
        let after = steps.partition_point(|known| *known < step);
        let known = |index: usize| Some((*steps.get(index)?, *elapsed_ms.get(index)?));
        let before = after.checked_sub(1).and_then(known);
        match (before, known(after)) {
            (Some(before), Some(next)) => {
                let share = (step - before.0) as f64 / (next.0 - before.0).max(1) as f64;
                before.1 as f64 + share * next.1.saturating_sub(before.1) as f64
            }
            (Some((_, at)), None) | (None, Some((_, at))) => at as f64,
            (None, None) => 0.0,
        }
    }

    /// The known step at or before an instant, or at or after it; the last where there is none.
    fn step_at(&self, at: f64, before: bool) -> f64 {
        let Times { steps, elapsed_ms } = &*self.times;
        let index = if before {
            elapsed_ms
                .partition_point(|known| *known as f64 <= at)
                .saturating_sub(1)
        } else {
            elapsed_ms.partition_point(|known| (*known as f64) < at)
        };
        steps.get(index).or(steps.last()).map_or(0.0, |step| *step as f64)
    }

    /// The steps that a part of the axis holds, as numbers from 0 on.
    #[must_use]
    pub fn steps(&self, range: (f64, f64)) -> (u64, u64) {
        let step = |at: f64, before: bool| match self.axis {
            Axis::Step => at,
            Axis::Epoch => at / self.epochs_per_step.max(1e-12),
            Axis::Time => self.step_at(at, before),
        };
        (
            step(range.0, true).max(0.0).floor() as u64,
            step(range.1, false).max(0.0).ceil() as u64,
        )
    }

    /// The curves of a measure as lines, each with the key, the name and the colour that `named` gives it.
    #[must_use]
    pub fn lines(
        &self,
        metrics: &Metrics,
        measure: Measure,
        smoothing: f64,
        named: impl Fn(Series) -> (String, String, usize),
    ) -> Vec<Line> {
        let weight = if measure.is_smoothed() { smoothing } else { 0.0 };
        let lines = measure.series().iter().filter_map(|series| {
            let curve = curve(metrics, *series)?;
            let (key, name, hue) = named(*series);
            let line = Line {
                key,
                name,
                hue,
                dashed: is_validation(*series),
                x: curve.steps.iter().map(|step| self.at(*step)).collect(),
                steps: curve.steps.clone(),
                y: curve.values.clone(),
                smooth: None,
            };
            Some(line.smoothed(weight))
        });
        lines.collect()
    }
}

/// The curve of a series.
#[must_use]
pub fn curve(metrics: &Metrics, series: Series) -> Option<&Curve> {
    metrics.curves.iter().find(|curve| curve.series == series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(axis: Axis) -> Places {
        Places {
            axis,
            epochs_per_step: 0.25,
            times: Rc::new(Times {
                steps: vec![1, 11, 12],
                elapsed_ms: vec![0, 10_000, 3_590_000],
            }),
        }
    }

    #[test]
    fn a_step_has_a_place_on_every_axis_and_is_found_again() {
        assert_eq!(places(Axis::Step).at(6), 6.0);
        assert_eq!(places(Axis::Epoch).at(6), 1.5);
        let time = places(Axis::Time);
        assert_eq!(
            [1, 6, 11, 12, 99].map(|step| time.at(step)),
            [0.0, 5_000.0, 10_000.0, 3_590_000.0, 3_590_000.0]
        );
        // The steps between two that are known may lie in the part, too.
        assert_eq!(time.steps((5_000.0, 3_000_000.0)), (1, 12));
        assert_eq!(time.steps((10_000.0, 10_000.0)), (11, 11));
        assert_eq!(
            (time.resumed_at(11), places(Axis::Step).resumed_at(11)),
            (3_590_000.0, 11.0)
        );
        assert_eq!(places(Axis::Epoch).steps((1.4, 1.6)), (5, 7));
        let nothing = Places {
            times: Rc::default(),
            ..time
        };
        assert_eq!((nothing.at(5), nothing.steps((0.0, 9.0))), (0.0, (0, 0)));
    }

    #[test]
    fn every_series_belongs_to_one_measure() {
        for series in Series::ALL {
            let holding = Measure::ALL
                .iter()
                .filter(|measure| measure.series().contains(&series));
            assert_eq!(holding.count(), 1, "{series:?}");
        }
        for measure in Measure::ALL {
            assert_eq!(Measure::parse(measure.as_str()), measure);
        }
        assert_eq!(Measure::parse("moon"), Measure::Loss);
    }
}
