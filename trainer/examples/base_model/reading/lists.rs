//! Tasks about lists of words, pairs and digits: copy, turn round, pick, count, look up.

use super::{
    NUMBER_RESIDUE, Task, Turn, json, json_object,
    words::{COLOURS, NAMES, PLACES, THINGS, TOPICS},
};
use crate::dice::Dice;

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

fn any_word(dice: &mut Dice) -> &'static str {
    match dice.below(6) {
        0 => dice.pick(&NAMES),
        1 => dice.pick(&PLACES),
        2 => dice.pick(&THINGS),
        3 => dice.pick(&COLOURS),
        _ => {
            let topic = &TOPICS[dice.below(TOPICS.len())];
            dice.pick(topic.nouns)
        }
    }
}

fn different_words(dice: &mut Dice, count: usize) -> Vec<&'static str> {
    let mut words = Vec::new();
    while words.len() < count {
        let word = any_word(dice);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Words and numbers to copy, all or only the numbers.
pub(super) fn copy(dice: &mut Dice) -> Task {
    let count = dice.between(1, 4);
    let mut items = Vec::new();
    let mut numbers = Vec::new();
    for _ in 0..count {
        if dice.chance(70) {
            let digits = dice.pick(&[3, 4, 5, 5, 6]);
            let number = dice.number(digits, NUMBER_RESIDUE);
            numbers.push(json(&number));
            items.push(number);
        } else {
            items.push(any_word(dice).to_owned());
        }
    }
    let text = items.join(" ");
    if !numbers.is_empty() && dice.chance(30) {
        return Task::once(text, "The numbers as JSON.", format!("[{}]", numbers.join(",")));
    }
    let answer = text.clone();
    Task::once(text, "Copy the text.", answer)
}

/// One or two things done with a list of words.
pub(super) fn word_list(dice: &mut Dice) -> Task {
    let count = dice.between(3, 6);
    let words = different_words(dice, count);
    let turns = (0..dice.between(1, 2))
        .map(|_| ask_of_list(dice, &words))
        .collect();
    Task {
        text: words.join(" "),
        turns,
    }
}

fn ask_of_list(dice: &mut Dice, words: &[&'static str]) -> Turn {
    let count = words.len();
    let place = dice.below(count);
    let (request, answer) = match dice.below(9) {
        0 => ("Copy the list.".to_owned(), words.join(" ")),
        1 => (
            "Turn the list round.".to_owned(),
            words.iter().rev().copied().collect::<Vec<_>>().join(" "),
        ),
        2 => {
            let place = place.min(ORDINALS.len() - 1);
            (
                format!("Give the {} word.", ORDINALS[place]),
                words[place].to_owned(),
            )
        }
        3 => ("Give the last word.".to_owned(), words[count - 1].to_owned()),
        4 => ("Count the words.".to_owned(), count.to_string()),
        5 => {
            let place = place.min(count - 2);
            (
                format!("What comes after {}?", words[place]),
                words[place + 1].to_owned(),
            )
        }
        6 => {
            let rest: Vec<&str> = words
                .iter()
                .copied()
                .filter(|word| *word != words[place])
                .collect();
            (format!("Leave out {}.", words[place]), rest.join(" "))
        }
        7 => {
            let list: Vec<String> = words.iter().map(|word| json(word)).collect();
            ("The list as JSON.".to_owned(), format!("[{}]", list.join(",")))
        }
        _ => {
            let asked = if dice.chance(50) {
                words[place]
            } else {
                any_word(dice)
            };
            let answer = if words.contains(&asked) { "yes" } else { "no" };
            (format!("Is {asked} in the list?"), answer.to_owned())
        }
    };
    Turn { request, answer }
}

/// A value looked up by its key, or all pairs as JSON.
pub(super) fn pairs(dice: &mut Dice) -> Task {
    let count = dice.between(2, 4);
    let keys = different_words(dice, count);
    let values: Vec<String> = keys
        .iter()
        .map(|_| {
            if dice.chance(50) {
                dice.number(4, NUMBER_RESIDUE)
            } else {
                any_word(dice).to_owned()
            }
        })
        .collect();
    let lines: Vec<String> = keys
        .iter()
        .zip(&values)
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    let text = lines.join("\n");
    if dice.chance(50) {
        let place = dice.below(count);
        return Task::once(text, format!("Look up {}.", keys[place]), values[place].clone());
    }
    let pairs: Vec<(String, String)> = keys
        .iter()
        .zip(&values)
        .map(|(key, value)| ((*key).to_owned(), json(value)))
        .collect();
    Task::once(text, "All of it as JSON.", json_object(&pairs))
}

/// Something done with a number's digits.
pub(super) fn digits(dice: &mut Dice) -> Task {
    let length = dice.pick(&[3, 4, 5, 6, 7]);
    let number = dice.number(length, NUMBER_RESIDUE);
    let (request, answer) = match dice.below(4) {
        0 => ("Copy the number.", number.clone()),
        1 => ("Turn the number round.", number.chars().rev().collect()),
        2 => (
            "Give the last digit.",
            number.chars().last().into_iter().collect(),
        ),
        _ => ("How many digits?", number.len().to_string()),
    };
    Task::once(number.clone(), request, answer)
}
