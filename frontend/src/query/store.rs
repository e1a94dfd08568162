//! The store around the cache: sends what is due, wakes itself for what will be, tells observers.

use super::{
    Answer, Poll, Query, Request, Resource,
    cache::{Cache, Entry, Key, Undo, Value},
};
use crate::{
    api::{self, ApiError},
    browser,
};
use gloo_timers::callback::Timeout;
use shared::{attempt::RetryJob, id::JobId};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use web_sys::AbortController;
use yew::Callback;

/// Handle to the one store. Clones share it.
#[derive(Clone, Default)]
pub struct Store(Rc<Inner>);

#[derive(Default)]
struct Inner {
    cache: RefCell<Cache>,
    listeners: RefCell<Vec<(u64, Key, Callback<()>)>>,
    in_flight: RefCell<Vec<(Key, u64, AbortController)>>,
    timer: RefCell<Option<Timeout>>,
    last_observer: Cell<u64>,
    signed_out: RefCell<Callback<()>>,
    retries: RefCell<Vec<(JobId, RetryJob, String)>>,
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Store {
    /// Who is told when the server says that nobody is signed in.
    pub fn on_signed_out(&self, callback: Callback<()>) {
        *self.0.signed_out.borrow_mut() = callback;
    }

    /// The newest answer to a request.
    #[must_use]
    pub fn read<T: Answer>(&self, query: &Query<T>) -> Option<Rc<T>> {
        let value = self.0.cache.borrow().get(&query.key)?.value()?.clone();
        value.downcast::<T>().ok()
    }

    /// The newest try gave an answer, and no other is under way.
    pub(super) fn is_settled<T>(&self, query: &Query<T>) -> bool {
        self.look(&query.key, |entry| {
            entry.is_some_and(|entry| !entry.is_fetching() && entry.error().is_none())
        })
    }

    /// Looks at what is known about a request.
    pub(super) fn look<R>(&self, key: &str, look: impl FnOnce(Option<&Entry>) -> R) -> R {
        look(self.0.cache.borrow().get(key))
    }

    /// Shows a request: `told` hears of every change until [`Store::release`].
    pub(super) fn observe(&self, request: &Request, poll: Poll, told: Callback<()>) -> u64 {
        let observer = self.0.last_observer.get() + 1;
        self.0.last_observer.set(observer);
        self.0
            .listeners
            .borrow_mut()
            .push((observer, Rc::clone(&request.key), told));
        let now = browser::now_ms();
        self.0.cache.borrow_mut().observe(request, observer, poll, now);
        self.schedule();
        observer
    }

    /// No longer shows it. A request under way is cancelled unless somebody else shows it a moment later.
    pub(super) fn release(&self, observer: u64) {
        let mut listeners = self.0.listeners.borrow_mut();
        if let Some(place) = listeners.iter().position(|(known, ..)| *known == observer) {
            let (_, key, _) = listeners.swap_remove(place);
            self.0
                .cache
                .borrow_mut()
                .release(&key, observer, browser::now_ms());
        }
        drop(listeners);
        self.schedule();
    }

    /// Asks again now.
    pub fn refresh<T>(&self, query: &Query<T>) {
        self.refresh_key(&query.key);
    }

    pub(super) fn refresh_key(&self, key: &str) {
        self.0.cache.borrow_mut().refresh(key);
        self.schedule();
    }

    /// Asks again for everything about a resource that somebody shows; the rest counts as out of date.
    pub fn invalidate(&self, resource: Resource) {
        self.0.cache.borrow_mut().invalidate(resource);
        self.schedule();
    }

    /// Asks again for what is below a request's address, where it was asked for before the request's newest answer came.
    pub(super) fn invalidate_older_below<T>(&self, query: &Query<T>) {
        self.0.cache.borrow_mut().invalidate_older_below(&query.key);
        self.schedule();
    }

    /// Puts an answer that came another way.
    pub fn put<T: Answer>(&self, query: &Query<T>, value: T) {
        self.put_value(&query.request(), Rc::new(value));
    }

    fn put_value(&self, request: &Request, value: Value) {
        self.0.cache.borrow_mut().put(request, value, browser::now_ms());
        self.tell(&request.key);
    }

    /// Changes an answer that is known, for what came another way; one that isn't known yet is asked for anew.
    pub fn update<T: Answer + Clone>(&self, query: &Query<T>, change: impl FnOnce(&mut T)) {
        if let Some(known) = self.read(query) {
            let mut next = T::clone(&known);
            change(&mut next);
            self.put(query, next);
        } else {
            self.refresh(query);
        }
    }

    /// Changes every known answer of one type about a resource before the server has confirmed it.
    pub(super) fn optimistic<T: Answer + Clone + PartialEq>(
        &self,
        resource: Resource,
        change: impl Fn(&mut T),
    ) -> Vec<Undo> {
        let keys = self.0.cache.borrow().keys_of(resource);
        let mut undo = Vec::new();
        for key in keys {
            let known = self
                .0
                .cache
                .borrow()
                .get(&key)
                .and_then(|entry| entry.value().cloned());
            let Some(Ok(known)) = known.map(Rc::downcast::<T>) else {
                continue;
            };
            let mut next = T::clone(&known);
            change(&mut next);
            if next != *known {
                undo.extend(self.0.cache.borrow_mut().optimistic(&key, Rc::new(next)));
                self.tell(&key);
            }
        }
        undo
    }

    /// Takes optimistic changes back and asks what is true.
    pub(super) fn roll_back(&self, undo: Vec<Undo>) {
        for undo in undo {
            let key = self.0.cache.borrow_mut().roll_back(undo);
            if let Some(key) = key {
                self.tell(&key);
            }
        }
        self.schedule();
    }

    /// Forgets everything, at sign-out.
    pub fn clear(&self) {
        self.0.cache.borrow_mut().clear();
        let keys: Vec<Key> = self
            .0
            .listeners
            .borrow()
            .iter()
            .map(|(_, key, _)| Rc::clone(key))
            .collect();
        for key in keys {
            self.tell(&key);
        }
    }

    /// The key of a retry that has not been answered with a job yet, so that however often it is asked for, one comes of it.
    pub(super) fn retry_key(&self, id: &JobId, retry: &RetryJob) -> String {
        let mut retries = self.0.retries.borrow_mut();
        let same = |known: &&(JobId, RetryJob, String)| known.0 == *id && known.1 == *retry;
        if let Some((.., key)) = retries.iter().find(same) {
            return key.clone();
        }
        let key = browser::random_id();
        retries.push((id.clone(), retry.clone(), key.clone()));
        key
    }

    /// The retry has become a job: the next one is another.
    pub(super) fn forget_retry(&self, key: &str) {
        self.0.retries.borrow_mut().retain(|(.., known)| known != key);
    }

    /// Hands an error of any request to whoever watches the session.
    pub(crate) fn notice(&self, error: &ApiError) {
        if error.is_signed_out() {
            let told = self.0.signed_out.borrow().clone();
            told.emit(());
        }
        if error.is_unsupported() {
            self.invalidate(Resource::Capabilities);
        }
    }

    /// Looks anew at what is due, for example because the page came to the foreground.
    pub fn schedule(&self) {
        if !cfg!(target_arch = "wasm32") {
            return;
        }
        let now = browser::now_ms();
        let next = self.0.cache.borrow().next_due(browser::is_visible());
        let wait = next.map_or(60_000, |next| next.saturating_sub(now).clamp(0, 60_000));
        let store = self.clone();
        let timer = Timeout::new(u32::try_from(wait).unwrap_or(0), move || store.wake());
        *self.0.timer.borrow_mut() = Some(timer);
    }

    fn wake(&self) {
        let now = browser::now_ms();
        let abandoned = self.0.cache.borrow_mut().abandon();
        for key in abandoned {
            self.abort(&key);
        }
        self.0.cache.borrow_mut().forget_old(now);
        let due = self.0.cache.borrow_mut().take_due(now, browser::is_visible());
        for (key, ticket) in due {
            self.send(key, ticket);
        }
        self.schedule();
    }

    fn abort(&self, key: &str) {
        self.0.in_flight.borrow_mut().retain(|(known, _, controller)| {
            let outdated = **known == *key;
            if outdated {
                controller.abort();
            }
            !outdated
        });
    }

    fn send(&self, key: Key, ticket: u64) {
        let Ok(controller) = AbortController::new() else {
            return;
        };
        let signal = controller.signal();
        self.abort(&key);
        self.0
            .in_flight
            .borrow_mut()
            .push((Rc::clone(&key), ticket, controller));
        let store = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let answer = api::get(&key, Some(&signal)).await;
            store
                .0
                .in_flight
                .borrow_mut()
                .retain(|(_, current, _)| *current != ticket);
            let error = answer.as_ref().err().cloned();
            let changed = store
                .0
                .cache
                .borrow_mut()
                .finish(&key, ticket, answer, browser::now_ms());
            if changed {
                if let Some(error) = error {
                    store.notice(&error);
                }
                store.tell(&key);
            }
            store.schedule();
        });
    }

    fn tell(&self, key: &str) {
        let listeners = self.0.listeners.borrow();
        let about = listeners.iter().filter(|(_, shown, _)| shown.as_ref() == key);
        let told: Vec<_> = about.map(|(_, _, told)| told.clone()).collect();
        drop(listeners);
        for callback in told {
            callback.emit(());
        }
    }
}
