//! Trying a job again: as a new one, with what may mend the failure.

use crate::{
    components::{
        button::button_if,
        toast::{Toaster, use_toaster},
    },
    query::{Store, hooks::use_store},
    route::Route,
    text,
};
use shared::{attempt::RetryJob, id::JobId, job::Job};
use std::rc::Rc;
use yew::prelude::*;

/// What the button needs to know.
#[derive(PartialEq)]
pub struct RetryProps {
    /// The job that failed.
    pub job: Rc<Job>,
    /// The upstream tries jobs again.
    pub can_retry: bool,
}

/// The button that tries a job again with what the server proposes to change; hidden where it proposes nothing, or the job was
/// trained elsewhere.
#[hook]
pub fn use_retry(props: Rc<RetryProps>) -> Html {
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

/// Tries a job again as a new one and goes to it.
pub fn retry(store: &Store, toaster: &Toaster, id: &JobId, change: RetryJob) {
    let (store, toaster, id) = (store.clone(), toaster.clone(), id.clone());
    wasm_bindgen_futures::spawn_local(async move {
        match store.retry_job(&id, &change).await {
            Ok(job) => Route::Job(job.id.to_string()).go(),
            Err(error) => toaster.tell(Err(error)),
        }
    });
}
