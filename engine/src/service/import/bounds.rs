//! What comes from elsewhere brought within the bounds of what is written here: nothing of it is believed.

use shared::timestamp::Timestamp;
use std::collections::BTreeMap;

/// Characters of a name, an identifier or a word.
pub(super) const WORD: usize = 200;
/// Characters of a file's name.
pub(super) const FILENAME: usize = 255;
/// Characters of a message.
pub(super) const MESSAGE: usize = 4_000;
/// Metadata as /v1 takes it: pairs, characters of a key and of a value.
const PAIRS: usize = 16;
const KEY: usize = 64;
const VALUE: usize = 512;
/// Steps of a run: far more than anybody trains.
pub(super) const STEPS: u64 = 1_000_000_000;

/// A text in one line of at most so many characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let printable = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character });
    printable.take(most).collect::<String>().trim().to_owned()
}

/// The same where nothing may be left of it.
pub(super) fn line_or(text: &str, most: usize, or: &str) -> String {
    Some(line(text, most))
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| or.to_owned())
}

/// A text that may have several lines.
pub(super) fn message(text: &str) -> String {
    let printable = text.chars().map(|character| match character {
        '\n' | '\t' => character,
        control if control.is_control() => ' ',
        other => other,
    });
    printable.take(MESSAGE).collect()
}

/// Pairs that /v1 would have taken; the others are left out.
pub(super) fn metadata(pairs: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let fits = |(key, value): &(String, String)| {
        (1..=KEY).contains(&key.chars().count()) && value.chars().count() <= VALUE
    };
    pairs.into_iter().filter(fits).take(PAIRS).collect()
}

/// A time that has been, no earlier than another.
pub(super) fn past(time: Timestamp, earliest: Timestamp, now: Timestamp) -> Timestamp {
    time.max(earliest).min(now.max(earliest))
}

/// A number that is one.
pub(super) fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_lose_what_cannot_be_shown() {
        assert_eq!(line("  a\nb\u{1b}[31m  ", 200), "a b [31m");
        assert_eq!(line(&"ä".repeat(300), WORD).chars().count(), WORD);
        assert_eq!(line_or("\n", 9, "file-1"), "file-1");
        assert_eq!(message("a\nb\r\u{0}"), "a\nb  ");
        assert_eq!(message(&"x".repeat(9_000)).len(), MESSAGE);
    }

    #[test]
    fn metadata_is_what_the_api_takes() {
        let mut pairs: BTreeMap<_, _> = (0..20).map(|n| (format!("k{n:02}"), "v".to_owned())).collect();
        pairs.insert("a".repeat(65), "v".to_owned());
        pairs.insert("a".to_owned(), "v".repeat(513));
        pairs.insert(String::new(), "v".to_owned());
        let kept = metadata(pairs);
        assert_eq!(kept.len(), 16);
        assert!(kept.keys().all(|key| key.starts_with('k')));
    }

    #[test]
    fn times_lie_in_the_past_and_in_order() {
        let at = Timestamp::from_unix_ms;
        assert_eq!(past(at(5), at(3), at(9)), at(5));
        assert_eq!(past(at(50), at(3), at(9)), at(9));
        assert_eq!(past(at(1), at(3), at(9)), at(3));
    }
}
