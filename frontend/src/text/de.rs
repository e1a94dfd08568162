//! German. The words say what to do without addressing anybody: buttons are infinitives.

mod alerts;
mod attempt;
mod charts;
mod curves;
mod dashboard;
mod datasets;
mod errors;
mod fields;
mod job;
mod jobs;
mod keys;
mod models;
mod playground;
mod progress;
mod settings;
mod step_examples;
mod units;
mod webhooks;
mod wizard;

pub(crate) use alerts::*;
pub(crate) use attempt::*;
pub(crate) use charts::*;
pub(crate) use curves::*;
pub(crate) use dashboard::*;
pub(crate) use datasets::*;
pub(crate) use errors::*;
pub(crate) use fields::*;
pub(crate) use job::*;
pub(crate) use jobs::*;
pub(crate) use keys::*;
pub(crate) use models::*;
pub(crate) use playground::*;
pub(crate) use progress::*;
pub(crate) use settings::*;
pub(crate) use step_examples::*;
pub(crate) use units::*;
pub(crate) use webhooks::*;
pub(crate) use wizard::*;

use super::format::{count, plural};
use crate::route::Section;
use shared::status::JobStatus;

german_words! {
    product = "Attune";
    main_navigation = "Hauptmenü";
    skip_to_content = "Zum Inhalt";
    new_job = "Neuer Job";
    new_tab = "Neu";
    retry = "Wiederholen";
    page_code_missing = "Diese Seite konnte nicht geladen werden";
    page_code_advice = "Der Server ist nicht erreichbar, oder er wurde aktualisiert, während diese Seite offen war. Eingaben bleiben erhalten.";
    crash_title = "In der Konsole ist etwas kaputtgegangen";
    crash_body = "Die Jobs laufen auf dem Server und sind nicht betroffen. Der Entwurf bleibt in diesem Browser erhalten.";
    reload = "Seite neu laden";
    cancel = "Abbrechen";
    delete = "Löschen";
    dismiss = "Schließen";
    undo = "Rückgängig";
    loading = "Wird geladen";
    none = "–";
    name = "Name";
    status = "Status";
    base_model = "Basismodell";
    incomplete_note = "Der Upstream hat noch ältere Jobs: Weder Liste noch Zahlen enthalten sie.";
    created = "Erstellt";
    validation_loss = "Val-Loss";
    actions = "Aktionen";
    size = "Größe";
    not_found_title = "Hier ist nichts";
    not_found_body = "Vielleicht ist die Adresse vertippt, oder was sie zeigte, wurde gelöscht.";
    go_to_dashboard = "Zur Übersicht";
    copied = "Kopiert";
}

pub(crate) const fn status_label(status: JobStatus) -> &'static str {
    match status {
        JobStatus::ValidatingFiles => "Wird geprüft",
        JobStatus::Queued => "Wartet",
        JobStatus::Running => "Läuft",
        JobStatus::Pausing => "Wird pausiert",
        JobStatus::Paused => "Pausiert",
        JobStatus::Succeeded => "Abgeschlossen",
        JobStatus::Failed => "Fehlgeschlagen",
        JobStatus::Cancelled => "Abgebrochen",
    }
}

pub(crate) const fn section_label(section: Section) -> &'static str {
    match section {
        Section::Dashboard => "Übersicht",
        Section::Jobs => "Jobs",
        Section::Datasets => "Datensätze",
        Section::Models => "Modelle",
        Section::Playground => "Playground",
        Section::Settings => "Optionen",
    }
}

pub(crate) fn delete_named(name: &str) -> String {
    format!("{name} löschen")
}

pub(crate) fn delete_title(name: &str) -> String {
    format!("{name} löschen?")
}

pub(crate) const fn delete_job_body(has_artifacts: bool) -> &'static str {
    if has_artifacts {
        "Kurven, Ereignisse, Checkpoints und Adapter werden mitgelöscht. Das lässt sich nicht rückgängig machen."
    } else {
        "Das lässt sich nicht rückgängig machen."
    }
}

pub(crate) fn deleted(name: &str) -> String {
    format!("{name} wurde gelöscht.")
}

pub(crate) fn counted_jobs(number: u64) -> String {
    plural(number, "Job", "Jobs")
}

pub(crate) fn shown_of(shown: u64, total: u64) -> String {
    if shown == total {
        counted_jobs(total)
    } else {
        format!("{} von {}", count(shown), counted_jobs(total))
    }
}

pub(crate) fn download_named(name: &str) -> String {
    format!("{name} herunterladen")
}

pub(crate) fn tokens(number: u64) -> String {
    plural(number, "Token", "Tokens")
}
