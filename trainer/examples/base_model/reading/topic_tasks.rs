//! Tasks about what a text speaks of: by a rule that the request tells, or by examples.

use super::{
    Task, Turn, json, json_object,
    scene::{Kind, scene, text, topic_sentence},
    words::{LABELS, TOPICS, Topic},
};
use crate::dice::Dice;

fn topics(dice: &mut Dice, count: usize) -> Vec<&'static Topic> {
    let indices: Vec<usize> = (0..TOPICS.len()).collect();
    dice.pick_many(&indices, count)
        .into_iter()
        .map(|index| &TOPICS[index])
        .collect()
}

fn told(dice: &mut Dice, label: &str) -> String {
    if dice.chance(50) {
        json_object(&[("say".to_owned(), json(label))])
    } else {
        label.to_owned()
    }
}

/// "Say red for bank, fee. Say blue for dog, hen." and a text with one of the words among other sentences.
pub(super) fn told_rule(dice: &mut Dice) -> Task {
    let count = dice.between(2, 3);
    let topics = topics(dice, count);
    let labels = dice.pick_many(&LABELS, count);
    let chosen = dice.below(count);
    let mut rules = Vec::new();
    let mut sentence = String::new();
    for (index, (topic, label)) in topics.iter().zip(&labels).enumerate() {
        let words = dice.pick_many(topic.nouns, 2);
        rules.push(match dice.below(2) {
            0 => format!("Say {label} for {}.", words.join(", ")),
            _ => format!("{} means {label}.", words.join(" or ")),
        });
        if index == chosen {
            let word = if dice.chance(60) {
                dice.pick(&words)
            } else {
                dice.pick(topic.nouns)
            };
            sentence = format!(
                "{} {word}.",
                dice.pick(&["It is the", "They spoke of a", "Here is one", "What a"])
            );
        }
    }
    let kinds = dice.pick_many(&[Kind::Number, Kind::Person, Kind::Place], 1);
    let facts = scene(dice, &kinds);
    let other = text(&facts);
    let text = if dice.chance(50) {
        format!("{sentence} {other}")
    } else {
        format!("{other} {sentence}")
    };
    let answer = told(dice, labels[chosen]);
    let mut request = rules.join(" ");
    if answer.starts_with('{') {
        request.push_str(" As JSON: say.");
    }
    Task::once(text, request, answer)
}

/// Texts with labels, and one more text: the label goes by the topic.
pub(super) fn shown_rule(dice: &mut Dice) -> Task {
    let count = dice.between(2, 3);
    let topics = topics(dice, count);
    let labels = dice.pick_many(&LABELS, count);
    let mut lines: Vec<String> = topics
        .iter()
        .zip(&labels)
        .map(|(topic, label)| format!("{} = {label}", dice.pick(topic.nouns)))
        .collect();
    dice.shuffle(&mut lines);
    let chosen = dice.below(count);
    let request = format!("Go on like this.\n{}", lines.join("\n"));
    Task::once(
        dice.pick(topics[chosen].nouns).to_owned(),
        request,
        labels[chosen],
    )
}

/// The topic of some words or of a sentence, several times over.
pub(super) fn name_topics(dice: &mut Dice) -> Task {
    let (first, label) = topical_text(dice);
    let mut turns = vec![Turn {
        request: "Name the topic each time.".to_owned(),
        answer: label,
    }];
    for _ in 0..dice.between(2, 6) {
        let (request, answer) = topical_text(dice);
        turns.push(Turn { request, answer });
    }
    Task { text: first, turns }
}

fn topical_text(dice: &mut Dice) -> (String, String) {
    let topic = &TOPICS[dice.below(TOPICS.len())];
    let text = if dice.chance(50) {
        topic_sentence(dice, topic)
    } else {
        let all: Vec<&str> = topic
            .nouns
            .iter()
            .chain(topic.verbs)
            .chain(topic.states)
            .copied()
            .collect();
        let count = dice.between(1, 3);
        dice.pick_many(&all, count).join(" ")
    };
    (text, topic.label.to_owned())
}
