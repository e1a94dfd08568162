//! The job page.

use crate::text::format;
use shared::run::Schedule;

words! {
    /// Section.
    checkpoints = "Checkpoints";
    /// Section.
    hyperparameters = "Hyperparameters";
    /// Section.
    events = "Events";
    /// Button.
    download_adapter = "Download adapter";
    /// Button.
    cancel_job = "Cancel job";
    /// Confirms.
    yes_cancel_job = "Yes, cancel job";
    /// Declines.
    keep_training = "Keep training";
    /// Body of the dialog.
    cancel_job_body = "Training stops. Its checkpoints stay until the job is deleted, but no adapter is made.";
    /// Button.
    duplicate = "Duplicate";
    /// Button.
    refresh = "Refresh";
    /// Switch.
    live = "Live";
    /// The stream was cut.
    reconnecting = "Reconnecting…";
    /// Checkpoints.
    no_checkpoints = "The first checkpoint is written during training.";
    /// Checkpoints.
    no_checkpoints_ended = "This job has no checkpoint.";
    /// Events.
    no_events = "Nothing has happened yet.";
    /// Below the events.
    incomplete_events = "There may be older events still: neither this list nor its count has them.";
    /// Button below the events.
    show_older = "Show older";
    /// Table head.
    step = "Step";
    /// Table head.
    train_loss = "Train loss";
    /// Table head.
    saved = "Saved";
    /// Hyperparameters.
    method = "Method";
    /// Hyperparameters.
    batch_size = "Batch size";
    /// Hyperparameters.
    learning_rate_multiplier = "Learning rate multiplier";
    /// Hyperparameters.
    schedule = "Schedule";
    /// Hyperparameters.
    rank_alpha = "Rank / alpha";
    /// Hyperparameters.
    dropout = "Dropout";
    /// Hyperparameters.
    targets = "Projections";
    /// Hyperparameters.
    longest_example = "Longest example";
    /// Hyperparameters.
    seed = "Seed";
    /// Hyperparameters: chosen by the engine.
    auto = "auto";
    /// Card.
    job_failed = "This job failed";
    /// Card.
    result = "Result";
    /// Card.
    fine_tuned_model = "Model name";
    /// Card.
    wandb = "Weights & Biases";
    /// Weights & Biases: what the run belongs to.
    wandb_project = "Project";
    /// Weights & Biases: whom the run belongs to.
    wandb_entity = "Entity";
    /// Weights & Biases: what the run is called.
    wandb_run = "Run";
    /// Weights & Biases.
    wandb_tags = "Tags";
    /// Weights & Biases, while the job goes on.
    wandb_later = "The run can be downloaded when the job has ended.";
    /// Weights & Biases, beside the button.
    wandb_ready = "Nothing is sent from here. Unpack the run and upload it with: wandb sync FOLDER";
    /// Weights & Biases.
    download_run = "Download run";
    /// A job's page.
    timeline = "Timeline";
    /// Timeline: where a job was trained that was taken over.
    imported_from = "Imported from";
    /// Timeline: the name of its model where it was trained.
    model_there = "Model there";
    /// Timeline.
    started = "Started";
    /// Timeline.
    finished = "Finished";
    /// Timeline.
    took = "Took";
    /// Timeline.
    attempts = "Attempts";
    /// Timeline.
    trained_tokens = "Trained tokens";
    /// Timeline.
    pace = "Pace";
    /// Hyperparameters: all seven projections have an adapter.
    all_targets = "all seven";
    /// Card: what was reckoned beside what was taken.
    reckoning = "Estimate and actual";
    /// Estimate and actual: heads what was reckoned.
    quantity = "Quantity";
    /// Estimate and actual.
    training_time = "Training time";
    /// Estimate and actual.
    peak_memory = "Peak memory";
    /// Estimate and actual.
    estimated = "Estimated";
    /// Estimate and actual.
    actual = "Actual";
    /// Estimate and actual, cost: of a job that hasn't ended.
    so_far = "So far";
    /// Card.
    cost = "Cost";
    /// Cost of a job that has ended.
    total = "Total";
    /// Cost.
    per_1000_tokens = "Per 1,000 tokens";
    /// Before a relative time.
    created_word = " · created ";
    /// The way back from a job to all of them.
    jobs_above = "Jobs /";
    /// The way back from a dataset to all of them.
    datasets_above = "Datasets /";
}

/// Title of the dialog.
#[must_use]
pub fn cancel_job_title(name: &str) -> String {
    german!(cancel_job_title(name));
    format!("Cancel {name}?")
}

/// Said of the checkpoints of a job that was trained elsewhere.
#[must_use]
pub fn weights_elsewhere(host: &str) -> String {
    german!(weights_elsewhere(host));
    format!("The weights stayed at {host}: these checkpoints can be looked at, not used.")
}

/// The label of a schedule.
#[must_use]
pub fn schedule_label(schedule: Schedule) -> &'static str {
    german!(schedule_label(schedule));
    match schedule {
        Schedule::Constant => "Constant",
        Schedule::Linear => "Linear",
        Schedule::Cosine => "Cosine",
    }
}

/// How many of a log's entries are shown.
#[must_use]
pub fn events_shown(shown: u64, total: u64) -> String {
    german!(events_shown(shown, total));
    let all = format::plural(total, "event", "events");
    if shown < total {
        return format!("{} of {all}", format::count(shown));
    }
    all
}

/// Button of a checkpoint.
#[must_use]
pub fn download_checkpoint(step: u64) -> String {
    german!(download_checkpoint(step));
    format!("Download {}", checkpoint_name(step))
}

/// A checkpoint as its folder is called.
#[must_use]
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step}")
}

/// How a job trains.
#[must_use]
pub fn method_label(method: &str) -> String {
    format!("{method} · LoRA")
}
