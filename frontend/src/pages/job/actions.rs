//! What can be done with a job: pause, resume, stop, cancel, retry, duplicate, delete, download its adapter.

use crate::{
    api::{ApiError, jobs::Action},
    browser,
    components::{
        button::button_if,
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        retry::retry,
        toast::{Toaster, use_toaster},
    },
    draft::{DraftAction, DraftHandle, use_draft},
    kept::use_kept,
    pages::jobs::{DeleteSeveralProps, use_delete_several},
    part::part,
    query::{Store, hooks::use_store},
    route::{Route, comparison},
    text,
};
use shared::{
    attempt::RetryJob,
    capabilities::Capabilities,
    draft::Draft,
    id::{ArtifactId, JobId},
    job::Job,
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Cancel,
    Stop,
    Delete,
    Duplicate,
}

#[derive(PartialEq)]
pub(super) struct ActionsProps {
    pub(super) job: Option<Rc<Job>>,
    pub(super) capabilities: Option<Rc<Capabilities>>,
}

/// What may be done with a job.
#[derive(Debug, Default, PartialEq)]
struct Offered {
    pause: bool,
    resume: bool,
    stop: bool,
    cancel: bool,
    retry: bool,
    delete: bool,
    download: bool,
    compare: bool,
}

fn offered(job: &Job, capabilities: &Capabilities) -> Offered {
    let ended = job.status.is_terminal();
    let stopping = job.stopped && !ended;
    let trained = job.progress.as_ref().is_some_and(|progress| progress.step > 0);
    let paused = job.status == JobStatus::Paused;
    Offered {
        pause: capabilities.pause && !stopping && job.status.is_active() && job.status != JobStatus::Pausing,
        resume: capabilities.pause && paused,
        stop: capabilities.stop && !stopping && !ended && trained && job.status != JobStatus::Pausing,
        cancel: capabilities.cancel && !ended,
        // A failure that trying again may mend offers that itself, with what to change.
        // One that was trained elsewhere is duplicated, with a base model that is here.
        retry: capabilities.retry
            && job.imported.is_none()
            && match job.status {
                JobStatus::Cancelled => true,
                JobStatus::Failed => job
                    .failure
                    .as_ref()
                    .is_none_or(|failure| failure.change.is_none()),
                _ => false,
            },
        delete: capabilities.delete && (ended || paused || !capabilities.cancel),
        download: capabilities.artifacts && job.artifact.is_some(),
        compare: capabilities.metrics && trained,
    }
}

#[hook]
pub(super) fn use_actions(props: Rc<ActionsProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let draft = use_draft();
    let asked = use_kept(|| Asked::Nothing);
    // The server is being asked to delete the job: not again meanwhile.
    let leaving = use_kept(|| false);
    let (Some(job), Some(capabilities)) = (props.job.clone(), props.capabilities.clone()) else {
        return Html::default();
    };
    let offered = offered(&job, &capabilities);
    let ask = |what: Asked| {
        let asked = asked.setter();
        Callback::from(move |_: MouseEvent| asked.set(what))
    };
    let done = {
        let asked = asked.setter();
        Callback::from(move |()| asked.set(Asked::Nothing))
    };
    let act = |action: Action| {
        let (store, toaster, job, done) = (store.clone(), toaster.clone(), Rc::clone(&job), done.clone());
        Callback::from(move |()| {
            done.emit(());
            let (store, toaster, job) = (store.clone(), toaster.clone(), Rc::clone(&job));
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.act_on_job(&job.id, action).await;
                toaster.tell(outcome.map(|()| text::action_asked(action).to_owned()));
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
    let (title, body, confirm, decline, on_confirm) = match *asked {
        Asked::Duplicate => (
            text::replace_draft_title().to_owned(),
            text::replace_draft_body(),
            text::replace_draft(),
            text::keep_draft(),
            repeat.clone(),
        ),
        Asked::Stop => (
            text::stop_job_title(&job.title()),
            text::stop_job_body(),
            text::yes_stop_job(),
            text::keep_training(),
            act(Action::Stop),
        ),
        Asked::Nothing | Asked::Cancel | Asked::Delete => (
            text::cancel_job_title(&job.title()),
            text::cancel_job_body(),
            text::yes_cancel_job(),
            text::keep_training(),
            act(Action::Cancel),
        ),
    };
    let dialog = ConfirmDialogProps {
        open: matches!(*asked, Asked::Duplicate | Asked::Stop | Asked::Cancel),
        title,
        body,
        confirm,
        decline,
        on_confirm,
        on_close: done.clone(),
    };
    let (pause, resume) = (
        act(Action::Pause).reform(|_: MouseEvent| ()),
        act(Action::Resume).reform(|_: MouseEvent| ()),
    );
    let again = {
        let (store, toaster, job) = (store.clone(), toaster.clone(), Rc::clone(&job));
        Callback::from(move |_: MouseEvent| retry(&store, &toaster, &job.id, RetryJob::default()))
    };
    let deletion = DeleteSeveralProps {
        jobs: if *asked == Asked::Delete {
            vec![Rc::clone(&job)]
        } else {
            Vec::new()
        },
        artifacts: capabilities.artifacts,
        can_cancel: false,
        on_work: {
            let leaving = leaving.setter();
            Callback::from(move |working| leaving.set(working))
        },
        on_close: done.reform(|_: bool| ()),
        on_end: Callback::from(|gone: bool| {
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
    let compare = {
        let to = comparison(std::iter::once(job.id.as_str()).chain(job.parent.as_ref().map(JobId::as_str)));
        Callback::from(move |_: MouseEvent| browser::push_address(&to))
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
            { button_if(offered.cancel, "button quiet", text::cancel_job(), ask(Asked::Cancel)) }
            { button_if(offered.delete && !*leaving, "button quiet", text::delete(), ask(Asked::Delete)) }
            { button_if(offered.stop, "button", text::stop_and_keep(), ask(Asked::Stop)) }
            { button_if(offered.pause, "button", text::pause(), pause) }
            { button_if(true, "button", text::duplicate(), duplicate) }
            { button_if(offered.compare, "button", text::compare(), compare) }
            { button_if(offered.retry, "button", text::retry(), again) }
            { button_if(offered.resume, "button primary", text::resume(), resume) }
            { button_if(offered.download, "button primary", text::download_adapter(), download) }
            { part(use_confirm_dialog, dialog) }
            { part(use_delete_several, deletion) }
        </>
    }
}

/// Asks for a link that downloads an artifact once, and follows it.
pub(crate) fn follow_download(store: &Store, toaster: &Toaster, artifact: ArtifactId) {
    let asking = store.clone();
    follow(toaster, async move { asking.download_link(&artifact).await });
}

/// Asks for a link that downloads a checkpoint's adapter once, and follows it.
pub(super) fn follow_checkpoint_download(store: &Store, toaster: &Toaster, id: &JobId, step: u64) {
    let (asking, id) = (store.clone(), id.clone());
    follow(toaster, async move {
        asking.checkpoint_download_link(&id, step).await
    });
}

/// Goes to where a link leads, once it is there.
fn follow(toaster: &Toaster, link: impl Future<Output = Result<String, ApiError>> + 'static) {
    let toaster = toaster.clone();
    wasm_bindgen_futures::spawn_local(async move {
        match link.await {
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
            r#"{{"id":"a","name":"n","base_model":"m","status":"{status}","created_at":"2026-11-21T12:00:00Z","artifact":"art-1",
            "progress":{{"stage":"training","step":7,"total_steps":9,"epoch":1}}}}"#
        );
        serde_json::from_str(&json).expect("this is a job")
    }

    fn names(status: &str, capabilities: &Capabilities) -> String {
        let Offered {
            pause,
            resume,
            stop,
            cancel,
            retry,
            delete,
            download,
            compare: _,
        } = offered(&job(status), capabilities);
        [
            (pause, "pause"),
            (resume, "resume"),
            (stop, "stop"),
            (cancel, "cancel"),
            (retry, "retry"),
            (delete, "delete"),
            (download, "download"),
        ]
        .iter()
        .filter_map(|(shown, name)| shown.then_some(*name))
        .collect::<Vec<_>>()
        .join(" ")
    }

    #[test]
    fn what_is_offered_is_what_the_state_allows() {
        let engine = Capabilities::engine();
        for (status, expected) in [
            ("validating_files", "pause stop cancel"),
            ("queued", "pause stop cancel"),
            ("running", "pause stop cancel"),
            ("pausing", "cancel"),
            ("paused", "resume stop cancel delete"),
            ("succeeded", "delete download"),
            ("failed", "retry delete"),
            ("cancelled", "retry delete"),
        ] {
            assert_eq!(
                names(status, &engine).replace(" download", ""),
                expected.replace(" download", ""),
                "{status}"
            );
        }
        let mut fresh = job("running");
        fresh.progress = None;
        assert!(!offered(&fresh, &engine).stop, "nothing is trained yet");
        let mut stopping = job("running");
        stopping.stopped = true;
        let offered = offered(&stopping, &engine);
        assert!(!offered.stop && !offered.pause && offered.cancel);
        let mut elsewhere = job("failed");
        elsewhere.imported = Some(shared::job::Imported {
            host: "api.example.com".to_owned(),
            id: "ftjob-1".to_owned(),
            fine_tuned_model: None,
        });
        let offered = super::offered(&elsewhere, &engine);
        assert!(!offered.retry && offered.delete, "it can't be tried again here");
        let hosted = Capabilities::job_training_api();
        assert_eq!(
            names("running", &hosted),
            "delete",
            "what can't be cancelled can be deleted"
        );
    }
}
