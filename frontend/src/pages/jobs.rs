//! The job list. What it shows (search, status, order) lives in the address, so that a link shows what its sender saw.

mod delete;
mod filters;
mod rows;

use crate::{
    api, browser,
    components::{
        button::{button, button_if},
        card::words,
        face::{empty_view, face, skeleton_lines},
        link::link,
        page_header::PageHeader,
        table::{ACTIONS, table},
    },
    draft::use_draft,
    pages::wizard::waiting_draft,
    part::{keyed_part, part},
    query::{Loaded, Poll, hooks::use_now, use_queries, use_query},
    route::{Address, Route, Section, use_address},
    text,
};
pub(crate) use delete::{DeleteJobProps, use_delete_job};
use filters::{FiltersProps, use_filters};
use rows::{JobRowProps, use_job_row};
use shared::{
    job::{Job, JobList, JobQuery, JobSummary},
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

/// What the address says about the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct ListState {
    q: String,
    status: String,
    sort: String,
}

impl ListState {
    fn from_address(address: &Address) -> Self {
        Self {
            q: address.parameter("q"),
            status: address.parameter("status"),
            sort: address.parameter("sort"),
        }
    }

    fn query(&self, cursor: Option<String>) -> JobQuery {
        JobQuery {
            limit: None,
            cursor,
            q: given(&self.q),
            status: given(&self.status),
            model: None,
            sort: given(&self.sort),
            ..JobQuery::default()
        }
    }

    /// Shows this list, and says so in the address.
    fn show(&self) {
        let parameters = [
            ("q", given(&self.q)),
            ("status", given(&self.status)),
            ("sort", given(&self.sort)),
        ];
        browser::replace_address(&format!(
            "{}{}",
            Route::Jobs.path(),
            api::query_string(&parameters)
        ));
    }

    fn is_narrowed(&self) -> bool {
        given(&self.q).is_some() || given(&self.status).is_some()
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The job list.
#[hook]
pub fn use_jobs_page() -> Html {
    let now = use_now(30_000);
    let draft = use_draft();
    let state = ListState::from_address(&use_address());
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let cursors = use_state(|| (ListState::default(), Vec::<String>::new()));
    let cursors_here = if cursors.0 == state {
        cursors.1.clone()
    } else {
        Vec::new()
    };
    let asked = std::iter::once(None).chain(cursors_here.iter().cloned().map(Some));
    let asked = asked
        .map(|cursor| api::jobs::list(&state.query(cursor)))
        .collect();
    let pages = use_queries(asked, Poll::Every(4_000));
    let first = use_kept(pages.first().cloned().unwrap_or_else(Loaded::nothing));
    let leaving = use_state(|| None::<Rc<Job>>);

    let shown: Vec<Rc<JobList>> = first
        .data
        .iter()
        .cloned()
        .chain(pages.iter().skip(1).filter_map(|page| page.data.clone()))
        .collect();
    let next_cursor = pages
        .last()
        .and_then(|page| page.data.as_ref()?.next_cursor.clone());
    let has_more = next_cursor.is_some();
    let load_more = {
        let state = state.clone();
        Callback::from(move |_: MouseEvent| {
            let mut all = cursors_here.clone();
            all.extend(next_cursor.clone());
            cursors.set((state.clone(), all));
        })
    };
    let ask_delete = {
        let leaving = leaving.setter();
        Callback::from(move |job: Rc<Job>| leaving.set(Some(job)))
    };
    let on_done = {
        let leaving = leaving.setter();
        Callback::from(move |_: bool| leaving.set(None))
    };
    let can_delete = capabilities
        .as_ref()
        .is_none_or(|capabilities| capabilities.delete);
    let artifacts = capabilities
        .as_ref()
        .is_some_and(|capabilities| capabilities.artifacts);
    let statuses = capabilities
        .as_ref()
        .map_or_else(|| JobStatus::ALL.to_vec(), |known| known.statuses.clone());
    let limit = capabilities
        .and_then(|capabilities| capabilities.max_jobs)
        .map(text::limit_note)
        .unwrap_or_default();
    let filters = FiltersProps {
        state: state.clone(),
        statuses,
    };
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Jobs)} sub={words(limit)}>
                { link(&Route::Setup, "button primary", text::new_job()) }
            </PageHeader>
            { waiting_draft(draft) }
            { part(use_filters, filters) }
            <section class="card" aria-label={text::section_label(Section::Jobs)}>
                { face(&first, || skeleton_lines(8), |list| empty(list, &state), |_| {
                    list_table(shown.iter().flat_map(|list| list.jobs.iter()), now, can_delete, &ask_delete)
                }) }
            </section>
            <div class="list-foot">
                <span class="dim" aria-live="polite">{ count(&shown, &state, has_more) }</span>
                { button_if(has_more, "button", text::load_more(), load_more) }
            </div>
            { part(use_delete_job, DeleteJobProps { job: (*leaving).clone(), artifacts, on_done }) }
        </div>
    }
}

/// How many jobs are shown, and of how many.
fn count(shown: &[Rc<JobList>], state: &ListState, has_more: bool) -> String {
    let Some(first) = shown.first() else {
        return String::new();
    };
    let loaded: u64 = shown.iter().map(|list| list.jobs.len() as u64).sum();
    let all = if has_more {
        matching(&first.summary, &state.status).max(loaded)
    } else {
        loaded
    };
    text::shown_of(loaded, all)
}

/// How many jobs the filters let through: the summary ignores the status filter.
fn matching(summary: &JobSummary, status: &str) -> u64 {
    match JobStatus::parse(status) {
        Some(JobStatus::Running | JobStatus::Pausing) => summary.running,
        Some(JobStatus::Queued | JobStatus::ValidatingFiles) => summary.queued,
        Some(JobStatus::Paused) => summary.paused,
        Some(JobStatus::Succeeded) => summary.completed,
        Some(JobStatus::Failed) => summary.failed,
        Some(JobStatus::Cancelled) => summary.cancelled,
        None => summary.total,
    }
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

fn empty(list: &JobList, state: &ListState) -> Option<Html> {
    if !list.jobs.is_empty() {
        return None;
    }
    Some(if state.is_narrowed() {
        let clear = Callback::from(|_: MouseEvent| ListState::default().show());
        let action = button("button", text::clear_filters(), clear);
        empty_view(text::no_match_title(), text::no_match_body(), action)
    } else {
        let action = link(&Route::Setup, "button primary", text::new_job());
        empty_view(text::no_jobs_title(), text::no_jobs_body(), action)
    })
}

fn list_table<'a>(
    jobs: impl Iterator<Item = &'a Job>,
    now: i64,
    can_delete: bool,
    ask: &Callback<Rc<Job>>,
) -> Html {
    let rows = jobs.map(|job| {
        let props = JobRowProps {
            job: Rc::new(job.clone()),
            now,
            can_delete,
            ask_delete: ask.clone(),
        };
        keyed_part(job.id.as_str(), use_job_row, props)
    });
    let columns = [
        (text::name(), ""),
        (text::status(), ""),
        (text::base_model(), "wide"),
        (text::created(), "wide"),
        (text::actions(), ACTIONS),
    ];
    table("job-table", &columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_narrows_the_request_and_blanks_do_not() {
        let address = Address {
            path: String::new(),
            query: "q=+triage+&sort=-name".to_owned(),
        };
        let state = ListState::from_address(&address);
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

    #[test]
    fn the_count_follows_the_status_filter() {
        let summary = JobSummary {
            running: 2,
            failed: 5,
            total: 90,
            ..JobSummary::default()
        };
        assert_eq!(matching(&summary, "failed"), 5);
        assert_eq!(matching(&summary, ""), 90);
    }
}
