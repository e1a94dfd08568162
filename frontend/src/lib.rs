//! The console: a single-page app that speaks to `/api` only.
//!
//! Where things live: [`api`] knows addresses and shapes, one file a resource; [`query`] is the one store that every
//! page reads from; [`pages`] are the routes, [`components`] what they share, [`chart`] the drawing of curves;
//! [`text`] is every word that people read. Deliberately not here: an upstream's shape, keys, and validation
//! rules, which are `shared`'s.

pub mod announce;
pub mod api;
pub mod app;
pub mod browser;
pub mod calendar;
pub mod chart;
pub mod chunk;
pub mod components;
pub mod crash;
pub mod draft;
pub mod kept;
pub mod language;
pub mod pages;
pub mod part;
pub mod place;
pub mod query;
pub mod route;
pub mod sse;
pub mod text;
pub mod theme;
pub mod vitals;

/// Shows the app in the page's `#app`, over the skeleton that stands in index.html.
pub fn start() {
    crash::install_hook();
    language::speak(language::stored());
    theme::apply(theme::stored());
    vitals::watch();
    wasm_bindgen_futures::spawn_local(async {
        match place::settle().await {
            Ok(()) => {
                if let Some(host) = browser::element_by_id("app") {
                    yew::Renderer::<app::App>::with_root(host).render();
                }
            }
            Err(reason) => crash::show(&text::no_config(&String::from(
                js_sys::Error::from(reason).message(),
            ))),
        }
    });
}
