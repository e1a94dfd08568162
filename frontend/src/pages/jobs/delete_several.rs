//! Deleting jobs, one or many, from the list or a job's own page: asked once with their names, told afterwards, refused ones by name.

use crate::{
    components::{
        button::button_if,
        card::paragraph,
        dialog::{DialogProps, use_dialog},
        toast::use_toaster,
    },
    query::hooks::use_store,
    text,
};
use shared::{id::JobId, job::Job, status::JobStatus};
use std::rc::Rc;
use yew::prelude::*;

/// Names that the dialog lists.
const NAMED: usize = 10;

/// Whether a job has to be cancelled before this upstream deletes it.
pub(super) const fn must_be_cancelled(status: JobStatus, can_cancel: bool) -> bool {
    // An upstream that can't cancel ends a job by deleting it.
    can_cancel && status.is_active()
}

#[derive(PartialEq)]
pub(crate) struct DeleteSeveralProps {
    /// Which jobs are to go, if any are.
    pub(crate) jobs: Vec<Rc<Job>>,
    /// Jobs have artifacts, which go with them.
    pub(crate) artifacts: bool,
    /// A job that hasn't ended has to be cancelled first.
    pub(crate) can_cancel: bool,
    /// True while the server is being asked, false when all have answered.
    pub(crate) on_work: Callback<bool>,
    /// The dialog was closed. True where it was confirmed.
    pub(crate) on_close: Callback<bool>,
    /// All have answered. True where every job is gone.
    pub(crate) on_end: Callback<bool>,
}

#[hook]
pub(crate) fn use_delete_several(props: Rc<DeleteSeveralProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let (stay, go): (Vec<_>, Vec<_>) = props
        .jobs
        .iter()
        .cloned()
        .partition(|job| must_be_cancelled(job.status, props.can_cancel));
    let title = match props.jobs.as_slice() {
        [job] => text::delete_title(&job.title_of_its_own()),
        jobs => format!("{}?", text::delete_jobs(jobs.len() as u64)),
    };
    let body = text::delete_job_body(props.artifacts);
    let staying: Vec<_> = stay.iter().map(|job| job.title_of_its_own()).collect();
    let staying: Vec<_> = staying.iter().map(String::as_str).collect();
    let note = if staying.is_empty() {
        String::new()
    } else {
        text::cancel_first(&staying)
    };
    let several = props.jobs.len() > 1;
    let listed = go.iter().take(NAMED).filter(|_| several);
    let listed: Html = listed
        .map(|job| html! { <li key={job.id.as_str()}>{ job.title_of_its_own() }</li> })
        .collect();
    let more = go.len().saturating_sub(NAMED) as u64;
    let can_go = !go.is_empty();
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |_: MouseEvent| {
            let (store, toaster, on_work, go) =
                (store.clone(), toaster.clone(), props.on_work.clone(), go.clone());
            let on_end = props.on_end.clone();
            on_work.emit(true);
            props.on_close.emit(true);
            wasm_bindgen_futures::spawn_local(async move {
                let ids: Vec<JobId> = go.iter().map(|job| job.id.clone()).collect();
                let outcomes = store.delete_jobs(&ids).await;
                on_work.emit(false);
                on_end.emit(outcomes.iter().all(Result::is_ok));
                let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                match go.as_slice() {
                    [job] if done == 1 => toaster.good(&text::deleted(&job.title_of_its_own())),
                    _ if done > 0 => toaster.good(&text::deleted_jobs(done as u64)),
                    _ => {}
                }
                let refused = go.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_err());
                let refused: Vec<_> = refused.map(|(job, _)| job.title_of_its_own()).collect();
                let refused: Vec<_> = refused.iter().map(String::as_str).collect();
                if let Some(error) = outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
                    toaster.bad(&text::not_deleted(&refused, error));
                }
            });
        })
    };
    let content = html! {
        <>
            { paragraph("", if can_go { body } else { "" }) }
            <ul class="names" hidden={!(several && can_go)}>
                { listed }
                <li key="more" hidden={more == 0}>{ text::and_more(more) }</li>
            </ul>
            { paragraph("stays", note.clone()) }
            <div class="buttons">
                { button_if(true, "button", text::cancel(), props.on_close.reform(|_| false)) }
                { button_if(can_go, "button danger", text::delete(), on_confirm) }
            </div>
        </>
    };
    use_dialog(Rc::new(DialogProps {
        open: !props.jobs.is_empty(),
        title,
        description: if can_go { format!("{body} {note}") } else { note },
        content,
        on_close: props.on_close.reform(|()| false),
    }))
}

#[cfg(test)]
mod tests {
    use super::{JobStatus, must_be_cancelled};

    #[test]
    fn only_what_an_upstream_can_cancel_has_to_be_cancelled_first() {
        assert!(must_be_cancelled(JobStatus::Running, true));
        assert!(!must_be_cancelled(JobStatus::Running, false));
        assert!(!must_be_cancelled(JobStatus::Paused, true));
    }
}
