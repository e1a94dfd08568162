//! The curves of a job.

use crate::text::format;
use shared::metrics::Series;

words! {
    /// Section.
    training_metrics = "Training metrics";
    /// The big chart.
    loss = "Loss";
    /// Chart.
    reset_zoom = "Whole run";
    /// Chart, before the first step.
    no_metrics = "The curves begin with the first training step.";
    /// Chart, where a job ended without a step.
    no_metrics_ended = "This job ended before its first training step.";
    /// Below the chart.
    incomplete_curves = "There may be older steps still: the curves don't have them.";
    /// How the chart is used with the keyboard.
    chart_help = "Arrow keys read values; plus and minus zoom; Escape shows the whole run.";
}

/// Said where some of the curves that are compared may lack older steps.
#[must_use]
pub fn incomplete_curves_of(names: &str) -> String {
    german!(incomplete_curves_of(names));
    format!("There may be older steps still that the curves of these jobs don't have: {names}.")
}

/// The label of a small chart.
#[must_use]
pub fn series_label(series: Series) -> &'static str {
    german!(series_label(series));
    match series {
        Series::TrainLoss => "Train loss",
        Series::TrainTokenAccuracy => "Token accuracy",
        Series::LearningRate => "Learning rate",
        Series::GradientNorm => "Gradient norm",
        Series::Tokens => "Tokens a step",
        Series::ValidLoss => "Validation loss",
        Series::ValidTokenAccuracy => "Validation accuracy",
        Series::RewardMargin => "Reward margin",
        Series::RewardAccuracy => "Reward accuracy",
        Series::RewardChosen => "Preferred reward",
        Series::RewardRejected => "Other reward",
        Series::ValidRewardMargin => "Validation reward margin",
        Series::ValidRewardAccuracy => "Validation reward accuracy",
        Series::ValidRewardChosen => "Validation preferred reward",
        Series::ValidRewardRejected => "Validation other reward",
    }
}

/// A value of a series.
#[must_use]
pub fn series_value(series: Series, value: f64) -> String {
    match series {
        Series::TrainTokenAccuracy
        | Series::ValidTokenAccuracy
        | Series::RewardAccuracy
        | Series::ValidRewardAccuracy => format::percent(value),
        Series::Tokens => format::count(value as u64),
        Series::LearningRate if value > 0.0 && value < 0.1 => format::scientific(value),
        _ => format::measure(value),
    }
}

/// Heads what the crosshair reads.
#[must_use]
pub fn at_step(step: u64) -> String {
    german!(at_step(step));
    format!("step {}", format::count(step))
}

/// Badge of a chart.
#[must_use]
pub fn points_badge(shown: u64, total: u64) -> String {
    german!(points_badge(shown, total));
    format!("{} of {} points", format::count(shown), format::count(total))
}

/// What a curve shows, in words.
#[must_use]
pub fn curve_summary(label: &str, steps: &[u64], values: &[Option<f64>]) -> String {
    let known: Vec<(u64, f64)> = steps
        .iter()
        .zip(values)
        .filter_map(|(step, value)| value.map(|value| (*step, value)))
        .collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return curve_empty(label);
    };
    let lowest = known
        .iter()
        .fold(first, |best, point| if point.1 < best.1 { point } else { best });
    let gaps = (values.len() - known.len()) as u64;
    curve_points(label, *first, *last, *lowest, gaps)
}

/// Where a curve begins, ends and is lowest, each as its step and its value, and how many steps have no number.
#[must_use]
pub fn curve_points(
    label: &str,
    first: (u64, f64),
    last: (u64, f64),
    lowest: (u64, f64),
    gaps: u64,
) -> String {
    german!(curve_points(label, first, last, lowest, gaps));
    let point = |(step, value): (u64, f64)| format!("{} at step {step}", format::measure(value));
    let gaps = match gaps {
        0 => String::new(),
        _ => format!(
            ", {}",
            format::plural(gaps, "step without a number", "steps without a number")
        ),
    };
    format!(
        "{label}: {}, {}, lowest {}{gaps}.",
        point(first),
        point(last),
        point(lowest)
    )
}

/// A curve that hasn't begun.
#[must_use]
pub fn curve_empty(label: &str) -> String {
    german!(curve_empty(label));
    format!("{label}: no values yet.")
}

#[cfg(test)]
mod tests {
    use super::curve_summary;

    #[test]
    fn a_curve_is_told_in_words_with_its_gaps() {
        let text = curve_summary(
            "Train loss",
            &[1, 2, 3, 4],
            &[Some(2.5), None, Some(0.25), Some(0.5)],
        );
        assert_eq!(
            text,
            "Train loss: 2.500 at step 1, 0.500 at step 4, lowest 0.250 at step 3, 1 step without a number."
        );
        assert_eq!(
            curve_summary("Train loss", &[], &[]),
            "Train loss: no values yet."
        );
    }
}
