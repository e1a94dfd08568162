//! What stands around the steps: where one is, the way back and on, and starting over.

use super::fresh;
use crate::{
    components::{
        button::{button, button_if},
        card::paragraph,
        icon::{Icon, icon},
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

/// What is known about a step, beside where one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// Nobody has been there yet.
    Ahead,
    /// Everything on it is fine.
    Done,
    /// Something on it needs another value.
    Faulty,
}

/// How a step stands, from the steps that have findings or refusals.
fn standing(step: Step, reached: Step, faulty: bool) -> Standing {
    match (faulty, step.cmp(&reached)) {
        (true, _) => Standing::Faulty,
        (false, Ordering::Greater) => Standing::Ahead,
        // Nothing is done on the last step until the job is there.
        (false, _) if step == Step::Review => Standing::Ahead,
        (false, _) => Standing::Done,
    }
}

/// Where one is, and how each step stands. Steps that were looked at can be gone to.
pub(super) fn steps_bar(current: Step, reached: Step, is_faulty: impl Fn(Step) -> bool) -> Html {
    let reached = reached.max(current);
    let steps = [Step::Setup, Step::Configure, Step::Review]
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let standing = standing(step, reached, is_faulty(step));
            let (class, mark, words) = match standing {
                Standing::Faulty => ("is-faulty", Some(Icon::Alert), text::step_faulty()),
                Standing::Done => ("is-done", Some(Icon::Check), text::step_done()),
                Standing::Ahead => ("is-next", None, ""),
            };
            let here = step == current;
            let (mark, words) = if here && standing == Standing::Done {
                (None, "")
            } else {
                (mark, words)
            };
            let label = html! {
                <>
                    { format!("{} · {}", index + 1, text::step_label(step)) }
                    <span class="step-mark">{ mark.map(icon).unwrap_or_default() }</span>
                    <span class="visually-hidden">{ words }</span>
                </>
            };
            let inner = if step <= reached && !here {
                link(&Route::of_step(step), "step-link", label)
            } else {
                html! { <span>{ label }</span> }
            };
            let class = if here {
                classes!(class, "is-on")
            } else {
                classes!(class)
            };
            html! { <li key={index} {class} aria-current={here.then_some("step")}>{ inner }</li> }
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

/// Says what another tab did with the draft: it was changed there, or has become a job already.
pub(super) fn elsewhere(handle: &DraftHandle) -> Html {
    let Some(job) = &handle.used_up else {
        let words = if handle.from_elsewhere {
            text::from_elsewhere()
        } else {
            ""
        };
        return html! { <p class="elsewhere" role="status">{ words }</p> };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_done_once_it_was_passed_and_faulty_wherever_one_is() {
        use Step::{Configure, Review, Setup};
        assert_eq!(
            standing(Configure, Setup, false),
            Standing::Ahead,
            "defaults alone do no step"
        );
        assert_eq!(standing(Setup, Configure, false), Standing::Done);
        assert_eq!(standing(Configure, Review, false), Standing::Done);
        assert_eq!(
            standing(Configure, Setup, true),
            Standing::Faulty,
            "what was refused shows from afar"
        );
        assert_eq!(standing(Review, Review, false), Standing::Ahead);
    }
}
