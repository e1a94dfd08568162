//! What follows the pointer and the keyboard: the crosshair with its values, and the part that a drag takes.

mod crosshair;

use super::{BOTTOM, HEIGHT, LEFT, LayerProps, LineChartProps, Plot, RIGHT, TOP, base::pixels, summary};
use crate::{
    browser::Listener,
    chart::{
        lines::{Line, read},
        view::{moved, zoomed},
    },
    kept::use_kept,
    part::use_change,
    text::{self, format},
};
use crosshair::{crosshair, spoken};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use yew::prelude::*;

/// A drag shorter than this is a click.
const DRAG: f64 = 8.0;
/// A point as close as this to the pointer, in pixels across, is taken for the one that is meant.
const NEAR: f64 = 4.0;
/// Farther than this from the pointer a point isn't read.
const REACH: f64 = 40.0;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Drag {
    /// Takes the part between two pixels.
    Take(f64, f64),
    /// Moves the shown part: where the drag was last.
    Move(f64),
}

#[hook]
pub(super) fn use_overlay(props: Rc<LayerProps>) -> Html {
    let place = use_node_ref();
    let plot = Plot::new(&props.chart, props.width);
    let pointed = use_kept(|| None::<f64>);
    let drag = use_kept(|| None::<Drag>);
    let chart = &props.chart;
    let (range, whole) = (chart.range, chart.whole);
    let pixel = {
        let place = place.clone();
        let width = props.width;
        move |event: &MouseEvent| {
            let left = place
                .cast::<Element>()
                .map_or(0.0, |place| place.get_bounding_client_rect().left());
            (f64::from(event.client_x()) - left).clamp(LEFT, width - RIGHT)
        }
    };
    use_wheel(&place, pixel.clone(), Rc::clone(&props));
    // The place of the point that is pointed at.
    let meant = {
        let (place, pixel, props) = (place.clone(), pixel.clone(), Rc::clone(&props));
        move |event: &MouseEvent| {
            let top = place
                .cast::<Element>()
                .map_or(0.0, |place| place.get_bounding_client_rect().top());
            let (at, height) = (pixel(event), f64::from(event.client_y()) - top);
            let line = props.chart.lines.first();
            let x = line.and_then(|line| line.x.get(meant_by(line, plot, (at, height))?).copied());
            x.unwrap_or_else(|| plot.x.value_at(at))
        }
    };
    let onpointermove = {
        let (pixel, pointed, drag, props) =
            (pixel.clone(), pointed.setter(), drag.clone(), Rc::clone(&props));
        let meant = meant.clone();
        Callback::from(move |event: PointerEvent| {
            let at = pixel(&event);
            match *drag {
                Some(Drag::Take(start, _)) => drag.set(Some(Drag::Take(start, at))),
                Some(Drag::Move(last)) => {
                    let by = plot.x.value_at(last) - plot.x.value_at(at);
                    drag.set(Some(Drag::Move(at)));
                    props.chart.on_range.emit(Some(moved(range, whole, by)));
                }
                None => {}
            }
            pointed.set(Some(meant(&event)));
        })
    };
    let onpointerdown = {
        let (pixel, drag, place) = (pixel.clone(), drag.setter(), place.clone());
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() != "mouse" || event.button() != 0 {
                return;
            }
            let at = pixel(&event);
            let moves = event.shift_key() && range != whole;
            drag.set(Some(if moves { Drag::Move(at) } else { Drag::Take(at, at) }));
            if let Some(place) = place.cast::<Element>() {
                let _ = place.set_pointer_capture(event.pointer_id());
            }
        })
    };
    let onpointerup = {
        let (drag, props) = (drag.clone(), Rc::clone(&props));
        Callback::from(move |event: PointerEvent| {
            let chart = &props.chart;
            match *drag {
                Some(Drag::Take(start, end)) if (end - start).abs() >= DRAG => {
                    let taken = (plot.x.value_at(start.min(end)), plot.x.value_at(start.max(end)));
                    chart.on_range.emit(Some(taken));
                }
                Some(Drag::Move(_)) => {}
                _ => pick(chart.on_pick.as_ref(), &chart.lines, meant(&event)),
            }
            drag.set(None);
        })
    };
    let forget = {
        let (pointed, drag) = (pointed.setter(), drag.setter());
        move || {
            pointed.set(None);
            drag.set(None);
        }
    };
    let onpointerleave = Callback::from({
        let forget = forget.clone();
        move |_: PointerEvent| forget()
    });
    let onblur = Callback::from(move |_: FocusEvent| forget());
    let ondblclick = chart.on_range.reform(|_: MouseEvent| None);
    let onkeydown = keys(&props, &pointed);
    let readings = pointed.map(|at| {
        let reach = (range.1 - range.0) * REACH / props.width;
        // The crosshair stands at the point that it reads.
        let at = snapped(&chart.lines, at).unwrap_or(at);
        (at, read(&chart.lines, at, reach))
    });
    let spoken = readings
        .as_ref()
        .map_or_else(|| summary(chart), |(at, readings)| spoken(&props, *at, readings));
    let taken = match *drag {
        Some(Drag::Take(start, end)) => Some((start, end)),
        _ => None,
    };
    let (width, height) = (format::fixed(props.width, 0), format::fixed(HEIGHT, 0));
    let number = |value: f64| format::fixed(value, 3);
    html! {
        <div
            ref={place}
            class={if matches!(*drag, Some(Drag::Move(_))) { "line-chart-overlay is-moving" } else { "line-chart-overlay" }}
            tabindex="0"
            role="slider"
            aria-label={text::measure_by_step(chart.measure)}
            aria-description={if chart.on_pick.is_some() { text::chart_help_pick() } else { text::chart_help() }}
            aria-valuemin={number(range.0)}
            aria-valuemax={number(range.1)}
            aria-valuenow={number(readings.as_ref().map_or(range.1, |(at, _)| *at))}
            aria-valuetext={spoken}
            {onpointermove} {onpointerdown} {onpointerup} {onpointerleave} {onkeydown} {onblur} {ondblclick}
        >
            <svg aria-hidden="true" width={width.clone()} height={height.clone()} viewBox={format!("0 0 {width} {height}")}>
                { picked(chart, plot) }
                { selection(taken) }
                { crosshair(&props, plot, readings) }
            </svg>
        </div>
    }
}

/// Tells which step lies nearest to a place of the first line.
fn pick(on_pick: Option<&Callback<u64>>, lines: &[Line], at: f64) {
    let step = lines.first().and_then(|line| {
        let index = crate::chart::geometry::nearest(&line.x, at)?;
        line.steps.get(index).copied()
    });
    if let (Some(on_pick), Some(step)) = (on_pick, step) {
        on_pick.emit(step);
    }
}

/// Which point of a line a pixel means: of those at about the same place the closest, so that a spike can be hit among the points
/// that stand beside it; where there is none, the nearest.
fn meant_by(line: &Line, plot: Plot, (at, height): (f64, f64)) -> Option<usize> {
    let from = line.x.partition_point(|x| *x < plot.x.value_at(at - NEAR));
    let to = line.x.partition_point(|x| *x <= plot.x.value_at(at + NEAR));
    let distance = |index: usize| {
        let (x, y) = (*line.x.get(index)?, (*line.y.get(index)?)?);
        Some((plot.x.at(x) - at).hypot(plot.y.at(y) - height))
    };
    let close = (from..to).filter_map(|index| Some((index, distance(index)?)));
    close
        .min_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(index, _)| index)
        .or_else(|| crate::chart::geometry::nearest(&line.x, plot.x.value_at(at)))
}

/// Marks the step that somebody wants to know more of.
fn picked(chart: &LineChartProps, plot: Plot) -> Html {
    let shown = chart
        .picked
        .filter(|place| (chart.range.0..=chart.range.1).contains(place));
    let Some(place) = shown else {
        return html! { <g key="picked"></g> };
    };
    let at = pixels(plot.x.at(place));
    html! {
        <g key="picked">
            <line class="picked-line" x1={at.clone()} x2={at} y1={pixels(TOP)} y2={pixels(HEIGHT - BOTTOM)} />
        </g>
    }
}

/// The place of the nearest point of the first line.
fn snapped(lines: &[Line], at: f64) -> Option<f64> {
    let line = lines.first()?;
    let index = crate::chart::geometry::nearest(&line.x, at)?;
    line.x.get(index).copied()
}

/// The wheel with Ctrl or Command zooms around the pointer; without, the page scrolls as always.
#[hook]
fn use_wheel(place: &NodeRef, pixel: impl Fn(&MouseEvent) -> f64 + 'static, props: Rc<LayerProps>) {
    let place = place.clone();
    use_change(Rc::clone(&props), move |props| {
        let element = place.cast::<Element>()?;
        let props = Rc::clone(props);
        let heard = Listener::refusing(&element, "wheel", move |event| {
            let event = event.unchecked_into::<WheelEvent>();
            if !(event.ctrl_key() || event.meta_key()) {
                return;
            }
            event.prevent_default();
            let chart = &props.chart;
            let at = Plot::new(chart, props.width).x.value_at(pixel(&event));
            let factor = if event.delta_y() < 0.0 { 0.8 } else { 1.25 };
            chart.on_range.emit(zoomed(chart.range, chart.whole, at, factor));
        });
        Some(Box::new(heard))
    });
}

fn keys(props: &Rc<LayerProps>, pointed: &crate::kept::Kept<Option<f64>>) -> Callback<KeyboardEvent> {
    let (props, pointed) = (Rc::clone(props), pointed.clone());
    Callback::from(move |event: KeyboardEvent| {
        // The browser's own: it enlarges the page, goes back.
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let chart = &props.chart;
        let (range, whole) = (chart.range, chart.whole);
        let span = range.1 - range.0;
        let at = pointed.unwrap_or(range.1);
        let middle = pointed.unwrap_or((range.0 + range.1) / 2.0);
        let show = |range: Option<(f64, f64)>| chart.on_range.emit(range);
        let read_at = |places: i64| {
            let Some(line) = chart.lines.first() else { return };
            let shown = line.visible(range);
            let here = crate::chart::geometry::nearest(&line.x, at).unwrap_or(0) as i64;
            let next =
                (here + places).clamp(shown.start as i64, (shown.end as i64 - 1).max(shown.start as i64));
            pointed.set(line.x.get(next as usize).copied());
        };
        let far = chart
            .lines
            .first()
            .map_or(1, |line| (line.visible(range).len() / 10).max(1)) as i64;
        match (event.key().as_str(), event.shift_key()) {
            ("ArrowLeft", true) => show(Some(moved(range, whole, -span / 4.0)).filter(|_| range != whole)),
            ("ArrowRight", true) => show(Some(moved(range, whole, span / 4.0)).filter(|_| range != whole)),
            ("ArrowLeft", false) => read_at(-1),
            ("ArrowRight", false) => read_at(1),
            ("PageDown", _) => read_at(-far),
            ("PageUp", _) => read_at(far),
            ("Home", _) => read_at(-(1 << 40)),
            ("End", _) => read_at(1 << 40),
            ("+" | "=", _) => show(zoomed(range, whole, middle, 0.5)),
            ("-", _) => show(zoomed(range, whole, middle, 2.0)),
            ("Enter", _) => pick(chart.on_pick.as_ref(), &chart.lines, at),
            ("Escape", _) => {
                pointed.set(None);
                show(None);
            }
            _ => return,
        }
        event.prevent_default();
    })
}

fn selection(taken: Option<(f64, f64)>) -> Html {
    let Some((start, end)) = taken else {
        return html! { <g key="selection"></g> };
    };
    html! {
        <g key="selection">
            <rect class="selection" x={pixels(start.min(end))} y={pixels(TOP)} width={pixels((end - start).abs())} height={pixels(HEIGHT - BOTTOM - TOP)} />
        </g>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{geometry::Scale, lines::Axis};

    #[test]
    fn a_spike_is_hit_among_the_points_beside_it_and_what_is_far_by_its_place() {
        let plot = Plot {
            x: Scale::new(0.0, 1_000.0, 0.0, 100.0),
            y: Scale::new(0.0, 10.0, 100.0, 0.0),
            width: 100.0,
            range: (0.0, 1_000.0),
            vertical: (0.0, 10.0),
            log: false,
            axis: Axis::Step,
        };
        let line = Line {
            x: vec![490.0, 500.0, 510.0, 515.0, 900.0],
            y: vec![Some(1.0), Some(9.0), Some(1.0), None, Some(2.0)],
            ..Line::default()
        };
        let meant = |at, height| meant_by(&line, plot, (at, height));
        assert_eq!(
            meant(51.0, 12.0),
            Some(1),
            "the spike, though another is nearer across"
        );
        assert_eq!(meant(51.0, 90.0), Some(2));
        assert_eq!(meant(75.0, 10.0), Some(4), "nothing is close: the nearest across");
        assert_eq!(meant_by(&Line::default(), plot, (5.0, 5.0)), None);
    }
}
