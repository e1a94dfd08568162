//! Training and validation files: every line tokenised, too long ones refused by line, and the order of the examples.

mod lines;

pub(crate) use lines::{Line, example_lines};

use crate::{
    Error,
    chat::{ChatTokenizer, Tokens},
    random::{Purpose, Stream},
};
use rayon::prelude::*;
use shared::{
    run::Method,
    training_line::{self, Example},
};
use std::{fs, ops::Range, path::Path};

/// Which file it is, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Training,
    Validation,
}

impl Role {
    pub(crate) fn error(self, line: u64, message: String) -> Error {
        match self {
            Self::Training => Error::InvalidTrainingFile { line, message },
            Self::Validation => Error::InvalidValidationFile { line, message },
        }
    }
}

/// The examples of a file: of each one text, or two of which the first is preferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Examples {
    texts: Vec<Tokens>,
    texts_each: usize,
}

impl Examples {
    /// None.
    pub(crate) const fn none() -> Self {
        Self::single(Vec::new())
    }

    /// Of one text each.
    pub(crate) const fn single(texts: Vec<Tokens>) -> Self {
        Self { texts, texts_each: 1 }
    }

    /// The texts of every example, as [`tokenise`] gives them.
    pub(crate) fn of(texts: Vec<Vec<Tokens>>, method: Method) -> Self {
        Self {
            texts: texts.into_iter().flatten().collect(),
            texts_each: match method {
                Method::Supervised => 1,
                Method::Dpo => 2,
            },
        }
    }

    /// How many examples there are.
    pub(crate) const fn len(&self) -> usize {
        self.texts.len() / self.texts_each
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts of an example.
    pub(crate) fn texts(&self, example: usize) -> &[Tokens] {
        &self.texts[example * self.texts_each..][..self.texts_each]
    }

    /// Tokens of an example's texts together.
    pub(crate) fn tokens_of(&self, example: usize) -> usize {
        self.texts(example).iter().map(|tokens| tokens.ids.len()).sum()
    }

    /// Target tokens of all texts: what one pass over them trains on.
    pub(crate) fn targets(&self) -> u64 {
        self.texts.iter().map(|tokens| tokens.targets() as u64).sum()
    }

    /// Tokens of each text.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = u64> {
        self.texts.iter().map(|tokens| tokens.ids.len() as u64)
    }
}

/// Reads and tokenises a file.
///
/// # Errors
/// The first line that can't be used, or that the file can't be read or is empty.
pub(crate) fn load(
    path: &Path,
    role: Role,
    method: Method,
    tokenizer: &ChatTokenizer,
    longest: usize,
) -> Result<Examples, Error> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => role.error(0, format!("`{}` doesn't exist", path.display())),
        _ => Error::read(path)(error),
    })?;
    let lines = example_lines(&bytes[..]).map_err(Error::read(path))?;
    if lines.is_empty() {
        return Err(role.error(0, "the file is empty; give at least one example".to_owned()));
    }
    let read = |line: &Line| {
        let refused = |message| role.error(line.number, message);
        let example = parse(line.of(&bytes), line.number, method).map_err(refused)?;
        tokenise(&example, method, tokenizer, longest).map_err(refused)
    };
    // Collecting in order keeps the first error the first by line.
    let texts: Vec<Result<Vec<Tokens>, Error>> = lines.par_iter().map(read).collect();
    let texts = texts.into_iter().collect::<Result<_, _>>()?;
    Ok(Examples::of(texts, method))
}

/// The example that a line is.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn parse(line: &[u8], number: u64, method: Method) -> Result<Example, String> {
    let text = std::str::from_utf8(line)
        .map_err(|_| "the line is no UTF-8 text; save the file as UTF-8".to_owned())?;
    let parsed = training_line::parse_line(number, text)
        .map_err(|finding| format!("{}; {}", finding.message.trim_end_matches('.'), finding.advice))?;
    match parsed.format.fault_for(method) {
        None => Ok(parsed.example),
        Some((fault, advice)) => Err(format!("the file {fault}; {advice}")),
    }
}

/// The texts of an example: one, or under `dpo` the preferred chat and the other.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn tokenise(
    example: &Example,
    method: Method,
    tokenizer: &ChatTokenizer,
    longest: usize,
) -> Result<Vec<Tokens>, String> {
    match method {
        Method::Supervised => Ok(vec![tokenise_text(example, "example", tokenizer, longest)?]),
        Method::Dpo => {
            let other = example.with_non_preferred().unwrap_or_else(|| example.clone());
            Ok(vec![
                tokenise_text(example, "preferred chat", tokenizer, longest)?,
                tokenise_text(&other, "non-preferred chat", tokenizer, longest)?,
            ])
        }
    }
}

/// `which` is what messages call the text.
fn tokenise_text(
    example: &Example,
    which: &str,
    tokenizer: &ChatTokenizer,
    longest: usize,
) -> Result<Tokens, String> {
    let tokens = tokenizer.example(example)?;
    if tokens.ids.len() > longest {
        return Err(format!(
            "the {which} is {} tokens long, but at most {longest} fit; shorten it or raise `max_sequence_length`",
            tokens.ids.len()
        ));
    }
    if tokens.targets() == 0 {
        return Err(format!(
            "the {which} has no assistant text to learn from; add some or remove the line"
        ));
    }
    Ok(tokens)
}

/// The order in which an epoch (from 0) visits `count` examples.
pub(crate) fn order(count: usize, seed: u64, epoch: u64, shuffle: bool) -> Vec<usize> {
    if shuffle {
        Stream::new(seed, Purpose::Order, &[epoch]).permutation(count)
    } else {
        (0..count).collect()
    }
}

/// Optimizer steps of one epoch; the last may have fewer examples than the others.
pub(crate) fn steps_per_epoch(count: usize, batch_size: u32) -> u64 {
    (count as u64).div_ceil(u64::from(batch_size))
}

/// What one optimizer step visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The epoch, from 0.
    pub(crate) epoch: u64,
    /// Places in that epoch's order.
    pub(crate) places: Range<usize>,
}

/// What the step after `step` others visits of `count` examples, of which there is at least one.
pub(crate) fn visit(step: u64, count: usize, batch_size: u32) -> Visit {
    let steps_per_epoch = steps_per_epoch(count, batch_size);
    let first = (step % steps_per_epoch * u64::from(batch_size)) as usize;
    Visit {
        epoch: step / steps_per_epoch,
        places: first..count.min(first + batch_size as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_has_its_own_order_and_no_shuffling_has_none() {
        assert_eq!(order(4, 1, 0, false), [0, 1, 2, 3]);
        assert_ne!(order(50, 1, 0, true), order(50, 1, 1, true));
        assert_eq!(order(50, 1, 1, true), order(50, 1, 1, true));
    }

    #[test]
    fn an_epochs_last_step_visits_what_is_left_and_the_next_begins_anew() {
        let visits: Vec<_> = (0..5).map(|step| visit(step, 5, 2)).collect();
        let told: Vec<_> = visits
            .iter()
            .map(|visit| (visit.epoch, visit.places.clone()))
            .collect();
        assert_eq!(told, [(0, 0..2), (0, 2..4), (0, 4..5), (1, 0..2), (1, 2..4)]);
        assert_eq!(visit(1, 5, 9).places, 0..5);
    }
}
