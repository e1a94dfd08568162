//! How far a job is, and its turn in the queue.

use crate::text::format;
use shared::{job::Progress, queue::Priority, run::Stage};

german_words! {
    progress = "Fortschritt";
    priority = "Priorität";
    run_first = "Zuerst ausführen";
    run_earlier = "Früher ausführen";
    run_later = "Später ausführen";
    waiting_next = "Wartet auf einen Trainer · als Nächster dran";
    pausing_saving = "Wird pausiert · Checkpoint wird gesichert";
    stopping_saving = "Wird beendet · Trainiertes wird gesichert";
    reading_files = "Trainingsdateien werden gelesen";
    all_done = "Fertig";
    waits = "wartet auf einen Trainer";
    reads = "liest seine Dateien";
    pauses = "wird pausiert";
}

pub(crate) fn waiting_at(place: u32) -> String {
    format!("Wartet auf einen Trainer · {place}. in der Warteschlange")
}

pub(crate) fn stopped_early(progress: &Progress) -> String {
    format!("Vorzeitig beendet · {}", in_step(progress))
}

pub(crate) fn epoch_of(epoch: f64, epochs: u32) -> String {
    format!("Epoche {} von {epochs}", format::epochs(epoch))
}

pub(crate) fn in_step(progress: &Progress) -> String {
    format!("Schritt {}", step_of(progress))
}

pub(crate) fn step_of(progress: &Progress) -> String {
    format!(
        "{} von {}",
        format::count(progress.step),
        format::count(progress.total_steps)
    )
}

pub(crate) fn time_left(milliseconds: u64) -> String {
    format!("noch {}", format::duration(milliseconds))
}

pub(crate) fn starts_in(milliseconds: u64) -> String {
    format!("Start voraussichtlich in {}", format::duration(milliseconds))
}

pub(crate) const fn priority_label(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Niedrig",
        Priority::Normal => "Normal",
        Priority::High => "Hoch",
    }
}

pub(crate) const fn stage_label(stage: Stage) -> &'static str {
    match stage {
        Stage::Preparing => "Vorlauf",
        Stage::Loading => "Laden",
        Stage::Training => "Training",
        Stage::Saving => "Sichern",
    }
}

pub(crate) fn stage_in_line(stage: Stage) -> String {
    let words = match stage {
        Stage::Preparing => "wird vorbereitet",
        Stage::Loading => "wird geladen",
        Stage::Training => "wird trainiert",
        Stage::Saving => "wird gesichert",
    };
    words.to_owned()
}
