//! Training and validation files: every line tokenised, too long ones refused by line, and the order of the examples.

use crate::{
    Error,
    chat::{ChatTokenizer, Tokens},
    random::{Purpose, Stream},
};
use rayon::prelude::*;
use shared::training_line;
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

/// Reads and tokenises a file.
///
/// # Errors
/// The first line that can't be used, or that the file can't be read or is empty.
pub(crate) fn load(
    path: &Path,
    role: Role,
    tokenizer: &ChatTokenizer,
    longest: usize,
) -> Result<Vec<Tokens>, Error> {
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
    // Collecting in order keeps the first error the first by line.
    let examples: Vec<Result<Tokens, Error>> = lines
        .par_iter()
        .map(|(number, line)| {
            one(line, *number, tokenizer, longest).map_err(|what| role.error(*number, what))
        })
        .collect();
    examples.into_iter().collect()
}

fn one(line: &[u8], number: u64, tokenizer: &ChatTokenizer, longest: usize) -> Result<Tokens, String> {
    let text = std::str::from_utf8(line)
        .map_err(|_| "the line is no UTF-8 text; save the file as UTF-8".to_owned())?;
    let parsed = training_line::parse_line(number, text)
        .map_err(|finding| format!("{}; {}", finding.message.trim_end_matches('.'), finding.advice))?;
    let tokens = tokenizer.example(&parsed.example)?;
    if tokens.ids.len() > longest {
        return Err(format!(
            "the example is {} tokens long, but at most {longest} fit; shorten it or raise `max_sequence_length`",
            tokens.ids.len()
        ));
    }
    if tokens.targets() == 0 {
        return Err(
            "the example has no assistant text to learn from; add some or remove the line".to_owned(),
        );
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
