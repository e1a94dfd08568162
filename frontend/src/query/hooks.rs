//! How a page asks the store.

use super::{
    Answer, Query, Request,
    cache::{Entry, Value},
    store::Store,
};
use crate::{api::ApiError, app::Services, kept::use_kept, part::use_change};
use gloo_timers::callback::Interval;
use std::rc::Rc;
use yew::prelude::*;

/// How often an answer is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Only when something invalidates it.
    Never,
    /// After so many milliseconds, while the page is visible.
    Every(u32),
    /// The same, also while the page is hidden. For what is told outside of it.
    EvenHidden(u32),
}

/// What is known about a request right now.
pub struct Loaded<T> {
    /// The newest answer.
    pub data: Option<Rc<T>>,
    /// Why the last try failed; the answer before it is still there.
    pub error: Option<ApiError>,
    /// A request is under way.
    pub fetching: bool,
    /// Asks again.
    pub retry: Callback<()>,
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        Self {
            data: self.data.clone(),
            error: self.error.clone(),
            fetching: self.fetching,
            retry: self.retry.clone(),
        }
    }
}

impl<T> Loaded<T> {
    /// Nothing is known and nothing asked.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            data: None,
            error: None,
            fetching: false,
            retry: Callback::noop(),
        }
    }
}

/// The root store.
#[hook]
pub fn use_store() -> Store {
    use_context::<Services>()
        .map(|services| services.store)
        .unwrap_or_default()
}

/// Shows several requests of one type.
#[hook]
pub fn use_queries<T: Answer>(queries: Vec<Query<T>>, poll: Poll) -> Vec<Loaded<T>> {
    let requests = queries.iter().map(Query::request).collect();
    let typed = |known: Known| Loaded {
        data: known.value.and_then(|value| value.downcast::<T>().ok()),
        error: known.error,
        fetching: known.fetching,
        retry: known.retry,
    };
    use_requests(requests, poll).into_iter().map(typed).collect()
}

/// What is known about a request whose type is left open, so that all this is compiled once.
struct Known {
    value: Option<Value>,
    error: Option<ApiError>,
    fetching: bool,
    retry: Callback<()>,
}

#[hook]
fn use_requests(requests: Vec<Request>, poll: Poll) -> Vec<Known> {
    let store = use_store();
    let redraw = use_force_update();
    let drawn: Vec<Known> = requests
        .iter()
        .map(|request| known(&store, request.clone()))
        .collect();
    {
        let store = store.clone();
        let drawn: Vec<_> = drawn
            .iter()
            .map(|known| (known.value.clone(), known.error.is_some()))
            .collect();
        use_change((requests, poll), move |(requests, poll)| {
            let poll = *poll;
            let told = Callback::from(move |()| redraw.force_update());
            let observe = |request| store.observe(request, poll, told.clone());
            let observers = requests.iter().map(observe).collect();
            // Yew may pause between a drawing and its effects: what came meanwhile was told to nobody here.
            let is_old = |(request, (value, failed)): (&Request, &(Option<Value>, bool))| {
                store.look(&request.key, |entry| {
                    let is_same = match (entry.and_then(Entry::value), value) {
                        (Some(now), Some(value)) => Rc::ptr_eq(now, value),
                        (now, value) => now.is_none() && value.is_none(),
                    };
                    !is_same || entry.is_some_and(|entry| entry.error().is_some()) != *failed
                })
            };
            if requests.iter().zip(&drawn).any(is_old) {
                told.emit(());
            }
            Some(Box::new(Observing { store, observers }))
        });
    }
    drawn
}

/// Requests are shown until this is dropped.
struct Observing {
    store: Store,
    observers: Vec<u64>,
}

impl Drop for Observing {
    fn drop(&mut self) {
        for observer in &self.observers {
            self.store.release(*observer);
        }
    }
}

fn known(store: &Store, request: Request) -> Known {
    let (value, error, fetching) = store.look(&request.key, |entry| match entry {
        Some(entry) => (
            entry.value().cloned(),
            entry.error().cloned(),
            entry.is_fetching(),
        ),
        None => (None, None, false),
    });
    let store = store.clone();
    Known {
        value,
        error,
        fetching,
        retry: Callback::from(move |()| store.refresh_key(&request.key)),
    }
}

/// Shows one request.
#[hook]
pub fn use_query<T: Answer>(query: Query<T>, poll: Poll) -> Loaded<T> {
    use_queries(vec![query], poll)
        .pop()
        .unwrap_or_else(Loaded::nothing)
}

/// Shows a request if there is one to show.
#[hook]
pub fn use_optional_query<T: Answer>(query: Option<Query<T>>, poll: Poll) -> Loaded<T> {
    use_queries(query.into_iter().collect(), poll)
        .pop()
        .unwrap_or_else(Loaded::nothing)
}

/// The time, told anew every `every_ms`, for relative times.
#[hook]
pub fn use_now(every_ms: u32) -> i64 {
    let now = use_kept(crate::browser::now_ms);
    {
        let now = now.clone();
        use_change(every_ms, move |every| {
            Some(Box::new(Interval::new(*every, move || {
                now.set(crate::browser::now_ms());
            })))
        });
    }
    (*now).max(crate::browser::now_ms() - i64::from(every_ms))
}
