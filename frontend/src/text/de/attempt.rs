//! What can be asked of a job, and what to do when it went wrong.

use crate::{
    api::jobs::Action,
    text::{checkpoint_name, format},
};

german_words! {
    pause = "Pausieren";
    resume = "Fortsetzen";
    stop_and_keep = "Beenden und behalten";
    yes_stop_job = "Ja, beenden und behalten";
    stop_job_body = "Das Training endet nach diesem Schritt. Was bis dahin trainiert ist, wird der Adapter, und der Job ist abgeschlossen.";
    retry_with_change = "Mit dieser Änderung wiederholen";
    trainer_log = "Letzte Zeilen des Trainer-Logs";
    memory_advice = "Dem Trainer mehr Speicher geben oder die Beispiele kürzen.";
    diverged_advice = "Die Lernrate senken oder nach fehlerhaften Beispielen suchen.";
    still_diverges = "Hilft das nicht, nach fehlerhaften Beispielen suchen.";
    disk_full_advice = "Platz schaffen, zum Beispiel alte Jobs löschen, dann wiederholen.";
    storage_advice = "Den Datenträger des Datenordners prüfen, dann wiederholen.";
    bad_data_advice = "Die Datei berichtigen, neu hochladen und damit einen neuen Job starten.";
    signal_advice = "Etwas von außen hat den Trainer beendet. Wiederholen kann genügen.";
    unresponsive_advice = "Der Trainer hing. Wiederholen kann genügen.";
    unusable_advice = "Das Modell oder die Einstellungen müssen andere sein: den Job duplizieren und sie ändern.";
    bug_advice = "Das ist ein Fehler in Attune. Bitte zusammen mit dem Log des Trainers melden.";
    retry_of = "Wiederholung von";
}

pub(crate) const fn action_asked(action: Action) -> &'static str {
    match action {
        Action::Cancel => "Der Job wird abgebrochen.",
        Action::Pause => "Der Job pausiert, sobald er gesichert ist.",
        Action::Resume => "Der Job wartet und geht weiter, wo er war.",
        Action::Stop => "Der Job wird beendet und behält, was trainiert ist.",
    }
}

pub(crate) fn stop_job_title(name: &str) -> String {
    format!("{name} beenden und behalten, was trainiert ist?")
}

pub(crate) fn smaller_batch(before: u32, after: u32) -> String {
    format!("Ein kleinerer Batch braucht weniger Speicher: {after} Beispiele je Schritt statt {before}.")
}

pub(crate) fn lower_rate(rate: f64) -> String {
    format!(
        "Eine niedrigere Lernrate ist stabiler: {}.",
        format::learning_rate(rate)
    )
}

pub(crate) fn goes_on_from(step: u64) -> String {
    format!(
        "Eine Wiederholung setzt beim Checkpoint von Schritt {} fort.",
        format::count(step)
    )
}

pub(crate) fn parent_name(id: &str, step: Option<u64>) -> String {
    match step {
        Some(step) => format!("{id}, ab Schritt {}", format::count(step)),
        None => id.to_owned(),
    }
}

pub(crate) fn retry_from(step: u64) -> String {
    format!("Ab {} wiederholen", checkpoint_name(step))
}

pub(crate) fn retention(keep_last: Option<u32>, bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else {
        return String::new();
    };
    let bytes = format::bytes(bytes);
    match keep_last {
        Some(1) => {
            format!("Der neueste und der mit dem niedrigsten Validierungs-Loss bleiben: zusammen {bytes}.")
        }
        Some(newest) => format!(
            "Die neuesten {newest} und der mit dem niedrigsten Validierungs-Loss bleiben: zusammen {bytes}."
        ),
        None => format!("Alle bleiben: zusammen {bytes}."),
    }
}

pub(crate) fn taken_up_at(steps: &str) -> String {
    format!(" Das Training wurde bei Schritt {steps} wieder aufgenommen.")
}

pub(crate) fn attempt_from(attempt: u32, from_step: Option<u64>) -> String {
    match from_step {
        Some(step) => format!("Versuch {attempt}, ab Schritt {}", format::count(step)),
        None => format!("Versuch {attempt}"),
    }
}
