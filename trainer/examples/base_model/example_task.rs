//! The example task: support messages of a shop, answered by a small JSON object with the category, the priority and
//! the order number. Training and validation draw from banks that share no sentence and no entity.

mod training_bank;
mod validation_bank;

use crate::dice::Dice;
use shared::training_line::{Example, Message, Role};

/// The categories, in the order of [`Bank::issues`].
pub(crate) const CATEGORIES: [&str; 4] = ["billing", "delivery", "returns", "account"];

/// What the assistant is told.
pub(crate) const SYSTEM: &str = "Sort the message.";

/// What messages are made of. `{name}`, `{product}`, `{order}` and `{few}` are filled in.
pub(crate) struct Bank {
    pub(crate) names: &'static [&'static str],
    pub(crate) products: &'static [&'static str],
    pub(crate) greetings: &'static [&'static str],
    pub(crate) issues: [&'static [&'static str]; 4],
    pub(crate) orders: &'static [&'static str],
    pub(crate) urgent: &'static [&'static str],
    pub(crate) calm: &'static [&'static str],
    pub(crate) asides: &'static [&'static str],
    pub(crate) closings: &'static [&'static str],
    /// What this bank's order numbers leave when divided by 3.
    pub(crate) order_residue: usize,
}

impl Bank {
    /// Every template.
    #[cfg(test)]
    pub(crate) fn templates(&self) -> impl Iterator<Item = &'static str> {
        let rest = [
            self.greetings,
            self.orders,
            self.urgent,
            self.calm,
            self.asides,
            self.closings,
        ];
        self.issues.into_iter().chain(rest).flatten().copied()
    }

    /// Every entity that is a word.
    #[cfg(test)]
    pub(crate) fn entities(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().chain(self.products).copied()
    }
}

/// Examples to train on.
pub(crate) const TRAINING: &Bank = &training_bank::BANK;

/// Examples to validate on.
pub(crate) const VALIDATION: &Bank = &validation_bank::BANK;

/// `count` different chats. Categories and priorities are balanced.
pub(crate) fn chats(bank: &Bank, seed: u64, count: usize) -> Vec<Example> {
    let mut chats: Vec<Example> = Vec::with_capacity(count);
    let mut stream = 0;
    while chats.len() < count {
        let chat = chat(bank, &mut Dice::new(seed, stream), chats.len());
        stream += 1;
        if !chats
            .iter()
            .any(|other| other.messages[1].content == chat.messages[1].content)
        {
            chats.push(chat);
        }
    }
    Dice::new(seed, u64::MAX).shuffle(&mut chats);
    chats
}

fn chat(bank: &Bank, dice: &mut Dice, index: usize) -> Example {
    let category = index % CATEGORIES.len();
    let urgent = (index / CATEGORIES.len()).is_multiple_of(2);
    let name = dice.pick(bank.names);
    let product = dice.pick(bank.products);
    let order = dice.number(4, bank.order_residue);
    let few = dice.between(2, 9).to_string();

    let mut body = vec![dice.pick(bank.issues[category]), dice.pick(bank.orders)];
    if urgent {
        body.push(dice.pick(bank.urgent));
    } else if dice.chance(70) {
        body.push(dice.pick(bank.calm));
    }
    if dice.chance(25) {
        body.push(dice.pick(bank.asides));
    }
    dice.shuffle(&mut body);
    let mut parts = Vec::new();
    if dice.chance(70) {
        parts.push(dice.pick(bank.greetings));
    }
    parts.append(&mut body);
    if dice.chance(50) {
        parts.push(dice.pick(bank.closings));
    }
    let text = parts
        .join(" ")
        .replace("{name}", name)
        .replace("{product}", product)
        .replace("{order}", &order)
        .replace("{few}", &few);
    let priority = if urgent { "high" } else { "normal" };
    let answer = format!(
        r#"{{"category":"{}","priority":"{priority}","order":"{order}"}}"#,
        CATEGORIES[category]
    );
    let message = |role, content: &str| Message {
        role,
        content: content.to_owned(),
        trained: true,
        tool_calls: None,
    };
    Example {
        messages: vec![
            message(Role::System, SYSTEM),
            message(Role::User, &text),
            message(Role::Assistant, &answer),
        ],
        non_preferred: None,
        tools: None,
    }
}
