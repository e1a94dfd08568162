//! The rows of the list near the viewport: which pages hold them, and how they stay where they are.
//!
//! The list is entered by offset, so that any part of it is one request away. It is asked up to the instant at which
//! its newest job was created, so that newer jobs shift nothing; a request of its own counts those. Rows whose order
//! changed otherwise (a status under a filter) keep their places while somebody points at one of them.

use super::{state::ListState, window::Window};
use crate::{
    api::{self, ApiError},
    browser,
    query::{
        Loaded, Poll, Query, Resource,
        hooks::{use_optional_query, use_store},
        use_queries,
    },
};
use shared::{
    job::{Job, JobList, JobQuery, JobSummary},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::{cell::RefCell, ops::Range, rc::Rc};
use yew::prelude::*;

/// Jobs of one request.
const PAGE: usize = 50;
/// While something runs.
const BUSY_MS: u32 = 4_000;
/// While nothing does: another tab or a script may have made a job.
const IDLE_MS: u32 = 20_000;
/// What the user asked for is taken over for so long, whatever is pointed at.
const OWN_CHANGE_MS: i64 = 3_000;

/// One job of a page.
#[derive(Clone)]
pub(super) struct Entry {
    list: Rc<JobList>,
    place: usize,
}

impl Entry {
    /// A list's job, which must be there.
    pub(super) fn of(list: &Rc<JobList>, place: usize) -> Self {
        Self {
            list: Rc::clone(list),
            place,
        }
    }

    pub(super) fn job(&self) -> &Job {
        &self.list.jobs[self.place]
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.job() == other.job()
    }
}

/// One list as it is being looked at. It begins anew with another address.
#[derive(Default)]
pub(super) struct View {
    state: ListState,
    /// "The last 24 hours" end here.
    asked_at: i64,
    /// Jobs that were created later aren't in the list yet.
    up_to: Option<Timestamp>,
    /// Until then a change is the user's own, and may move what is pointed at.
    own_until: i64,
    /// Until then new jobs are shown by themselves.
    absorb_until: i64,
    shown: Vec<(usize, Rc<JobList>)>,
    /// Stands for the pages near the viewport while none of them is loaded.
    last: Option<Rc<JobList>>,
    /// What is shown belongs to the list of an earlier address.
    outdated: bool,
}

impl View {
    /// What comes next was asked for by the user.
    const fn absorb(&mut self, now: i64) {
        self.own_until = now + OWN_CHANGE_MS;
        self.absorb_until = self.own_until;
    }

    fn query(&self, page: usize) -> Query<JobList> {
        let mut query = self.state.query(self.asked_at);
        query.limit = Some(PAGE as u32);
        query.offset = Some((page * PAGE) as u32).filter(|offset| *offset > 0);
        query.created_to = query.created_to.into_iter().chain(self.up_to).min();
        api::jobs::list(&query)
    }

    /// Counts what came since.
    fn arrivals(&self) -> Option<Query<JobList>> {
        let since = Timestamp::from_unix_ms(self.up_to?.unix_ms() + 1);
        Some(api::jobs::list(&JobQuery {
            limit: Some(1),
            status: None,
            created_from: Some(since),
            ..self.state.query(self.asked_at)
        }))
    }

    /// Takes an answer in; true where it has to wait because it would move rows.
    fn settle(&mut self, page: usize, new: Option<Rc<JobList>>, all: &[Rc<JobList>], held: bool) -> bool {
        let old = self.shown.iter().position(|(known, _)| *known == page);
        let Some(new) = new else { return false };
        let Some(old) = old.map(|place| &mut self.shown[place].1) else {
            self.shown.push((page, new));
            return false;
        };
        let waits = held && !self.outdated && moves(old, &new);
        *old = if waits {
            Rc::new(in_place(old, &new, all))
        } else {
            new
        };
        waits
    }
}

/// Another answer has a row in another place than before.
fn moves(old: &JobList, new: &JobList) -> bool {
    !(old.jobs.len() <= new.jobs.len() && old.jobs.iter().zip(&new.jobs).all(|(old, new)| old.id == new.id))
}

/// The old rows in their places, each with the newest that is known of it.
fn in_place(old: &JobList, new: &JobList, all: &[Rc<JobList>]) -> JobList {
    let newest = |job: &Job| {
        let mut known = all.iter().flat_map(|list| &list.jobs);
        known.find(|known| known.id == job.id).unwrap_or(job).clone()
    };
    JobList {
        jobs: old.jobs.iter().map(newest).collect(),
        ..new.clone()
    }
}

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
    store: crate::query::Store,
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
}

impl Listed {
    /// Shows what came since.
    pub(super) fn catch_up(&self) {
        let mut view = self.view.borrow_mut();
        view.up_to = view.up_to.max(self.newest);
        view.own_until = browser::now_ms() + OWN_CHANGE_MS;
    }

    /// The user is changing the list: rows may move.
    pub(super) fn own_change(&self) {
        self.view.borrow_mut().own_until = browser::now_ms() + OWN_CHANGE_MS;
    }

    /// Asks for everything again.
    pub(super) fn refresh(&self) {
        again(&self.view, &self.store, self.newest);
    }
}

fn again(view: &RefCell<View>, store: &crate::query::Store, newest: Option<Timestamp>) {
    {
        let mut view = view.borrow_mut();
        view.absorb(browser::now_ms());
        view.up_to = view.up_to.max(newest);
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
    begin(&mut view.borrow_mut(), state, &store, now);

    let known = view.borrow().last.clone();
    let last = known.as_ref().map_or(0, |list| {
        (state.matching(&list.summary).max(1) as usize - 1) / PAGE
    });
    let first_page = (window.rows.start / PAGE).min(last);
    let pages: Vec<usize> = (first_page..=((window.rows.end.max(1) - 1) / PAGE).min(last)).collect();
    let busy = known.is_some_and(|list| list.summary.running + list.summary.queued > 0);
    let unbounded = view.borrow().up_to.is_none();
    let pace = match (live, busy) {
        (false, _) => Poll::Never,
        (true, true) => Poll::Every(BUSY_MS),
        (true, false) => Poll::Every(IDLE_MS),
    };
    let queries: Vec<_> = pages.iter().map(|page| view.borrow().query(*page)).collect();
    // What ended stays as it is: where nothing runs, only new jobs are looked for.
    let page_pace = if busy || unbounded { pace } else { Poll::Never };
    let loaded = use_queries(queries, page_pace);
    let arrivals = use_optional_query(view.borrow().arrivals(), pace);

    let answers: Vec<_> = loaded.iter().filter_map(|page| page.data.clone()).collect();
    let mut waits = false;
    {
        let mut view = view.borrow_mut();
        let held = held && now > view.own_until;
        if view.outdated && !answers.is_empty() {
            view.shown.clear();
            view.outdated = false;
        }
        for (page, loaded) in pages.iter().zip(&loaded) {
            waits |= view.settle(*page, loaded.data.clone(), &answers, held);
        }
        if !view.outdated {
            view.shown.retain(|(page, _)| pages.contains(page));
        }
        let newest = view.shown.first().map(|(_, list)| Rc::clone(list));
        view.last = newest.or(view.last.take());
    }
    let newest = arrivals.data.as_ref().and_then(|list| list.newest);
    let arrived = arrivals
        .data
        .as_ref()
        .map_or(0, |list| state.matching(&list.summary));
    {
        let mut view = view.borrow_mut();
        let first_newest = answers.first().and_then(|list| list.newest);
        if view.up_to.is_none() && first_newest.is_some() {
            // The same answers are those of the requests that stand still.
            view.up_to = first_newest;
            for (page, list) in pages.iter().zip(&loaded) {
                if let Some(list) = &list.data {
                    store.put(&view.query(*page), JobList::clone(list));
                }
            }
            redraw.force_update();
        } else if newest > view.up_to && now < view.absorb_until {
            view.up_to = newest;
            redraw.force_update();
        }
    }
    let shown = view.borrow();
    let some = shown.last.clone();
    let known = shown.shown.iter().map(|(_, list)| list).chain(&some);
    let totals = known.map(|list| state.matching(&list.summary));
    let total = totals.min().unwrap_or(0) as usize;
    let (first, rows) = flatten(&shown, first_page, *pages.last().unwrap_or(&0));
    drop(shown);
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
        arrived,
        waits,
        newest,
        first,
        rows,
        view: Rc::clone(view),
        store,
    }
}

/// Begins a view where the address names another list than before. What was shown stays until there is an answer.
fn begin(view: &mut View, state: &ListState, store: &crate::query::Store, now: i64) {
    if view.asked_at != 0 && view.state == *state {
        return;
    }
    *view = View {
        state: state.clone(),
        // Whole minutes, so that a list that is left and entered again is the same request.
        asked_at: now / 60_000 * 60_000,
        up_to: None,
        own_until: 0,
        absorb_until: 0,
        outdated: !view.shown.is_empty(),
        shown: std::mem::take(&mut view.shown),
        last: view.last.take(),
    };
    let first = view.query(0);
    if store.read(&first).is_some() {
        // Seen before: what came meanwhile belongs into it.
        view.absorb(now);
        store.refresh(&first);
    }
}

/// The rows of neighbouring pages one after the other; those of a page that isn't loaded are absent.
fn flatten(view: &View, first_page: usize, last_page: usize) -> (usize, Vec<Option<Entry>>) {
    if view.outdated {
        let rows = view.shown.iter().flat_map(|(_, list)| entries(list)).collect();
        return (0, rows);
    }
    let mut rows = Vec::new();
    for page in first_page..=last_page {
        match view.shown.iter().find(|(known, _)| *known == page) {
            Some((_, list)) => rows.extend(entries(list)),
            None => rows.extend((0..PAGE).map(|_| None)),
        }
    }
    (first_page * PAGE, rows)
}

fn entries(list: &Rc<JobList>) -> impl Iterator<Item = Option<Entry>> {
    let list = Rc::clone(list);
    (0..list.jobs.len()).map(move |place| Some(Entry::of(&list, place)))
}

/// Whether a job has to be cancelled before this upstream deletes it.
pub(super) const fn must_be_cancelled(status: JobStatus, can_cancel: bool) -> bool {
    // An upstream that can't cancel ends a job by deleting it.
    can_cancel && status.is_active()
}

#[cfg(test)]
mod tests;
