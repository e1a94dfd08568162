//! The list as it is being looked at: which pages hold the rows near the viewport, and how those stay where they are.
//!
//! Answers and the clock come in as arguments, so that its rules have tests; the hook around it ([`super::pages`]) does the
//! asking.

use super::{state::ListState, window::Window};
use crate::{
    api,
    query::{Query, Store},
};
use shared::{
    job::{Job, JobList, JobQuery},
    timestamp::Timestamp,
};
use std::{ops::RangeInclusive, rc::Rc};

/// Jobs of one request.
pub(super) const PAGE: usize = 50;
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
        let is_same = Rc::ptr_eq(&self.list, &other.list) && self.place == other.place;
        is_same || self.job() == other.job()
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
    /// Begins anew where the address names another list than before. What was shown stays until there is an answer.
    pub(super) fn begin(&mut self, state: &ListState, store: &Store, now: i64) {
        if self.asked_at != 0 && self.state == *state {
            return;
        }
        *self = Self {
            state: state.clone(),
            // Whole minutes, so that a list that is left and entered again is the same request.
            asked_at: now / 60_000 * 60_000,
            outdated: !self.shown.is_empty(),
            shown: std::mem::take(&mut self.shown),
            last: self.last.take(),
            ..Self::default()
        };
        let first = self.query(0);
        if store.read(&first).is_some() {
            // Seen before: what came meanwhile belongs into it.
            self.absorb(now);
            store.refresh(&first);
        }
    }

    /// What comes next was asked for by the user.
    pub(super) const fn absorb(&mut self, now: i64) {
        self.own_change(now);
        self.absorb_until = self.own_until;
    }

    /// The user is changing the list: rows may move.
    pub(super) const fn own_change(&mut self, now: i64) {
        self.own_until = now + OWN_CHANGE_MS;
    }

    /// Shows jobs up to this instant.
    pub(super) fn show_up_to(&mut self, newest: Option<Timestamp>) {
        self.up_to = self.up_to.max(newest);
    }

    /// The request for a page.
    pub(super) fn query(&self, page: usize) -> Query<JobList> {
        let mut query = self.state.query(self.asked_at);
        query.limit = Some(PAGE as u32);
        query.offset = Some((page * PAGE) as u32).filter(|offset| *offset > 0);
        query.created_to = query.created_to.into_iter().chain(self.up_to).min();
        api::jobs::list(&query)
    }

    /// Counts what came since.
    pub(super) fn arrivals(&self) -> Option<Query<JobList>> {
        let since = self.up_to?.plus_ms(1);
        Some(api::jobs::list(&JobQuery {
            limit: Some(1),
            status: None,
            created_from: Some(since),
            ..self.state.query(self.asked_at)
        }))
    }

    /// The pages that hold these rows, as far as the list is long.
    pub(super) fn pages(&self, window: &Window) -> RangeInclusive<usize> {
        let last = self.last.as_ref().map_or(0, |list| {
            (self.state.matching(&list.summary).max(1) as usize - 1) / PAGE
        });
        let first = (window.rows.start / PAGE).min(last);
        first..=((window.rows.end.max(1) - 1) / PAGE).min(last)
    }

    /// Something in the list is at work or waits to be.
    pub(super) fn is_busy(&self) -> bool {
        let summary = self.last.as_ref().map(|list| list.summary);
        summary.is_some_and(|summary| summary.running + summary.queued > 0)
    }

    /// No answer has told yet which job is the newest.
    pub(super) const fn is_unbounded(&self) -> bool {
        self.up_to.is_none()
    }

    /// Takes the answers for these pages in; true where one has to wait because it would move rows.
    pub(super) fn take(
        &mut self,
        pages: &RangeInclusive<usize>,
        answers: &[Option<Rc<JobList>>],
        held: bool,
        now: i64,
    ) -> bool {
        let known: Vec<_> = answers.iter().flatten().cloned().collect();
        if self.outdated && !known.is_empty() {
            self.shown.clear();
            self.outdated = false;
        }
        let held = held && now > self.own_until;
        let mut waits = false;
        for (page, answer) in pages.clone().zip(answers) {
            waits |= self.settle(page, answer.clone(), &known, held);
        }
        if !self.outdated {
            self.shown.retain(|(page, _)| pages.contains(page));
        }
        let newest = self.shown.first().map(|(_, list)| Rc::clone(list));
        self.last = newest.or(self.last.take());
        waits
    }

    /// Draws the line between what the list shows and what came since; true where it was moved.
    pub(super) fn bound(
        &mut self,
        pages: &RangeInclusive<usize>,
        answers: &[Option<Rc<JobList>>],
        newest: Option<Timestamp>,
        store: &Store,
        now: i64,
    ) -> bool {
        let first_newest = answers.iter().flatten().next().and_then(|list| list.newest);
        if self.up_to.is_none() && first_newest.is_some() {
            // The same answers are those of the requests that stand still.
            self.up_to = first_newest;
            for (page, list) in pages.clone().zip(answers) {
                if let Some(list) = list {
                    store.put(&self.query(page), JobList::clone(list));
                }
            }
            return true;
        }
        let absorbs = newest > self.up_to && now < self.absorb_until;
        if absorbs {
            self.up_to = newest;
        }
        absorbs
    }

    /// Some page, for what every page tells.
    pub(super) fn some(&self) -> Option<Rc<JobList>> {
        self.last.clone()
    }

    /// How many rows the whole list has.
    pub(super) fn total(&self) -> usize {
        let known = self.shown.iter().map(|(_, list)| list).chain(&self.last);
        let totals = known.map(|list| self.state.matching(&list.summary));
        totals.min().unwrap_or(0) as usize
    }

    /// The index of the first row near the viewport, and all of those rows in order; those of a page that isn't loaded are
    /// absent.
    pub(super) fn rows(&self, pages: &RangeInclusive<usize>) -> (usize, Vec<Option<Entry>>) {
        if self.outdated {
            let rows = self.shown.iter().flat_map(|(_, list)| entries(list)).collect();
            return (0, rows);
        }
        let mut rows = Vec::new();
        for page in pages.clone() {
            match self.shown.iter().find(|(known, _)| *known == page) {
                Some((_, list)) => rows.extend(entries(list)),
                None => rows.extend((0..PAGE).map(|_| None)),
            }
        }
        (pages.start() * PAGE, rows)
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

fn entries(list: &Rc<JobList>) -> impl Iterator<Item = Option<Entry>> {
    let list = Rc::clone(list);
    (0..list.jobs.len()).map(move |place| Some(Entry::of(&list, place)))
}

#[cfg(test)]
mod tests;
