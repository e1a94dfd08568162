//! A text that is never printed: the upstream's key and the local sign-in token.

use serde::{Deserialize, Deserializer};
use std::{fmt, path::Path};
use subtle::ConstantTimeEq as _;

/// A secret text. It can be compared and, where it must leave, exposed by name; `Debug` hides it, and it has no
/// `Display` and no `Serialize` on purpose.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A file's text, without the line's end.
    ///
    /// # Errors
    /// The file can't be read, or is no text.
    pub fn from_file(file: &Path) -> std::io::Result<Self> {
        Ok(Self::new(std::fs::read_to_string(file)?.trim()))
    }

    /// Whether a header can carry it: one line of printable characters without spaces.
    #[must_use]
    pub fn fits_a_header(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| (0x21..0x7f).contains(&byte))
    }

    /// Compares without telling by its duration where the texts differ.
    #[must_use]
    pub fn matches(&self, candidate: &str) -> bool {
        bool::from(self.0.as_bytes().ct_eq(candidate.as_bytes()))
    }

    /// An upper bound of the bits that a guesser has to try, from length and the kinds of characters used.
    #[must_use]
    pub fn strength_bits(&self) -> u32 {
        let hexadecimal = self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut distinct: Vec<u8> = self.0.bytes().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let bits_a_character: f64 = if distinct.len() < 8 {
            1.0
        } else if hexadecimal {
            4.0
        } else {
            6.0
        };
        // Lengths of secrets are small; the product fits.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a secret's length is far below 2^24"
        )]
        let bits = (bits_a_character * self.0.len() as f64) as u32;
        bits
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_hides_itself_when_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[hidden]");
    }

    #[test]
    fn equal_texts_match_and_others_do_not() {
        let secret = Secret::new("abcdef");
        assert!(secret.matches("abcdef"));
        assert!(!secret.matches("abcdeg"));
        assert!(!secret.matches("abcde"));
        assert!(!secret.matches(""));
    }

    #[test]
    fn strength_counts_characters_and_their_kinds() {
        assert_eq!(
            Secret::new("0123456789abcdef0123456789abcdef").strength_bits(),
            128
        );
        assert!(Secret::new("a".repeat(100)).strength_bits() < 128);
        assert!(Secret::new("short").strength_bits() < 128);
    }
}
