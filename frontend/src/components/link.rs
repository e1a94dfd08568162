//! Links to pages of the app: real links, which the app follows itself when they are clicked plainly.

use crate::{place, route::Route};
use web_sys::MouseEvent;
use yew::prelude::*;

/// A link that isn't made of its place and its content alone.
#[derive(Default)]
pub struct Link {
    /// The address that it leads to, within the app.
    pub to: String,
    /// Its classes.
    pub class: &'static str,
    /// It leads to the page that is shown.
    pub current: bool,
    /// Its accessible name, where its content isn't one.
    pub label: Option<String>,
    /// Names it among its siblings.
    pub key: &'static str,
    /// What it shows.
    pub content: Html,
}

impl Link {
    /// Draws it.
    pub fn view(self) -> Html {
        let to = self.to.clone();
        let follow = Callback::from(move |event: MouseEvent| {
            if !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
                event.prevent_default();
                crate::browser::push_address(&to);
            }
        });
        html! {
            <a
                key={self.key}
                href={place::of_page(&self.to)}
                class={self.class}
                aria-current={self.current.then_some("page")}
                aria-label={self.label}
                onclick={follow}
            >
                { self.content }
            </a>
        }
    }
}

/// A link to a page.
pub fn link(to: &Route, class: &'static str, content: impl Into<Html>) -> Html {
    Link {
        to: to.path(),
        class,
        content: content.into(),
        ..Link::default()
    }
    .view()
}
