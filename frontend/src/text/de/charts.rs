//! Charts and the comparison of jobs.

use crate::{
    chart::{lines::Axis, measure::Measure},
    text::{
        against_baseline,
        format::{self, count, digits, duration, plural},
    },
};
use shared::event::Level;

german_words! {
    axis = "Waagerechte Achse";
    time_axis_note = "Zeit seit dem ersten Schritt, mit Pausen";
    logarithmic = "Log-Achse";
    smoothing = "Glättung";
    zoom_in = "Vergrößern";
    zoom_out = "Verkleinern";
    export = "Exportieren";
    export_png = "Bild (PNG)";
    export_csv = "Gezeigtes (CSV)";
    export_json = "Gezeigtes (JSON)";
    export_all = "Jeder Schritt (CSV)";
    measure = "Messgröße";
    chart_lines = "Linien";
    search_events = "Ereignisse suchen";
    level = "Stufe";
    follow = "Mitlaufen";
    no_event_fits = "Kein Ereignis passt.";
    compare_title = "Vergleich";
    compare = "Vergleichen";
    compare_nothing = "Noch nichts zu vergleichen";
    compare_how = "Zwei oder mehr Jobs in der Liste auswählen oder hier hinzufügen.";
    compare_to_list = "Zu den Jobs";
    compare_add = "Job hinzufügen";
    compare_none_found = "Kein anderer Job gefunden.";
    compare_leave_out = "Weglassen";
    baseline = "Bezug";
    pin_baseline = "Als Bezug nehmen";
    differences = "Unterschiede";
    nothing_differs = "Einstellungen und Daten sind bei allen gleich.";
    setting = "Einstellung";
    best_validation_loss = "Bester Validierungs-Loss";
}

pub(crate) const fn axis_label(axis: Axis) -> &'static str {
    match axis {
        Axis::Step => "Schritte",
        Axis::Epoch => "Epochen",
        Axis::Time => "Zeit",
    }
}

pub(crate) fn changed_from_to(label: &str, first: (u64, f64), last: (u64, f64)) -> String {
    format!(
        "{label}: {} bei Schritt {}, {} bei Schritt {} ({})",
        format::measure(first.1),
        count(first.0),
        format::measure(last.1),
        count(last.0),
        against_baseline(last.1 / first.1)
    )
}

pub(crate) fn best_at(step: u64, value: f64) -> String {
    format!(
        "; am besten {} bei Schritt {}",
        format::measure(value),
        count(step)
    )
}

pub(crate) const fn level_label(level: Level) -> &'static str {
    match level {
        Level::Info => "Alle Ereignisse",
        Level::Warn => "Warnungen und Fehler",
        Level::Error => "Fehler",
    }
}

pub(crate) const fn measure_label(measure: Measure) -> &'static str {
    match measure {
        Measure::Loss => "Loss",
        Measure::TokenAccuracy => "Genauigkeit",
        Measure::LearningRate => "Lernrate",
        Measure::GradientNorm => "Gradientennorm",
        Measure::Tokens => "Tokens je Schritt",
        Measure::RewardMargin => "Reward-Abstand",
        Measure::RewardAccuracy => "Reward-Genauigkeit",
        Measure::Rewards => "Rewards",
    }
}

pub(crate) const fn measure_by_step(measure: Measure) -> &'static str {
    match measure {
        Measure::Loss => "Loss je Schritt",
        Measure::TokenAccuracy => "Genauigkeit je Schritt",
        Measure::LearningRate => "Lernrate je Schritt",
        Measure::GradientNorm => "Gradientennorm je Schritt",
        Measure::Tokens => "Tokens je Schritt",
        Measure::RewardMargin => "Reward-Abstand je Schritt",
        Measure::RewardAccuracy => "Reward-Genauigkeit je Schritt",
        Measure::Rewards => "Rewards je Schritt",
    }
}

pub(crate) fn at_place(axis: Axis, at: f64) -> String {
    match axis {
        Axis::Step => super::at_step(at as u64),
        Axis::Epoch => format!("Epoche {}", digits(at, 2)),
        Axis::Time => format!("nach {}", duration(at.max(0.0) as u64)),
    }
}

pub(crate) fn smoothed_reading(value: &str) -> String {
    format!(" (geglättet {value})")
}

pub(crate) fn read_at_step(step: u64) -> String {
    format!(" (Schritt {})", count(step))
}

pub(crate) fn more_lines(number: u64) -> String {
    plural(number, "weitere Linie", "weitere Linien")
}

pub(crate) fn compare_remove(name: &str) -> String {
    format!("{name} entfernen")
}

pub(crate) fn validation_of(name: &str) -> String {
    format!("{name}, Validierung")
}
