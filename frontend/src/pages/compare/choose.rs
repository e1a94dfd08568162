//! Adds a job to the comparison: a search over all jobs.

use crate::{
    api, browser,
    components::status_pill::status_pill,
    kept::use_kept,
    query::{Poll, hooks::use_optional_query},
    text,
};
use shared::{id::JobId, job::JobQuery};
use std::rc::Rc;
use yew::prelude::*;

const FOUND: u32 = 8;
/// The id of the search field.
const SEARCH: &str = "compare-search";

#[derive(PartialEq)]
pub(super) struct ChooseProps {
    pub(super) chosen: Vec<JobId>,
    pub(super) on_choose: Callback<JobId>,
}

#[hook]
pub(super) fn use_choose(props: Rc<ChooseProps>) -> Html {
    let typed = use_kept(String::new);
    let open = use_kept(|| false);
    let query = JobQuery {
        q: Some((*typed).clone()).filter(|q| !q.is_empty()),
        limit: Some(FOUND),
        ..JobQuery::default()
    };
    let found = use_optional_query(open.then(|| api::jobs::list(&query)), Poll::Never).data;
    let jobs = found
        .as_ref()
        .map(|list| list.jobs.as_slice())
        .unwrap_or_default();
    let entries = jobs
        .iter()
        .filter(|job| !props.chosen.contains(&job.id))
        .map(|job| {
            let id = job.id.clone();
            let choose = props.on_choose.clone();
            let onclick = Callback::from(move |_: MouseEvent| {
                choose.emit(id.clone());
                // The entry goes; whoever was on it stays in the list.
                browser::focus_id(SEARCH);
            });
            html! {
                <button key={job.id.to_string()} type="button" class="menu-entry choose-entry" {onclick}>
                    <span>{ job.title() }</span>{ status_pill(job.status) }
                </button>
            }
        });
    let entries: Vec<Html> = entries.collect();
    let nothing = found.is_some() && entries.is_empty();
    let oninput = {
        let typed = typed.setter();
        Callback::from(move |event: InputEvent| typed.set(browser::typed(&event)))
    };
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |_: Event| open.set(!*open))
    };
    html! {
        <details class="menu choose" {ontoggle}>
            <summary class="button">{ text::compare_add() }</summary>
            <div class="menu-list">
                <div class="control"><input id={SEARCH} type="search" aria-label={text::search_jobs()} placeholder={text::search_jobs()} value={(*typed).clone()} {oninput} /></div>
                <div>{ for entries }</div>
                <p class="dim choose-none" hidden={!nothing}>{ text::compare_none_found() }</p>
            </div>
        </details>
    }
}
