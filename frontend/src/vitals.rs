//! How the page works for its user, told to the server where operator and user agree to it: how long it takes to draw
//! things, and how often something goes uncaught.
//!
//! What is told has the names of `shared::browser_report` and nothing else: no address, no text of an error. Until the
//! server has said that it wants to know, nothing is sent; what comes before is kept, within bounds.

use crate::{
    api,
    browser::{self, Listener},
    part::use_change,
};
use js_sys::{Function, Object, Reflect};
use shared::browser_report::{
    BrowserErrorKind, BrowserErrors, BrowserMeasure, BrowserReport, BrowserTime, MOST_TIMES,
};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::Event;
use yew::prelude::*;

/// Where this browser keeps that its user wants nothing told.
const KEY: &str = "attune.browser-reports";
/// How long measurements are collected before they are sent together.
const COLLECT_MS: i32 = 5_000;

thread_local! {
    /// What isn't sent yet.
    static PENDING: RefCell<BrowserReport> = RefCell::default();
    static COLLECTING: Cell<bool> = const { Cell::new(false) };
    /// The server wants to know; nothing is known before it has answered.
    static ASKED_FOR: Cell<Option<bool>> = const { Cell::new(None) };
    /// The largest paint so far, which only the last one of is told.
    static LARGEST_MS: Cell<Option<f64>> = const { Cell::new(None) };
    /// Whoever loaded the page waits for its first drawing.
    static LOADING: Cell<bool> = const { Cell::new(true) };
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

/// What this browser's user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It may be told.
    On,
    /// The user switched it off here.
    Off,
    /// The browser says to every site that its user doesn't want to be followed.
    Objection,
}

/// What this browser's user wants.
#[must_use]
pub fn choice() -> Choice {
    if objects() {
        Choice::Objection
    } else if browser::stored(KEY).is_some() {
        Choice::Off
    } else {
        Choice::On
    }
}

/// Keeps what the user wants; what was measured and isn't told yet is forgotten when it is switched off.
pub fn choose(on: bool) {
    browser::store(KEY, (!on).then_some("off"));
    if !on {
        PENDING.take();
    }
}

/// Global Privacy Control or Do Not Track.
fn objects() -> bool {
    let Some(navigator) = browser::window().map(|window| window.navigator()) else {
        return true;
    };
    let says = |name: &str| Reflect::get(&navigator, &name.into()).unwrap_or(JsValue::UNDEFINED);
    says("globalPrivacyControl") == JsValue::TRUE
        || says("doNotTrack")
            .as_string()
            .is_some_and(|word| word == "1" || word == "yes")
}

fn may_tell() -> bool {
    ASKED_FOR.get() != Some(false) && choice() == Choice::On
}

/// Milliseconds since the navigation began; nothing without a browser.
fn now_ms() -> Option<f64> {
    Some(browser::window()?.performance()?.now())
}

/// Notes how long something took.
fn note(measure: BrowserMeasure, duration_ms: f64) {
    if !may_tell() {
        return;
    }
    PENDING.with_borrow_mut(|report| {
        if report.times.len() < MOST_TIMES {
            // A clock's error may be larger than what it measures.
            let duration_ms = (duration_ms.max(0.0) * 10.0).round() / 10.0;
            report.times.push(BrowserTime { measure, duration_ms });
        }
    });
    collect();
}

/// Notes how long something takes that began at `begun_ms`, once the browser has put on the screen what is drawn by now.
/// A tab in the background puts nothing there, and would measure how long it stays in the background.
fn note_drawn(measure: BrowserMeasure, begun_ms: f64) {
    let Some(window) = browser::window().filter(|_| browser::is_visible()) else {
        return;
    };
    let drawn = Closure::once_into_js(move || {
        if let Some(now) = now_ms() {
            note(measure, now - begun_ms);
        }
    });
    let _ = window.request_animation_frame(drawn.unchecked_ref());
}

/// Measures the drawing of a chart: first, and then for each other range.
#[hook]
pub fn use_chart_measured(range: (f64, f64)) {
    let begun_ms = now_ms();
    let is_drawn = use_memo((), |()| Cell::new(false));
    use_change(range, move |_| {
        let measure = if is_drawn.replace(true) {
            BrowserMeasure::ChartRedraw
        } else {
            BrowserMeasure::ChartDraw
        };
        if let Some(begun_ms) = begun_ms {
            note_drawn(measure, begun_ms);
        }
        None
    });
}

/// Measures how long a page takes to be drawn from when the app was first asked for it. The first one is the app's own, and
/// counts from the start of the navigation.
#[hook]
pub fn use_page_measured<T: PartialEq + Clone + 'static>(page: T, is_drawn: bool) {
    let begun_ms = use_memo(page.clone(), |_| Cell::new(now_ms()));
    use_change((page, is_drawn), move |(_, is_drawn)| {
        if *is_drawn && let Some(begun_ms) = begun_ms.take() {
            if LOADING.replace(false) {
                note_drawn(BrowserMeasure::AppDrawn, 0.0);
            } else {
                note_drawn(BrowserMeasure::RouteChange, begun_ms);
            }
        }
        None
    });
}

/// Nobody is signed in: nothing is told, and what is drawn next waited for its user rather than for the network.
pub fn rest() {
    LOADING.set(false);
    ask_for(false);
}

/// Counts an error that nobody caught.
fn count(kind: BrowserErrorKind) {
    if BROKEN.get() || !may_tell() {
        return;
    }
    PENDING.with(|pending| {
        // A panic may come from anywhere.
        if let Ok(mut report) = pending.try_borrow_mut() {
            match report.errors.iter_mut().find(|errors| errors.kind == kind) {
                Some(errors) => errors.count = errors.count.saturating_add(1),
                None => report.errors.push(BrowserErrors { kind, count: 1 }),
            }
        }
    });
    collect();
}

/// The app itself broke: tells it at once, because nothing runs after this. What fails from here on is its consequence.
pub fn tell_panic() {
    count(BrowserErrorKind::Panic);
    BROKEN.set(true);
    send();
}

/// Takes over what the server said: whether it wants to know.
pub fn ask_for(wanted: bool) {
    ASKED_FOR.set(Some(wanted));
    if wanted {
        collect();
    } else {
        PENDING.take();
    }
}

/// Sends what has come together, a little later.
fn collect() {
    let Some(window) = browser::window().filter(|_| ASKED_FOR.get() == Some(true)) else {
        return;
    };
    if !COLLECTING.replace(true) {
        let due = Closure::once_into_js(|| {
            COLLECTING.set(false);
            send();
        });
        let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(due.unchecked_ref(), COLLECT_MS);
    }
}

/// Sends what has come together.
fn send() {
    if ASKED_FOR.get() != Some(true) || !may_tell() {
        return;
    }
    let report = PENDING.with(|pending| {
        pending
            .try_borrow_mut()
            .map(|mut report| std::mem::take(&mut *report))
    });
    if let Some(body) = report
        .ok()
        .filter(|report| !report.is_empty())
        .and_then(|report| api::write(&report))
    {
        api::browser_reports::send(&body);
    }
}

/// Watches the page for what it measures by itself and for what goes wrong in it.
pub fn watch() {
    let Some((window, document)) = browser::window().zip(browser::document()) else {
        return;
    };
    observe_paints();
    let listeners = [
        Listener::new(&window, "error", |_| count(BrowserErrorKind::Script)),
        Listener::new(&window, "unhandledrejection", |_| {
            count(BrowserErrorKind::Rejection);
        }),
        // The last moment that a page is sure to have.
        Listener::new(&document, "visibilitychange", |_: Event| {
            if !browser::is_visible() {
                if let Some(largest) = LARGEST_MS.take() {
                    note(BrowserMeasure::LargestContentfulPaint, largest);
                }
                send();
            }
        }),
    ];
    // For as long as the page is there.
    std::mem::forget(listeners);
}

/// Hears of paints from the browser, those before this too. Not every browser tells them.
fn observe_paints() {
    let Some(interface) = browser::window()
        .and_then(|window| Reflect::get(&window, &"PerformanceObserver".into()).ok())
        .and_then(|interface| interface.dyn_into::<Function>().ok())
    else {
        return;
    };
    let seen = Closure::<dyn Fn(JsValue)>::new(|list: JsValue| {
        for entry in call(&list, "getEntries")
            .iter()
            .flat_map(|entries| js_sys::Array::from(entries).to_vec())
        {
            let said = |name: &str| Reflect::get(&entry, &name.into()).ok();
            let Some(at) = said("startTime").and_then(|at| at.as_f64()) else {
                continue;
            };
            let kind = said("entryType").and_then(|kind| kind.as_string());
            let name = said("name").and_then(|name| name.as_string());
            match (kind.as_deref(), name.as_deref()) {
                (Some("largest-contentful-paint"), _) => LARGEST_MS.set(Some(at)),
                (_, Some("first-contentful-paint")) => note(BrowserMeasure::FirstContentfulPaint, at),
                _ => {}
            }
        }
    });
    let arguments = js_sys::Array::of1(seen.as_ref());
    for kind in ["paint", "largest-contentful-paint"] {
        let options = Object::new();
        let _ = Reflect::set(&options, &"type".into(), &kind.into());
        let _ = Reflect::set(&options, &"buffered".into(), &JsValue::TRUE);
        let Ok(observer) = Reflect::construct(&interface, &arguments) else {
            return;
        };
        if let Some(observe) = method(&observer, "observe") {
            let _ = observe.call1(&observer, &options);
        }
    }
    seen.forget();
}

fn method(of: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(of, &name.into()).ok()?.dyn_into().ok()
}

fn call(of: &JsValue, name: &str) -> Option<JsValue> {
    method(of, name)?.call0(of).ok()
}
