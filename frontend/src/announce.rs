//! The browser's own notifications, shown outside of the page: whether they are wanted here, whether the browser lets us,
//! and showing one. Reached by name, because a page that came over plain http may lack them, and some browsers do.

use crate::browser;
use js_sys::{Array, Function, Object, Promise, Reflect};
use shared::notification::Notification;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

const KEY: &str = "attune.announce";

/// They are wanted in this browser, and it lets us.
#[must_use]
pub fn is_on() -> bool {
    browser::stored(KEY).is_some() && permission() == Permission::Granted
}

/// What the browser says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It can't, at least on this page.
    Impossible,
    /// It would ask.
    Open,
    /// It lets us.
    Granted,
    /// It doesn't, and won't ask again.
    Denied,
}

fn interface() -> Option<Function> {
    let window = browser::window()?;
    Reflect::get(&window, &"Notification".into())
        .ok()?
        .dyn_into()
        .ok()
}

/// What the browser says to it.
#[must_use]
pub fn permission() -> Permission {
    let said = interface().and_then(|interface| Reflect::get(&interface, &"permission".into()).ok());
    match said.and_then(|said| said.as_string()).as_deref() {
        Some("granted") => Permission::Granted,
        Some("denied") => Permission::Denied,
        Some(_) => Permission::Open,
        None => Permission::Impossible,
    }
}

/// Lets the browser ask, and keeps that they are wanted where the answer is yes.
pub async fn switch_on() -> Permission {
    if permission() == Permission::Open
        && let Some(interface) = interface()
        && let Ok(ask) = Reflect::get(&interface, &"requestPermission".into())
        && let Some(ask) = ask.dyn_ref::<Function>()
        && let Ok(answer) = ask.call0(&interface)
    {
        let _ = JsFuture::from(answer.unchecked_into::<Promise>()).await;
    }
    let permission = permission();
    if permission == Permission::Granted {
        browser::store(KEY, Some("1"));
    }
    permission
}

/// They are no longer wanted here.
pub fn switch_off() {
    browser::store(KEY, None);
}

/// Shows one; a click leads to the page of its job. Several tabs that show the same show it once: it is named by its id.
pub fn show(title: &str, notification: &Notification, path: String) {
    let Some(interface) = interface() else {
        return;
    };
    let options = Object::new();
    let body = format!("{}\n{}", notification.job_name, notification.message);
    for (name, value) in [("body", body.as_str()), ("tag", notification.id.as_str())] {
        let _ = Reflect::set(&options, &name.into(), &value.into());
    }
    // A phone's browser has the name but refuses: it wants a service worker.
    let Ok(shown) = Reflect::construct(&interface, &Array::of2(&title.into(), &options)) else {
        return;
    };
    let lead = Closure::<dyn Fn()>::new(move || {
        if let Some(window) = browser::window() {
            let _ = window.focus();
        }
        browser::push_address(&path);
    });
    // It goes with the notification, clicked or not.
    let _ = Reflect::set(&shown, &JsValue::from_str("onclick"), &lead.into_js_value());
}
