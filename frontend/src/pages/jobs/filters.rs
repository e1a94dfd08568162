//! The search box, the status filter and the order of the job list.

use super::ListState;
use crate::{
    browser,
    components::icon::{Icon, icon},
    part::use_change,
    text,
};
use gloo_timers::callback::Timeout;
use shared::status::JobStatus;
use std::rc::Rc;
use yew::prelude::*;

/// The list is asked for when the typing pauses for so long.
const TYPING_MS: u32 = 250;

#[derive(PartialEq)]
pub(super) struct FiltersProps {
    pub(super) state: ListState,
    pub(super) statuses: Vec<JobStatus>,
}

#[hook]
pub(super) fn use_filters(props: Rc<FiltersProps>) -> Html {
    let typed = use_state(|| props.state.q.clone());
    let waiting = use_mut_ref(|| None::<Timeout>);
    {
        let (typed, waiting) = (typed.clone(), waiting.clone());
        use_change(props.state.q.clone(), move |q| {
            if waiting.borrow().is_none() && *typed != *q {
                typed.set(q.clone());
            }
            None
        });
    }
    let oninput = {
        let (typed, waiting, state) = (typed.setter(), waiting.clone(), props.state.clone());
        Callback::from(move |event: InputEvent| {
            let q = browser::typed(&event);
            typed.set(q.clone());
            let (state, done) = (state.clone(), waiting.clone());
            *waiting.borrow_mut() = Some(Timeout::new(TYPING_MS, move || {
                done.borrow_mut().take();
                ListState { q, ..state }.show();
            }));
        })
    };
    let choose = |set: fn(&mut ListState, String)| {
        let (state, typed, waiting) = (props.state.clone(), typed.clone(), waiting.clone());
        Callback::from(move |event: Event| {
            waiting.borrow_mut().take();
            let mut next = ListState {
                q: (*typed).clone(),
                ..state.clone()
            };
            set(&mut next, browser::typed(&event));
            next.show();
        })
    };
    let statuses = std::iter::once(("", text::any_status())).chain(
        props
            .statuses
            .iter()
            .map(|status| (status.as_str(), text::status_label(*status))),
    );
    let newest = text::SORTS[0].0;
    let sort = if props.state.sort.is_empty() {
        newest
    } else {
        &props.state.sort
    };
    html! {
        <form class="filters" role="search" onsubmit={|event: SubmitEvent| event.prevent_default()}>
            <div class="control search">
                { icon(Icon::Search) }
                <input
                    type="search"
                    aria-label={text::search_jobs()}
                    placeholder={text::search_jobs()}
                    autocomplete="off"
                    value={(*typed).clone()}
                    {oninput}
                />
            </div>
            { select(text::status_filter(), statuses, &props.state.status, choose(|state, word| state.status = word)) }
            { select(text::sort_label(), text::SORTS.into_iter(), sort, choose(|state, word| {
                state.sort = if word == text::SORTS[0].0 { String::new() } else { word };
            })) }
        </form>
    }
}

fn select(
    label: &'static str,
    choices: impl Iterator<Item = (&'static str, &'static str)>,
    chosen: &str,
    onchange: Callback<Event>,
) -> Html {
    let options = choices.map(|(value, label)| {
        html! { <option key={value} {value} selected={value == chosen}>{ label }</option> }
    });
    html! {
        <div class="control is-select"><select aria-label={label} {onchange}>{ for options }</select></div>
    }
}
