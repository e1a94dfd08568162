//! The job page.

use crate::text::{checkpoint_name, format};
use shared::run::Schedule;

german_words! {
    checkpoints = "Checkpoints";
    hyperparameters = "Hyperparameter";
    events = "Ereignisse";
    show_older = "Ältere zeigen";
    download_adapter = "Adapter herunterladen";
    cancel_job = "Job abbrechen";
    yes_cancel_job = "Ja, Job abbrechen";
    keep_training = "Weiter trainieren";
    cancel_job_body = "Das Training endet. Die Checkpoints bleiben, bis der Job gelöscht wird, aber es entsteht kein Adapter.";
    duplicate = "Duplizieren";
    refresh = "Neu laden";
    live = "Live";
    reconnecting = "Verbinde neu …";
    no_checkpoints = "Der erste Checkpoint entsteht während des Trainings.";
    no_checkpoints_ended = "Dieser Job hat keinen Checkpoint.";
    no_events = "Noch ist nichts geschehen.";
    incomplete_events = "Es gibt vielleicht noch ältere Ereignisse: Weder diese Liste noch ihre Anzahl enthält sie.";
    step = "Schritt";
    train_loss = "Train-Loss";
    saved = "Gesichert";
    method = "Verfahren";
    batch_size = "Batchgröße";
    schedule = "Lernratenverlauf";
    rank_alpha = "Rang / Alpha";
    learning_rate_multiplier = "Lernratenfaktor";
    dropout = "Dropout";
    targets = "Projektionen";
    longest_example = "Längstes Beispiel";
    seed = "Seed";
    auto = "auto";
    job_failed = "Dieser Job ist fehlgeschlagen";
    result = "Ergebnis";
    fine_tuned_model = "Modellname";
    wandb = "Weights & Biases";
    wandb_project = "Projekt";
    wandb_entity = "Entity";
    wandb_run = "Lauf";
    wandb_tags = "Tags";
    wandb_later = "Der Lauf lässt sich herunterladen, sobald der Job beendet ist.";
    wandb_ready = "Von hier wird nichts gesendet. Den Lauf entpacken und hochladen mit: wandb sync ORDNER";
    download_run = "Lauf herunterladen";
    timeline = "Verlauf";
    imported_from = "Importiert von";
    model_there = "Modell dort";
    started = "Gestartet";
    finished = "Beendet";
    took = "Dauer";
    attempts = "Versuche";
    trained_tokens = "Trainierte Tokens";
    pace = "Tempo";
    all_targets = "alle sieben";
    reckoning = "Geschätzt und tatsächlich";
    quantity = "Größe";
    training_time = "Trainingszeit";
    peak_memory = "Größter Speicher";
    estimated = "Geschätzt";
    actual = "Tatsächlich";
    so_far = "Bisher";
    cost = "Kosten";
    total = "Gesamt";
    per_1000_tokens = "Je 1.000 Tokens";
    created_word = " · erstellt ";
    jobs_above = "Jobs /";
    datasets_above = "Datensätze /";
}

pub(crate) fn cancel_job_title(name: &str) -> String {
    format!("{name} abbrechen?")
}

pub(crate) fn weights_elsewhere(host: &str) -> String {
    format!("Die Gewichte sind bei {host} geblieben: Diese Checkpoints lassen sich ansehen, nicht benutzen.")
}

pub(crate) fn events_shown(shown: u64, total: u64) -> String {
    if shown < total {
        let all = format::plural(total, "Ereignis", "Ereignissen");
        return format!("{} von {all}", format::count(shown));
    }
    format::plural(total, "Ereignis", "Ereignisse")
}

pub(crate) fn download_checkpoint(step: u64) -> String {
    format!("{} herunterladen", checkpoint_name(step))
}

pub(crate) const fn schedule_label(schedule: Schedule) -> &'static str {
    match schedule {
        Schedule::Constant => "Konstant",
        Schedule::Linear => "Linear",
        Schedule::Cosine => "Kosinus",
    }
}
