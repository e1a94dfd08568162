//! Why a job failed: what happened, what to change, and the last words of its trainer. The button that tries it again with
//! that change stands on the dashboard, too.

use super::actions::retry;
use crate::{
    components::{
        button::button_if,
        card::paragraph,
        icon::{Icon, icon},
        link::Link,
        toast::use_toaster,
    },
    part::part,
    query::hooks::use_store,
    route::{Route, dataset_line},
    text,
};
use shared::{
    attempt::{AttemptList, RetryJob},
    job::{Job, JobFailure},
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct FailureProps {
    pub(super) job: Rc<Job>,
    pub(super) can_retry: bool,
    pub(super) attempts: Option<Rc<AttemptList>>,
}

#[hook]
pub(super) fn use_failure(props: Rc<FailureProps>) -> Html {
    let job = Rc::clone(&props.job);
    let Some(failure) = job.failure.as_ref().filter(|_| job.status == JobStatus::Failed) else {
        return html! { <div hidden=true></div> };
    };
    let again = RetryProps {
        job: Rc::clone(&job),
        can_retry: props.can_retry,
    };
    let advice = text::failure_advice(&job, failure);
    let last = props.attempts.as_ref().and_then(|list| list.attempts.last());
    let log = last.map(|attempt| attempt.log.join("\n")).unwrap_or_default();
    html! {
        <div class="notice notice-error job-failure" role="alert">
            <span class="notice-icon">{ icon(Icon::Alert) }</span>
            <div class="job-failure-body">
                { paragraph("notice-title", text::job_failed()) }
                <p class="notice-body" lang="en">{ text::sentence(&failure.message) }</p>
                <p class="notice-body" hidden={advice.is_empty()}>{ advice }</p>
                <div class="job-failure-foot">
                    { part(use_retry, again) }
                    { for dataset_at_fault(&job, failure) }
                    <code>{ failure.code.as_str() }</code>
                </div>
                <details hidden={log.is_empty()}>
                    <summary>{ text::trainer_log() }</summary>
                    <pre lang="en" tabindex="0" aria-label={text::trainer_log()}>{ log }</pre>
                </details>
            </div>
        </div>
    }
}

/// A job that failed, and whether the upstream tries jobs again.
#[derive(PartialEq)]
pub(crate) struct RetryProps {
    pub(crate) job: Rc<Job>,
    pub(crate) can_retry: bool,
}

/// The button that tries a job again with what the server proposes to change; hidden where it proposes nothing, or the job was
/// trained elsewhere.
#[hook]
pub(crate) fn use_retry(props: Rc<RetryProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let proposed = props
        .job
        .failure
        .as_ref()
        .and_then(|failure| failure.change.clone());
    let is_offered = proposed.is_some() && props.can_retry && props.job.imported.is_none();
    let change = proposed.unwrap_or_default();
    let label = if change == RetryJob::default() {
        text::retry()
    } else {
        text::retry_with_change()
    };
    let onclick = Callback::from(move |_: MouseEvent| retry(&store, &toaster, &props.job.id, change.clone()));
    button_if(is_offered, "button", label, onclick)
}

/// The way to the file at fault, and to its line where one is.
fn dataset_at_fault(job: &Job, failure: &JobFailure) -> Option<Html> {
    let dataset = match failure.param.as_deref()? {
        "training_file" => job.training_dataset.as_ref()?,
        "validation_file" => job.validation_dataset.as_ref()?,
        _ => return None,
    };
    let id = dataset.id.as_str();
    let (to, words) = match failure.line {
        Some(line) => (dataset_line(id, line), text::open_dataset_at(line)),
        None => (
            Route::Dataset(id.to_owned()).path(),
            text::open_dataset().to_owned(),
        ),
    };
    let content = words.into();
    let class = "button";
    Some(
        Link {
            to,
            class,
            content,
            ..Link::default()
        }
        .view(),
    )
}
