//! The wizard.

use shared::{preset::Preset, validate::Step};

german_words! {
    wizard_title = "Neuer Fine-Tuning-Job";
    wizard_sub = "Der Entwurf wird in diesem Browser aufgehoben.";
    next = "Weiter";
    back = "Zurück";
    start_fine_tuning = "Fine-Tuning starten";
    start_over = "Von vorn beginnen";
    draft_dropped = "Der Entwurf wurde verworfen.";
    steps = "Schritte";
    step_done = "erledigt";
    step_faulty = "braucht eine Änderung";
    from_elsewhere = "Auf den Stand des anderen Tabs gebracht.";
    choose = "Wählen …";
    no_validation = "Keiner";
    use_example = "Beispieldatensatz nehmen";
    example_hint = "Support-Nachrichten und das JSON, in das sie sortiert werden sollen: ein erster Lauf von wenigen Minuten.";
    example_ready = "Die Beispieldatensätze sind bereit.";
    upload_link = "Datei hochladen";
    hint_name = "3 bis 50 Buchstaben, Ziffern und Bindestriche. So heißt der Job in jeder Liste.";
    hint_training = "Die Beispiele, aus denen gelernt wird.";
    hint_validation = "Beispiele, mit denen nie trainiert wird: Sie zeigen, ob gelernt oder nur auswendig gelernt wurde.";
    hint_epochs = "Wie oft das Modell alle Daten sieht.";
    hint_no_evaluation = "Ohne Validierungsdatensatz gibt es nichts zu testen: unter Grundlagen einen wählen oder bei 0 lassen.";
    hint_warmup = "In wie vielen der ersten Epochen die Lernrate von null ansteigt.";
    hint_learning_rate = "Wie weit jeder Schritt das Modell bewegt: über 0, höchstens 1, als 0,0001 oder 1e-4. Zu hoch, und der Loss springt; zu niedrig, und er fällt kaum.";
    hint_relative_learning_rate = "Der Vorschlag überlässt sie dem Upstream; das Doppelte verlangt das Doppelte seiner eigenen.";
    presets = "Voreinstellung";
    own_values = "Eigene";
    advanced = "LoRA, Batch und Seed";
    lora_rank = "LoRA-Rang";
    lora_alpha = "LoRA-Alpha";
    lora_dropout = "LoRA-Dropout";
    hint_batch_size = "Beispiele in einem Schritt.";
    hint_lora_rank = "Wie viel der Adapter lernen kann und wie groß er wird.";
    hint_lora_alpha = "Wie stark er wirkt; oft das Doppelte des Rangs.";
    hint_lora_dropout = "Anteil seiner Eingaben, der zufällig wegfällt, gegen Auswendiglernen.";
    hint_schedule = "Was die Lernrate nach dem Aufwärmen tut.";
    hint_beta = "Wie fest die Antworten an denen des Basismodells bleiben. Leer: 0,1.";
    preference_method = "Präferenzpaare (DPO)";
    beta = "Beta";
    hint_seed = "Dieselbe Zahl ergibt denselben Lauf. Leer: Es wird eine gewählt.";
    schedule_default = "Linear (Vorgabe)";
    job_name = "Jobname";
    training_dataset = "Trainingsdatensatz";
    validation_dataset = "Validierungsdatensatz";
    epochs = "Epochen";
    evaluation_epochs = "Evaluations-Epochen";
    warmup_epochs = "Aufwärm-Epochen";
    learning_rate = "Lernrate";
    any_field = "Feld";
    edit = "Bearbeiten";
    used_up_title = "Dieser Entwurf wurde schon gestartet";
    used_up_body = "Er wurde in einem anderen Tab zu einem Job. Erneutes Starten führt zu diesem Job; eine Änderung hier beginnt einen weiteren.";
    open_job = "Job öffnen";
    new_draft = "Neuen Entwurf beginnen";
    continue_draft = "Entwurf fortsetzen";
    replace_draft_title = "Den unfertigen Entwurf ersetzen?";
    replace_draft_body = "In diesem Browser ist der Entwurf eines neuen Jobs aufgehoben. Beim Duplizieren treten die Werte dieses Jobs an seine Stelle.";
    replace_draft = "Entwurf ersetzen";
    keep_draft = "Entwurf behalten";
    already_started = "Dieser Entwurf wurde schon gestartet: Hier ist sein Job.";
    job_started = "Der Job wurde angelegt.";
    no_ready_dataset = "Kein Datensatz ist bereit. Einen hochladen oder das Beispiel nehmen.";
    example_title = "Nur mal ansehen?";
}

pub(crate) const fn step_label(step: Step) -> &'static str {
    match step {
        Step::Setup => "Grundlagen",
        Step::Configure => "Training",
        Step::Review => "Prüfen",
    }
}

pub(crate) fn draft_waits(name: &str) -> String {
    if name.is_empty() {
        "Ein unfertiger Entwurf ist aufgehoben.".to_owned()
    } else {
        format!("Der Entwurf „{name}“ ist aufgehoben.")
    }
}

pub(crate) const fn hint_base_model(gives_adapter: bool) -> &'static str {
    if gives_adapter {
        "Wovon das Training ausgeht. Es bleibt, wie es ist; daneben entsteht ein kleiner Adapter."
    } else {
        "Wovon das Training ausgeht."
    }
}

pub(crate) const fn preset_label(preset: Preset) -> &'static str {
    match preset {
        Preset::Conservative => "Vorsichtig",
        Preset::Balanced => "Ausgewogen",
        Preset::Aggressive => "Kräftig",
    }
}

pub(crate) const fn preset_hint(chosen: Option<Preset>) -> &'static str {
    match chosen {
        Some(Preset::Conservative) => "Kleinere Änderungen: behält mehr von dem, was das Modell konnte.",
        Some(Preset::Balanced) => "Was das Basismodell vorschlägt.",
        Some(Preset::Aggressive) => {
            "Größere Änderungen, länger: lernt mehr aus den Daten und lernt sie eher auswendig."
        }
        None => "Eigene Werte. Eine Voreinstellung setzt ihre an deren Stelle.",
    }
}

pub(crate) const fn hint_evaluation(has_datasets: bool) -> &'static str {
    if has_datasets {
        "Nach wie vielen der Epochen mit den Validierungsdaten getestet wird."
    } else {
        "Wie viele der Epochen der Evaluation dienen. Zusammen mit dem Aufwärmen höchstens alle."
    }
}

pub(crate) fn less(label: &str) -> String {
    format!("{label} verringern")
}

pub(crate) fn more(label: &str) -> String {
    format!("{label} erhöhen")
}

pub(crate) fn edit_step(step: &str) -> String {
    format!("{step} bearbeiten")
}
