//! The job page.

use shared::run::Schedule;

german_words! {
    checkpoints = "Checkpoints";
    hyperparameters = "Hyperparameter";
    events = "Ereignisse";
    download_adapter = "Adapter herunterladen";
    cancel_job = "Job abbrechen";
    yes_cancel_job = "Ja, Job abbrechen";
    keep_training = "Weiter trainieren";
    cancel_job_body = "Das Training endet. Die Checkpoints bleiben, bis der Job gelöscht wird, aber es entsteht kein Adapter.";
    duplicate = "Duplizieren";
    refresh = "Aktualisieren";
    live = "Live";
    reconnecting = "Verbinde neu …";
    no_checkpoints = "Der erste Checkpoint entsteht während des Trainings.";
    no_checkpoints_ended = "Dieser Job hat keinen Checkpoint.";
    no_events = "Noch ist nichts geschehen.";
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
    started = "Gestartet";
    finished = "Beendet";
    took = "Dauer";
    attempts = "Versuche";
    trained_tokens = "Trainierte Tokens";
    pace = "Tempo";
    all_targets = "alle sieben";
    created_word = " · erstellt ";
    jobs_above = "Jobs /";
    datasets_above = "Datensätze /";
}

pub(crate) fn cancel_job_title(name: &str) -> String {
    format!("{name} abbrechen?")
}

pub(crate) const fn schedule_label(schedule: Schedule) -> &'static str {
    match schedule {
        Schedule::Constant => "Konstant",
        Schedule::Linear => "Linear",
        Schedule::Cosine => "Kosinus",
    }
}
