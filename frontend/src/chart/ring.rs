//! Shares of a whole as a ring. Each share is a link to what it counts.

use crate::{
    components::link::Link,
    text::format::{count, fixed},
};
use yew::prelude::*;

/// One share.
pub struct Share {
    /// Colours it, and names it among the others.
    pub class: &'static str,
    /// How much it is.
    pub number: u64,
    /// Where it leads.
    pub to: String,
    /// What it is.
    pub label: String,
}

/// Draws shares around a number.
pub fn ring(label: String, shares: &[Share], total: u64, unit: &str) -> Html {
    let whole = total.max(1) as f64;
    let mut start = 0.0;
    let arcs = shares.iter().filter(|share| share.number > 0).map(|share| {
        let length = share.number as f64 / whole * 100.0;
        let offset = -start;
        start += length;
        let content = html! {
            <circle
                class={share.class}
                r="42" cx="56" cy="56"
                pathLength="100"
                stroke-dasharray={format!("{} {}", fixed(length, 3), fixed(100.0 - length, 3))}
                stroke-dashoffset={fixed(offset, 3)}
                transform="rotate(-90 56 56)"
            />
        };
        Link {
            to: share.to.clone(),
            key: share.class,
            label: Some(share.label.clone()),
            content,
            ..Link::default()
        }
        .view()
    });
    let arcs: Html = arcs.collect();
    html! {
        <svg class="ring" viewBox="0 0 112 112" role="group" aria-label={label}>
            <circle class="ring-track" r="42" cx="56" cy="56" />
            { arcs }
            <text class={if total < 100_000 { "ring-number" } else { "ring-number is-long" }} x="56" y={if unit.is_empty() { "63" } else { "55" }} text-anchor="middle">{ count(total) }</text>
            <text class="ring-unit" x="56" y="72" text-anchor="middle">{ unit.to_owned() }</text>
        </svg>
    }
}
