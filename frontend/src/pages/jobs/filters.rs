//! The search box, the filters and the order of the job list, and the counts by status that filter when clicked.

use super::state::{BETWEEN, GROUPS, ListState, SORTS, SPANS};
use crate::{
    api, browser,
    chart::ring::{Share, ring},
    components::{
        icon::{Icon, icon},
        select::select,
        status_pill::{pill, status_class},
    },
    kept::use_kept,
    part::use_change,
    query::{Poll, use_query},
    text::{self, format},
};
use gloo_timers::callback::Timeout;
use shared::{job::JobSummary, status::JobStatus};
use std::rc::Rc;
use yew::prelude::*;

/// The list is asked for when the typing pauses for so long.
const TYPING_MS: u32 = 250;

/// The search box.
pub(super) const SEARCH: &str = "job-search";

#[derive(PartialEq)]
pub(super) struct FiltersProps {
    pub(super) state: ListState,
    pub(super) statuses: Vec<JobStatus>,
    pub(super) summary: JobSummary,
}

#[hook]
pub(super) fn use_filters(props: Rc<FiltersProps>) -> Html {
    let typed = use_kept(|| props.state.q.clone());
    let waiting = use_mut_ref(|| None::<Timeout>);
    let models = use_query(api::models::list(), Poll::Never).data;
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
    let change = {
        let (state, typed, waiting) = (props.state.clone(), typed.clone(), waiting.clone());
        move |set: Box<dyn FnOnce(&mut ListState)>| {
            waiting.borrow_mut().take();
            let q = (*typed).clone();
            let mut next = ListState { q, ..state.clone() };
            set(&mut next);
            next.show();
        }
    };
    let choose = |set: fn(&mut ListState, String)| {
        let change = change.clone();
        Callback::from(move |event: Event| {
            let word = browser::typed(&event);
            change(Box::new(move |state| set(state, word)));
        })
    };
    let state = &props.state;
    let words = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let mut known = vec![words("", text::any_model())];
    for model in models.iter().flat_map(|list| &list.models) {
        known.push((model.id.clone(), model.display_name.clone()));
    }
    if known.iter().all(|(id, _)| *id != state.model) {
        known.push(words(&state.model, &state.model));
    }
    let mut spans = vec![words("", text::any_time())];
    for ((word, _), label) in SPANS.iter().zip(text::span_labels()) {
        spans.push(words(word, label));
    }
    spans.push(words(BETWEEN, text::between_dates()));
    let sort = if state.sort.is_empty() {
        SORTS[0]
    } else {
        &state.sort
    };
    let sorts = SORTS.iter().zip(text::sort_labels());
    let sorts = sorts.map(|(value, label)| words(value, label)).collect();
    let toggle = {
        let change = change.clone();
        Callback::from(move |status: Option<JobStatus>| {
            change(Box::new(move |state| match status {
                Some(status) => *state = state.toggled(status),
                None => state.statuses.clear(),
            }));
        })
    };
    html! {
        <form class="filters" role="search" onsubmit={|event: SubmitEvent| event.prevent_default()}>
            <div class="control search">
                { icon(Icon::Search) }
                <input
                    id={SEARCH}
                    type="search"
                    aria-label={text::search_jobs()}
                    placeholder={text::search_jobs()}
                    autocomplete="off"
                    value={(*typed).clone()}
                    {oninput}
                />
            </div>
            { select(text::base_model(), known, &state.model, choose(|state, word| state.model = word)) }
            { select(text::created_filter(), spans, &state.created, choose(|state, word| state.created = word)) }
            { select(text::sort_label(), sorts, sort, choose(|state, word| {
                state.sort = if word == SORTS[0] { String::new() } else { word };
            })) }
            <div class="dates" hidden={state.created != BETWEEN}>
                { date(text::from_date(), &state.from, choose(|state, word| state.from = word)) }
                { date(text::to_date(), &state.to, choose(|state, word| state.to = word)) }
            </div>
            { counts(&props, &toggle) }
        </form>
    }
}

fn date(label: &'static str, value: &str, onchange: Callback<Event>) -> Html {
    html! {
        <label class="control">
            <span class="control-label">{ label }</span>
            <input type="date" aria-label={label} value={value.to_owned()} {onchange} />
        </label>
    }
}

/// The ring and a button for each status, with how many jobs each has.
fn counts(props: &FiltersProps, toggle: &Callback<Option<JobStatus>>) -> Html {
    let (state, summary) = (&props.state, &props.summary);
    let offered = GROUPS.iter().map(|(status, _)| *status).filter(|status| {
        props.statuses.contains(status) || summary.of(*status) > 0 || state.statuses.contains(status)
    });
    let offered: Vec<_> = offered.collect();
    let shares = offered.iter().map(|status| Share {
        class: status_class(*status),
        number: summary.of(*status),
        to: state.toggled(*status).address(),
        label: text::counted_status(summary.of(*status), *status),
    });
    let shares: Vec<_> = shares.collect();
    let all = chip(None, summary.total, state.statuses.is_empty(), toggle);
    let chips = offered.iter().map(|status| {
        chip(
            Some(*status),
            summary.of(*status),
            state.statuses.contains(status),
            toggle,
        )
    });
    html! {
        <div class="counts">
            <div class="counts-ring">{ ring(text::ring_label(summary), &shares, summary.total, "") }</div>
            <div class="chips" role="group" aria-label={text::status_filter()}>{ all }{ for chips }</div>
        </div>
    }
}

fn chip(status: Option<JobStatus>, number: u64, on: bool, toggle: &Callback<Option<JobStatus>>) -> Html {
    let label = match status {
        Some(status) => pill(status_class(status), text::status_label(status)),
        None => pill("", text::all_statuses()),
    };
    html! {
        <button
            type="button"
            key={status.map_or("", JobStatus::as_str)}
            class={if on { "chip is-on" } else if number > 0 { "chip" } else { "chip is-none" }}
            aria-pressed={if on { "true" } else { "false" }}
            onclick={toggle.reform(move |_: MouseEvent| status)}
        >
            { label }{ " " }<b>{ format::count(number) }</b>
        </button>
    }
}
