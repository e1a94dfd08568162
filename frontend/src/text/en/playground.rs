//! The playground.

use crate::text::format;
use shared::chat::{ChatDone, ChatModel, ChatModelKind, ChatRole, FinishReason};

words! {
    /// Below the title.
    playground_sub = "Ask models the same and read their answers side by side.";
    /// No model can answer.
    playground_no_models = "No model can answer yet.";
    /// One more column.
    playground_add = "Add a model";
    /// Asks all models.
    playground_run = "Run";
    /// How freely words are chosen.
    temperature = "Temperature";
    /// Which words are chosen from.
    top_p = "Top p";
    /// The longest answer.
    max_tokens = "Longest answer";
    /// A column before the first question.
    answer_waits = "Asks when you run the prompt.";
    /// The first word is on its way.
    answer_thinks = "Reading the prompt…";
    /// Somebody ended an answer.
    answer_stopped = "Stopped.";
    /// Ends an answer.
    answer_stop = "Stop";
    /// Takes a column away.
    answer_remove = "Remove this model";
    /// Copies an answer.
    copy_answer = "Copy the answer";
    /// Which model.
    model = "Model";
    /// What sets the scene.
    system_prompt = "System prompt";
    /// The question.
    prompt = "Prompt";
    /// In the empty question.
    prompt_hint = "What do you want to ask? Ctrl and Enter run it.";
    /// What the dataset answers.
    expected_answer = "The dataset's answer";
    /// Keeps the prompt in this browser.
    pin_prompt = "Pin this prompt";
    /// Prompts to take.
    prompts = "Prompts";
    /// Prompts that this browser keeps.
    pinned_prompts = "Pinned prompts";
    /// No prompt is kept.
    nothing_pinned = "Pin a prompt to ask it again later.";
    /// Which dataset's examples are offered.
    examples_of = "Examples of";
    /// Leads from a checkpoint to its answers.
    try_it = "Try";
    /// Leads from a result to its answers.
    try_in_playground = "Try it in the playground";
    /// Switch.
    show_probabilities = "Show probabilities";
    /// Below tokens, before one is chosen.
    token_hint = "Point at a token to see how likely it was, and what else could have stood there.";
    /// A list.
    token_instead = "What could have stood there";
    /// No dataset's.
    no_dataset = "no dataset";
}

/// Lets a pinned prompt go.
#[must_use]
pub fn unpin(prompt: &str) -> String {
    german!(unpin(prompt));
    let short: String = prompt.chars().take(40).collect();
    format!("Unpin {short}")
}

/// A column.
#[must_use]
pub fn answer_of(model: &str) -> String {
    german!(answer_of(model));
    format!("Answer of {model}")
}

/// A column's tokens.
#[must_use]
pub fn tokens_of(model: &str) -> String {
    german!(tokens_of(model));
    format!("Tokens of {model}")
}

/// A token and how likely it was.
#[must_use]
pub fn token_probability(token: &str, share: f64) -> String {
    german!(token_probability(token, share));
    format!("“{token}” {}", format::percent(share))
}

/// A kind of models in the choice.
#[must_use]
pub fn chat_model_kind(kind: ChatModelKind) -> &'static str {
    german!(chat_model_kind(kind));
    match kind {
        ChatModelKind::Base => "Base models",
        ChatModelKind::Tuned => "Tuned models",
        ChatModelKind::Checkpoint => "Checkpoints",
    }
}

/// A model in the choice.
#[must_use]
pub fn chat_model_label(model: &ChatModel) -> String {
    german!(chat_model_label(model));
    match model.step {
        Some(step) => format!("{}, step {}", model.name, format::count(step)),
        None => model.name.clone(),
    }
}

/// Who says a message.
#[must_use]
pub fn chat_role(role: ChatRole) -> &'static str {
    german!(chat_role(role));
    match role {
        ChatRole::System => "System",
        ChatRole::User => "User",
        ChatRole::Assistant => "Assistant",
    }
}

/// Tokens a second, without the time that the first one took.
#[must_use]
pub fn answer_pace(done: &ChatDone) -> u64 {
    let decoding = done.duration_ms.saturating_sub(done.first_token_ms).max(1);
    (f64::from(done.completion_tokens.saturating_sub(1)) * 1000.0 / decoding as f64) as u64
}

/// Figures of a whole answer.
#[must_use]
pub fn answer_figures(done: &ChatDone) -> String {
    german!(answer_figures(done));
    let end = match done.finish_reason {
        FinishReason::Stop => "",
        FinishReason::Length => " · cut at the longest answer",
    };
    format!(
        "{} · first after {} · {} tokens/s{end}",
        super::tokens(done.completion_tokens.into()),
        format::duration(done.first_token_ms),
        format::count(answer_pace(done)),
    )
}
