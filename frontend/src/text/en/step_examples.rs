//! The training examples that a step was made of.

use crate::text::format::{self, count};

words! {
    /// How the chart is used with the keyboard where a step can be looked into.
    chart_help_pick = "Arrow keys read values; Enter shows the examples of the step; plus and minus zoom; Escape shows the whole run.";
    /// Names the box.
    step_examples = "Examples of a step";
    /// Where a step is typed.
    examples_of_step = "Examples of step";
    /// Shows them.
    show_examples = "Show";
    /// Heads the steps whose loss stands out.
    largest_spikes = "Largest spikes";
    /// Leads to the step before.
    previous_step = "Previous step";
    /// Leads to the step after.
    next_step = "Next step";
    /// Closes the box.
    close_examples = "Close the examples";
    /// The dataset is gone.
    examples_gone = "The training dataset was deleted, so the examples of this step are no longer known.";
    /// The step isn't trained.
    no_such_step = "This step isn't recorded.";
    /// An example that isn't shown.
    too_long_to_show = "Too long to be shown here.";
    /// Leads to the dataset.
    open_dataset = "Open the dataset";
}

/// Leads to a line of the dataset.
#[must_use]
pub fn open_dataset_at(line: u64) -> String {
    german!(open_dataset_at(line));
    format!("Open the dataset at line {}", count(line))
}

/// Heads the box.
#[must_use]
pub fn step_title(step: u64) -> String {
    german!(step_title(step));
    format!("Step {}", count(step))
}

/// A step whose loss stands out.
#[must_use]
pub fn spike(step: u64, loss: f64) -> String {
    german!(spike(step, loss));
    format!("Step {} · {}", count(step), format::measure(loss))
}

/// What a step is made of: its epoch, how many examples, and their tokens where they are counted.
#[must_use]
pub fn step_facts(epoch: u64, examples: u64, tokens: Option<(u64, u64)>) -> String {
    german!(step_facts(epoch, examples, tokens));
    let tokens = tokens.map(|tokens| format!(" · {}", example_tokens(tokens)));
    format!(
        "epoch {} · {}{}",
        count(epoch),
        super::counted_examples(examples),
        tokens.unwrap_or_default()
    )
}

/// Tokens, and those of them that the loss counts.
#[must_use]
pub fn example_tokens((all, targets): (u64, u64)) -> String {
    german!(example_tokens((all, targets)));
    format!(
        "{}, {} in the loss",
        format::plural(all, "token", "tokens"),
        count(targets)
    )
}

/// An example's place in its file.
#[must_use]
pub fn line_of_file(line: u64) -> String {
    german!(line_of_file(line));
    format!("Line {}", count(line))
}
