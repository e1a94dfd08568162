//! Every word that people read, as plain functions: [`en`] in English, `de` in German, each in the same files.
//!
//! Components call `text::NAME()` and nothing else. English is the source: its functions ask the German one of the same
//! name first, where German is spoken ([`crate::language`]). So a word that is missing in German doesn't compile, and one
//! that English no longer has is told as dead code. Words stay functions, called by the page that shows them: a table of
//! all of them would bring every page's words into the module that comes first (docs/adr/0007).
//! [`format`](self::format) writes numbers, sizes, durations and times. Deliberately not here: what the server says in
//! its own words (event messages, findings of a dataset).

/// Fixed words in English: `name = "Text";`.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name() -> &'static str {
            if $crate::language::is_german() { $crate::text::de::$name() } else { $text }
        })*

        #[cfg(test)]
        pub(in crate::text) const WORDS: &[$crate::text::Word] = &[$((stringify!($name), $name)),*];
    };
}

/// The same in German.
macro_rules! german_words {
    ($($name:ident = $text:literal;)*) => {
        $(pub(crate) const fn $name() -> &'static str { $text })*
    };
}

/// Begins an English function that has words of its own: gives the German function's answer where German is spoken.
macro_rules! german {
    ($name:ident($($argument:expr),*)) => {
        if $crate::language::is_german() {
            return $crate::text::de::$name($($argument),*);
        }
    };
}

/// A fixed word's name and what says it.
#[cfg(test)]
type Word = (&'static str, fn() -> &'static str);

pub(crate) mod de;
pub mod en;
pub mod format;

pub use en::*;

#[cfg(test)]
mod tests;
