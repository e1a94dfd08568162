//! The loss by step: the raw curve, a smoothed one over it, validation as dots. A crosshair follows the pointer or
//! the arrow keys and reads values; a drag zooms, and whoever shows the chart fetches the finer range.

mod drawing;

use super::geometry::{Scale, nearest, value_range};
use crate::kept::use_kept;
use crate::part::use_change;
use crate::text;
use drawing::Plot;
use shared::metrics::{Curve, Metrics, Series};
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Element, HtmlElement, ResizeObserver};
use yew::prelude::*;

/// The style sheet and the drawing know it too.
const HEIGHT: f64 = 282.0;
const LEFT: f64 = 42.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// A drag shorter than this is a click.
const DRAG: f64 = 8.0;

/// What the chart shows.
#[derive(PartialEq)]
pub struct LineChartProps {
    /// The curves; train and validation loss are drawn.
    pub metrics: Rc<Metrics>,
    /// First and last step of the axis.
    pub steps: (u64, u64),
    /// Steps at which training was taken up again.
    pub marks: Vec<u64>,
    /// Steps are still coming.
    pub growing: bool,
    /// Asks for another range of steps, or for all.
    pub on_zoom: Callback<Option<(u64, u64)>>,
}

fn curve(metrics: &Metrics, series: Series) -> Option<&Curve> {
    metrics.curves.iter().find(|curve| curve.series == series)
}

/// The loss by step.
#[hook]
pub fn use_line_chart(props: Rc<LineChartProps>) -> Html {
    let place = use_node_ref();
    let width = use_width(&place);
    let pointed = use_kept(|| None::<u64>);
    let dragged = use_kept(|| None::<(f64, f64)>);
    let (first, last) = props.steps;
    let x = Scale::new(first as f64, last as f64, LEFT, width - RIGHT);
    let train = curve(&props.metrics, Series::TrainLoss);
    let valid = curve(&props.metrics, Series::ValidLoss);
    let values = [train, valid]
        .into_iter()
        .flatten()
        .flat_map(|curve| curve.values.iter().flatten().copied());
    let range = value_range(values).unwrap_or((0.0, 1.0));
    let y = Scale::new(range.0, range.1, HEIGHT - BOTTOM, TOP);
    let plot = Plot {
        x,
        y,
        width,
        range,
        steps: props.steps,
    };

    let pixel = {
        let place = place.clone();
        move |event: &PointerEvent| {
            let left = place
                .cast::<Element>()
                .map_or(0.0, |place| place.get_bounding_client_rect().left());
            // Not `clamp`: its panic brings the standard library's way to write numbers into the module.
            (f64::from(event.client_x()) - left).min(width - RIGHT).max(LEFT)
        }
    };
    let point_at = {
        let (pointed, metrics) = (pointed.setter(), Rc::clone(&props.metrics));
        move |at: f64| {
            let known = curve(&metrics, Series::TrainLoss).or_else(|| curve(&metrics, Series::ValidLoss));
            let step =
                known.and_then(|curve| nearest(&curve.steps, at).and_then(|index| curve.steps.get(index)));
            pointed.set(step.copied());
        }
    };
    let onpointermove = {
        let (pixel, dragged, point_at) = (pixel.clone(), dragged.clone(), point_at.clone());
        Callback::from(move |event: PointerEvent| {
            let at = pixel(&event);
            point_at(x.value_at(at));
            if let Some((start, _)) = *dragged {
                dragged.set(Some((start, at)));
            }
        })
    };
    let onpointerdown = {
        let (pixel, dragged) = (pixel.clone(), dragged.clone());
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() == "mouse" && event.button() == 0 {
                let at = pixel(&event);
                dragged.set(Some((at, at)));
            }
        })
    };
    let onpointerup = {
        let (dragged, on_zoom) = (dragged.clone(), props.on_zoom.clone());
        Callback::from(move |_: PointerEvent| {
            if let Some((start, end)) = (*dragged).filter(|(start, end)| (end - start).abs() >= DRAG) {
                let (from, to) = (
                    x.value_at(start.min(end)).floor(),
                    x.value_at(start.max(end)).ceil(),
                );
                if to - from >= 2.0 {
                    on_zoom.emit(Some((from.max(1.0) as u64, to as u64)));
                }
            }
            dragged.set(None);
        })
    };
    let onpointerleave = {
        let (pointed, dragged) = (pointed.setter(), dragged.setter());
        Callback::from(move |_: PointerEvent| {
            pointed.set(None);
            dragged.set(None);
        })
    };
    let onkeydown = {
        let (pointed, on_zoom) = (pointed.clone(), props.on_zoom.clone());
        let steps = train
            .or(valid)
            .map(|curve| curve.steps.clone())
            .unwrap_or_default();
        Callback::from(move |event: KeyboardEvent| {
            let here = pointed
                .and_then(|step| nearest(&steps, step as f64))
                .unwrap_or(steps.len().saturating_sub(1));
            let end = steps.len().saturating_sub(1);
            let far = (steps.len() / 10).max(1);
            let span = (last - first).max(4);
            let around = |span: u64| {
                let middle = pointed.unwrap_or((first + last) / 2);
                let from = middle.saturating_sub(span / 2).max(1);
                Some((from, from + span))
            };
            let next = match event.key().as_str() {
                "ArrowLeft" => here.saturating_sub(1),
                "ArrowRight" => (here + 1).min(end),
                "PageDown" => here.saturating_sub(far),
                "PageUp" => (here + far).min(end),
                "Home" => 0,
                "End" => end,
                "+" | "=" => return on_zoom.emit(around((span / 2).max(4))),
                "-" => return on_zoom.emit(around(span * 2)),
                "Escape" => {
                    pointed.set(None);
                    return on_zoom.emit(None);
                }
                _ => return,
            };
            event.prevent_default();
            pointed.set(steps.get(next).copied());
        })
    };
    let onblur = {
        let pointed = pointed.setter();
        Callback::from(move |_: FocusEvent| pointed.set(None))
    };
    let pixels = text::format::fixed(width, 0);
    let reading = pointed.map(|step| drawing::reading(&props.metrics, step));
    let spoken = reading
        .as_ref()
        .map_or_else(|| summary(&props.metrics), |reading| reading.join(", "));
    html! {
        <figure class="line-chart">
            <div
                ref={place}
                class="line-chart-place"
                tabindex="0"
                role="slider"
                aria-label={text::loss_by_step()}
                aria-description={text::chart_help()}
                aria-valuemin={first.to_string()}
                aria-valuemax={last.to_string()}
                aria-valuenow={pointed.unwrap_or(last).to_string()}
                aria-valuetext={spoken}
                {onpointermove} {onpointerdown} {onpointerup} {onpointerleave} {onkeydown} {onblur}
            >
                <svg aria-hidden="true" width={pixels.clone()} height="282" viewBox={format!("0 0 {pixels} 282")}>
                    { plot.axes() }
                    { plot.marks(&props.marks) }
                    { plot.train(train) }
                    { plot.valid(valid) }
                    { plot.gaps(train) }
                    { plot.tip(train, props.growing) }
                    { plot.selection(*dragged) }
                    { plot.crosshair(*pointed, reading.as_deref()) }
                </svg>
            </div>
            <figcaption class="visually-hidden">{ summary(&props.metrics) }{ text::resumed_at(&props.marks) }</figcaption>
        </figure>
    }
}

fn summary(metrics: &Metrics) -> String {
    let told = [Series::TrainLoss, Series::ValidLoss]
        .into_iter()
        .filter_map(|series| curve(metrics, series));
    told.map(|curve| text::curve_summary(text::series_label(curve.series), &curve.steps, &curve.values))
        .collect::<Vec<_>>()
        .join(" ")
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
mod tests {
    use super::*;
    use crate::part::part;

    fn metrics() -> Metrics {
        let train = Curve {
            series: Series::TrainLoss,
            total_points: 4,
            steps: vec![1, 2, 3, 4],
            values: vec![Some(2.0), Some(99.0), None, Some(0.5)],
        };
        let valid = Curve {
            series: Series::ValidLoss,
            total_points: 1,
            steps: vec![4],
            values: vec![Some(0.6)],
        };
        Metrics {
            from: 1,
            to: 4,
            curves: vec![train, valid],
        }
    }

    #[component]
    fn Chart() -> Html {
        part(
            use_line_chart,
            LineChartProps {
                metrics: Rc::new(metrics()),
                steps: (1, 10),
                marks: vec![3, 40],
                growing: true,
                on_zoom: Callback::noop(),
            },
        )
    }

    #[tokio::test]
    async fn a_chart_draws_its_spike_marks_its_gap_and_tells_both() {
        let html = yew::ServerRenderer::<Chart>::new()
            .hydratable(false)
            .render()
            .await;
        assert!(
            html.contains("role=\"slider\"") && html.contains("Train loss: 2.000 at step 1"),
            "{html}"
        );
        assert_eq!(html.matches("class=\"gap-mark\"").count(), 1, "{html}");
        let marks = html.matches("class=\"attempt-mark\"").count();
        assert_eq!(marks, 1, "40 is beyond the axis: {html}");
        assert!(html.contains("1 step without a number"), "{html}");
        let tag = html.split('<').find(|tag| tag.contains("class=\"train-raw\""));
        let train = tag
            .and_then(|tag| tag.split(" d=\"").nth(1))
            .and_then(|rest| rest.split('"').next());
        let train = train.expect("the raw curve is drawn");
        assert_eq!(
            (train.matches('M').count(), train.matches('L').count()),
            (2, 1),
            "broken once: {train}"
        );
        let highest = train
            .split(['M', 'L'])
            .filter_map(|point| point.split(' ').nth(1)?.parse::<f64>().ok());
        assert!(
            highest.fold(f64::INFINITY, f64::min) < 30.0,
            "the spike is inside, near the top: {train}"
        );
    }
}
