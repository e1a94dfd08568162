//! `/api/browser-reports`.

use crate::{browser, place};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};

/// Sends a report that outlives the page (`keepalive`). Nobody waits for what becomes of it. It goes without any of what
/// other requests run on, because the app may just have broken.
pub(crate) fn send(body: &str) {
    let Some(window) = browser::window() else {
        return;
    };
    let headers = Object::new();
    let options = Object::new();
    let fields: [(&Object, &str, &JsValue); 7] = [
        (&headers, "x-attune", &"1".into()),
        (&headers, "content-type", &"application/json".into()),
        (&options, "method", &"POST".into()),
        (&options, "credentials", &"include".into()),
        (&options, "keepalive", &JsValue::TRUE),
        (&options, "body", &body.into()),
        (&options, "headers", &headers),
    ];
    for (object, name, value) in fields {
        let _ = Reflect::set(object, &name.into(), value);
    }
    let sent =
        window.fetch_with_str_and_init(&place::of_api("/api/browser-reports"), options.unchecked_ref());
    // A rejection that nobody takes would be an error of the page's, and told in the next report.
    let taken = Closure::once_into_js(|_: JsValue| {});
    if let Some(catch) = Reflect::get(&sent, &"catch".into())
        .ok()
        .and_then(|catch| catch.dyn_into::<js_sys::Function>().ok())
    {
        let _ = catch.call1(&sent, &taken);
    }
}
