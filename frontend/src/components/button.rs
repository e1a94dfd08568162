//! Buttons that do something (the one that sends a form is a plain `button type="submit"`).

use crate::components::icon::{Icon, icon};
use yew::prelude::*;

/// A button with words. `class` is `button` and how it looks.
pub fn button(class: &'static str, label: &'static str, onclick: Callback<MouseEvent>) -> Html {
    button_if(true, class, label, onclick)
}

/// A button that is there only where it can do something.
pub fn button_if(
    shown: bool,
    class: &'static str,
    label: &'static str,
    onclick: Callback<MouseEvent>,
) -> Html {
    worded_button(shown, class, label, onclick)
}

/// A button whose words may be made as it is drawn.
pub fn worded_button(
    shown: bool,
    class: &'static str,
    label: impl Into<AttrValue>,
    onclick: Callback<MouseEvent>,
) -> Html {
    let label: AttrValue = label.into();
    html! { <button type="button" {class} hidden={!shown} {onclick}>{ label }</button> }
}

/// A button with a picture and a name that says what it does to what.
pub fn icon_button(shown: bool, label: String, which: Icon, onclick: Callback<MouseEvent>) -> Html {
    html! {
        <button type="button" class="icon-button" title={label.clone()} aria-label={label} hidden={!shown} {onclick}>
            { icon(which) }
        </button>
    }
}
