//! The few things asked of the browser outside of components: clock, storage, title, focus, address.
//!
//! Natively (in tests) there is no browser: then the clock is the system's and the rest is absent or does nothing.

use crate::route::Address;
use shared::timestamp::Timestamp;
use std::cell::RefCell;
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlElement, Storage, Window};
use yew_router::{AnyRoute, navigator::Navigator};

/// The window, if there is one.
#[must_use]
pub fn window() -> Option<Window> {
    if cfg!(target_arch = "wasm32") {
        web_sys::window()
    } else {
        None
    }
}

/// The document, if there is one.
#[must_use]
pub fn document() -> Option<Document> {
    window()?.document()
}

/// An element by its id.
#[must_use]
pub fn element_by_id(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

/// Milliseconds since 1970, by the browser's clock.
#[must_use]
pub fn now_ms() -> i64 {
    #[cfg(target_arch = "wasm32")]
    {
        js_sys::Date::now() as i64
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The languages that the user reads, as tags, the dearest first.
#[must_use]
pub fn preferred_languages() -> Vec<String> {
    let languages = window().map(|window| window.navigator().languages());
    let tags = languages.iter().flat_map(|languages| languages.iter());
    tags.filter_map(|tag| tag.as_string()).collect()
}

/// An instant as the language that is spoken writes it where the user lives, with seconds.
#[must_use]
pub fn local_time(unix_ms: i64) -> String {
    #[cfg(target_arch = "wasm32")]
    {
        let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(unix_ms as f64));
        String::from(date.to_locale_string(&crate::language::locale(), &wasm_bindgen::JsValue::UNDEFINED))
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        Timestamp::from_unix_ms(unix_ms).to_rfc3339()
    }
}

/// Millionths of a currency's unit as the language that is spoken writes money. Below one unit more digits count.
#[must_use]
pub fn money(micros: u64, currency: &str) -> String {
    let decimal = shared::cost::decimal(micros);
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsValue;
        let options = js_sys::Object::new();
        let choose = |name: &str, value: JsValue| {
            // A plain object refuses nothing.
            drop(js_sys::Reflect::set(&options, &name.into(), &value));
        };
        choose("style", "currency".into());
        choose("currency", currency.into());
        if micros < shared::cost::MICROS {
            choose("maximumFractionDigits", if micros < 100 { 6 } else { 4 }.into());
        }
        let locales = js_sys::Array::of1(&crate::language::locale().into());
        let format = js_sys::Intl::NumberFormat::new(&locales, &options).format();
        // As a text, so that no digit is lost on the way.
        let written = format.call1(&JsValue::UNDEFINED, &decimal.as_str().into());
        written
            .ok()
            .and_then(|written| written.as_string())
            .unwrap_or(decimal)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        format!("{decimal} {currency}")
    }
}

/// The time of day as `14:07:31`, in the user's time zone.
#[must_use]
pub fn local_clock(unix_ms: i64) -> String {
    #[cfg(target_arch = "wasm32")]
    let offset_minutes =
        js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(unix_ms as f64)).get_timezone_offset();
    #[cfg(not(target_arch = "wasm32"))]
    let offset_minutes = 0.0;
    let seconds = (unix_ms - offset_minutes as i64 * 60_000)
        .div_euclid(1000)
        .rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// When a day of the user's time zone begins, from a date as `2026-11-21`.
#[must_use]
pub fn day_start(date: &str) -> Option<i64> {
    let utc = Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z"))?.unix_ms();
    #[cfg(target_arch = "wasm32")]
    let offset_minutes =
        js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(utc as f64)).get_timezone_offset();
    #[cfg(not(target_arch = "wasm32"))]
    let offset_minutes = 0.0;
    Some(utc + offset_minutes as i64 * 60_000)
}

/// An instant as machines read it, in UTC.
#[must_use]
pub fn machine_time(instant: Timestamp) -> String {
    #[cfg(target_arch = "wasm32")]
    {
        let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(instant.unix_ms() as f64));
        String::from(date.to_iso_string())
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        instant.to_rfc3339()
    }
}

/// The page is in the foreground.
#[must_use]
pub fn is_visible() -> bool {
    document().is_none_or(|document| document.visibility_state() != web_sys::VisibilityState::Hidden)
}

/// The browser says that it has no network at all.
#[must_use]
pub fn is_offline() -> bool {
    window().is_some_and(|window| !window.navigator().on_line())
}

/// `localStorage`, unless the user forbids it.
#[must_use]
pub fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}

/// Reads a stored text.
#[must_use]
pub fn stored(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Stores a text, or removes it. A full or forbidden storage is no error: what is stored is a convenience.
pub fn store(key: &str, value: Option<&str>) {
    if let Some(storage) = storage() {
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// Sets the page's title.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// The tab's picture as a ring that fills, until this is dropped.
pub struct TabPicture {
    plain: Option<String>,
}

impl TabPicture {
    /// Shows how far something is, in percent; nothing shows the plain picture.
    #[must_use]
    pub fn show(percent: Option<u32>) -> Self {
        let link = tab_link();
        let plain = link.as_ref().and_then(|link| link.get_attribute("href"));
        let Some((link, percent)) = link.zip(percent) else {
            return Self { plain: None };
        };
        // The ring's length is 100, so a dash is as long as the percentage.
        let picture = format!(
            "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'%3E%3Cg fill='none' stroke-width='7'%3E\
             %3Ccircle cx='20' cy='20' r='15.915' stroke='%23b9c0d4'/%3E%3Ccircle cx='20' cy='20' r='15.915' stroke='%233b5bdb' \
             stroke-dasharray='{percent} 100' transform='rotate(-90 20 20)'/%3E%3C/g%3E%3C/svg%3E"
        );
        let _ = link.set_attribute("href", &picture);
        Self { plain }
    }
}

impl Drop for TabPicture {
    fn drop(&mut self) {
        if let (Some(link), Some(plain)) = (tab_link(), &self.plain) {
            let _ = link.set_attribute("href", plain);
        }
    }
}

fn tab_link() -> Option<Element> {
    document()?.query_selector("link[rel=icon]").ok().flatten()
}

/// Moves the focus to the element with this id; false if it isn't there.
pub fn focus_id(id: &str) -> bool {
    element_by_id(id).is_some_and(|element| element.unchecked_into::<HtmlElement>().focus().is_ok())
}

/// Where the page is from, `https://example.org` for example; empty without a browser.
#[must_use]
pub fn origin() -> String {
    let origin = window().and_then(|window| window.location().origin().ok());
    origin.unwrap_or_default()
}

/// What the address bar says.
#[must_use]
pub fn address() -> Address {
    let Some(location) = window().map(|window| window.location()) else {
        return Address::default();
    };
    Address::new(
        &location.pathname().unwrap_or_default(),
        &location.search().unwrap_or_default(),
    )
}

thread_local! {
    static NAVIGATOR: RefCell<Option<Navigator>> = const { RefCell::new(None) };
}

/// Takes the navigator of the app's one router, for moves that begin outside of a component.
pub fn keep_navigator(navigator: Option<Navigator>) {
    NAVIGATOR.set(navigator);
}

/// Goes to an address of the app, at its top.
pub fn push_address(address: &str) {
    navigate(|navigator| navigator.push(&AnyRoute::new(address)));
    if let Some(window) = window() {
        window.scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Goes to an address of the app in place of the current one.
pub fn replace_address(address: &str) {
    navigate(|navigator| navigator.replace(&AnyRoute::new(address)));
}

fn navigate(go: impl FnOnce(&Navigator)) {
    // Taken out, not borrowed: whoever is told of the move may move on.
    let navigator = NAVIGATOR.with_borrow(Clone::clone);
    if let Some(navigator) = navigator {
        go(&navigator);
    }
}

/// What a text field or a select holds after an event of its own.
#[must_use]
pub fn typed(event: &web_sys::Event) -> String {
    let held = event
        .target()
        .and_then(|target| js_sys::Reflect::get(&target, &"value".into()).ok());
    held.and_then(|value| value.as_string()).unwrap_or_default()
}

/// Leaves for an address that is not the app's, for example a download.
pub fn leave_for(address: &str) {
    if let Some(window) = window() {
        let _ = window.location().set_href(address);
    }
}

/// Loads the page again, as from the start.
pub fn reload() {
    if let Some(window) = window() {
        let _ = window.location().reload();
    }
}

/// Puts a text onto the clipboard; false where the browser has none for this page or forbids it.
pub async fn copy(text: &str) -> bool {
    let Some(clipboard) = window().map(|window| window.navigator().clipboard()) else {
        return false;
    };
    // Absent on a page that came over plain http from another machine.
    if wasm_bindgen::JsValue::is_undefined(&clipboard) {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(text))
        .await
        .is_ok()
}

/// A random identifier of 128 bits in hexadecimal groups.
#[must_use]
pub fn random_id() -> String {
    let mut bytes = [0_u8; 16];
    if let Some(crypto) = window().and_then(|window| window.crypto().ok()) {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Tells the console about a failure.
pub fn log_error(message: &str) {
    #[cfg(target_arch = "wasm32")]
    web_sys::console::error_1(&message.into());
    #[cfg(not(target_arch = "wasm32"))]
    let _ = message;
}

/// Listens to an event until it is dropped.
pub struct Listener {
    target: web_sys::EventTarget,
    kind: &'static str,
    heard: wasm_bindgen::closure::Closure<dyn Fn(web_sys::Event)>,
}

impl Listener {
    /// Calls `heard` on every event of this kind.
    pub fn new(
        target: &web_sys::EventTarget,
        kind: &'static str,
        heard: impl Fn(web_sys::Event) + 'static,
    ) -> Self {
        let heard = wasm_bindgen::closure::Closure::new(heard);
        let _ = target.add_event_listener_with_callback(kind, heard.as_ref().unchecked_ref());
        Self {
            target: target.clone(),
            kind,
            heard,
        }
    }
}

impl Listener {
    /// As [`Listener::new`], for who may refuse what the browser would do by itself.
    pub fn refusing(
        target: &web_sys::EventTarget,
        kind: &'static str,
        heard: impl Fn(web_sys::Event) + 'static,
    ) -> Self {
        let heard = wasm_bindgen::closure::Closure::new(heard);
        let options = web_sys::AddEventListenerOptions::new();
        options.set_passive(false);
        let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
            kind,
            heard.as_ref().unchecked_ref(),
            &options,
        );
        Self {
            target: target.clone(),
            kind,
            heard,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let heard = self.heard.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.kind, heard);
    }
}
