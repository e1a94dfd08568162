//! What is known about every request: answers, their age, who shows them, and when to ask again.
//!
//! Pure: time and answers come in as arguments, so that every rule here has a test. The store around it
//! ([`super::store`]) does the asking.

use super::{Poll, Request, Resource};
use crate::api::ApiError;
use std::{any::Any, rc::Rc};

/// Names a request: its path with its parameters.
pub type Key = Rc<str>;

/// An answer of whatever type the request has.
pub type Value = Rc<dyn Any>;

/// An answer nobody shows is forgotten after so long.
const FORGET_MS: i64 = 5 * 60_000;

/// Of answers that nobody shows, the newest so many are kept for the way back. A long list that is scrolled through
/// would hold all of its pages otherwise.
const KEPT: usize = 100;

/// The longest wait between tries after failures.
const LONGEST_WAIT_MS: i64 = 30_000;

/// Reads an answer's text.
pub type Parse = fn(&str) -> Result<Value, ApiError>;

/// What is known about one request.
#[derive(Debug)]
pub struct Entry {
    resource: Resource,
    parse: Parse,
    value: Option<Value>,
    /// The text that `value` was read from, unless it came another way: the same text again changes nothing.
    text: Option<String>,
    error: Option<ApiError>,
    answered_at: Option<i64>,
    failed_at: Option<i64>,
    failures: u32,
    stale: bool,
    in_flight: Option<u64>,
    /// The ticket of the newest request; 0 before the first.
    asked: u64,
    /// The newest ticket of all when the newest answer came.
    answered_after: u64,
    observers: Vec<(u64, Poll)>,
    last_seen: i64,
}

impl Entry {
    const fn new(request: &Request) -> Self {
        Self {
            resource: request.resource,
            parse: request.parse,
            value: None,
            text: None,
            error: None,
            answered_at: None,
            failed_at: None,
            failures: 0,
            stale: false,
            in_flight: None,
            asked: 0,
            answered_after: 0,
            observers: Vec::new(),
            last_seen: 0,
        }
    }

    /// The newest answer.
    #[must_use]
    pub const fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// Why the last try failed, unless a later one succeeded.
    #[must_use]
    pub const fn error(&self) -> Option<&ApiError> {
        self.error.as_ref()
    }

    /// A request is under way.
    #[must_use]
    pub const fn is_fetching(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Reads an answer's text; true where it is another than before.
    fn read(&mut self, text: String) -> Result<bool, ApiError> {
        if self.text.as_ref() == Some(&text) {
            return Ok(false);
        }
        self.value = Some((self.parse)(&text)?);
        self.text = Some(text);
        Ok(true)
    }

    /// What is known, or is under way, was asked for too early.
    fn outdate(&mut self) {
        self.stale = true;
        self.in_flight = None;
        self.failed_at = None;
    }

    const fn is_shown(&self) -> bool {
        !self.observers.is_empty()
    }

    /// A request is under way whose answer nobody waits for.
    const fn is_abandoned(&self) -> bool {
        self.in_flight.is_some() && !self.is_shown()
    }

    /// When to ask (again), if ever.
    fn due_at(&self, visible: bool) -> Option<i64> {
        if self.in_flight.is_some() || self.observers.is_empty() {
            return None;
        }
        let wanted = self
            .observers
            .iter()
            .filter_map(|(_, poll)| interval(*poll, visible));
        let interval = wanted.min();
        if let (Some(failed_at), Some(error)) = (self.failed_at, &self.error) {
            let wait = (1000_i64 << self.failures.min(5)).min(LONGEST_WAIT_MS);
            return ((visible || interval.is_some()) && error.is_passing()).then_some(failed_at + wait);
        }
        match self.answered_at {
            None => Some(i64::MIN),
            Some(_) if self.stale => Some(i64::MIN),
            Some(at) => interval.map(|interval| at + interval),
        }
    }
}

/// After how many milliseconds somebody wants it again, if at all.
fn interval(poll: Poll, visible: bool) -> Option<i64> {
    match poll {
        Poll::Every(milliseconds) if visible => Some(milliseconds.into()),
        Poll::EvenHidden(milliseconds) => Some(milliseconds.into()),
        Poll::Every(_) | Poll::Never => None,
    }
}

/// An optimistic change that can be taken back.
#[derive(Debug)]
pub struct Undo {
    key: Key,
    before: Value,
    shown: Value,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Cache {
    /// Few enough that looking through them is as fast as a map, and smaller.
    entries: Vec<(Key, Entry)>,
    last_ticket: u64,
}

impl Cache {
    /// What is known about a request.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|(known, _)| **known == *key)
            .map(|(_, entry)| entry)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|(known, _)| **known == *key)
            .map(|(_, entry)| entry)
    }

    /// Somebody shows this request from now on, and wants it asked again so often.
    pub(crate) fn observe(&mut self, request: &Request, observer: u64, poll: Poll, now: i64) {
        let entry = self.entry(request, now);
        entry.observers.push((observer, poll));
        if entry.error.as_ref().is_some_and(|error| !error.is_passing()) {
            entry.error = None;
            entry.failed_at = None;
            entry.answered_at = None;
        }
    }

    fn entry(&mut self, request: &Request, now: i64) -> &mut Entry {
        let place = self.entries.iter().position(|(known, _)| *known == request.key);
        let place = place.unwrap_or_else(|| {
            self.entries.push((Rc::clone(&request.key), Entry::new(request)));
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place].1;
        entry.last_seen = now;
        entry
    }

    /// Somebody no longer shows it.
    pub fn release(&mut self, key: &str, observer: u64, now: i64) {
        if let Some(entry) = self.get_mut(key) {
            entry.observers.retain(|(id, _)| *id != observer);
            entry.last_seen = now;
        }
    }

    /// Requests under way that nobody shows any more; they count as never asked.
    pub fn abandon(&mut self) -> Vec<Key> {
        let mut abandoned = Vec::new();
        for (key, entry) in &mut self.entries {
            if entry.is_abandoned() {
                entry.in_flight = None;
                abandoned.push(Rc::clone(key));
            }
        }
        abandoned
    }

    /// Forgets what nobody has shown for long, and what is too much to keep.
    pub fn forget_old(&mut self, now: i64) {
        self.entries
            .retain(|(_, entry)| entry.is_shown() || entry.last_seen + FORGET_MS > now);
        let unshown = self.entries.iter().filter(|(_, entry)| !entry.is_shown()).count();
        for _ in KEPT..unshown {
            let places = self.entries.iter().enumerate();
            let oldest = places
                .filter(|(_, (_, entry))| !entry.is_shown())
                .min_by_key(|(_, (_, entry))| entry.last_seen);
            if let Some(place) = oldest.map(|(place, _)| place) {
                self.entries.remove(place);
            }
        }
    }

    /// Requests to send now, marked as under way, each with the ticket that its answer must bring.
    pub fn take_due(&mut self, now: i64, visible: bool) -> Vec<(Key, u64)> {
        let mut due = Vec::new();
        for (key, entry) in &mut self.entries {
            if entry.due_at(visible).is_some_and(|at| at <= now) {
                self.last_ticket += 1;
                entry.in_flight = Some(self.last_ticket);
                entry.asked = self.last_ticket;
                entry.stale = false;
                due.push((Rc::clone(key), self.last_ticket));
            }
        }
        due
    }

    /// When there is something to do next, if ever: a request to send, or at once one to [`abandon`](Self::abandon).
    #[must_use]
    pub fn next_due(&self, visible: bool) -> Option<i64> {
        let due = |entry: &Entry| {
            if entry.is_abandoned() {
                Some(i64::MIN)
            } else {
                entry.due_at(visible)
            }
        };
        self.entries.iter().filter_map(|(_, entry)| due(entry)).min()
    }

    /// Takes an answer's text. One whose ticket is out of date (abandoned, or asked before a change) is dropped. True
    /// where something visible changed: the same text again doesn't.
    pub fn finish(&mut self, key: &str, ticket: u64, answer: Result<String, ApiError>, now: i64) -> bool {
        let last_ticket = self.last_ticket;
        let Some(entry) = self.get_mut(key).filter(|entry| entry.in_flight == Some(ticket)) else {
            return false;
        };
        entry.in_flight = None;
        match answer.and_then(|text| entry.read(text)) {
            Ok(changed) => {
                let changed = changed || entry.error.is_some() || entry.answered_at.is_none();
                entry.error = None;
                entry.failed_at = None;
                entry.failures = 0;
                entry.answered_at = Some(now);
                entry.answered_after = last_ticket;
                changed
            }
            Err(error) => {
                entry.failures += 1;
                entry.failed_at = Some(now);
                entry.error = Some(error);
                true
            }
        }
    }

    /// Asks again at the next occasion, with whatever error there was forgotten. True where it is known at all.
    pub fn refresh(&mut self, key: &str) -> bool {
        self.get_mut(key).is_some_and(|entry| {
            entry.stale = true;
            entry.failed_at = None;
            true
        })
    }

    /// A change made every answer about this resource out of date; one under way was asked before it.
    pub fn invalidate(&mut self, resource: Resource) {
        let about = |entry: &&mut Entry| entry.resource == resource;
        let entries = self.entries.iter_mut().map(|(_, entry)| entry);
        entries.filter(about).for_each(Entry::outdate);
    }

    /// What is below an address is out of date where it was asked for before the newest answer of the address itself came.
    pub fn invalidate_older_below(&mut self, key: &str) {
        let since = self.get(key).map_or(0, |entry| entry.answered_after);
        let is_below = |known: &str| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('/'));
        let below = self.entries.iter_mut().filter(|(known, _)| is_below(known));
        let older = below.map(|(_, entry)| entry).filter(|entry| entry.asked <= since);
        older.for_each(Entry::outdate);
    }

    /// Keys of a resource that have an answer.
    #[must_use]
    pub fn keys_of(&self, resource: Resource) -> Vec<Key> {
        let known = |entry: &Entry| entry.resource == resource && entry.value.is_some();
        self.entries
            .iter()
            .filter(|(_, entry)| known(entry))
            .map(|(key, _)| Rc::clone(key))
            .collect()
    }

    /// Puts an answer that came another way, for example through a stream.
    pub(crate) fn put(&mut self, request: &Request, value: Value, now: i64) {
        let last_ticket = self.last_ticket;
        let entry = self.entry(request, now);
        entry.value = Some(value);
        entry.text = None;
        entry.answered_at = Some(now);
        entry.answered_after = last_ticket;
        entry.error = None;
        entry.failed_at = None;
        // An answer under way was asked before this one came, so it may be the older of the two: ask once more.
        entry.stale |= entry.in_flight.is_some();
    }

    /// Shows what a change will lead to before the server has confirmed it.
    pub fn optimistic(&mut self, key: &str, value: Value) -> Option<Undo> {
        let (key, entry) = self.entries.iter_mut().find(|(known, _)| **known == *key)?;
        let key = Rc::clone(key);
        let before = entry.value.replace(Rc::clone(&value))?;
        entry.text = None;
        entry.in_flight = None;
        Some(Undo {
            key,
            before,
            shown: value,
        })
    }

    /// Takes an optimistic change back, unless a newer answer has replaced it.
    pub fn roll_back(&mut self, undo: Undo) -> Option<Key> {
        let entry = self.get_mut(&undo.key)?;
        if entry
            .value
            .as_ref()
            .is_some_and(|value| Rc::ptr_eq(value, &undo.shown))
        {
            entry.value = Some(undo.before);
        }
        entry.stale = true;
        Some(undo.key)
    }

    /// Forgets everything, at sign-out.
    pub fn clear(&mut self) {
        for entry in self.entries.iter_mut().map(|(_, entry)| entry) {
            entry.value = None;
            entry.text = None;
            entry.error = None;
            entry.answered_at = None;
            entry.failed_at = None;
            entry.in_flight = None;
        }
        self.entries.retain(|(_, entry)| !entry.observers.is_empty());
    }
}

#[cfg(test)]
mod tests;
