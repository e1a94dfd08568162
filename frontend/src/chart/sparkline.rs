//! A curve without axes, as wide as its place.

use super::geometry::{Scale, line_path, value_range};
use yew::prelude::*;

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 54.0;

/// Draws one curve. `class` is `sparkline` and its colour, `label` says what it shows. `last_step` is the step at its right edge, so that
/// a running job's curve grows into its place.
pub fn sparkline(
    label: String,
    class: &'static str,
    steps: &[u64],
    values: &[Option<f64>],
    last_step: u64,
) -> Html {
    let range = value_range(values.iter().flatten().copied());
    let first = steps.first().copied().unwrap_or(0);
    let last = steps.last().copied().unwrap_or(0).max(last_step);
    let path = range.map(|(low, high)| {
        let x = Scale::new(first as f64, last as f64, 0.0, WIDTH);
        let y = Scale::new(low, high, HEIGHT - 2.0, 2.0);
        line_path(
            steps.iter().map(|step| *step as f64).zip(values.iter().copied()),
            x,
            y,
        )
    });
    html! {
        <svg {class} viewBox="0 0 200 54" preserveAspectRatio="none" role="img" aria-label={label}>
            <path d={path.unwrap_or_default()} />
        </svg>
    }
}
