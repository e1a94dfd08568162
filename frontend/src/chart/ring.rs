//! Shares of a whole as a ring.

use crate::text::format::{count, fixed};
use yew::prelude::*;

/// Draws shares, each with the class that colours it, around a number.
pub fn ring(label: String, shares: &[(&'static str, u64)], total: u64, unit: &str) -> Html {
    let whole = total.max(1) as f64;
    let mut start = 0.0;
    let arcs = shares
        .iter()
        .filter(|(_, share)| *share > 0)
        .map(|(class, share)| {
            let length = *share as f64 / whole * 100.0;
            let offset = -start;
            start += length;
            html! {
                <circle
                    key={*class}
                    class={*class}
                    r="42" cx="56" cy="56"
                    pathLength="100"
                    stroke-dasharray={format!("{} {}", fixed(length, 3), fixed(100.0 - length, 3))}
                    stroke-dashoffset={fixed(offset, 3)}
                    transform="rotate(-90 56 56)"
                />
            }
        });
    let arcs: Html = arcs.collect();
    html! {
        <svg class="ring" viewBox="0 0 112 112" role="img" aria-label={label}>
            <circle class="ring-track" r="42" cx="56" cy="56" />
            { arcs }
            <text class="ring-number" x="56" y="55" text-anchor="middle">{ count(total) }</text>
            <text class="ring-unit" x="56" y="72" text-anchor="middle">{ unit.to_owned() }</text>
        </svg>
    }
}
