//! Charts and the comparison of jobs.

use super::{super::format, words};
use crate::chart::{lines::Axis, measure::Measure};

words! {
    /// What a value that is none reads.
    not_a_number = "not a number";
    /// The horizontal axis.
    axis = "Horizontal axis";
    /// The vertical axis by the logarithm.
    logarithmic = "Log axis";
    /// How much lines are smoothed.
    smoothing = "Smoothing";
    /// Narrows the shown part.
    zoom_in = "Zoom in";
    /// Widens the shown part.
    zoom_out = "Zoom out";
    /// Saves what a chart shows.
    export = "Export";
    /// As a picture.
    export_png = "Picture (PNG)";
    /// As a table of what is shown.
    export_csv = "What is shown (CSV)";
    /// The same for programs.
    export_json = "What is shown (JSON)";
    /// Every step, from the server.
    export_all = "Every step (CSV)";
    /// Which measure a chart shows.
    measure = "Measure";
    /// Lines of a chart.
    chart_lines = "Lines";
}

/// The axis in its choice.
#[must_use]
pub const fn axis_label(axis: Axis) -> &'static str {
    match axis {
        Axis::Step => "Steps",
        Axis::Epoch => "Epochs",
        Axis::Time => "Time",
    }
}

/// A measure.
#[must_use]
pub const fn measure_label(measure: Measure) -> &'static str {
    match measure {
        Measure::Loss => "Loss",
        Measure::TokenAccuracy => "Token accuracy",
        Measure::LearningRate => "Learning rate",
        Measure::GradientNorm => "Gradient norm",
        Measure::Tokens => "Tokens a step",
    }
}

/// The chart of a measure.
#[must_use]
pub const fn measure_by_step(measure: Measure) -> &'static str {
    match measure {
        Measure::Loss => "Loss by step",
        Measure::TokenAccuracy => "Token accuracy by step",
        Measure::LearningRate => "Learning rate by step",
        Measure::GradientNorm => "Gradient norm by step",
        Measure::Tokens => "Tokens by step",
    }
}

/// A place on the axis under the crosshair.
#[must_use]
pub fn at_place(axis: Axis, at: f64) -> String {
    match axis {
        Axis::Step => super::at_step(at as u64),
        Axis::Epoch => format!("epoch {}", format::fixed(at, 2)),
        Axis::Time => format!("after {}", format::duration(at.max(0.0) as u64)),
    }
}

/// Behind a value under the crosshair.
#[must_use]
pub fn smoothed_reading(value: &str) -> String {
    format!(" (smoothed {value})")
}

/// Behind a value that is measured now and then.
#[must_use]
pub fn read_at_step(step: u64) -> String {
    format!(" (step {})", format::count(step))
}

/// Below the values of as many lines as fit.
#[must_use]
pub fn more_lines(number: u64) -> String {
    super::plural(number, "more line", "more lines")
}
