//! Small reading tasks to pretrain on: a text and a request, answered by what stands in the text. The loss is on
//! the answers, so the model learns to find, copy, count, judge and write JSON rather than to guess the next word.
//!
//! No template, sentence, name, thing or number is shared with the example task.

mod lists;
mod scene;
mod scene_tasks;
mod topic_tasks;
mod words;

use crate::dice::Dice;
use shared::training_line::{Example, Message, Role};

#[cfg(test)]
pub(crate) use scene::TEMPLATES;
#[cfg(test)]
pub(crate) use words::{NAMES, PLACES, THINGS};

/// What pretraining's numbers leave when divided by 3.
const NUMBER_RESIDUE: usize = 0;

/// The first example of the second stage.
pub(crate) const TOPICS_FROM: u64 = 84_000;

/// A text, and what is asked of it with the answer, once or several times.
struct Task {
    text: String,
    turns: Vec<Turn>,
}

struct Turn {
    request: String,
    answer: String,
}

impl Task {
    fn once(text: String, request: impl Into<String>, answer: impl Into<String>) -> Self {
        Self {
            text,
            turns: vec![Turn {
                request: request.into(),
                answer: answer.into(),
            }],
        }
    }
}

/// The example with this number; the same seed and number give the same example.
pub(crate) fn example(seed: u64, number: u64) -> Example {
    let dice = &mut Dice::new(seed, number);
    let task = if number < TOPICS_FROM {
        broad(dice)
    } else {
        topical(dice)
    };
    chat(dice, task)
}

/// Everything, in the first stage.
fn broad(dice: &mut Dice) -> Task {
    match dice.below(100) {
        0..74 => scene_tasks::about_a_scene(dice),
        74..84 => lists::copy(dice),
        84..88 => topic_tasks::told_rule(dice),
        88..92 => topic_tasks::shown_rule(dice),
        92..96 => lists::word_list(dice),
        96..98 => lists::pairs(dice),
        _ => lists::digits(dice),
    }
}

/// The second stage: what the words of a scene speak of, which takes longest to learn.
fn topical(dice: &mut Dice) -> Task {
    match dice.below(100) {
        0..55 => scene_tasks::about_a_scene(dice),
        55..80 => topic_tasks::name_topics(dice),
        80..88 => lists::copy(dice),
        88..91 => topic_tasks::told_rule(dice),
        91..94 => topic_tasks::shown_rule(dice),
        94..97 => lists::word_list(dice),
        97..99 => lists::pairs(dice),
        _ => lists::digits(dice),
    }
}

/// The first request stands in the system message, before the text, or after it; the others follow as messages.
fn chat(dice: &mut Dice, task: Task) -> Example {
    let message = |role, content| Message {
        role,
        content,
        trained: true,
        tool_calls: None,
    };
    let mut messages = Vec::new();
    for (index, turn) in task.turns.into_iter().enumerate() {
        match (index, dice.below(4)) {
            (0, 0) => messages.push(message(Role::User, format!("{}\n{}", turn.request, task.text))),
            (0, 1) => messages.push(message(Role::User, format!("{}\n{}", task.text, turn.request))),
            (0, _) => {
                messages.push(message(Role::System, turn.request));
                messages.push(message(Role::User, task.text.clone()));
            }
            _ => messages.push(message(Role::User, turn.request)),
        }
        messages.push(message(Role::Assistant, turn.answer));
    }
    Example {
        messages,
        non_preferred: None,
        tools: None,
    }
}

/// JSON text of a string.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A JSON object with the pairs in this order, written without spaces.
fn json_object(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}:{value}", json(key)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}
