//! Tasks about a scene: fields as JSON, one field, the sentence with a word, whether it speaks of a topic.

use super::{
    Task, Turn, json, json_object,
    scene::{Fact, Kind, scene, text},
    words::TOPICS,
};
use crate::dice::Dice;

/// One to three things asked of the same scene.
pub(super) fn about_a_scene(dice: &mut Dice) -> Task {
    let facts = some_scene(dice);
    let turns = (0..dice.between(1, 3))
        .map(|_| match dice.below(100) {
            0..84 => fields_as_json(dice, &facts),
            84..91 => one_field(dice, &facts),
            91..95 => sentence_with(dice, &facts),
            _ => yes_or_no(dice, &facts),
        })
        .collect();
    Task {
        text: text(&facts),
        turns,
    }
}

fn some_scene(dice: &mut Dice) -> Vec<Fact> {
    // A number, a topic and a pace are what is hardest to learn: most scenes have them.
    let mut kinds: Vec<Kind> = [Kind::Number, Kind::Topic, Kind::Pace]
        .into_iter()
        .filter(|_| dice.chance(80))
        .collect();
    let others = if kinds.is_empty() {
        dice.between(1, 3)
    } else {
        dice.between(0, 2)
    };
    kinds.extend(dice.pick_many(&Kind::OTHERS, others));
    scene(dice, &kinds)
}

/// Some facts as a JSON object with the keys that the request names.
fn fields_as_json(dice: &mut Dice, facts: &[Fact]) -> Turn {
    let mut asked: Vec<&Fact> = facts.iter().collect();
    dice.shuffle(&mut asked);
    asked.truncate(dice.between(1, 3));
    let pairs: Vec<(String, String)> = asked
        .iter()
        .map(|fact| (dice.pick(fact.kind.keys()).to_owned(), json(&fact.value)))
        .collect();
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    let keys = keys.join(", ");
    let request = match dice.below(5) {
        0 => format!("Give {keys} as JSON."),
        1 => format!("JSON: {keys}"),
        2 => format!("Write a JSON object of {keys}."),
        3 => format!("Read it and fill in {keys}."),
        _ => format!("{keys}?"),
    };
    Turn {
        request,
        answer: json_object(&pairs),
    }
}

/// One fact, bare.
fn one_field(dice: &mut Dice, facts: &[Fact]) -> Turn {
    let fact = &facts[dice.below(facts.len())];
    let key = dice.pick(fact.kind.keys());
    let request = match dice.below(3) {
        0 => format!("Name the {key}."),
        1 => format!("The {key}, in one word."),
        _ => format!("Which {key}?"),
    };
    Turn {
        request,
        answer: fact.value.clone(),
    }
}

/// The sentence in which a fact is told, word for word.
fn sentence_with(dice: &mut Dice, facts: &[Fact]) -> Turn {
    let told: Vec<&Fact> = facts
        .iter()
        .filter(|fact| !fact.sentence.is_empty() && fact.sentence.contains(&fact.value))
        .collect();
    if told.is_empty() {
        return Turn {
            request: "Copy the text.".to_owned(),
            answer: text(facts),
        };
    }
    let fact = told[dice.below(told.len())];
    let request = match dice.below(2) {
        0 => format!("Copy the sentence with {}.", fact.value),
        _ => format!("Where does it say {}?", fact.value),
    };
    Turn {
        request,
        answer: fact.sentence.clone(),
    }
}

/// Whether the scene speaks of a topic.
fn yes_or_no(dice: &mut Dice, facts: &[Fact]) -> Turn {
    let told = facts
        .iter()
        .find(|fact| fact.kind == Kind::Topic)
        .map(|fact| fact.value.as_str());
    let topic = TOPICS[dice.below(TOPICS.len())].label;
    let asked = told.filter(|_| dice.chance(50)).unwrap_or(topic);
    let answer = if told == Some(asked) { "yes" } else { "no" };
    Turn {
        request: format!("Is {asked} in it?"),
        answer: answer.to_owned(),
    }
}
