//! Settings and sign-in.

use crate::{language::Language, text::format::plural, theme::Theme};
use shared::capabilities::{Capabilities, UpstreamKind};

words! {
    /// Settings.
    theme = "Theme";
    /// Settings.
    theme_hint = "How the console looks in this browser.";
    /// Settings.
    language = "Language";
    /// Settings.
    language_hint = "What the console speaks in this browser.";
    /// The choice of the language that the browser prefers.
    as_the_browser = "Automatic";
    /// Settings.
    browser_reports = "Page speed reports";
    /// Settings.
    browser_reports_hint = "Tell whoever runs this server how quickly pages and charts appear and how often errors occur. Only times and counts are sent: no addresses, no texts, nothing personal.";
    /// Settings, where Global Privacy Control or Do Not Track is on.
    browser_reports_objected = "Nothing is sent: your browser asks websites not to follow you.";
    /// Settings.
    session = "Session";
    /// Settings.
    about = "About";
    /// Settings.
    sign_out = "Sign out";
    /// Settings.
    version = "Version";
    /// Settings.
    upstream = "Jobs run on";
    /// Settings.
    signed_out = "You are signed out.";
    /// Sign-in page.
    sign_in = "Sign in";
    /// Sign-in page.
    sign_in_body = "This console is yours alone: it opens with an address of its own, or with the token in it.";
    /// Sign-in page.
    token = "Sign-in token";
    /// Sign-in page, before the command.
    token_hint_before = "Run ";
    /// Sign-in page, the command.
    token_command = "attune url";
    /// Sign-in page, after the command.
    token_hint_after = " on the server and open the address that it prints, or paste its token here.";
    /// Sign-in page.
    token_missing = "Paste the token, or open the address that attune url prints.";
    /// Sign-in page.
    token_wrong = "That isn't the token of this server. Get the right one with `attune url`.";
}

/// The label of a theme.
#[must_use]
pub fn theme_label(theme: Theme) -> &'static str {
    german!(theme_label(theme));
    match theme {
        Theme::System => "System",
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    }
}

/// What the jobs run on.
#[must_use]
pub fn upstream_label(capabilities: &Capabilities) -> &'static str {
    german!(upstream_label(capabilities));
    match capabilities.upstream {
        UpstreamKind::Engine => "Embedded engine",
        UpstreamKind::Openai => "OpenAI-compatible API",
        UpstreamKind::JobTrainingApi => "Job Training API",
    }
}

/// What the jobs run on, at the navigation's foot.
#[must_use]
pub fn upstream_and_cores(capabilities: &Capabilities) -> String {
    german!(upstream_and_cores(capabilities));
    let label = upstream_label(capabilities);
    match capabilities.cores {
        Some(cores) => format!("{label} · {}", plural(cores.into(), "core", "cores")),
        None => label.to_owned(),
    }
}

/// Who is signed in, at the navigation's foot.
#[must_use]
pub fn signed_in(who: &str) -> String {
    german!(signed_in(who));
    format!("{who} · signed in")
}

/// Who is signed in.
#[must_use]
pub fn signed_in_as(who: &str) -> String {
    german!(signed_in_as(who));
    format!("Signed in as {who}")
}

/// The label of a choice of language. A language's own name is the same in all of them, so that whoever is lost finds it.
#[must_use]
pub fn language_label(choice: Option<Language>) -> &'static str {
    match choice {
        None => as_the_browser(),
        Some(Language::English) => "English",
        Some(Language::German) => "Deutsch",
    }
}
