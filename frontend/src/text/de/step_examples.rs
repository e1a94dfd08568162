//! The training examples that a step was made of.

use crate::text::format::{self, count, plural};

german_words! {
    chart_help_pick = "Pfeiltasten lesen Werte ab; Enter zeigt die Beispiele des Schritts; Plus und Minus zoomen; Escape zeigt den ganzen Lauf.";
    step_examples = "Beispiele eines Schritts";
    examples_of_step = "Beispiele von Schritt";
    show_examples = "Zeigen";
    largest_spikes = "Größte Ausschläge";
    previous_step = "Voriger Schritt";
    next_step = "Nächster Schritt";
    close_examples = "Beispiele schließen";
    examples_gone = "Der Trainingsdatensatz wurde gelöscht, daher sind die Beispiele dieses Schritts nicht mehr bekannt.";
    no_such_step = "Dieser Schritt ist nicht aufgezeichnet.";
    too_long_to_show = "Zu lang, um hier gezeigt zu werden.";
    open_dataset = "Datensatz öffnen";
}

pub(crate) fn open_dataset_at(line: u64) -> String {
    format!("Datensatz bei Zeile {} öffnen", count(line))
}

pub(crate) fn step_title(step: u64) -> String {
    format!("Schritt {}", count(step))
}

pub(crate) fn spike(step: u64, loss: f64) -> String {
    format!("Schritt {} · {}", count(step), format::measure(loss))
}

pub(crate) fn step_facts(epoch: u64, examples: u64, tokens: Option<(u64, u64)>) -> String {
    let tokens = tokens.map(|tokens| format!(" · {}", example_tokens(tokens)));
    format!(
        "Epoche {} · {}{}",
        count(epoch),
        super::counted_examples(examples),
        tokens.unwrap_or_default()
    )
}

pub(crate) fn example_tokens((all, targets): (u64, u64)) -> String {
    format!("{}, {} im Loss", plural(all, "Token", "Tokens"), count(targets))
}

pub(crate) fn line_of_file(line: u64) -> String {
    format!("Zeile {}", count(line))
}
