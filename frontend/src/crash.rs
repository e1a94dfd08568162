//! The page that stands when the app itself breaks, so that a bug never shows a blank page.
//!
//! It is plain HTML in index.html, hidden until a panic: by then no component can be trusted to render.

use crate::{browser, vitals};

/// Shows the crash page, with the panic's message, from the first panic on.
pub fn install_hook() {
    yew::set_custom_panic_hook(Box::new(|panic| {
        let message = panic.to_string();
        browser::log_error(&message);
        show(&message);
        vitals::tell_panic();
    }));
}

/// Shows the crash page in place of the app.
pub fn show(message: &str) {
    if let Some(detail) = browser::element_by_id("crash-detail") {
        detail.set_text_content(Some(message));
    }
    if let Some(app) = browser::element_by_id("app") {
        let _ = app.set_attribute("hidden", "");
    }
    if let Some(page) = browser::element_by_id("crash") {
        let _ = page.remove_attribute("hidden");
    }
}
