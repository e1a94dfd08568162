//! Base models, and the adapters that training made.

use crate::text::format::{about, bytes};
use shared::{capabilities::UpstreamKind, estimate::Estimate, model::ModelObstacle};

german_words! {
    base_models = "Basismodelle";
    base_models_sub = "Wovon ein Job ausgehen kann.";
    tuned_models = "Trainierte Modelle";
    no_models_title = "Kein Basismodell";
    no_artifacts_title = "Noch kein trainiertes Modell";
    no_artifacts_body = "Ist ein Job abgeschlossen, lässt sich sein Adapter hier herunterladen.";
    architecture = "Architektur";
    parameters = "Parameter";
    on_disk = "Auf der Platte";
    to_train = "Speicher fürs Training";
    to_train_hint = "Speicher fürs Training: die Spitze eines Laufs mit den vorgeschlagenen Einstellungen und Beispielen von 256 Tokens. Für den eigenen Datensatz steht sie im Formular für einen neuen Job.";
    licence = "Lizenz";
    to_fetch = "Download";
    use_model = "Trainieren";
    being_added = "Wird hinzugefügt";
    stop_adding = "Abbrechen";
    addition_waiting = "Wartet auf ein anderes";
    addition_preparing = "Wird geprüft und vorbereitet";
    addition_asking = "Der Hub wird gefragt";
    get_models = "Modell holen";
    get_models_sub = "Vom Hugging Face Hub auf diesen Server.";
    fetch_model = "Holen";
    repository = "Anderes Repository";
    hint_repository = "OWNER/NAME wie in der Adresse des Hubs. Trainieren lassen sich Llama-, Qwen2- und Qwen3-Modelle mit Gewichten als safetensors.";
    bad_repository = "Als OWNER/NAME schreiben, zum Beispiel HuggingFaceTB/SmolLM2-135M-Instruct.";
    remove_model_body = "Seine Dateien werden vom Server entfernt. Wer es wieder braucht, muss es neu hinzufügen.";
    remove = "Entfernen";
    estimate_title = "Was der Job braucht";
    estimate_waits = "Steht hier, sobald die Werte vollständig sind.";
    run_steps = "Schritte";
    tokens_an_epoch = "Tokens je Epoche";
    longest_text = "Längster Text";
    checkpointing_note = "Aktivierungen werden neu berechnet statt aufgehoben: langsamer, aber es passt.";
    too_large_note = "Das ist mehr, als dieser Rechner hat: Der Job würde beim Start abgelehnt. Kleinere Batchgröße oder kleineres Modell wählen.";
}

pub(crate) const fn no_models_body(upstream: Option<UpstreamKind>) -> &'static str {
    match upstream {
        Some(UpstreamKind::Engine) => {
            "Unten eines holen oder einen Ordner im Hugging-Face-Format dorthin legen, wohin ATTUNE_MODELS_DIR zeigt."
        }
        _ => {
            "Die API hinter dieser Konsole bietet gerade keines an; so kann kein Job starten. Wer sie betreibt, weiß mehr."
        }
    }
}

pub(crate) const fn obstacle(obstacle: ModelObstacle) -> &'static str {
    match obstacle {
        ModelObstacle::UnknownArchitecture => {
            "Nicht trainierbar: Die Architektur ist nicht Llama, Qwen2 oder Qwen3"
        }
        ModelObstacle::Quantised => "Nicht trainierbar: Die Gewichte sind quantisiert",
        ModelObstacle::NotEnoughMemory => "Nicht trainierbar: Dieser Rechner hat zu wenig Speicher",
    }
}

pub(crate) fn about_so_long(milliseconds: u64) -> String {
    format!("etwa {}", about(milliseconds))
}

pub(crate) fn memory_of(estimate: &Estimate) -> String {
    match estimate.available_bytes {
        Some(available) => format!("etwa {} von {}", bytes(estimate.memory_bytes), bytes(available)),
        None => format!("etwa {}", bytes(estimate.memory_bytes)),
    }
}

pub(crate) fn fetch_named(name: &str) -> String {
    format!("{name} holen")
}

pub(crate) fn remove_named(name: &str) -> String {
    format!("{name} entfernen")
}

pub(crate) fn remove_title(name: &str) -> String {
    format!("{name} entfernen?")
}

pub(crate) fn removed(name: &str) -> String {
    format!("{name} wurde entfernt.")
}
