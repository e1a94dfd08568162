//! A scene: a few sentences in random order, each of which tells one fact.

use super::{
    NUMBER_RESIDUE,
    words::{COLOURS, COUNTS, NAMES, PLACES, THINGS, TOPICS, Topic},
};
use crate::dice::Dice;

/// What a sentence can tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Person,
    Place,
    Topic,
    Pace,
    Thing,
    Colour,
    Count,
}

impl Kind {
    /// Those that are easy to learn.
    pub(super) const OTHERS: [Self; 5] = [Self::Person, Self::Place, Self::Thing, Self::Colour, Self::Count];

    /// The words that a request may use for it.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Number => &["code", "mark"],
            Self::Person => &["who", "person"],
            Self::Place => &["where", "place"],
            Self::Topic => &["topic", "about"],
            Self::Pace => &["pace", "speed"],
            Self::Thing => &["thing", "object"],
            Self::Colour => &["colour"],
            Self::Count => &["count"],
        }
    }
}

/// One fact of a scene.
pub(super) struct Fact {
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) sentence: String,
}

/// Sentences by what they tell, for the test that nothing is shared with the example task.
#[cfg(test)]
pub(crate) const TEMPLATES: [&[&str]; 10] =
    [NUMBER, PERSON, PLACE, NOUN, VERB, STATE, FAST, SLOW, THING, COUNT];

const NUMBER: &[&str] = &[
    "The code is {}.",
    "Look for mark {}.",
    "It has the number {}.",
    "File {} is on the desk.",
    "Code {}.",
    "Somebody wrote {} on the door.",
    "The mark on the lid is {}.",
    "They keep it under number {}.",
    "Open file {}.",
    "We call it number {} here.",
    "{} is what the sign says.",
    "About file {} there is more to say.",
];
const PERSON: &[&str] = &[
    "{} wrote this note.",
    "A note by {}.",
    "It was {} who came.",
    "Signed, {}",
    "We met {} there.",
    "Here speaks {}.",
    "They call me {}.",
    "{} says so.",
    "Good night, {}",
];
const PLACE: &[&str] = &[
    "It happened in {}.",
    "We are in {} now.",
    "This comes from {}.",
    "Nobody in {} knew.",
    "The way to {} is long.",
];
const NOUN: &[&str] = &[
    "We talked about the {}.",
    "The {} was the point.",
    "Everyone asked for the {}.",
    "Is this the {}?",
    "My {} is gone.",
    "The {} did not work.",
    "There is a {} in the story.",
    "I saw the {} and the {2}.",
    "The {} of the {2} was wrong.",
    "Your {} is not what I know.",
    "Why is the {} so big?",
    "No {} came.",
    "I think of my {} every morning.",
    "The {}, please.",
    "She has two of them, a {} and a {2}.",
    "One {} was on the {2}.",
    "Somebody told me to see the {}.",
];
const VERB: &[&str] = &[
    "They wanted to {}.",
    "I had to {} again.",
    "How do you {}?",
    "Can we {} after that?",
    "Nobody would {} there.",
    "You should never {}.",
    "I cannot {}.",
    "She asked me to {} the old one.",
];
const STATE: &[&str] = &[
    "It looked {}.",
    "The whole thing is {}.",
    "We found it {}.",
    "It was {} all along.",
    "I heard it was {} twice.",
    "The other one is {} too.",
    "Since then it is {}, they say.",
    "He stayed {}.",
    "The old one was {} by them.",
];
const FAST: &[&str] = &[
    "Run, run!",
    "Do it at once.",
    "Quick, go now.",
    "It is urgent, they said.",
    "He must hurry today.",
    "Everything happened immediately.",
    "She wants it tonight, not after.",
    "What an emergency!",
    "Right now, they cried.",
    "They need it today and not after.",
    "Hurry, hurry!",
    "We must be quick.",
    "The matter was really urgent.",
    "Before tonight it has to end.",
    "He ran home immediately.",
];
const SLOW: &[&str] = &[
    "They walked slowly.",
    "He had all the time.",
    "It can be later, they said.",
    "Nobody was in a rush.",
    "One day or another, all is well.",
    "She came next week.",
    "Whenever you like, they said.",
    "It is not an important matter.",
    "He took a long rest.",
    "Any week suits them.",
    "Time is what we have.",
    "All day they were calm.",
    "Next week or later, it is all fine.",
];
const THING: &[&str] = &[
    "There lies a {c} {t}.",
    "I bought a {c} {t}.",
    "The {t} is {c}.",
    "My {t} has become {c}.",
    "They gave away the {c} {t}.",
];
const COUNT: &[&str] = &[
    "We counted {}.",
    "There were {} of us.",
    "It took {} hours.",
    "{} are enough.",
    "Only {} came.",
];

/// A scene with facts of these kinds; of colour and thing both are told where one is.
pub(super) fn scene(dice: &mut Dice, kinds: &[Kind]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for kind in kinds {
        match kind {
            Kind::Number => {
                let value = number(dice);
                facts.push(fact(dice, *kind, NUMBER, &value));
            }
            Kind::Person => {
                let value = dice.pick(&NAMES);
                facts.push(fact(dice, *kind, PERSON, value));
            }
            Kind::Place => {
                let value = dice.pick(&PLACES);
                facts.push(fact(dice, *kind, PLACE, value));
            }
            Kind::Count => {
                let value = dice.pick(&COUNTS);
                facts.push(fact(dice, *kind, COUNT, value));
            }
            Kind::Topic => {
                let topic = &TOPICS[dice.below(TOPICS.len())];
                let sentence = topic_sentence(dice, topic);
                facts.push(Fact {
                    kind: *kind,
                    value: topic.label.to_owned(),
                    sentence,
                });
            }
            Kind::Pace => {
                let (value, sentence) = if dice.chance(50) {
                    ("fast", dice.pick(FAST))
                } else {
                    ("slow", dice.pick(SLOW))
                };
                facts.push(Fact {
                    kind: *kind,
                    value: value.to_owned(),
                    sentence: sentence.to_owned(),
                });
            }
            Kind::Thing | Kind::Colour => {
                if facts
                    .iter()
                    .any(|fact| matches!(fact.kind, Kind::Thing | Kind::Colour))
                {
                    continue;
                }
                let (thing, colour) = (dice.pick(&THINGS), dice.pick(&COLOURS));
                let sentence = dice.pick(THING).replace("{c}", colour).replace("{t}", thing);
                facts.push(Fact {
                    kind: Kind::Thing,
                    value: thing.to_owned(),
                    sentence,
                });
                facts.push(Fact {
                    kind: Kind::Colour,
                    value: colour.to_owned(),
                    sentence: String::new(),
                });
            }
        }
    }
    dice.shuffle(&mut facts);
    facts
}

/// The sentences as one text.
pub(super) fn text(facts: &[Fact]) -> String {
    let sentences: Vec<&str> = facts
        .iter()
        .map(|fact| fact.sentence.as_str())
        .filter(|sentence| !sentence.is_empty())
        .collect();
    sentences.join(" ")
}

/// One or two sentences with words of a topic.
pub(super) fn topic_sentence(dice: &mut Dice, topic: &Topic) -> String {
    let first = one_topic_sentence(dice, topic);
    if dice.chance(30) {
        format!("{first} {}", one_topic_sentence(dice, topic))
    } else {
        first
    }
}

fn one_topic_sentence(dice: &mut Dice, topic: &Topic) -> String {
    let (templates, words) = match dice.below(10) {
        0..6 => (NOUN, topic.nouns),
        6..8 => (VERB, topic.verbs),
        _ => (STATE, topic.states),
    };
    let two = dice.pick_many(words, 2);
    dice.pick(templates).replace("{}", two[0]).replace("{2}", two[1])
}

fn number(dice: &mut Dice) -> String {
    let digits = dice.pick(&[3, 4, 5, 5, 5, 6]);
    dice.number(digits, NUMBER_RESIDUE)
}

fn fact(dice: &mut Dice, kind: Kind, templates: &[&str], value: &str) -> Fact {
    Fact {
        kind,
        value: value.to_owned(),
        sentence: dice.pick(templates).replace("{}", value),
    }
}
