//! Which language the console speaks: the browser's, or the one that was chosen here.
//!
//! It is set once at the start, and again by the switch on the settings page; boot.js finds it the same way for the frame
//! that stands before this code is. Deliberately not here: the words, which are [`crate::text`]'s.

use crate::{browser, text};
use std::cell::{Cell, RefCell};

const KEY: &str = "attune.language";

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, the source of all words.
    English,
    /// German.
    German,
}

impl Language {
    /// All languages, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its code in BCP 47, which is also the word that is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a tag: `de-AT` is German.
    #[must_use]
    pub fn of(tag: &str) -> Option<Self> {
        let code = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code))
    }
}

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
    /// How dates are written: the browser's own tag for the language, as `en-GB`, else the language's code.
    static LOCALE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The language that is spoken.
#[must_use]
pub fn spoken() -> Language {
    SPOKEN.get()
}

/// Asked for every word, so it only reads a cell.
#[inline]
#[must_use]
pub fn is_german() -> bool {
    SPOKEN.get() == Language::German
}

/// How dates are written in the language that is spoken.
#[must_use]
pub fn locale() -> String {
    LOCALE.with_borrow(Clone::clone)
}

/// The choice made in this browser; `None` is the browser's own language.
#[must_use]
pub fn stored() -> Option<Language> {
    Language::of(&browser::stored(KEY)?)
}

/// The language of a choice, and how the browser writes it, from the tags that the browser prefers.
fn settle(choice: Option<Language>, preferred: &[String]) -> (Language, String) {
    let known = preferred.iter().filter_map(|tag| Some((Language::of(tag)?, tag)));
    let mut fitting = known.filter(|(language, _)| choice.is_none_or(|chosen| chosen == *language));
    match fitting.next() {
        Some((language, tag)) => (language, tag.clone()),
        None => {
            let language = choice.unwrap_or(Language::English);
            (language, language.code().to_owned())
        }
    }
}

/// Speaks the language of a choice from now on. What is drawn already stays as it is until it is drawn again.
pub fn speak(choice: Option<Language>) {
    let (language, locale) = settle(choice, &browser::preferred_languages());
    SPOKEN.set(language);
    if let Some(root) = browser::document().and_then(|document| document.document_element()) {
        let _ = root.set_attribute("lang", language.code());
    }
    LOCALE.set(locale);
    // What stands in index.html outside of the app.
    for (id, words) in [
        ("skip-link", text::skip_to_content()),
        ("crash-title", text::crash_title()),
        ("crash-body", text::crash_body()),
        ("crash-reload", text::reload()),
    ] {
        if let Some(element) = browser::element_by_id(id) {
            element.set_text_content(Some(words));
        }
    }
}

/// Keeps a choice and speaks its language.
pub fn choose(choice: Option<Language>) {
    browser::store(KEY, choice.map(Language::code));
    speak(choice);
}

/// Speaks a language in a test. Each test has a thread of its own, and so a language of its own.
#[cfg(test)]
pub(crate) fn speak_in_test(language: Language) {
    SPOKEN.set(language);
}

#[cfg(test)]
mod tests {
    use super::{Language, settle};

    fn settled(choice: Option<Language>, preferred: &[&str]) -> (Language, String) {
        let preferred: Vec<String> = preferred.iter().map(|tag| (*tag).to_owned()).collect();
        settle(choice, &preferred)
    }

    #[test]
    fn the_browsers_first_language_that_is_known_is_spoken() {
        use Language::{English, German};
        let of = |preferred: &[&str]| settled(None, preferred).0;
        assert_eq!(of(&["de-AT", "en"]), German);
        assert_eq!(of(&["fr", "DE", "en"]), German);
        assert_eq!(of(&["en-GB", "de"]), English);
        assert_eq!(
            of(&["den", "fr"]),
            English,
            "no German, and nothing that is known"
        );
        assert_eq!(of(&[]), English);
    }

    #[test]
    fn a_choice_wins_and_is_written_as_the_browser_writes_it() {
        let preferred = ["de", "en-GB"];
        assert_eq!(
            settled(Some(Language::English), &preferred),
            (Language::English, "en-GB".to_owned())
        );
        assert_eq!(
            settled(Some(Language::German), &["en-US"]),
            (Language::German, "de".to_owned())
        );
    }
}
