//! The job list. What it shows (search, status, order) lives in the address, so that a link shows what its sender saw.

mod rows;

use crate::{
    api,
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        face::{empty_view, face, skeleton_lines},
        icon::{Icon, icon},
        link::Link,
        page_header::PageHeader,
        toast::use_toaster,
    },
    part::{keyed_part, part},
    query::{
        Loaded, Poll,
        hooks::{use_now, use_store},
        use_queries, use_query,
    },
    route::{Route, Section},
    text,
};
use gloo_timers::callback::Timeout;
use rows::{JobRowProps, use_job_row};
use serde::{Deserialize, Serialize};
use shared::{
    job::{Job, JobList, JobQuery},
    status::JobStatus,
};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;
use yew_router::prelude::*;

const TYPING_MS: u32 = 250;

/// What the address says about the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct ListState {
    #[serde(skip_serializing_if = "String::is_empty")]
    q: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sort: String,
}

impl ListState {
    fn query(&self, cursor: Option<String>) -> JobQuery {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        JobQuery {
            limit: None,
            cursor,
            q: given(&self.q),
            status: given(&self.status),
            model: None,
            sort: given(&self.sort),
        }
    }

    fn is_narrowed(&self) -> bool {
        !self.q.trim().is_empty() || !self.status.is_empty()
    }
}

/// The job list.
#[hook]
pub fn use_jobs_page() -> Html {
    let now = use_now(30_000);
    let store = use_store();
    let toaster = use_toaster();
    let navigator = use_navigator();
    let state = use_location()
        .and_then(|location| location.query::<ListState>().ok())
        .unwrap_or_default();
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let cursors = use_state(|| (state.clone(), Vec::<String>::new()));
    let cursors_here = if cursors.0 == state {
        cursors.1.clone()
    } else {
        Vec::new()
    };
    let queries = std::iter::once(None)
        .chain(cursors_here.iter().cloned().map(Some))
        .map(|cursor| api::jobs::list(&state.query(cursor)))
        .collect();
    let pages = use_queries(queries, Poll::Every(4_000));
    let first = use_kept(pages.first().cloned().unwrap_or_else(Loaded::nothing));
    let leaving = use_state(|| None::<Rc<Job>>);

    let set_state = {
        let navigator = navigator.clone();
        Callback::from(move |next: ListState| {
            if let Some(navigator) = &navigator {
                let _ = navigator.replace_with_query(&Route::Jobs, &next);
            }
        })
    };
    let next_cursor = pages
        .last()
        .and_then(|page| page.data.as_ref()?.next_cursor.clone());
    let load_more = {
        let (cursors, state, next_cursor) = (cursors.clone(), state.clone(), next_cursor.clone());
        Callback::from(move |_: MouseEvent| {
            let mut all = cursors_here.clone();
            all.extend(next_cursor.clone());
            cursors.set((state.clone(), all));
        })
    };
    let ask_delete = {
        let leaving = leaving.clone();
        Callback::from(move |job: Rc<Job>| leaving.set(Some(job)))
    };
    let delete = {
        let leaving = leaving.clone();
        Callback::from(move |()| {
            let Some(job) = (*leaving).clone() else { return };
            leaving.set(None);
            let (store, toaster) = (store.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_job(&job.id).await;
                let Some(toaster) = toaster else { return };
                match outcome {
                    Ok(()) => toaster.good(text::deleted(&job.name)),
                    Err(error) => toaster.bad(text::error_line(&error)),
                }
            });
        })
    };
    let close = {
        let leaving = leaving.clone();
        Callback::from(move |()| leaving.set(None))
    };
    let caps = capabilities.data.clone();
    let can_delete = caps.as_ref().is_some_and(|capabilities| capabilities.delete);
    let statuses = caps.as_ref().map_or_else(
        || JobStatus::ALL.to_vec(),
        |capabilities| capabilities.statuses.clone(),
    );
    let dialog_name = leaving.as_ref().map(|job| job.name.clone()).unwrap_or_default();
    let summary = first.data.as_ref().map(|list| list.summary);
    let limit = caps
        .as_ref()
        .and_then(|capabilities| capabilities.max_jobs)
        .map(text::limit_note)
        .unwrap_or_default();
    let shown: Vec<Rc<JobList>> = first
        .data
        .iter()
        .cloned()
        .chain(pages.iter().skip(1).filter_map(|page| page.data.clone()))
        .collect();
    let clear = {
        let set_state = set_state.clone();
        Callback::from(move |_: MouseEvent| set_state.emit(ListState::default()))
    };
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Jobs)} sub={html! { limit }}>
                <Link to={Route::NewJob} class="button primary">{ text::new_job() }</Link>
            </PageHeader>
            { part(use_filters, FiltersProps { state: state.clone(), statuses, on_change: set_state }) }
            <section class="card" aria-label={text::section_label(Section::Jobs)}>
                { face(&first, || skeleton_lines(8), |list| empty(list, &state, clear), |_| {
                    let jobs = shown.iter().flat_map(|list| list.jobs.iter());
                    table(jobs, now, can_delete, &ask_delete)
                }) }
            </section>
            <div class="list-foot">
                <span class="dim" aria-live="polite">{ summary.map(|_| text::shown_of(shown.iter().map(|list| list.jobs.len() as u64).sum(), matching(&shown, &state, next_cursor.is_some()))).unwrap_or_default() }</span>
                <button type="button" class="button" hidden={next_cursor.is_none()} onclick={load_more}>{ text::load_more() }</button>
            </div>
            { part(use_confirm_dialog, ConfirmDialogProps { open: leaving.is_some(), title: text::delete_job_title(&dialog_name).into(), body: text::delete_job_body(caps.as_ref().is_some_and(|capabilities| capabilities.artifacts)).into(), confirm: text::delete().into(), decline: text::cancel().into(), on_confirm: delete, on_close: close }) }
        </div>
    }
}

/// How many jobs the filters let through: told by the summary, which ignores the status filter.
fn matching(shown: &[Rc<JobList>], state: &ListState, more: bool) -> u64 {
    let loaded: u64 = shown.iter().map(|list| list.jobs.len() as u64).sum();
    let Some(summary) = shown.first().map(|list| list.summary) else {
        return loaded;
    };
    if !more {
        return loaded;
    }
    let of = |word: &str| match word {
        "running" => summary.running,
        "queued" => summary.queued,
        "paused" => summary.paused,
        "succeeded" => summary.completed,
        "failed" => summary.failed,
        "cancelled" => summary.cancelled,
        _ => summary.total,
    };
    of(&state.status).max(loaded)
}

/// Keeps the last answer while another list is on its way, so that typing doesn't make the table blink.
#[hook]
fn use_kept(loaded: Loaded<JobList>) -> Loaded<JobList> {
    let kept = use_mut_ref(|| None::<Rc<JobList>>);
    if loaded.data.is_some() {
        kept.borrow_mut().clone_from(&loaded.data);
        return loaded;
    }
    if loaded.error.is_some() {
        return loaded;
    }
    let data = kept.borrow().clone();
    Loaded { data, ..loaded }
}

fn empty(list: &JobList, state: &ListState, clear: Callback<MouseEvent>) -> Option<Html> {
    if !list.jobs.is_empty() {
        return None;
    }
    Some(if state.is_narrowed() {
        let action =
            html! { <button type="button" class="button" onclick={clear}>{ text::clear_filters() }</button> };
        empty_view(text::no_match_title(), text::no_match_body(), action)
    } else {
        let action = html! { <Link to={Route::NewJob} class="button primary">{ text::new_job() }</Link> };
        empty_view(text::no_jobs_title(), text::no_jobs_body(), action)
    })
}

fn table<'a>(
    jobs: impl Iterator<Item = &'a Job>,
    now: i64,
    can_delete: bool,
    ask: &Callback<Rc<Job>>,
) -> Html {
    let rows = jobs.map(|job| {
        keyed_part(
            job.id.as_str(),
            use_job_row,
            JobRowProps {
                job: Rc::new(job.clone()),
                now,
                can_delete,
                ask_delete: ask.clone(),
            },
        )
    });
    html! {
        <table class="job-table">
            <thead><tr>
                <th scope="col">{ text::name() }</th>
                <th scope="col">{ text::status() }</th>
                <th scope="col" class="wide">{ text::base_model() }</th>
                <th scope="col" class="wide">{ text::created() }</th>
                <th scope="col" class="cell-action"><span class="visually-hidden">{ text::actions() }</span></th>
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}

#[derive(PartialEq)]
struct FiltersProps {
    state: ListState,
    statuses: Vec<JobStatus>,
    on_change: Callback<ListState>,
}

#[hook]
fn use_filters(props: Rc<FiltersProps>) -> Html {
    let typed = use_state(|| props.state.q.clone());
    let waiting = use_mut_ref(|| None::<Timeout>);
    {
        let (typed, waiting) = (typed.clone(), waiting.clone());
        use_effect_with(props.state.q.clone(), move |q| {
            if waiting.borrow().is_none() && *typed != *q {
                typed.set(q.clone());
            }
        });
    }
    let oninput = {
        let (typed, waiting) = (typed.clone(), waiting.clone());
        let (state, on_change) = (props.state.clone(), props.on_change.clone());
        Callback::from(move |event: InputEvent| {
            let Some(input) = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
            else {
                return;
            };
            let q = input.value();
            typed.set(q.clone());
            let (state, on_change, done) = (state.clone(), on_change.clone(), waiting.clone());
            *waiting.borrow_mut() = Some(Timeout::new(TYPING_MS, move || {
                done.borrow_mut().take();
                on_change.emit(ListState { q, ..state });
            }));
        })
    };
    let choose = |set: fn(&mut ListState, String)| {
        let (state, on_change) = (props.state.clone(), props.on_change.clone());
        Callback::from(move |event: Event| {
            let Some(select) = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok())
            else {
                return;
            };
            let mut next = state.clone();
            set(&mut next, select.value());
            on_change.emit(next);
        })
    };
    let statuses = props.statuses.iter().map(|status| {
        html! { <option key={status.as_str()} value={status.as_str()} selected={props.state.status == status.as_str()}>{ text::status_label(*status) }</option> }
    });
    let sorts = text::SORTS.iter().map(|(word, label)| {
        html! { <option key={*word} value={*word} selected={props.state.sort == *word}>{ *label }</option> }
    });
    html! {
        <form class="filters" role="search" onsubmit={|event: SubmitEvent| event.prevent_default()}>
            <div class="control search">
                { icon(Icon::Search) }
                <input type="search" aria-label={text::search_jobs()} placeholder={text::search_jobs()} autocomplete="off" value={(*typed).clone()} {oninput} />
            </div>
            <div class="control is-select">
                <select aria-label={text::status_filter()} onchange={choose(|state, value| state.status = value)}>
                    <option key="" value="" selected={props.state.status.is_empty()}>{ text::any_status() }</option>
                    { for statuses }
                </select>
            </div>
            <div class="control is-select">
                <select aria-label={text::sort_label()} onchange={choose(|state, value| state.sort = if value == text::SORTS[0].0 { String::new() } else { value })}>
                    { for sorts }
                </select>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::ListState;

    #[test]
    fn the_address_narrows_the_request_and_blanks_do_not() {
        let state = ListState {
            q: " triage ".into(),
            status: String::new(),
            sort: "-name".into(),
        };
        let query = state.query(None);
        assert_eq!(
            (query.q.as_deref(), query.status, query.sort.as_deref()),
            (Some("triage"), None, Some("-name"))
        );
        assert!(state.is_narrowed());
        assert!(
            !ListState {
                q: "  ".into(),
                ..ListState::default()
            }
            .is_narrowed()
        );
    }
}
