//! The wizard.

use crate::text::format;
use shared::{
    dataset::Dataset, draft::schedule_word, preset::Preset, problem::FieldCode, run::Schedule, validate::Step,
};

words! {
    /// Page title.
    wizard_title = "New fine-tuning job";
    /// Under the title.
    wizard_sub = "Your draft is kept in this browser.";
    /// Button.
    next = "Next";
    /// Button.
    back = "Back";
    /// Button.
    start_fine_tuning = "Start fine-tuning";
    /// Button.
    start_over = "Start over";
    /// Told after starting over.
    draft_dropped = "The draft was dropped.";
    /// Names the steps.
    steps = "Steps";
    /// Read after a step's name.
    step_done = "done";
    /// Read after a step's name.
    step_faulty = "needs a change";
    /// Another tab changed the draft.
    from_elsewhere = "Brought up to date with your other tab.";
    /// Choice before anything is chosen.
    choose = "Choose…";
    /// Choice of no validation dataset.
    no_validation = "None";
    /// Button.
    use_example = "Use the example dataset";
    /// Under the button.
    example_hint = "Support messages and the JSON they should be sorted into: a first run of a few minutes.";
    /// Heads the card of the example.
    example_title = "Just looking?";
    /// Told when it stands.
    example_ready = "The example datasets are ready.";
    /// Beside the datasets.
    upload_link = "Upload a file";
    /// Hint.
    hint_name = "3 to 50 letters, digits and dashes. It names the job in every list.";
    /// Hint.
    hint_training = "The examples to learn from.";
    /// Hint.
    hint_validation = "Examples that are never trained on: they show whether it learned or only memorised.";
    /// Hint.
    hint_epochs = "How often the model sees all of the data.";
    /// Hint, where no validation dataset is chosen.
    hint_no_evaluation = "Without a validation dataset there is nothing to test on: choose one at Setup, or leave it at 0.";
    /// Hint.
    hint_warmup = "In how many of the first epochs the learning rate rises from zero.";
    /// Hint.
    hint_learning_rate = "How far each step moves the model: above 0, at most 1, as 0.0001 or 1e-4. Too high and the loss jumps; too low and it hardly falls.";
    /// Hint, where the upstream takes a multiple of a learning rate that it alone knows.
    hint_relative_learning_rate = "The proposal leaves it to the upstream; twice as much asks for twice the upstream's own.";
    /// Names the presets.
    presets = "Preset";
    /// Stands among the presets where the values are none of theirs.
    own_values = "My own";
    /// Opens the rest.
    advanced = "LoRA, batch and seed";
    /// Label.
    lora_rank = "LoRA rank";
    /// Label.
    lora_alpha = "LoRA alpha";
    /// Label.
    lora_dropout = "LoRA dropout";
    /// Hint.
    hint_batch_size = "Examples in one step.";
    /// Hint.
    hint_lora_rank = "How much the adapter can learn, and how large it gets.";
    /// Hint.
    hint_lora_alpha = "How strongly it acts; often twice the rank.";
    /// Hint.
    hint_lora_dropout = "Share of its inputs left out at random, against memorising.";
    /// Hint.
    hint_schedule = "What the learning rate does after warm-up.";
    /// Hint.
    hint_beta = "How strongly answers are held to the base model's. Empty: 0.1.";
    /// What the pairs of a dataset are for.
    preference_method = "Preference pairs (DPO)";
    /// Field label.
    beta = "Beta";
    /// Hint.
    hint_seed = "The same number gives the same run. Empty: one is chosen.";
    /// Choice.
    schedule_default = "Linear (default)";
    /// Field label.
    job_name = "Job name";
    /// Field label.
    training_dataset = "Training dataset";
    /// Field label.
    validation_dataset = "Validation dataset";
    /// Field label.
    epochs = "Epochs";
    /// Field label.
    evaluation_epochs = "Evaluation epochs";
    /// Field label.
    warmup_epochs = "Warm-up epochs";
    /// Field label.
    learning_rate = "Learning rate";
    /// Field label, of a field that the wizard doesn't know.
    any_field = "Field";
    /// On the review.
    edit = "Edit";
    /// This draft has become a job.
    used_up_title = "This draft was already started";
    /// This draft has become a job.
    used_up_body = "It became a job in another tab. Starting it again leads to that job; changing something here begins another one.";
    /// Leads to it.
    open_job = "Open the job";
    /// Begins anew.
    new_draft = "Begin a new draft";
    /// Leads back to the unfinished draft.
    continue_draft = "Continue the draft";
    /// Asked before a duplicate takes an unfinished draft's place.
    replace_draft_title = "Replace your unfinished draft?";
    /// Asked before a duplicate takes an unfinished draft's place.
    replace_draft_body = "A draft of a new job is kept in this browser. Duplicating this job puts its values in its place.";
    /// Does it.
    replace_draft = "Replace the draft";
    /// Doesn't.
    keep_draft = "Keep the draft";
    /// Told when a submit gave the first job.
    already_started = "This draft was already started: here is its job.";
    /// Told after submitting.
    job_started = "The job was created.";
    /// The datasets can't be used yet.
    no_ready_dataset = "No dataset is ready. Upload one, or use the example.";
}

/// The label of a step.
#[must_use]
pub fn step_label(step: Step) -> &'static str {
    german!(step_label(step));
    match step {
        Step::Setup => "Setup",
        Step::Configure => "Configure",
        Step::Review => "Review",
    }
}

/// The label of a preset.
#[must_use]
pub fn preset_label(preset: Preset) -> &'static str {
    german!(preset_label(preset));
    match preset {
        Preset::Conservative => "Conservative",
        Preset::Balanced => "Balanced",
        Preset::Aggressive => "Aggressive",
    }
}

/// What the chosen preset is for.
#[must_use]
pub fn preset_hint(chosen: Option<Preset>) -> &'static str {
    german!(preset_hint(chosen));
    match chosen {
        Some(Preset::Conservative) => "Smaller changes: keeps more of what the model knew.",
        Some(Preset::Balanced) => "What the base model proposes.",
        Some(Preset::Aggressive) => {
            "Larger changes, for longer: learns more of the data, and may memorise it."
        }
        None => "Values of your own. A preset puts its values in their place.",
    }
}

/// The label of a field.
#[must_use]
pub fn field_label(field: &str) -> &'static str {
    match field {
        "name" => job_name(),
        "base_model" => super::base_model(),
        "training_dataset" => training_dataset(),
        "validation_dataset" => validation_dataset(),
        "epochs" => epochs(),
        "evaluation_epochs" => evaluation_epochs(),
        "warmup_epochs" => warmup_epochs(),
        "learning_rate" => learning_rate(),
        "method" => super::method(),
        "beta" => beta(),
        "batch_size" => super::batch_size(),
        "lora_rank" => lora_rank(),
        "lora_alpha" => lora_alpha(),
        "lora_dropout" => lora_dropout(),
        "schedule" => super::schedule(),
        "seed" => super::seed(),
        _ => any_field(),
    }
}

/// What was typed into a field, as it is shown.
#[must_use]
pub fn field_value(field: &str, typed: &str) -> String {
    match field {
        "learning_rate" | "beta" | "lora_alpha" | "lora_dropout" => format::localised(typed),
        "method" => preference_method().to_owned(),
        "schedule" => [Schedule::Constant, Schedule::Linear, Schedule::Cosine]
            .into_iter()
            .find(|schedule| schedule_word(*schedule) == typed)
            .map_or(typed, |schedule| super::schedule_label(schedule))
            .to_owned(),
        _ => typed.to_owned(),
    }
}

/// Tells of an unfinished draft.
#[must_use]
pub fn draft_waits(name: &str) -> String {
    german!(draft_waits(name));
    if name.is_empty() {
        "An unfinished draft is kept.".to_owned()
    } else {
        format!("Your draft “{name}” is kept.")
    }
}

/// What the base model is for.
#[must_use]
pub fn hint_base_model(gives_adapter: bool) -> &'static str {
    german!(hint_base_model(gives_adapter));
    if gives_adapter {
        "What the training starts from. It stays as it is; you get a small adapter beside it."
    } else {
        "What the training starts from."
    }
}

/// What the evaluation epochs are.
#[must_use]
pub fn hint_evaluation(has_datasets: bool) -> &'static str {
    german!(hint_evaluation(has_datasets));
    if has_datasets {
        "After how many of the epochs it is tested on the validation data."
    } else {
        "How many of the epochs are for evaluation. Together with warm-up at most all of them."
    }
}

/// What is wrong with a field, as a sentence.
#[must_use]
pub fn finding(field: &str, code: &FieldCode) -> String {
    german!(finding(field, code));
    super::sentence(&shared::validate::english(field, code))
}

/// Fewer of a number.
#[must_use]
pub fn less(label: &str) -> String {
    german!(less(label));
    format!("Decrease {}", label.to_ascii_lowercase())
}

/// More of a number.
#[must_use]
pub fn more(label: &str) -> String {
    german!(more(label));
    format!("Increase {}", label.to_ascii_lowercase())
}

/// A dataset as a choice.
#[must_use]
pub fn dataset_choice(dataset: &Dataset) -> String {
    match dataset.examples {
        Some(examples) => format!("{} · {}", dataset.name, super::counted_examples(examples)),
        None => dataset.name.clone(),
    }
}

/// Names the link that goes back to a step.
#[must_use]
pub fn edit_step(step: &str) -> String {
    german!(edit_step(step));
    format!("Edit {}", step.to_ascii_lowercase())
}
