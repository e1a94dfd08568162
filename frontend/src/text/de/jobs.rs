//! The job list.

use crate::{
    api::ApiError,
    text::{
        en::named,
        format::{count, plural},
    },
};

german_words! {
    search_jobs = "Jobs suchen";
    status_filter = "Status";
    sort_label = "Sortierung";
    no_match_title = "Kein Job passt";
    no_match_body = "Andere Wörter versuchen oder wieder alle Jobs zeigen.";
    clear_filters = "Suche und Filter leeren";
    any_model = "Alle Modelle";
    created_filter = "Erstellt";
    any_time = "Jeder Zeitraum";
    between_dates = "Zeitraum …";
    from_date = "Von";
    to_date = "Bis";
    all_statuses = "Alle";
    select_all_shown = "Alle gezeigten auswählen";
    clear_selection = "Auswahl aufheben";
    keyboard_shortcuts = "Tastenkürzel";
    single_keys = "Einzelne Tasten als Kürzel";
    close = "Schließen";
    copy_refused = "Der Browser erlaubt hier kein Kopieren.";
}

pub(crate) const fn span_labels() -> [&'static str; 3] {
    ["Letzte 24 Stunden", "Letzte 7 Tage", "Letzte 30 Tage"]
}

pub(crate) const fn sort_labels() -> [&'static str; 6] {
    [
        "Neueste zuerst",
        "Älteste zuerst",
        "Name A–Z",
        "Name Z–A",
        "Status",
        "Basismodell",
    ]
}

pub(crate) const fn keys() -> [(&'static str, &'static str); 6] {
    [
        ("↑ ↓", "Von Job zu Job gehen"),
        ("Enter", "Job öffnen"),
        ("/", "Suchen"),
        ("n", "Neuer Job"),
        ("Esc", "Auswahl aufheben, dann Suche und Filter leeren"),
        ("?", "Diese Liste zeigen"),
    ]
}

pub(crate) fn new_jobs(number: u64) -> String {
    plural(number, "neuer Job", "neue Jobs")
}

pub(crate) fn selected(number: u64) -> String {
    format!("{} ausgewählt", count(number))
}

pub(crate) fn select_named(name: &str) -> String {
    format!("{name} auswählen")
}

pub(crate) fn copy_id_of(name: &str) -> String {
    format!("ID von {name} kopieren")
}

pub(crate) fn copied_id(id: &str) -> String {
    format!("{id} kopiert")
}

pub(crate) fn delete_jobs(number: u64) -> String {
    format!("{} löschen", super::counted_jobs(number))
}

pub(crate) fn and_more(number: u64) -> String {
    format!("und {} mehr", count(number))
}

pub(crate) fn cancel_first(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "ist" } else { "sind" };
    format!("{} {verb} noch nicht beendet: erst abbrechen.", named(names))
}

pub(crate) fn deleted_jobs(number: u64) -> String {
    format!("{} gelöscht.", plural(number, "Job wurde", "Jobs wurden"))
}

pub(crate) fn not_deleted(names: &[&str], error: &ApiError) -> String {
    let verb = if names.len() == 1 { "wurde" } else { "wurden" };
    format!(
        "{} {verb} nicht gelöscht. {}",
        named(names),
        crate::text::error_line(error)
    )
}
