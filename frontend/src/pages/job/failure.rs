//! Why a job failed: what happened, what to change, and the last words of its trainer.

use crate::{
    components::{
        card::paragraph,
        icon::{Icon, icon},
        link::Link,
        retry::{RetryProps, use_retry},
    },
    part::part,
    route::{Route, dataset_line},
    text,
};
use shared::{
    attempt::AttemptList,
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
