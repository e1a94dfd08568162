//! What a line chart shows: lines over one axis, how they are looked at, and what they read at a place.

use super::geometry::{log_range, nearest, smooth, value_range};
use crate::text::format;

/// One line. `steps`, `x` and `y` are of one length, ascending by `x`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Tells it from the others, in any language.
    pub key: String,
    /// What it is called in the legend and under the crosshair.
    pub name: String,
    /// Which of the colours it has.
    pub hue: usize,
    /// Drawn dashed, with a dot at each of few points: what is measured now and then.
    pub dashed: bool,
    /// Optimizer steps.
    pub steps: Vec<u64>,
    /// Where each step lies on the axis.
    pub x: Vec<f64>,
    /// Values; nothing where a value is not a number.
    pub y: Vec<Option<f64>>,
    /// The smoothed values, where smoothing is wanted.
    pub smooth: Option<Vec<Option<f64>>>,
}

impl Line {
    /// Smooths the line, unless `weight` is 0 or the line is of points measured now and then.
    #[must_use]
    pub fn smoothed(mut self, weight: f64) -> Self {
        self.smooth = (weight > 0.0 && !self.dashed).then(|| smooth(&self.steps, &self.y, weight));
        self
    }

    /// The indices of the points that a range shows: those in it, and one at each side, so that lines lead out of view.
    #[must_use]
    pub fn visible(&self, range: (f64, f64)) -> std::ops::Range<usize> {
        let start = self.x.partition_point(|x| *x < range.0).saturating_sub(1);
        let end = (self.x.partition_point(|x| *x <= range.1) + 1).min(self.x.len());
        start..end.max(start)
    }
}

/// What the horizontal axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Axis {
    /// Optimizer steps.
    #[default]
    Step,
    /// Epochs, with fraction.
    Epoch,
    /// Milliseconds since the first step was recorded, pauses included.
    Time,
}

impl Axis {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Step, Self::Epoch, Self::Time];

    /// The word in the address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Epoch => "epoch",
            Self::Time => "time",
        }
    }

    /// A place on the axis in words without its unit.
    #[must_use]
    pub fn label(self, at: f64, distance: f64) -> String {
        match self {
            Self::Step => format::count(at as u64),
            Self::Epoch => super::geometry::tick_label(at, distance),
            Self::Time => format::duration(at.max(0.0) as u64),
        }
    }
}

/// The range that the vertical axis needs for what a range of the horizontal one shows.
#[must_use]
pub fn vertical_range(lines: &[Line], range: (f64, f64), log: bool) -> (f64, f64) {
    let values = lines.iter().flat_map(|line| {
        let shown = line.y.get(line.visible(range)).unwrap_or_default();
        shown.iter().flatten().copied()
    });
    let found = if log {
        log_range(values)
    } else {
        value_range(values)
    };
    found.unwrap_or(if log { (0.1, 1.0) } else { (0.0, 1.0) })
}

/// What one line reads under the crosshair.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which line.
    pub line: usize,
    /// The step that was read, which is the nearest that the line has.
    pub step: u64,
    /// Its value; nothing where it is not a number.
    pub value: Option<f64>,
    /// Its smoothed value.
    pub smooth: Option<f64>,
}

/// What every line reads nearest to a place, the lines without a point there left out: farther than `reach` is not there.
#[must_use]
pub fn read(lines: &[Line], at: f64, reach: f64) -> Vec<Reading> {
    let readings = lines.iter().enumerate().filter_map(|(line, shown)| {
        let index = nearest(&shown.x, at)?;
        // What is measured now and then holds until it is measured again.
        let index = if shown.dashed && shown.x.get(index).is_some_and(|x| *x > at) {
            index.checked_sub(1)?
        } else {
            index
        };
        let far = shown.x.get(index).is_none_or(|x| (x - at).abs() > reach);
        if far && !shown.dashed {
            return None;
        }
        Some(Reading {
            line,
            step: shown.steps.get(index).copied()?,
            value: shown.y.get(index).copied().flatten(),
            smooth: shown
                .smooth
                .as_ref()
                .and_then(|smooth| smooth.get(index).copied().flatten()),
        })
    });
    readings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(u64, Option<f64>)]) -> Line {
        Line {
            steps: points.iter().map(|(step, _)| *step).collect(),
            x: points.iter().map(|(step, _)| *step as f64).collect(),
            y: points.iter().map(|(_, value)| *value).collect(),
            ..Line::default()
        }
    }

    #[test]
    fn a_range_shows_one_point_more_at_each_side() {
        let line = line(&[(1, None), (3, None), (5, None), (7, None)]);
        assert_eq!(line.visible((3.0, 4.0)), 0..3);
        assert_eq!(line.visible((-9.0, -8.0)), 0..1);
        assert_eq!(line.visible((8.0, 9.0)), 3..4);
        assert_eq!(Line::default().visible((0.0, 1.0)), 0..0);
    }

    #[test]
    fn the_vertical_axis_fits_what_is_shown() {
        let lines = [line(&[
            (1, Some(100.0)),
            (2, Some(1.0)),
            (3, Some(2.0)),
            (4, None),
        ])];
        let (low, high) = vertical_range(&lines, (3.0, 4.0), false);
        assert!(low <= 1.0 && high < 3.0, "{low} {high}");
        assert!(vertical_range(&lines, (1.0, 4.0), false).1 > 100.0);
        assert_eq!(vertical_range(&[], (0.0, 1.0), true), (0.1, 1.0));
    }

    #[test]
    fn the_crosshair_reads_the_nearest_point_and_the_last_measurement() {
        let train = line(&[(1, Some(3.0)), (10, None), (20, Some(1.0))]);
        let valid = Line {
            dashed: true,
            ..line(&[(5, Some(2.0)), (20, Some(1.5))])
        };
        let lines = [train, valid];
        let read_at = |at: f64| {
            let readings = read(&lines, at, 6.0);
            readings
                .iter()
                .map(|reading| (reading.line, reading.step, reading.value))
                .collect::<Vec<_>>()
        };
        assert_eq!(read_at(11.0), [(0, 10, None), (1, 5, Some(2.0))]);
        assert_eq!(read_at(19.0), [(0, 20, Some(1.0)), (1, 5, Some(2.0))]);
        assert_eq!(read_at(20.0), [(0, 20, Some(1.0)), (1, 20, Some(1.5))]);
        assert_eq!(read_at(2.0), [(0, 1, Some(3.0))]);
        assert_eq!(read_at(90.0), [(1, 20, Some(1.5))]);
    }
}
