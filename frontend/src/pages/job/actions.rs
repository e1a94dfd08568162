//! What can be done with a job: download its adapter, cancel, duplicate, delete.

use crate::{
    browser,
    components::{
        button::button_if,
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::{Toaster, use_toaster},
    },
    draft::{DraftAction, DraftHandle, use_draft},
    pages::jobs::{DeleteJobProps, use_delete_job},
    part::part,
    query::{Store, hooks::use_store},
    route::Route,
    text,
};
use shared::{capabilities::Capabilities, draft::Draft, id::ArtifactId, job::Job, status::JobStatus};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Cancel,
    Delete,
    Duplicate,
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
    let draft = use_draft();
    let asked = use_state(|| Asked::Nothing);
    let (Some(job), Some(capabilities)) = (props.job.clone(), props.capabilities.clone()) else {
        return Html::default();
    };
    let (can_cancel, can_delete, can_download) = offered(&job, &capabilities);
    let ask = |what: Asked| {
        let asked = asked.setter();
        Callback::from(move |_: MouseEvent| asked.set(what))
    };
    let done = {
        let asked = asked.setter();
        Callback::from(move |()| asked.set(Asked::Nothing))
    };
    let cancel = {
        let (store, toaster, job, done) = (store.clone(), toaster.clone(), Rc::clone(&job), done.clone());
        Callback::from(move |()| {
            done.emit(());
            let (store, toaster, job) = (store.clone(), toaster.clone(), Rc::clone(&job));
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.cancel_job(&job.id).await;
                toaster.tell(outcome.map(|()| text::cancel_asked().to_owned()));
            });
        })
    };
    let repeat = {
        let (draft, job) = (draft.clone(), Rc::clone(&job));
        Callback::from(move |()| {
            if let Some(draft) = &draft {
                repeat(draft, &job);
            }
        })
    };
    let dialog = if *asked == Asked::Duplicate {
        ConfirmDialogProps {
            open: true,
            title: text::replace_draft_title().to_owned(),
            body: text::replace_draft_body(),
            confirm: text::replace_draft(),
            decline: text::keep_draft(),
            on_confirm: repeat.clone(),
            on_close: done.clone(),
        }
    } else {
        ConfirmDialogProps {
            open: *asked == Asked::Cancel,
            title: text::cancel_job_title(&job.name),
            body: text::cancel_job_body(),
            confirm: text::yes_cancel_job(),
            decline: text::keep_training(),
            on_confirm: cancel,
            on_close: done.clone(),
        }
    };
    let deletion = DeleteJobProps {
        job: (*asked == Asked::Delete).then(|| Rc::clone(&job)),
        artifacts: capabilities.artifacts,
        on_done: Callback::from(move |gone: bool| {
            done.emit(());
            if gone {
                Route::Jobs.go();
            }
        }),
    };
    let download = {
        let (toaster, artifact) = (toaster.clone(), job.artifact.clone());
        Callback::from(move |_: MouseEvent| {
            if let Some(artifact) = artifact.clone() {
                follow_download(&store, &toaster, artifact);
            }
        })
    };
    let duplicate = {
        // Only an unfinished draft is worth a question.
        let loses = draft.is_some_and(|draft| !draft.is_pristine() && draft.used_up.is_none());
        let ask = ask(Asked::Duplicate);
        Callback::from(move |event: MouseEvent| {
            if loses {
                ask.emit(event);
            } else {
                repeat.emit(());
            }
        })
    };
    html! {
        <>
            { button_if(can_cancel, "button quiet", text::cancel_job(), ask(Asked::Cancel)) }
            { button_if(can_delete, "button quiet", text::delete(), ask(Asked::Delete)) }
            { button_if(true, "button", text::duplicate(), duplicate) }
            { button_if(can_download, "button primary", text::download_adapter(), download) }
            { part(use_confirm_dialog, dialog) }
            { part(use_delete_job, deletion) }
        </>
    }
}

/// Asks for a link that downloads an artifact once, and follows it.
pub(crate) fn follow_download(store: &Store, toaster: &Toaster, artifact: ArtifactId) {
    let (store, toaster) = (store.clone(), toaster.clone());
    wasm_bindgen_futures::spawn_local(async move {
        match store.download_link(&artifact).await {
            Ok(address) => browser::leave_for(&address),
            Err(error) => toaster.tell(Err(error)),
        }
    });
}

/// Begins a draft that repeats a job, in place of the one that stands.
fn repeat(draft: &DraftHandle, job: &Job) {
    let repeated = Draft::from_job(browser::random_id(), job);
    draft.dispatch(DraftAction::Replace(Box::new(repeated)));
    Route::Setup.go();
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
        let running = offered(&job("running"), &hosted);
        assert_eq!(
            running,
            (false, true, false),
            "what can't be cancelled can be deleted"
        );
    }
}
