//! A status as a coloured dot with its word.

use crate::text;
use shared::{dataset::DatasetStatus, status::JobStatus};
use yew::prelude::*;

/// The class that colours a job's status.
#[must_use]
pub const fn status_class(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Running => "is-running",
        JobStatus::Succeeded => "is-ok",
        JobStatus::Failed => "is-bad",
        JobStatus::Paused | JobStatus::Pausing => "is-warn",
        JobStatus::Queued | JobStatus::ValidatingFiles => "is-quiet",
        JobStatus::Cancelled => "is-off",
    }
}

/// Any dot with any words.
pub fn pill(class: &'static str, label: impl Into<AttrValue>) -> Html {
    let label: AttrValue = label.into();
    html! { <span class={format!("pill {class}")}><i aria-hidden="true"></i>{ label }</span> }
}

/// A job's status.
pub fn status_pill(status: JobStatus) -> Html {
    pill(status_class(status), text::status_label(status))
}

/// A dataset's status.
pub fn dataset_pill(status: DatasetStatus) -> Html {
    let class = match status {
        DatasetStatus::Ready => "is-ok",
        DatasetStatus::Error => "is-bad",
        DatasetStatus::Uploading | DatasetStatus::Validating => "is-running",
    };
    pill(class, text::dataset_status_label(status))
}
