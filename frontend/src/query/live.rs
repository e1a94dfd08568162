//! Follows a job's stream into the cache.
//!
//! Nothing falls between the record that was fetched and the stream: the job told a place in its record, the record is
//! fetched after that, the stream goes on from there, and what both tell counts once. Where the job told none, and whenever
//! the stream was cut, the record is asked for anew after the stream has opened. When the stream ends before the job does,
//! the session is checked and the stream is opened again after a growing pause, from the last id on.

use super::{Resource, Store, curves::Tail, hooks::use_store};
use crate::{
    api::{self, ApiError, json::record::FromTree},
    kept::use_kept,
    part::use_change,
    sse::SseEvent,
};
use gloo_timers::future::TimeoutFuture;
use shared::{
    event::{Checkpoint, EventList, JobEvent, MeasuredStep},
    id::JobId,
    job::Job,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use web_sys::AbortController;
use yew::prelude::*;

const LONGEST_PAUSE_MS: u32 = 15_000;
/// Charts are drawn at most this often, however fast steps are told.
const DRAW_MS: u32 = 120;

/// How the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connection {
    /// Nobody follows.
    #[default]
    Off,
    /// Opening for the first time.
    Opening,
    /// It was cut: opening again, or waiting to.
    Reconnecting,
    /// Open.
    Open,
    /// The job has ended and everything was told.
    Ended,
}

/// What a page sees of the stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Live {
    /// How it stands.
    pub connection: Connection,
    /// The steps told so far.
    pub tail: Rc<Tail>,
}

/// Reads what a message of [`shared::event::StreamMessage`] holds. The event's name says which field that is, so the
/// tagged enum isn't needed: it would bring a second copy of every reader into the module.
fn read<T: FromTree>(event: &SseEvent, field: &str) -> Option<T> {
    api::json::read_field(&event.data, field).ok()
}

struct Follower {
    store: Store,
    id: JobId,
    tail: RefCell<Tail>,
    connection: Cell<Connection>,
    last_event_id: RefCell<Option<String>>,
    /// The record was asked for after what the stream goes on from.
    joins: Cell<bool>,
    drawing: Cell<bool>,
    stopped: Cell<bool>,
    show: Callback<Live>,
}

impl Follower {
    async fn run(self: Rc<Self>, controller: AbortController) {
        let mut pause = 500;
        while !self.stopped.get() && self.connection.get() != Connection::Ended {
            let opened = Cell::new(false);
            let last = self.last_event_id.borrow().clone();
            let signal = controller.signal();
            let outcome = api::stream::follow(&self.id, last.as_deref(), &signal, |events| {
                if !opened.replace(true) {
                    self.opened();
                }
                for event in events {
                    self.take(&event);
                }
                self.draw_soon();
            })
            .await;
            if self.stopped.get() || self.connection.get() == Connection::Ended {
                break;
            }
            if let Err(error) = &outcome {
                self.store.notice(error);
                if !error.is_passing() && !matches!(error, ApiError::Unreadable(_)) {
                    self.set(Connection::Off);
                    return;
                }
            }
            self.set(Connection::Reconnecting);
            pause = if opened.get() {
                500
            } else {
                (pause * 2).min(LONGEST_PAUSE_MS)
            };
            TimeoutFuture::new(pause).await;
            self.store.refresh(&api::session::session());
        }
    }

    fn opened(self: &Rc<Self>) {
        self.set(Connection::Open);
        if !self.joins.take() {
            self.store.invalidate(Resource::JobRecord);
        }
    }

    fn take(&self, event: &SseEvent) {
        if let Some(id) = &event.id {
            *self.last_event_id.borrow_mut() = Some(id.clone());
        }
        match event.name.as_str() {
            "job" => {
                let Some(mut told) = read::<Job>(event, "job") else {
                    return;
                };
                told.last_event_id = self.last_event_id.borrow().clone();
                if let Some(before) = self.store.read(&api::jobs::job(&self.id)) {
                    if before.status != told.status {
                        self.store.invalidate(Resource::Artifacts);
                    }
                    let place = |job: &Job| (job.attempt, job.progress.as_ref().map(|it| it.stage));
                    if place(&before) != place(&told) {
                        self.store.refresh(&api::jobs::attempts(&self.id));
                    }
                }
                self.store.put(&api::jobs::job(&self.id), told);
            }
            "metrics" => {
                if let Some(told) = read::<MeasuredStep>(event, "metrics") {
                    self.tail.borrow_mut().push(told);
                }
            }
            "event" => {
                let Some(told) = read::<JobEvent>(event, "event") else {
                    return;
                };
                self.store.update(&api::jobs::events(&self.id), |list| {
                    if let Some(place) = place_of(&told, list) {
                        list.events.insert(place, told);
                        list.total += 1;
                    }
                });
            }
            "checkpoint" => {
                let Some(told) = read::<Checkpoint>(event, "checkpoint") else {
                    return;
                };
                self.store.update(&api::jobs::checkpoints(&self.id), |list| {
                    if !list.checkpoints.iter().any(|known| known.step == told.step) {
                        let place = list.checkpoints.partition_point(|known| known.step > told.step);
                        list.checkpoints.insert(place, told);
                    }
                });
            }
            "checkpoint_removed" => {
                let Some(told) = read::<u64>(event, "step") else {
                    return;
                };
                self.store.update(&api::jobs::checkpoints(&self.id), |list| {
                    list.checkpoints.retain(|checkpoint| checkpoint.step != told);
                });
            }
            "end" => {
                self.connection.set(Connection::Ended);
                self.store.invalidate(Resource::Jobs);
                self.store.invalidate(Resource::JobRecord);
            }
            _ => {}
        }
    }

    /// Lets go of the steps that the fetched curves hold by now; where many are left, asks for the curves anew.
    fn shorten(&self) {
        let curves = api::jobs::curves(&self.id);
        let Some(fetched) = self.store.read(&curves) else {
            return;
        };
        if self.tail.borrow_mut().shorten(&fetched) && self.store.is_settled(&curves) {
            self.store.refresh(&curves);
        }
    }

    fn set(self: &Rc<Self>, connection: Connection) {
        if self.connection.replace(connection) != connection {
            self.draw_soon();
        }
    }

    fn draw_soon(self: &Rc<Self>) {
        if self.drawing.replace(true) {
            return;
        }
        let follower = Rc::clone(self);
        wasm_bindgen_futures::spawn_local(async move {
            TimeoutFuture::new(DRAW_MS).await;
            follower.drawing.set(false);
            if !follower.stopped.get() {
                follower.shorten();
                let tail = Rc::new(follower.tail.borrow().clone());
                follower.show.emit(Live {
                    connection: follower.connection.get(),
                    tail,
                });
            }
        });
    }
}

/// Where a told event stands in the newest page of the log, newest first; nowhere if it stands there, or on an older page: a
/// stream that was cut goes on where it was, and the log was asked for anew meanwhile.
fn place_of(told: &JobEvent, list: &EventList) -> Option<usize> {
    let events = &list.events;
    let place = events.partition_point(|known| known.created_at > told.created_at);
    let is_older = place == events.len() && list.next_cursor.is_some();
    let is_known = events.iter().any(|known| known.id == told.id);
    (!is_older && !is_known).then_some(place)
}

/// Follows a job's stream while `on`.
#[hook]
pub fn use_live(id: &JobId, on: bool) -> Live {
    let store = use_store();
    let live = use_kept(Live::default);
    {
        let live = live.setter();
        use_change((id.clone(), on), move |(id, on)| {
            let controller = AbortController::new().ok().filter(|_| *on)?;
            live.set(Live {
                connection: Connection::Opening,
                tail: Rc::default(),
            });
            let job = api::jobs::job(id);
            let place = store.read(&job).and_then(|job| job.last_event_id.clone());
            if place.is_some() {
                store.invalidate_older_below(&job);
            }
            let follower = Rc::new(Follower {
                store,
                id: id.clone(),
                tail: RefCell::default(),
                connection: Cell::new(Connection::Opening),
                joins: Cell::new(place.is_some()),
                last_event_id: RefCell::new(place),
                drawing: Cell::new(false),
                stopped: Cell::new(false),
                show: Callback::from(move |next| live.set(next)),
            });
            wasm_bindgen_futures::spawn_local(Rc::clone(&follower).run(controller.clone()));
            Some(Box::new(Following { follower, controller }))
        });
    }
    (*live).clone()
}

/// The stream is followed until this is dropped.
struct Following {
    follower: Rc<Follower>,
    controller: AbortController,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.follower.stopped.set(true);
        self.controller.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{event::StreamMessage, timestamp::Timestamp};

    fn told(message: &StreamMessage) -> SseEvent {
        SseEvent {
            id: None,
            name: String::new(),
            data: serde_json::to_string(message).unwrap_or_default(),
        }
    }

    fn event(id: &str, at: i64) -> JobEvent {
        JobEvent {
            id: id.into(),
            created_at: Timestamp::from_unix_ms(at),
            level: shared::event::Level::Info,
            message: String::new(),
        }
    }

    #[test]
    fn a_told_event_stands_where_its_time_is_and_older_pages_stay_older() {
        let mut list = EventList {
            events: vec![event("d", 40), event("c", 30)],
            next_cursor: Some("c".to_owned()),
            total: 4,
            incomplete: false,
        };
        assert_eq!(place_of(&event("e", 50), &list), Some(0));
        assert_eq!(
            place_of(&event("e", 40), &list),
            Some(0),
            "told later, in the same moment"
        );
        assert_eq!(place_of(&event("x", 35), &list), Some(1));
        assert_eq!(place_of(&event("c", 30), &list), None, "it stands there");
        assert_eq!(place_of(&event("a", 10), &list), None, "on an older page");
        list.next_cursor = None;
        assert_eq!(place_of(&event("a", 10), &list), Some(2));
    }

    #[test]
    fn what_is_read_here_is_what_the_contract_writes() {
        let checkpoint = Checkpoint {
            id: "ftckpt_1".into(),
            step: 100,
            created_at: Timestamp::from_unix_ms(0),
            bytes: Some(7),
            train_loss: None,
            valid_loss: Some(0.5),
        };
        let message = told(&StreamMessage::Checkpoint {
            checkpoint: checkpoint.clone(),
        });
        assert_eq!(read::<Checkpoint>(&message, "checkpoint"), Some(checkpoint));
        let removed = told(&StreamMessage::CheckpointRemoved { step: 9 });
        assert_eq!(read::<u64>(&removed, "step"), Some(9));
        let line = r#"{"type":"metrics","metrics":{"step":3,"total_steps":9,"epoch":0.3,"train_loss":1.5,
            "train_token_accuracy":0.5,"learning_rate":0.001,"gradient_norm":1.0,"tokens":5}}"#;
        let event = SseEvent {
            id: None,
            name: "metrics".into(),
            data: line.into(),
        };
        assert_eq!(
            read::<MeasuredStep>(&event, "metrics").map(|told| told.step),
            Some(3)
        );
        assert_eq!(read::<MeasuredStep>(&event, "event"), None);
    }
}
