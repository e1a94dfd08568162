//! The rows of the list near the viewport, followed as the list changes.
//!
//! The list is entered by offset, so that any part of it is one request away. It is asked up to the instant at which
//! its newest job was created, so that newer jobs shift nothing; a request of its own counts those. Rows whose order
//! changed otherwise (a status under a filter) keep their places while somebody points at one of them. Those rules are
//! [`View`]'s; here is the asking.

use super::{
    state::ListState,
    view::{Entry, PAGE, View},
    window::Window,
};
use crate::{
    api::ApiError,
    browser,
    query::{
        Loaded, Poll, Resource, Store,
        hooks::{use_optional_query, use_store},
        use_queries,
    },
};
use shared::{
    job::{Job, JobList, JobSummary},
    timestamp::Timestamp,
};
use std::{cell::RefCell, ops::Range, rc::Rc};
use yew::prelude::*;

/// While something runs.
const BUSY_MS: u32 = 4_000;
/// While nothing does: another tab or a script may have made a job.
const IDLE_MS: u32 = 20_000;

/// The list near the viewport.
pub(super) struct Listed {
    /// What the faces are drawn from: some page, or why there is none.
    pub(super) some: Loaded<JobList>,
    /// Why the newest try failed.
    pub(super) error: Option<ApiError>,
    pub(super) summary: JobSummary,
    /// How many rows the whole list has.
    pub(super) total: usize,
    /// Jobs that came since and aren't shown.
    pub(super) arrived: u64,
    /// Rows wait to be moved until nobody points at one.
    pub(super) waits: bool,
    newest: Option<Timestamp>,
    first: usize,
    rows: Vec<Option<Entry>>,
    view: Rc<RefCell<View>>,
    store: Store,
}

impl Listed {
    /// The row with this index, where it is on a page near the viewport, or was a while ago.
    pub(super) fn row(&self, index: usize) -> Option<Entry> {
        let near = index
            .checked_sub(self.first)
            .and_then(|place| self.rows.get(place)?.clone());
        near.or_else(|| {
            let list = self.store.read(&self.view.borrow().query(index / PAGE))?;
            (index % PAGE < list.jobs.len()).then(|| Entry::of(&list, index % PAGE))
        })
    }

    /// Every row that is loaded near the viewport.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Entry> {
        self.rows.iter().flatten()
    }

    /// The jobs of a range of rows, as far as they are known.
    pub(super) fn jobs_within(&self, range: Range<usize>) -> Vec<Rc<Job>> {
        let entries = range.filter_map(|index| self.row(index));
        entries.map(|entry| Rc::new(entry.job().clone())).collect()
    }

    /// Shows what came since.
    pub(super) fn catch_up(&self) {
        let mut view = self.view.borrow_mut();
        view.show_up_to(self.newest);
        view.own_change(browser::now_ms());
    }

    /// The user is changing the list: rows may move.
    pub(super) fn own_change(&self) {
        self.view.borrow_mut().own_change(browser::now_ms());
    }

    /// Asks for everything again.
    pub(super) fn refresh(&self) {
        again(&self.view, &self.store, self.newest);
    }
}

fn again(view: &RefCell<View>, store: &Store, newest: Option<Timestamp>) {
    {
        let mut view = view.borrow_mut();
        view.absorb(browser::now_ms());
        view.show_up_to(newest);
    }
    store.invalidate(Resource::Jobs);
}

/// Follows the list that the address names. `live` asks again by itself; `held` tells whether a row is pointed at.
#[hook]
pub(super) fn use_listed(
    view: &Rc<RefCell<View>>,
    state: &ListState,
    window: &Window,
    live: bool,
    held: bool,
) -> Listed {
    let store = use_store();
    let redraw = use_force_update();
    let now = browser::now_ms();
    view.borrow_mut().begin(state, &store, now);

    let (pages, queries, arrivals, busy, unbounded) = {
        let view = view.borrow();
        let pages = view.pages(window);
        let queries: Vec<_> = pages.clone().map(|page| view.query(page)).collect();
        (
            pages,
            queries,
            view.arrivals(),
            view.is_busy(),
            view.is_unbounded(),
        )
    };
    let pace = match (live, busy) {
        (false, _) => Poll::Never,
        (true, true) => Poll::Every(BUSY_MS),
        (true, false) => Poll::Every(IDLE_MS),
    };
    // What ended stays as it is: where nothing runs, only new jobs are looked for.
    let page_pace = if busy || unbounded { pace } else { Poll::Never };
    let loaded = use_queries(queries, page_pace);
    let arrivals = use_optional_query(arrivals, pace);

    let answers: Vec<_> = loaded.iter().map(|page| page.data.clone()).collect();
    let newest = arrivals.data.as_ref().and_then(|list| list.newest);
    let arrived = arrivals.data.as_ref().map(|list| state.matching(&list.summary));
    let (waits, some, total, (first, rows)) = {
        let mut view = view.borrow_mut();
        let waits = view.take(&pages, &answers, held, now);
        if view.bound(&pages, &answers, newest, &store, now) {
            redraw.force_update();
        }
        (waits, view.some(), view.total(), view.rows(&pages))
    };
    // Rows that wait to leave are still there.
    let total = if waits {
        total.max(first + rows.len())
    } else {
        total
    };
    let error = loaded
        .iter()
        .chain([&arrivals])
        .find_map(|page| page.error.clone());
    Listed {
        summary: some.as_ref().map(|list| list.summary).unwrap_or_default(),
        some: Loaded {
            error: if some.is_some() { None } else { error.clone() },
            data: some,
            fetching: loaded.iter().any(|page| page.fetching),
            retry: {
                let (view, store) = (Rc::clone(view), store.clone());
                Callback::from(move |()| again(&view, &store, None))
            },
        },
        error,
        total,
        arrived: arrived.unwrap_or(0),
        waits,
        newest,
        first,
        rows,
        view: Rc::clone(view),
        store,
    }
}
