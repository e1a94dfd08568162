//! Datasets.

use crate::text::format::{bytes, count, plural};
use shared::{
    dataset::DatasetStatus,
    training_line::{LineFormat, Severity},
};

german_words! {
    datasets_sub = "Dateien mit Beispielen: ein JSON-Objekt je Zeile.";
    drop_here = ".jsonl-Datei hier ablegen";
    drop_or = "oder eine von diesem Computer wählen";
    choose_file = "Datei wählen";
    no_datasets_title = "Noch keine Datensätze";
    no_datasets_body = "Eine Datei mit Chats als JSON-Zeilen hochladen oder mit dem Beispiel beginnen.";
    examples = "Beispiele";
    used_by = "Genutzt von";
    findings = "Befunde";
    statistics = "Statistik";
    preview = "Vorschau";
    line = "Zeile";
    no_findings = "Keine Probleme gefunden.";
    preferred = "bevorzugt";
    non_preferred = "nicht bevorzugt";
    no_preview = "Es gibt kein Beispiel zu zeigen.";
    show_beginning = "Anfang zeigen";
    no_example = "Kein Beispiel. Die Zeile, wie sie dasteht:";
    format_name = "Format";
    lines = "Zeilen";
    messages = "Nachrichten";
    duplicates = "Duplikate";
    errors = "Fehler";
    warnings = "Warnungen";
    delete_dataset_body = "Seine Datei wird vom Server entfernt. Das lässt sich nicht rückgängig machen.";
    dataset_in_use = "Ein Job, der noch nicht beendet ist, nutzt diesen Datensatz; er bleibt. Den Job abbrechen oder sein Ende abwarten.";
    being_read = "Die Datei wird gelesen …";
    whole_file = "Datei";
    uploading = "Wird hochgeladen";
    train_on_this = "Damit trainieren";
    findings_stop = "Diese Zeilen müssen berichtigt werden, bevor ein Job die Datei nutzen kann.";
    upload_dataset = "Datensatz hochladen";
    dataset_file = "Datensatzdatei";
    empty_file = "Die Datei ist leer.";
}

pub(crate) fn show_line(line: u64) -> String {
    format!("Zeile {} zeigen", count(line))
}

pub(crate) fn no_such_line(line: u64) -> String {
    format!("Die Datei hat keine Zeile {}.", count(line))
}

pub(crate) const fn dataset_status_label(status: DatasetStatus) -> &'static str {
    match status {
        DatasetStatus::Uploading => "Wird hochgeladen",
        DatasetStatus::Validating => "Wird geprüft",
        DatasetStatus::Ready => "Bereit",
        DatasetStatus::Error => "Unbrauchbar",
    }
}

pub(crate) const fn line_format_label(line_format: LineFormat) -> &'static str {
    match line_format {
        LineFormat::Chat => "Chat-Nachrichten",
        LineFormat::Conversation => "Gespräche",
        LineFormat::PromptCompletion => "Prompt und Completion",
        LineFormat::Preference => "Präferenzpaare",
    }
}

pub(crate) const fn severity_label(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Fehler",
        Severity::Warning => "Warnung",
    }
}

pub(crate) fn uploaded(sent: u64, total: u64) -> String {
    format!("{} von {}", bytes(sent), bytes(total))
}

pub(crate) fn uploading_named(name: &str) -> String {
    format!("{name} wird hochgeladen")
}

pub(crate) fn upload_done(name: &str) -> String {
    format!("{name} wurde hochgeladen.")
}

pub(crate) fn too_large(limit: u64) -> String {
    format!(
        "Die Datei ist größer als die {}, die dieser Server annimmt.",
        bytes(limit)
    )
}

pub(crate) fn first_of(shown: u64, all: u64) -> String {
    format!("die ersten {} von {}", count(shown), count(all))
}

pub(crate) fn counted_examples(number: u64) -> String {
    plural(number, "Beispiel", "Beispiele")
}
