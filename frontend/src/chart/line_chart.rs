//! Lines over one axis. A drag zooms, a drag with Shift moves, the wheel with Ctrl zooms around the pointer; a crosshair follows the
//! pointer or the arrow keys and reads values.
//!
//! What is drawn of the lines is apart from what follows the pointer, so that moving it redraws no line, however many points they
//! have. Whoever shows the chart decides what range is shown and fetches its points.

mod base;
mod overlay;
mod overview;

use super::{
    geometry::Scale,
    lines::{Axis, Line, vertical_range},
    measure::Measure,
};
use crate::{
    kept::use_kept,
    part::{part, use_change},
    text,
    vitals::use_chart_measured,
};
pub(super) use base::use_base;
use overlay::use_overlay;
use overview::use_overview;
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{HtmlElement, ResizeObserver};
use yew::prelude::*;

/// The style sheet knows it too.
pub(super) const HEIGHT: f64 = 282.0;
pub(super) const LEFT: f64 = 46.0;
pub(super) const RIGHT: f64 = 14.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const BOTTOM: f64 = 26.0;

/// What the chart shows.
#[derive(Clone, PartialEq)]
pub struct LineChartProps {
    /// The lines that are switched on.
    pub lines: Rc<Vec<Line>>,
    /// The same over all of the axis, for the overview; where only a part is shown, `lines` may hold that alone, finer.
    pub all: Rc<Vec<Line>>,
    /// What the horizontal axis counts.
    pub axis: Axis,
    /// The vertical axis is logarithmic.
    pub log: bool,
    /// The shown part of the horizontal axis.
    pub range: (f64, f64),
    /// All of it.
    pub whole: (f64, f64),
    /// Where training was taken up again: the step, and its place on the axis.
    pub marks: Vec<(u64, f64)>,
    /// Points are still coming.
    pub growing: bool,
    /// What its values are.
    pub measure: Measure,
    /// Asks for another range, or for all.
    pub on_range: Callback<Option<(f64, f64)>>,
    /// The place of the step that somebody wants to know more of.
    pub picked: Option<f64>,
    /// Hears of such a step, where there is more to know.
    pub on_pick: Option<Callback<u64>>,
}

/// Where everything goes.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Plot {
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) width: f64,
    pub(super) range: (f64, f64),
    pub(super) vertical: (f64, f64),
    pub(super) log: bool,
    pub(super) axis: Axis,
}

impl Plot {
    pub(super) fn new(props: &LineChartProps, width: f64) -> Self {
        let vertical = vertical_range(&props.lines, props.range, props.log);
        let (bottom, top) = (HEIGHT - BOTTOM, TOP);
        Self {
            x: Scale::new(props.range.0, props.range.1, LEFT, width - RIGHT),
            y: if props.log {
                Scale::logarithmic(vertical.0, vertical.1, bottom, top)
            } else {
                Scale::new(vertical.0, vertical.1, bottom, top)
            },
            width,
            range: props.range,
            vertical,
            log: props.log,
            axis: props.axis,
        }
    }
}

/// What a layer is drawn from.
#[derive(PartialEq)]
pub(super) struct LayerProps {
    pub(super) chart: LineChartProps,
    pub(super) width: f64,
}

/// Lines over one axis.
#[hook]
pub fn use_line_chart(props: Rc<LineChartProps>) -> Html {
    let place = use_node_ref();
    let width = use_width(&place);
    use_chart_measured(props.range);
    let layer = || LayerProps {
        chart: (*props).clone(),
        width,
    };
    html! {
        <figure class="line-chart">
            <div ref={place} class="line-chart-place">
                { part(use_base, layer()) }
                { part(use_overlay, layer()) }
            </div>
            { part(use_overview, layer()) }
            <p class="axis-note dim" hidden={props.axis != Axis::Time}>{ text::time_axis_note() }</p>
            <figcaption class="visually-hidden">{ summary(&props) }</figcaption>
        </figure>
    }
}

/// What the chart shows, in words.
pub(super) fn summary(props: &LineChartProps) -> String {
    let told = props
        .lines
        .iter()
        .take(8)
        .map(|line| text::curve_summary(&line.name, &line.steps, &line.y));
    let mut told = told.collect::<Vec<_>>().join(" ");
    let marks: Vec<u64> = props.marks.iter().map(|(step, _)| *step).collect();
    told += &text::resumed_at(&marks);
    told
}

/// A place is measured until this is dropped.
struct Measuring {
    observer: ResizeObserver,
    _resized: Closure<dyn Fn()>,
}

impl Drop for Measuring {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// The width of the chart's place, followed as it changes.
#[hook]
fn use_width(place: &NodeRef) -> f64 {
    let width = use_kept(|| 720.0);
    {
        let (place, width) = (place.clone(), width.setter());
        use_change((), move |()| {
            let element = place.cast::<HtmlElement>()?;
            let measured = element.clone();
            let resized = Closure::<dyn Fn()>::new(move || {
                width.set(f64::from(measured.client_width()).max(240.0));
            });
            let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok()?;
            observer.observe(&element);
            Some(Box::new(Measuring {
                observer,
                _resized: resized,
            }))
        });
    }
    *width
}

#[cfg(test)]
mod tests;
