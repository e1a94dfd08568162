//! Where the page is and where its server is: the one place that knows either.
//!
//! The page that the server itself brings stands at the root of the server's origin, and nothing is asked. A static
//! host may serve the page below a path and name another origin for `/api`: `cargo xtask dist` then leaves a mark in
//! index.html, boot.js fetches the `config.json` that the mark names, and what it found is taken over here.

use crate::browser;
use js_sys::{Promise, Reflect};
use std::cell::RefCell;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

#[derive(Clone, Default)]
struct Place {
    /// What stands before every path of the page, `/console` for example; empty at the root of an origin.
    page: String,
    /// What stands before every path of the server, `https://api.example.org` for example; empty on its own origin.
    api: String,
}

thread_local! {
    static PLACE: RefCell<Place> = RefCell::default();
}

/// Takes over what boot.js knows; waits for `config.json` where the page has one.
///
/// # Errors
/// What boot.js says where `config.json` can't be read.
pub async fn settle() -> Result<(), JsValue> {
    let Some(window) = browser::window() else {
        return Ok(());
    };
    let promise = Reflect::get(&window, &"attunePlace".into())?;
    let Ok(promise) = promise.dyn_into::<Promise>() else {
        return Ok(());
    };
    let known = JsFuture::from(promise).await?;
    let text = |name: &str| {
        let value = Reflect::get(&known, &name.into()).ok();
        value.and_then(|value| value.as_string()).unwrap_or_default()
    };
    let place = Place {
        page: text("page"),
        api: text("api"),
    };
    PLACE.set(place);
    Ok(())
}

/// What stands before every path of the page; empty at the root of an origin.
#[must_use]
pub fn page() -> String {
    PLACE.with_borrow(|place| place.page.clone())
}

/// The address of a page, as links and the address bar have it.
#[must_use]
pub fn of_page(path: &str) -> String {
    page() + path
}

/// The path of a page within the app.
#[must_use]
pub fn within(path: &str) -> String {
    let page = page();
    let within = path.strip_prefix(&*page).unwrap_or(path);
    if within.is_empty() { "/" } else { within }.to_owned()
}

/// The address of something on the server.
#[must_use]
pub fn of_api(path: &str) -> String {
    PLACE.with_borrow(|place| place.api.clone()) + path
}

/// The address of something on the server with its origin, as other programs need it.
#[must_use]
pub fn whole(path: &str) -> String {
    let address = of_api(path);
    if address.starts_with('/') {
        browser::origin() + &address
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACE, Place, of_api, of_page, whole, within};

    #[test]
    fn at_the_root_of_an_origin_every_address_is_its_path() {
        assert_eq!(of_page("/jobs"), "/jobs");
        assert_eq!(of_api("/api/jobs"), "/api/jobs");
        assert_eq!(within("/jobs/a"), "/jobs/a");
        assert_eq!(whole("/v1"), "/v1", "there is no browser here");
    }

    #[test]
    fn below_a_path_and_beside_another_origin_both_are_added() {
        PLACE.set(Place {
            page: "/console".to_owned(),
            api: "https://api.example.org".to_owned(),
        });
        assert_eq!(of_page("/jobs"), "/console/jobs");
        assert_eq!(of_api("/api/jobs"), "https://api.example.org/api/jobs");
        assert_eq!(whole("/v1"), "https://api.example.org/v1");
        assert_eq!(within("/console/jobs/a"), "/jobs/a");
        assert_eq!(within("/console/"), "/");
        assert_eq!(within("/console"), "/");
    }
}
