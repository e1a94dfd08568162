//! Alerts and notifications.

use crate::{components::alert_rules::Parameter, text::format::count};
use shared::{
    alert::{AlertAction, AlertCondition},
    notification::{Notification, NotificationKind},
};

german_words! {
    notifications = "Mitteilungen";
    unread_notifications = "Ungelesen";
    read_notifications = "Früher";
    mark_all_read = "Alle als gelesen markieren";
    older_notifications = "Ältere zeigen";
    no_notifications_title = "Keine Mitteilungen";
    no_notifications_body = "Hier steht, wenn ein Job endet und wenn eine seiner Warnungen eintritt.";
    choose_alerts = "Warnungen auswählen";
    alerts = "Warnungen";
    default_alerts = "Warnungen neuer Jobs";
    default_alerts_hint = "Worauf bei jedem neuen Job geachtet wird. Auf der Seite eines Jobs lässt es sich für ihn allein ändern.";
    nothing_watched = "Es wird auf nichts geachtet.";
    change_alerts = "Ändern";
    save = "Speichern";
    discard = "Verwerfen";
    alerts_kept = "Die Warnungen wurden gespeichert.";
    alert_whole_number = "Eine ganze Zahl ab 1.";
    alert_at_least_two = "Eine ganze Zahl ab 2.";
    alert_number = "Eine Zahl, zum Beispiel 2.";
    alert_too_large = "Das ist zu viel: weniger.";
    announcements = "Mitteilungen des Browsers";
    announcements_hint = "Erscheinen bei jeder neuen Mitteilung, solange die Konsole in einem Tab offen ist, auch im Hintergrund.";
    announcements_impossible = "Dieser Browser zeigt für diese Adresse keine: Er verlangt https oder localhost.";
    announcements_denied = "Dem Browser wurde untersagt, von hier welche zu zeigen. In seinen Einstellungen für diese Website lässt sich das ändern.";
    switched_on = "An";
    switched_off = "Aus";
}

pub(crate) fn bell(unread: u64) -> String {
    match unread {
        0 => notifications().to_owned(),
        _ => format!("{}, {} ungelesen", notifications(), count(unread)),
    }
}

pub(crate) const fn notification_title(notification: &Notification) -> &'static str {
    match (notification.kind, notification.condition) {
        (NotificationKind::Succeeded, _) => "Abgeschlossen",
        (NotificationKind::Failed, _) => "Fehlgeschlagen",
        (NotificationKind::Cancelled, _) => "Abgebrochen",
        (NotificationKind::Alert, Some(condition)) => alert_condition(condition).0,
        (NotificationKind::Alert, None) => "Warnung",
    }
}

pub(crate) fn mark_read(name: &str) -> String {
    format!("{name} als gelesen markieren")
}

pub(crate) const fn alert_condition(condition: AlertCondition) -> (&'static str, &'static str) {
    match condition {
        AlertCondition::NotFinite => (
            "Loss ist keine Zahl",
            "Loss oder Gradient sind keine Zahl oder unendlich; der Job schlägt damit fehl.",
        ),
        AlertCondition::Divergence => (
            "Loss divergiert",
            "Der Trainings-Loss bleibt weit über seinem laufenden Niveau.",
        ),
        AlertCondition::Plateau => ("Loss stagniert", "Der Trainings-Loss sinkt nicht mehr."),
        AlertCondition::ValidationRising => (
            "Validierungs-Loss steigt",
            "Der Validierungs-Loss liegt mehrmals hintereinander über seinem niedrigsten Wert.",
        ),
        AlertCondition::NoProgress => ("Kein Fortschritt", "Der Job läuft, zeichnet aber nichts auf."),
        AlertCondition::LowDisk => (
            "Wenig Speicherplatz",
            "Der Datenträger des Servers ist fast voll.",
        ),
        AlertCondition::Late => ("Verspätet", "Der Job endet weit später als zuerst geschätzt."),
    }
}

pub(crate) const fn alert_action(action: Option<AlertAction>) -> &'static str {
    match action {
        None => "Aus",
        Some(AlertAction::Notify) => "Mitteilen",
        Some(AlertAction::Pause) => "Mitteilen und pausieren",
    }
}

pub(crate) const fn alert_parameter(condition: AlertCondition, parameter: Parameter) -> &'static str {
    match (condition, parameter) {
        (AlertCondition::Divergence, Parameter::Count) => "Schritte des laufenden Niveaus",
        (AlertCondition::Divergence, _) => "Vielfaches des laufenden Niveaus",
        (AlertCondition::Plateau, Parameter::Count) => "Schritte ohne Fortschritt",
        (AlertCondition::Plateau, _) => "Anteil, der als Fortschritt gilt",
        (AlertCondition::Late, Parameter::Minutes) => "Mindestverspätung in Minuten",
        (AlertCondition::Late, _) => "Vielfaches der ersten Schätzung",
        (AlertCondition::ValidationRising, _) => "Validierungen hintereinander",
        (AlertCondition::NoProgress, _) => "Minuten ohne Schritt",
        (AlertCondition::LowDisk, _) => "Gigabyte, die frei bleiben sollen",
        (AlertCondition::NotFinite, _) => "",
    }
}

pub(crate) const fn alert_factor(share: bool) -> &'static str {
    if share { "Zwischen 0 und 1." } else { "Mehr als 1." }
}
