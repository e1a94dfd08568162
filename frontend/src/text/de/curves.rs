//! The curves of a job.

use crate::text::format::{count, measure, plural};
use shared::metrics::Series;

german_words! {
    training_metrics = "Trainingsmetriken";
    loss = "Loss";
    reset_zoom = "Ganzer Lauf";
    no_metrics = "Die Kurven beginnen mit dem ersten Trainingsschritt.";
    no_metrics_ended = "Dieser Job endete vor seinem ersten Trainingsschritt.";
    incomplete_curves = "Es gibt vielleicht noch ältere Schritte: Die Kurven enthalten sie nicht.";
    chart_help = "Pfeiltasten lesen Werte ab; Plus und Minus zoomen; Escape zeigt den ganzen Lauf.";
}

pub(crate) fn incomplete_curves_of(names: &str) -> String {
    format!("Es gibt vielleicht noch ältere Schritte, die den Kurven dieser Jobs fehlen: {names}.")
}

pub(crate) const fn series_label(series: Series) -> &'static str {
    match series {
        Series::TrainLoss => "Trainings-Loss",
        Series::TrainTokenAccuracy => "Genauigkeit",
        Series::LearningRate => "Lernrate",
        Series::GradientNorm => "Gradientennorm",
        Series::Tokens => "Tokens je Schritt",
        Series::ValidLoss => "Validierungs-Loss",
        Series::ValidTokenAccuracy => "Validierungsgenauigkeit",
        Series::RewardMargin => "Reward-Abstand",
        Series::RewardAccuracy => "Reward-Genauigkeit",
        Series::RewardChosen => "Reward bevorzugt",
        Series::RewardRejected => "Reward der anderen",
        Series::ValidRewardMargin => "Validierung: Reward-Abstand",
        Series::ValidRewardAccuracy => "Validierung: Reward-Genauigkeit",
        Series::ValidRewardChosen => "Validierung: Reward bevorzugt",
        Series::ValidRewardRejected => "Validierung: Reward der anderen",
    }
}

pub(crate) fn at_step(step: u64) -> String {
    format!("Schritt {}", count(step))
}

pub(crate) fn points_badge(shown: u64, total: u64) -> String {
    format!("{} von {} Punkten", count(shown), count(total))
}

pub(crate) fn curve_points(
    label: &str,
    first: (u64, f64),
    last: (u64, f64),
    lowest: (u64, f64),
    gaps: u64,
) -> String {
    let point = |(step, value): (u64, f64)| format!("{} bei Schritt {step}", measure(value));
    let gaps = match gaps {
        0 => String::new(),
        _ => format!(", {}", plural(gaps, "Schritt ohne Zahl", "Schritte ohne Zahl")),
    };
    format!(
        "{label}: {}, {}, am tiefsten {}{gaps}.",
        point(first),
        point(last),
        point(lowest)
    )
}

pub(crate) fn curve_empty(label: &str) -> String {
    format!("{label}: noch keine Werte.")
}
