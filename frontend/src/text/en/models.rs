//! Base models, and the adapters that training made.

use crate::text::format::{about, bytes};
use shared::{
    capabilities::UpstreamKind,
    estimate::Estimate,
    model::{AdditionStage, ModelAddition, ModelObstacle},
};

words! {
    /// The card.
    base_models = "Base models";
    /// Under its title.
    base_models_sub = "What a job can start from.";
    /// The card.
    tuned_models = "Tuned models";
    /// Empty.
    no_models_title = "No base model";
    /// Empty.
    no_artifacts_title = "No tuned model yet";
    /// Empty.
    no_artifacts_body = "When a job completes, its adapter can be downloaded here.";
    /// A column.
    architecture = "Architecture";
    /// A column.
    parameters = "Parameters";
    /// A column: size of the files.
    on_disk = "On disk";
    /// A column: memory that training takes.
    to_train = "Memory to train";
    /// Under the table.
    to_train_hint = "Memory to train is the peak of a run with the proposed settings and examples of 256 tokens. The wizard reckons it for a dataset of your own.";
    /// A column.
    licence = "Licence";
    /// A column: what has to be fetched.
    to_fetch = "Download";
    /// Leads to the wizard.
    use_model = "Fine-tune";
    /// The card of what is on its way.
    being_added = "Being added";
    /// Gives up what is being fetched.
    stop_adding = "Stop";
    /// How far what is on its way is.
    addition_waiting = "Waiting for another one";
    /// How far what is on its way is.
    addition_preparing = "Checking and preparing";
    /// How far what is on its way is.
    addition_asking = "Asking the Hub";
    /// The card of what could be had.
    get_models = "Get a model";
    /// Under its title.
    get_models_sub = "Fetched from the Hugging Face Hub to this server.";
    /// Starts to fetch.
    fetch_model = "Download";
    /// The field.
    repository = "Another repository";
    /// Under the field.
    hint_repository = "OWNER/NAME, as the Hub's address has it. Llama, Qwen2 and Qwen3 models with safetensors weights can be trained.";
    /// Under the field, after something else was typed.
    bad_repository = "Write OWNER/NAME, for example HuggingFaceTB/SmolLM2-135M-Instruct.";
    /// The dialog.
    remove_model_body = "Its files are removed from the server. Whoever wants it again has to add it again.";
    /// The dialog's button.
    remove = "Remove";
    /// The card before a job is started.
    estimate_title = "What it takes";
    /// The wizard, while its numbers can't be read.
    estimate_waits = "Told once the values are complete.";
    /// Fact.
    run_steps = "Steps";
    /// Fact.
    tokens_an_epoch = "Tokens an epoch";
    /// Fact.
    longest_text = "Longest text";
    /// Before a job is started.
    checkpointing_note = "Activations are computed again instead of kept: slower, but it fits.";
    /// Before a job is started.
    too_large_note = "That is more than this machine has: the job would be refused when it starts. Choose a smaller batch size or a smaller model.";
}

/// Where there is no base model: who can bring one.
#[must_use]
pub fn no_models_body(upstream: Option<UpstreamKind>) -> &'static str {
    german!(no_models_body(upstream));
    match upstream {
        Some(UpstreamKind::Engine) => {
            "Get one below, or put a folder in Hugging Face format where ATTUNE_MODELS_DIR points."
        }
        _ => "The API behind this console offers none for now, so no job can start. Ask whoever runs it.",
    }
}

/// Why a model can't be trained here.
#[must_use]
pub fn obstacle(obstacle: ModelObstacle) -> &'static str {
    german!(obstacle(obstacle));
    match obstacle {
        ModelObstacle::UnknownArchitecture => {
            "Can't be trained: its architecture isn't Llama, Qwen2 or Qwen3"
        }
        ModelObstacle::Quantised => "Can't be trained: its weights are quantised",
        ModelObstacle::NotEnoughMemory => "Can't be trained: this machine has too little memory",
    }
}

/// How far an addition is.
#[must_use]
pub fn addition_progress(addition: &ModelAddition) -> String {
    match (addition.stage, addition.bytes_total) {
        (AdditionStage::Waiting, _) => addition_waiting().to_owned(),
        (AdditionStage::Preparing, _) => addition_preparing().to_owned(),
        (AdditionStage::Fetching, Some(total)) => super::uploaded(addition.bytes_done, total),
        (AdditionStage::Fetching, None) => addition_asking().to_owned(),
        (AdditionStage::Failed, _) => addition
            .failure
            .as_ref()
            .map(|failure| failure.message.clone())
            .unwrap_or_default(),
    }
}

/// A time that is only reckoned.
#[must_use]
pub fn about_so_long(milliseconds: u64) -> String {
    german!(about_so_long(milliseconds));
    format!("about {}", about(milliseconds))
}

/// Memory, of what there is.
#[must_use]
pub fn memory_of(estimate: &Estimate) -> String {
    german!(memory_of(estimate));
    match estimate.available_bytes {
        Some(available) => format!("about {} of {}", bytes(estimate.memory_bytes), bytes(available)),
        None => format!("about {}", bytes(estimate.memory_bytes)),
    }
}

/// Names the button that fetches a model.
#[must_use]
pub fn fetch_named(name: &str) -> String {
    german!(fetch_named(name));
    format!("Download {name}")
}

/// Names the button that removes a model.
#[must_use]
pub fn remove_named(name: &str) -> String {
    german!(remove_named(name));
    format!("Remove {name}")
}

/// The dialog's question.
#[must_use]
pub fn remove_title(name: &str) -> String {
    german!(remove_title(name));
    format!("Remove {name}?")
}

/// After removing.
#[must_use]
pub fn removed(name: &str) -> String {
    german!(removed(name));
    format!("{name} was removed.")
}
