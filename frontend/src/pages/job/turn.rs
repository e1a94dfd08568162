//! The turn of a job that waits: its priority, and moves before and behind its owner's other jobs.

use crate::{
    browser,
    components::{button::button_if, select::select, toast::use_toaster},
    kept::use_kept,
    query::hooks::use_store,
    text,
};
use shared::{
    job::Job,
    queue::{JobChange, Priority, QueueMove},
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct TurnProps {
    pub(super) job: Rc<Job>,
    /// The upstream has a queue that its users order.
    pub(super) can_change: bool,
}

/// What of a job's turn can be changed in a state: its priority, its place.
const fn changeable(status: JobStatus) -> (bool, bool) {
    match status {
        JobStatus::Queued => (true, true),
        JobStatus::ValidatingFiles | JobStatus::Paused => (true, false),
        _ => (false, false),
    }
}

#[hook]
pub(super) fn use_turn(props: Rc<TurnProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let refusals = use_kept(|| 0_u32);
    let (has_priority, has_place) = changeable(props.job.status);
    let change = {
        let (id, refusals) = (props.job.id.clone(), refusals.clone());
        Callback::from(move |change: JobChange| {
            let (store, toaster, id) = (store.clone(), toaster.clone(), id.clone());
            let refusals = refusals.clone();
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = store.change_job(&id, change).await {
                    toaster.tell(Err(error));
                    refusals.set(*refusals + 1);
                }
            });
        })
    };
    let prioritise = change.reform(|event: Event| JobChange {
        priority: Priority::parse(&browser::typed(&event)),
        queue_move: None,
    });
    let place = |to: QueueMove| {
        change.reform(move |_: MouseEvent| JobChange {
            priority: None,
            queue_move: Some(to),
        })
    };
    let priority = props.job.priority.unwrap_or_default();
    let choices = Priority::ALL.iter().rev().map(|priority| {
        let label = text::priority_label(*priority);
        (priority.as_str().to_owned(), label.to_owned())
    });
    html! {
        // After a refusal drawn anew: the browser would go on showing what was chosen.
        <div key={*refusals} class="job-turn" hidden={!(props.can_change && has_priority)}>
            { select(text::priority(), choices.collect(), priority.as_str(), prioritise) }
            { button_if(has_place, "button quiet", text::run_first(), place(QueueMove::First)) }
            { button_if(has_place, "button quiet", text::run_earlier(), place(QueueMove::Earlier)) }
            { button_if(has_place, "button quiet", text::run_later(), place(QueueMove::Later)) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_can_be_changed_until_it_comes_and_a_place_only_in_the_queue() {
        for (status, expected) in [
            (JobStatus::ValidatingFiles, (true, false)),
            (JobStatus::Queued, (true, true)),
            (JobStatus::Running, (false, false)),
            (JobStatus::Pausing, (false, false)),
            (JobStatus::Paused, (true, false)),
            (JobStatus::Succeeded, (false, false)),
        ] {
            assert_eq!(changeable(status), expected, "{status:?}");
        }
    }
}
