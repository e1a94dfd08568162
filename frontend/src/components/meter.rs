//! A bar that says how far something is. A `progress` element: it needs no inline style and reads itself aloud.

use crate::text::format::fixed;
use yew::prelude::*;

/// A bar from 0 to 1 with an accessible name.
pub fn meter(label: impl Into<AttrValue>, share: f64) -> Html {
    let label: AttrValue = label.into();
    let value = fixed(share.clamp(0.0, 1.0), 4);
    html! { <progress class="meter" aria-label={label} value={value} max="1"></progress> }
}
