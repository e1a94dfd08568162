//! Proof that pretraining, training and validation share no template, no sentence and no entity.

use crate::{example_task, example_task::Bank, reading};
use shared::training_line::{Example, Role};
use std::collections::BTreeSet;

/// How many examples of each stage of pretraining are looked at; each sentence template occurs thousands of times in them.
const LOOKED_AT: u64 = 30_000;

fn sentences<'a>(examples: impl Iterator<Item = &'a Example>) -> BTreeSet<String> {
    let mut sentences = BTreeSet::new();
    for example in examples {
        for message in example
            .messages
            .iter()
            .filter(|message| message.role != Role::Assistant)
        {
            for sentence in message.content.split(['.', '?', '!', '\n']) {
                // One or two words ("Code 417") are a phrase rather than a sentence; entities are compared below.
                let words: Vec<String> = words(sentence);
                if words.len() > 2 {
                    sentences.insert(words.join(" "));
                }
            }
        }
    }
    sentences
}

fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn all_words<'a>(examples: impl Iterator<Item = &'a Example>) -> BTreeSet<String> {
    examples
        .flat_map(|example| &example.messages)
        .flat_map(|message| words(&message.content))
        .collect()
}

fn assert_disjoint(left: &BTreeSet<String>, right: &BTreeSet<String>, what: &str) {
    let common: Vec<&String> = left.intersection(right).take(5).collect();
    assert!(common.is_empty(), "{what} are shared: {common:?}");
    assert!(
        !left.is_empty() && !right.is_empty(),
        "there are no {what} to compare"
    );
}

fn lower<'a>(entities: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    entities.into_iter().map(str::to_lowercase).collect()
}

fn templates(bank: &Bank) -> BTreeSet<String> {
    bank.templates().map(str::to_owned).collect()
}

struct Corpora {
    pretraining: Vec<Example>,
    training: Vec<Example>,
    validation: Vec<Example>,
}

fn corpora() -> Corpora {
    Corpora {
        pretraining: (0..LOOKED_AT)
            .chain(reading::TOPICS_FROM..reading::TOPICS_FROM + LOOKED_AT)
            .map(|number| reading::example(crate::PRETRAINING_SEED, number))
            .collect(),
        training: crate::training_chats(),
        validation: crate::validation_chats(),
    }
}

#[test]
fn no_template_is_shared() {
    let (training, validation) = (
        templates(example_task::TRAINING),
        templates(example_task::VALIDATION),
    );
    let pretraining = lower(reading::TEMPLATES.into_iter().flatten().copied());
    assert_disjoint(&training, &validation, "templates");
    for templates in [training, validation] {
        let plain: BTreeSet<String> = templates
            .iter()
            .map(|template| {
                ["{name}", "{product}", "{order}", "{few}"]
                    .into_iter()
                    .fold(template.to_lowercase(), |text, slot| text.replace(slot, "{}"))
            })
            .collect();
        assert_disjoint(&pretraining, &plain, "templates");
    }
}

#[test]
fn no_sentence_is_shared() {
    let corpora = corpora();
    let user_only = |examples: &[Example]| {
        let users: Vec<Example> = examples
            .iter()
            .cloned()
            .map(|mut example| {
                // The instruction is the task's, the same in training and validation.
                example.messages.retain(|message| message.role == Role::User);
                example
            })
            .collect();
        sentences(users.iter())
    };
    let (training, validation) = (user_only(&corpora.training), user_only(&corpora.validation));
    let pretraining = sentences(corpora.pretraining.iter());
    assert_disjoint(&training, &validation, "sentences");
    assert_disjoint(&pretraining, &training, "sentences");
    assert_disjoint(&pretraining, &validation, "sentences");
    assert!(!pretraining.contains(&words(example_task::SYSTEM).join(" ")));
}

#[test]
fn no_entity_is_shared() {
    let corpora = corpora();
    let pretraining = all_words(corpora.pretraining.iter());
    let training = all_words(corpora.training.iter());
    let validation = all_words(corpora.validation.iter());
    let training_entities = lower(example_task::TRAINING.entities());
    let validation_entities = lower(example_task::VALIDATION.entities());
    let pretraining_entities = lower(
        reading::NAMES
            .into_iter()
            .chain(reading::PLACES)
            .chain(reading::THINGS),
    );
    for (entities, others) in [
        (&training_entities, [&pretraining, &validation]),
        (&validation_entities, [&pretraining, &training]),
        (&pretraining_entities, [&training, &validation]),
    ] {
        for other in others {
            assert_disjoint(entities, other, "entities");
        }
    }
    let numbers = |words: &BTreeSet<String>| -> BTreeSet<String> {
        words
            .iter()
            .filter(|word| word.len() > 2 && word.bytes().all(|b| b.is_ascii_digit()))
            .cloned()
            .collect()
    };
    assert_disjoint(&numbers(&training), &numbers(&validation), "numbers");
    assert_disjoint(&numbers(&pretraining), &numbers(&training), "numbers");
    assert_disjoint(&numbers(&pretraining), &numbers(&validation), "numbers");
}

#[test]
fn every_answer_is_json_that_the_message_decides() {
    let corpora = corpora();
    for example in corpora.training.iter().chain(&corpora.validation) {
        let answer: serde_json::Value =
            serde_json::from_str(&example.messages[2].content).expect("an answer in JSON");
        let order = answer["order"].as_str().expect("an order number");
        assert!(example.messages[1].content.contains(order));
        assert!(example_task::CATEGORIES.contains(&answer["category"].as_str().expect("a category")));
    }
}

#[test]
fn the_example_files_are_what_the_generator_writes() {
    let folder = crate::assets().join("example");
    for (name, chats) in [
        ("training.jsonl", crate::training_chats()),
        ("validation.jsonl", crate::validation_chats()),
    ] {
        let written = std::fs::read_to_string(folder.join(name)).expect("the example file");
        assert_eq!(
            written,
            crate::jsonl(&chats),
            "run `cargo xtask base-model --only-data` to write {name} anew"
        );
    }
}
