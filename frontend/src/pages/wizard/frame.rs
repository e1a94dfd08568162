//! What stands around the steps: where one is, the way back and on, and starting over.

use super::fresh;
use crate::{
    components::{
        button::{button, button_if},
        card::paragraph,
        link::link,
        toast::use_toaster,
    },
    draft::{DraftAction, DraftHandle, use_draft},
    route::Route,
    text,
};
use shared::validate::Step;
use std::cmp::Ordering;
use yew::prelude::*;

/// The step after a step.
pub(super) const fn next(step: Step) -> Step {
    match step {
        Step::Setup => Step::Configure,
        Step::Configure | Step::Review => Step::Review,
    }
}

/// Where one is; steps that are done lead back.
pub(super) fn steps_bar(current: Step) -> Html {
    let steps = [Step::Setup, Step::Configure, Step::Review].into_iter().enumerate().map(|(index, step)| {
        let class = match step.cmp(&current) {
            Ordering::Less => "is-done",
            Ordering::Equal => "is-on",
            Ordering::Greater => "is-next",
        };
        let label = format!("{} · {}", index + 1, text::step_label(step));
        let inner = if step < current {
            link(&Route::of_step(step), "step-link", label)
        } else {
            html! { <span>{ label }</span> }
        };
        html! { <li key={index} {class} aria-current={(step == current).then_some("step")}>{ inner }</li> }
    });
    html! { <ol class="steps" aria-label={text::steps()}>{ for steps }</ol> }
}

/// The way back, and the button that sends the step's form.
pub(super) fn buttons(step: Step, send: &'static str, busy: bool) -> Html {
    let before = if step == Step::Review {
        Route::Configure
    } else {
        Route::Setup
    };
    let back = Callback::from(move |_: MouseEvent| before.go());
    html! {
        <div class="buttons wizard-buttons">
            <div class="wizard-back">{ button_if(step != Step::Setup, "button", text::back(), back) }</div>
            <button type="submit" class="button primary" disabled={busy}>{ send }</button>
        </div>
    }
}

/// The button that drops the draft, and can be undone.
#[hook]
pub(super) fn use_start_over() -> Html {
    let draft = use_draft();
    let toaster = use_toaster();
    let drop_draft = Callback::from(move |_: MouseEvent| {
        let Some(handle) = draft.clone() else { return };
        let before = handle.draft.clone();
        handle.dispatch(DraftAction::Replace(fresh()));
        Route::Setup.go();
        let undo = move |()| handle.dispatch(DraftAction::Replace(Box::new(before.clone())));
        toaster.undoable(text::draft_dropped(), Callback::from(undo));
    });
    button("button quiet", text::start_over(), drop_draft)
}

/// Says that the draft has become a job already, where it has.
pub(super) fn used_up(handle: &DraftHandle) -> Html {
    let Some(job) = &handle.used_up else {
        return html! { <div hidden=true></div> };
    };
    let handle = handle.clone();
    let anew = Callback::from(move |_: MouseEvent| handle.dispatch(DraftAction::Replace(fresh())));
    html! {
        <div class="notice notice-info" role="status">
            <div>
                { paragraph("notice-title", text::used_up_title()) }
                { paragraph("notice-body", text::used_up_body()) }
                <div class="buttons">
                    { link(&Route::Job(job.to_string()), "button", text::open_job()) }
                    { button("button quiet", text::new_draft(), anew) }
                </div>
            </div>
        </div>
    }
}
