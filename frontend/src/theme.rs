//! Light, dark, or as the system has it.

use crate::browser;

const KEY: &str = "attune.theme";

/// The choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All choices, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word that is stored; boot.js reads it too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the stored word; anything else is the system's.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == word)
            .unwrap_or(Self::System)
    }
}

/// The choice made in this browser.
#[must_use]
pub fn stored() -> Theme {
    browser::stored(KEY).map_or(Theme::System, |word| Theme::parse(&word))
}

/// Shows a choice.
pub fn apply(theme: Theme) {
    let Some(root) = browser::document().and_then(|document| document.document_element()) else {
        return;
    };
    let _ = match theme {
        Theme::System => root.remove_attribute("data-theme"),
        Theme::Light | Theme::Dark => root.set_attribute("data-theme", theme.as_str()),
    };
}

/// Shows a choice and keeps it.
pub fn choose(theme: Theme) {
    browser::store(KEY, (theme != Theme::System).then_some(theme.as_str()));
    apply(theme);
}

#[cfg(test)]
mod tests {
    use super::Theme;

    #[test]
    fn an_unknown_word_means_the_systems_theme() {
        assert_eq!(Theme::parse("dark"), Theme::Dark);
        assert_eq!(Theme::parse("sepia"), Theme::System);
    }
}
