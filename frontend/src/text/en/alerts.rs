//! Alerts and notifications.

use super::super::format::count;
use crate::components::alert_rules::Parameter;
use shared::{
    alert::{AlertAction, AlertCondition},
    notification::{Notification, NotificationKind},
};

words! {
    /// The page, and the bell's name.
    notifications = "Notifications";
    /// Heads those that nobody has read.
    unread_notifications = "Unread";
    /// Heads the rest.
    read_notifications = "Earlier";
    /// Marks all as read.
    mark_all_read = "Mark all as read";
    /// Fetches another page.
    older_notifications = "Show older";
    /// Where there is none.
    no_notifications_title = "Nothing to tell";
    /// Where there is none.
    no_notifications_body = "Here you are told when a job ends, and when one of its alerts comes true.";
    /// Leads to the settings.
    choose_alerts = "Choose alerts";
    /// The card of a job.
    alerts = "Alerts";
    /// The card of the settings.
    default_alerts = "Alerts of new jobs";
    /// In that card.
    default_alerts_hint = "What each new job is watched for. A job's own page changes it for that job.";
    /// In the card of a job.
    nothing_watched = "Nothing is watched for.";
    /// Opens the form.
    change_alerts = "Change";
    /// Sends the form.
    save = "Save";
    /// Takes back what was changed.
    discard = "Discard";
    /// After saving.
    alerts_kept = "The alerts were saved.";
    /// Under a field.
    alert_whole_number = "A whole number of at least 1.";
    /// Under a field.
    alert_at_least_two = "A whole number of at least 2.";
    /// Under a field.
    alert_number = "A number, for example 2.";
    /// Under a field.
    alert_too_large = "That is too much: fewer.";
    /// The switch of the browser's notifications.
    announcements = "Notifications of the browser";
    /// In that card.
    announcements_hint = "Shown for each new notification while the console is open in a tab, also in the background.";
    /// In that card, where the browser has none here.
    announcements_impossible = "This browser shows none for this address: it wants https, or localhost.";
    /// In that card, where they are forbidden.
    announcements_denied = "The browser was told not to show any from here. Its settings for this site can change that.";
    /// A choice.
    switched_on = "On";
    /// A choice.
    switched_off = "Off";
}

/// Names the bell.
#[must_use]
pub fn bell(unread: u64) -> String {
    german!(bell(unread));
    match unread {
        0 => notifications().to_owned(),
        _ => format!("{}, {} unread", notifications(), count(unread)),
    }
}

/// What a notification tells of.
#[must_use]
pub fn notification_title(notification: &Notification) -> &'static str {
    german!(notification_title(notification));
    match (notification.kind, notification.condition) {
        (NotificationKind::Succeeded, _) => "Completed",
        (NotificationKind::Failed, _) => "Failed",
        (NotificationKind::Cancelled, _) => "Cancelled",
        (NotificationKind::Alert, Some(condition)) => alert_condition(condition).0,
        (NotificationKind::Alert, None) => "Alert",
    }
}

/// Names the button that marks one as read.
#[must_use]
pub fn mark_read(name: &str) -> String {
    german!(mark_read(name));
    format!("Mark {name} as read")
}

/// A condition's label, and what it means.
#[must_use]
pub fn alert_condition(condition: AlertCondition) -> (&'static str, &'static str) {
    german!(alert_condition(condition));
    match condition {
        AlertCondition::NotFinite => (
            "Loss is no number",
            "A loss or gradient that is not a number, or infinite; the job fails of it.",
        ),
        AlertCondition::Divergence => (
            "Loss diverges",
            "The training loss stays far above its running level.",
        ),
        AlertCondition::Plateau => ("Loss stands still", "The training loss has stopped falling."),
        AlertCondition::ValidationRising => (
            "Validation loss rises",
            "The validation loss is above its lowest, several times in a row.",
        ),
        AlertCondition::NoProgress => ("No progress", "The job is at work but records nothing."),
        AlertCondition::LowDisk => ("Little disk space", "The server's disk is nearly full."),
        AlertCondition::Late => ("Late", "The job will end far later than was estimated first."),
    }
}

/// What is done where a condition comes true.
#[must_use]
pub fn alert_action(action: Option<AlertAction>) -> &'static str {
    german!(alert_action(action));
    match action {
        None => "Off",
        Some(AlertAction::Notify) => "Notify",
        Some(AlertAction::Pause) => "Notify and pause",
    }
}

/// The label of a condition's parameter.
#[must_use]
pub fn alert_parameter(condition: AlertCondition, parameter: Parameter) -> &'static str {
    german!(alert_parameter(condition, parameter));
    match (condition, parameter) {
        (AlertCondition::Divergence, Parameter::Count) => "Steps of the running level",
        (AlertCondition::Divergence, _) => "Multiple of the running level",
        (AlertCondition::Plateau, Parameter::Count) => "Steps without progress",
        (AlertCondition::Plateau, _) => "Share that counts as progress",
        (AlertCondition::Late, Parameter::Minutes) => "Least delay in minutes",
        (AlertCondition::Late, _) => "Multiple of the first estimate",
        (AlertCondition::ValidationRising, _) => "Validations in a row",
        (AlertCondition::NoProgress, _) => "Minutes without a step",
        (AlertCondition::LowDisk, _) => "Gigabytes to be left",
        (AlertCondition::NotFinite, _) => "",
    }
}

/// Under a field whose number is out of its bounds.
#[must_use]
pub fn alert_factor(share: bool) -> &'static str {
    german!(alert_factor(share));
    if share { "Between 0 and 1." } else { "More than 1." }
}
