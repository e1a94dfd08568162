//! The playground.

use crate::text::format;
use shared::chat::{ChatDone, ChatModel, ChatModelKind, ChatRole, FinishReason};

german_words! {
    show_probabilities = "Wahrscheinlichkeiten zeigen";
    token_hint = "Auf ein Token zeigen: Dann steht hier, wie wahrscheinlich es war und was dort noch hätte stehen können.";
    token_instead = "Was dort hätte stehen können";
    playground_sub = "Modelle dasselbe fragen und ihre Antworten nebeneinander lesen.";
    playground_no_models = "Noch kann kein Modell antworten.";
    playground_add = "Modell hinzufügen";
    playground_run = "Ausführen";
    temperature = "Temperatur";
    top_p = "Top p";
    max_tokens = "Längste Antwort";
    answer_waits = "Antwortet, sobald der Prompt ausgeführt wird.";
    answer_thinks = "Liest den Prompt …";
    answer_stopped = "Gestoppt.";
    answer_stop = "Stoppen";
    answer_remove = "Dieses Modell entfernen";
    copy_answer = "Antwort kopieren";
    model = "Modell";
    system_prompt = "System-Prompt";
    prompt = "Prompt";
    prompt_hint = "Welche Frage soll es sein? Strg und Enter führen sie aus.";
    expected_answer = "Antwort des Datensatzes";
    pin_prompt = "Diesen Prompt merken";
    prompts = "Prompts";
    pinned_prompts = "Gemerkte Prompts";
    nothing_pinned = "Einen Prompt merken, um ihn später wieder zu fragen.";
    examples_of = "Beispiele aus";
    try_it = "Testen";
    try_in_playground = "Im Playground testen";
    no_dataset = "keinem Datensatz";
}

pub(crate) fn unpin(prompt: &str) -> String {
    let short: String = prompt.chars().take(40).collect();
    format!("{short} nicht mehr merken")
}

pub(crate) fn answer_of(model: &str) -> String {
    format!("Antwort von {model}")
}

pub(crate) const fn chat_model_kind(kind: ChatModelKind) -> &'static str {
    match kind {
        ChatModelKind::Base => "Basismodelle",
        ChatModelKind::Tuned => "Trainierte Modelle",
        ChatModelKind::Checkpoint => "Checkpoints",
    }
}

pub(crate) fn chat_model_label(model: &ChatModel) -> String {
    match model.step {
        Some(step) => format!("{}, Schritt {}", model.name, format::count(step)),
        None => model.name.clone(),
    }
}

pub(crate) const fn chat_role(role: ChatRole) -> &'static str {
    match role {
        ChatRole::System => "System",
        ChatRole::User => "Nutzer",
        ChatRole::Assistant => "Assistent",
    }
}

pub(crate) fn answer_figures(done: &ChatDone) -> String {
    let end = match done.finish_reason {
        FinishReason::Stop => "",
        FinishReason::Length => " · bei der längsten Antwort abgeschnitten",
    };
    format!(
        "{} · erstes nach {} · {} Tokens/s{end}",
        super::tokens(done.completion_tokens.into()),
        format::duration(done.first_token_ms),
        format::count(crate::text::answer_pace(done)),
    )
}

pub(crate) fn tokens_of(model: &str) -> String {
    format!("Tokens von {model}")
}

pub(crate) fn token_probability(token: &str, share: f64) -> String {
    format!("„{token}“ {}", format::percent(share))
}
