//! Training lines made up for the tests.

use serde_json::{Value, json};
use std::{fs, path::Path};

/// The first so many lines of one of the example dataset's files.
#[must_use]
pub fn first_lines(file: &str, count: usize) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets/example");
    let text = fs::read_to_string(folder.join(file)).expect("the example is part of the repository");
    text.lines().take(count).map(|line| format!("{line}\n")).collect()
}

/// One chat a line: a question about a number, and its answer.
#[must_use]
pub fn chats(count: usize) -> String {
    (0..count).map(|number| format!("{}\n", chat(number))).collect()
}

/// One chat.
#[must_use]
pub fn chat(number: usize) -> Value {
    let kinds = ["invoice", "login", "delivery", "refund"];
    let kind = kinds[number % kinds.len()];
    json!({"messages": [
        {"role": "user", "content": format!("Ticket {number}: a question about the {kind}.")},
        {"role": "assistant", "content": format!("{{\"kind\":\"{kind}\"}}")},
    ]})
}

/// One preference pair a line: a chat's answer is preferred to that of another kind of question.
#[must_use]
pub fn pairs(count: usize) -> String {
    let pair = |number: usize| {
        let (this, other) = (chat(number), chat(number + 1));
        let pair = json!({
            "input": {"messages": [this["messages"][0]]},
            "preferred_output": [this["messages"][1]],
            "non_preferred_output": [other["messages"][1]],
        });
        format!("{pair}\n")
    };
    (0..count).map(pair).collect()
}

/// A chat whose question is about that many bytes long.
#[must_use]
pub fn long_chat(bytes: usize) -> String {
    let words = "again and ".repeat(bytes / 10);
    format!(
        "{}\n",
        json!({"messages": [{"role": "user", "content": words}, {"role": "assistant", "content": "Yes."}]})
    )
}
