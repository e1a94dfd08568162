//! Training and validation files: every line tokenised, too long ones refused by line, and the order of the examples.

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
use std::{fs, path::Path};

/// Which file it is, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Training,
    Validation,
}

impl Role {
    fn error(self, line: u64, message: String) -> Error {
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

    /// Pairs, each a preferred text and the other.
    pub(crate) fn pairs(pairs: Vec<[Tokens; 2]>) -> Self {
        Self {
            texts: pairs.into_iter().flatten().collect(),
            texts_each: 2,
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
    let lines: Vec<(u64, &[u8])> = bytes
        .split(|byte| *byte == b'\n')
        .zip(1..)
        .map(|(line, number)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    if lines.is_empty() {
        return Err(role.error(0, "the file is empty; give at least one example".to_owned()));
    }
    let read =
        |line: &[u8], number: u64| parse(line, number, method).map_err(|message| role.error(number, message));
    let tokenise = |example: &Example, which: &str, number: u64| {
        tokenise(example, which, tokenizer, longest).map_err(|message| role.error(number, message))
    };
    // Collecting in order keeps the first error the first by line.
    match method {
        Method::Supervised => {
            let texts: Vec<Result<Tokens, Error>> = lines
                .par_iter()
                .map(|(number, line)| tokenise(&read(line, *number)?, "example", *number))
                .collect();
            texts.into_iter().collect::<Result<_, _>>().map(Examples::single)
        }
        Method::Dpo => {
            let pairs: Vec<Result<[Tokens; 2], Error>> = lines
                .par_iter()
                .map(|(number, line)| {
                    let example = read(line, *number)?;
                    let other = example.with_non_preferred().unwrap_or_else(|| example.clone());
                    Ok([
                        tokenise(&example, "preferred chat", *number)?,
                        tokenise(&other, "non-preferred chat", *number)?,
                    ])
                })
                .collect();
            pairs.into_iter().collect::<Result<_, _>>().map(Examples::pairs)
        }
    }
}

fn parse(line: &[u8], number: u64, method: Method) -> Result<Example, String> {
    let text = std::str::from_utf8(line)
        .map_err(|_| "the line is no UTF-8 text; save the file as UTF-8".to_owned())?;
    let parsed = training_line::parse_line(number, text)
        .map_err(|finding| format!("{}; {}", finding.message.trim_end_matches('.'), finding.advice))?;
    match parsed.format.fault_for(method) {
        None => Ok(parsed.example),
        Some((fault, advice)) => Err(format!("the file {fault}; {advice}")),
    }
}

/// `which` is what messages call the text.
fn tokenise(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_has_its_own_order_and_no_shuffling_has_none() {
        assert_eq!(order(4, 1, 0, false), [0, 1, 2, 3]);
        assert_ne!(order(50, 1, 0, true), order(50, 1, 1, true));
        assert_eq!(order(50, 1, 1, true), order(50, 1, 1, true));
    }
}
