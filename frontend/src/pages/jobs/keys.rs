//! The keys of the list. Single letters act only where the user hasn't switched them off, and never while typing.

use crate::browser::{self, Listener};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, KeyboardEvent};

/// Where the switch is kept; absent is on.
const STORED: &str = "attune.keys";

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Put the cursor into the search box.
    Search,
    /// Go to the wizard.
    New,
    /// Show the keys.
    Help,
    /// Clear what was selected, else what was searched for.
    Clear,
    /// The next row.
    Down,
    /// The row before.
    Up,
}

/// Single letters act.
pub(super) fn are_on() -> bool {
    browser::stored(STORED).is_none()
}

/// Lets single letters act, or not.
pub(super) fn switch(on: bool) {
    browser::store(STORED, (!on).then_some("off"));
}

/// What a key means. `typing` tells that the focus is where text goes.
fn meaning(key: &str, typing: bool, letters: bool) -> Option<Asked> {
    Some(match key {
        "Escape" => Asked::Clear,
        _ if typing => return None,
        "ArrowDown" => Asked::Down,
        "ArrowUp" => Asked::Up,
        _ if !letters => return None,
        "/" => Asked::Search,
        "n" => Asked::New,
        "?" => Asked::Help,
        _ => return None,
    })
}

/// Hears the keys until it is dropped.
pub(super) fn listen(asked: impl Fn(Asked) + 'static) -> Option<Listener> {
    let document = browser::document()?;
    let open = document.clone();
    let heard = move |event: Event| {
        let event = event.unchecked_into::<KeyboardEvent>();
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let typing = target.is_some_and(|target| {
            let takes_text = target.matches("input:not([type=checkbox]), select, textarea");
            takes_text.unwrap_or(false)
        });
        let is_modal = open.query_selector("dialog[open]").ok().flatten().is_some();
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_modal {
            return;
        }
        if let Some(meant) = meaning(&event.key(), typing, are_on()) {
            event.prevent_default();
            asked(meant);
        }
    };
    Some(Listener::new(&document, "keydown", heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_text_while_typing_and_silent_when_switched_off() {
        assert_eq!(meaning("n", false, true), Some(Asked::New));
        assert_eq!(meaning("n", true, true), None);
        assert_eq!(meaning("/", false, false), None);
        assert_eq!(meaning("ArrowDown", false, false), Some(Asked::Down));
        assert_eq!(meaning("ArrowDown", true, true), None);
        assert_eq!(meaning("Escape", true, false), Some(Asked::Clear));
        assert_eq!(meaning("a", false, true), None);
    }
}
