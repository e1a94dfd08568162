//! All of the axis in small below the chart while a part is shown: the part can be dragged along it.

use super::{
    LEFT, LayerProps, RIGHT,
    base::{hue_class, pixels},
};
use crate::{
    chart::{
        geometry::{Scale, line_path},
        lines::vertical_range,
        view::moved,
    },
    kept::use_kept,
    text::format,
};
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

const HEIGHT: f64 = 40.0;
/// The part is at least so wide, so that it can be taken hold of.
const LEAST: f64 = 12.0;

#[hook]
pub(super) fn use_overview(props: Rc<LayerProps>) -> Html {
    let place = use_node_ref();
    let held = use_kept(|| None::<f64>);
    let chart = &props.chart;
    let (range, whole) = (chart.range, chart.whole);
    let x = Scale::new(whole.0, whole.1, LEFT, props.width - RIGHT);
    let pixel = {
        let place = place.clone();
        move |event: &PointerEvent| {
            let left = place
                .cast::<Element>()
                .map_or(0.0, |place| place.get_bounding_client_rect().left());
            f64::from(event.client_x()) - left
        }
    };
    let onpointerdown = {
        let (pixel, held, place, props) = (pixel.clone(), held.setter(), place.clone(), Rc::clone(&props));
        Callback::from(move |event: PointerEvent| {
            let at = x.value_at(pixel(&event));
            if !(range.0..=range.1).contains(&at) {
                // A click beside the part brings its middle there.
                props
                    .chart
                    .on_range
                    .emit(Some(moved(range, whole, at - (range.0 + range.1) / 2.0)));
            }
            held.set(Some(at));
            if let Some(place) = place.cast::<Element>() {
                let _ = place.set_pointer_capture(event.pointer_id());
            }
        })
    };
    let onpointermove = {
        let (held, props) = (held.clone(), Rc::clone(&props));
        Callback::from(move |event: PointerEvent| {
            let Some(last) = *held else { return };
            let at = x.value_at(pixel(&event));
            held.set(Some(at));
            props.chart.on_range.emit(Some(moved(range, whole, at - last)));
        })
    };
    let release = {
        let held = held.setter();
        Callback::from(move |_: PointerEvent| held.set(None))
    };
    let shown = range != whole;
    let (start, end) = (x.at(range.0), x.at(range.1).max(x.at(range.0) + LEAST));
    let (width, height) = (format::fixed(props.width, 0), format::fixed(HEIGHT, 0));
    let vertical = vertical_range(&chart.all, whole, chart.log);
    let y = if chart.log {
        Scale::logarithmic(vertical.0, vertical.1, HEIGHT - 3.0, 3.0)
    } else {
        Scale::new(vertical.0, vertical.1, HEIGHT - 3.0, 3.0)
    };
    let lines = chart.all.iter().filter(|_| shown).map(|line| {
        let values = line.smooth.as_ref().unwrap_or(&line.y);
        let path = line_path(line.x.iter().copied().zip(values.iter().copied()), x, y);
        html! { <g key={line.key.clone()} class={hue_class(line)}><path class="overview-line" d={path} /></g> }
    });
    let lines: Html = lines.collect();
    html! {
        <div
            ref={place} class="line-chart-overview" aria-hidden="true" hidden={!shown}
            {onpointerdown} {onpointermove} onpointerup={release.clone()} onpointercancel={release}
        >
            <svg width={width.clone()} height={height.clone()} viewBox={format!("0 0 {width} {height}")}>
                { lines }
                <rect class="overview-part" x={pixels(start)} y="0.5" width={pixels(end - start)} height={pixels(HEIGHT - 1.0)} rx="4" />
            </svg>
        </div>
    }
}
