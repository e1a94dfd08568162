//! What can be done with a job: download its adapter, cancel, duplicate, delete.

use crate::{
    browser,
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    draft::{DraftAction, use_draft},
    part::keyed_part,
    query::hooks::use_store,
    route::Route,
    text,
};
use shared::{capabilities::Capabilities, draft::Draft, job::Job, status::JobStatus};
use std::rc::Rc;
use yew::prelude::*;
use yew_router::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Cancel,
    Delete,
}

#[derive(PartialEq)]
pub(super) struct ActionsProps {
    pub(super) job: Option<Rc<Job>>,
    pub(super) capabilities: Option<Rc<Capabilities>>,
}

/// What may be done with a job: cancelled, deleted, downloaded.
fn offered(job: &Job, capabilities: &Capabilities) -> (bool, bool, bool) {
    let ended = job.status.is_terminal();
    (
        capabilities.cancel && !ended && job.status != JobStatus::Pausing,
        capabilities.delete && (ended || !capabilities.cancel),
        capabilities.artifacts && job.artifact.is_some(),
    )
}

#[hook]
pub(super) fn use_actions(props: Rc<ActionsProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let navigator = use_navigator();
    let draft = use_draft();
    let asked = use_state(|| Asked::Nothing);
    let (can_cancel, can_delete, can_download) = props
        .job
        .as_deref()
        .zip(props.capabilities.as_deref())
        .map_or((false, false, false), |(job, capabilities)| {
            offered(job, capabilities)
        });
    let name = props.job.as_ref().map(|job| job.name.clone()).unwrap_or_default();
    let ask = |what: Asked| {
        let asked = asked.clone();
        Callback::from(move |_: MouseEvent| asked.set(what))
    };
    let close = {
        let asked = asked.clone();
        Callback::from(move |()| asked.set(Asked::Nothing))
    };

    let cancel = {
        let (store, toaster, job, asked) = (store.clone(), toaster.clone(), props.job.clone(), asked.clone());
        Callback::from(move |()| {
            asked.set(Asked::Nothing);
            let (Some(job), store, toaster) = (job.clone(), store.clone(), toaster.clone()) else {
                return;
            };
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.cancel_job(&job.id).await;
                let Some(toaster) = toaster else { return };
                match outcome {
                    Ok(()) => toaster.good(text::cancel_asked()),
                    Err(error) => toaster.bad(text::error_line(&error)),
                }
            });
        })
    };
    let delete = {
        let (store, toaster, job, asked) = (store.clone(), toaster.clone(), props.job.clone(), asked.clone());
        let navigator = navigator.clone();
        Callback::from(move |()| {
            asked.set(Asked::Nothing);
            let (Some(job), store, toaster, navigator) =
                (job.clone(), store.clone(), toaster.clone(), navigator.clone())
            else {
                return;
            };
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_job(&job.id).await;
                if let (Ok(()), Some(navigator)) = (&outcome, navigator) {
                    navigator.push(&Route::Jobs);
                }
                let Some(toaster) = toaster else { return };
                match outcome {
                    Ok(()) => toaster.good(text::deleted(&job.name)),
                    Err(error) => toaster.bad(text::error_line(&error)),
                }
            });
        })
    };
    let download = {
        let (store, toaster, job) = (store.clone(), toaster.clone(), props.job.clone());
        Callback::from(move |_: MouseEvent| {
            let Some(artifact) = job.as_ref().and_then(|job| job.artifact.clone()) else {
                return;
            };
            let (store, toaster) = (store.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match (store.download_link(&artifact).await, toaster) {
                    (Ok(address), _) => browser::go_to(&address),
                    (Err(error), Some(toaster)) => toaster.bad(text::error_line(&error)),
                    (Err(_), None) => {}
                }
            });
        })
    };
    let duplicate = {
        let (job, toaster) = (props.job.clone(), toaster.clone());
        Callback::from(move |_: MouseEvent| {
            let (Some(job), Some(draft), Some(navigator)) = (&job, draft.clone(), &navigator) else {
                return;
            };
            let before = (!draft.is_pristine()).then(|| draft.draft.clone());
            draft.dispatch(DraftAction::Replace(Box::new(Draft::from_job(
                browser::random_id(),
                job,
            ))));
            navigator.push(&Route::Setup);
            if let (Some(before), Some(toaster)) = (before, &toaster) {
                let undo =
                    Callback::from(move |()| draft.dispatch(DraftAction::Replace(Box::new(before.clone()))));
                toaster.undoable(text::draft_replaced(), undo);
            }
        })
    };
    html! {
        <>
            <button type="button" class="button quiet" hidden={!can_cancel} onclick={ask(Asked::Cancel)}>{ text::cancel_job() }</button>
            <button type="button" class="button quiet" hidden={!can_delete} onclick={ask(Asked::Delete)}>{ text::delete() }</button>
            <button type="button" class="button" hidden={props.job.is_none()} onclick={duplicate}>{ text::duplicate() }</button>
            <button type="button" class="button primary" hidden={!can_download} onclick={download}>{ text::download_adapter() }</button>
            { keyed_part("cancel", use_confirm_dialog, ConfirmDialogProps { open: *asked == Asked::Cancel, title: text::cancel_job_title(&name).into(), body: text::cancel_job_body().into(), confirm: text::yes_cancel_job().into(), decline: text::keep_training().into(), on_confirm: cancel, on_close: close.clone() }) }
            { keyed_part("delete", use_confirm_dialog, ConfirmDialogProps { open: *asked == Asked::Delete, title: text::delete_job_title(&name).into(), body: text::delete_job_body(props.capabilities.as_ref().is_some_and(|capabilities| capabilities.artifacts)).into(), confirm: text::delete().into(), decline: text::cancel().into(), on_confirm: delete, on_close: close }) }
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(status: &str) -> Job {
        let json = format!(
            r#"{{"id":"a","name":"n","base_model":"m","status":"{status}","created_at":"2026-11-21T12:00:00Z","artifact":"art-1"}}"#
        );
        serde_json::from_str(&json).expect("this is a job")
    }

    #[test]
    fn a_running_job_is_cancelled_and_an_ended_one_deleted() {
        let engine = Capabilities::engine();
        assert_eq!(offered(&job("running"), &engine), (true, false, true));
        assert_eq!(offered(&job("succeeded"), &engine), (false, true, true));
        let hosted = Capabilities::job_training_api();
        assert_eq!(
            offered(&job("running"), &hosted),
            (false, true, false),
            "what can't be cancelled can be deleted"
        );
    }
}
