//! Settings and sign-in.

use crate::{text::format::plural, theme::Theme};
use shared::capabilities::{Capabilities, UpstreamKind};

german_words! {
    theme = "Farbschema";
    theme_hint = "Wie die Konsole in diesem Browser aussieht.";
    language = "Sprache";
    language_hint = "In welcher Sprache die Konsole in diesem Browser erscheint.";
    as_the_browser = "Automatisch";
    browser_reports = "Berichte zur Geschwindigkeit";
    browser_reports_hint = "Teilt dem Betreiber dieses Servers mit, wie schnell Seiten und Diagramme erscheinen und wie oft Fehler auftreten. Gesendet werden nur Zeiten und Anzahlen: keine Adressen, keine Texte, nichts Persönliches.";
    browser_reports_objected = "Es wird nichts gesendet: Dieser Browser bittet Websites darum, seinem Benutzer nicht zu folgen.";
    session = "Sitzung";
    about = "Über Attune";
    sign_out = "Abmelden";
    version = "Version";
    upstream = "Jobs laufen auf";
    signed_out = "Abgemeldet.";
    sign_in = "Anmelden";
    sign_in_body = "Diese Konsole ist privat. Zugang gibt ihre eigene Adresse oder das Token darin.";
    token = "Anmelde-Token";
    token_hint_before = "Der Befehl ";
    token_command = "attune url";
    token_hint_after = " auf dem Server gibt die Adresse aus: sie öffnen oder ihr Token hier einfügen.";
    token_missing = "Token einfügen oder die Adresse öffnen, die attune url ausgibt.";
    token_wrong = "Das ist nicht das Token dieses Servers. `attune url` gibt das richtige aus.";
}

pub(crate) const fn theme_label(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "System",
        Theme::Light => "Hell",
        Theme::Dark => "Dunkel",
    }
}

pub(crate) const fn upstream_label(capabilities: &Capabilities) -> &'static str {
    match capabilities.upstream {
        UpstreamKind::Engine => "Eingebaute Engine",
        UpstreamKind::Openai => "OpenAI-kompatible API",
        UpstreamKind::JobTrainingApi => "Job Training API",
    }
}

pub(crate) fn upstream_and_cores(capabilities: &Capabilities) -> String {
    let label = upstream_label(capabilities);
    match capabilities.cores {
        Some(cores) => format!("{label} · {}", plural(cores.into(), "Kern", "Kerne")),
        None => label.to_owned(),
    }
}

pub(crate) fn signed_in(who: &str) -> String {
    format!("{who} · angemeldet")
}

pub(crate) fn signed_in_as(who: &str) -> String {
    format!("Angemeldet als {who}")
}
