//! The lines and their axes: everything that doesn't follow the pointer.

use super::{BOTTOM, HEIGHT, LEFT, LayerProps, Plot, RIGHT, TOP};
use crate::{
    chart::{
        geometry::{line_path, log_ticks, tick_label, ticks},
        lines::{Axis, Line},
    },
    text::format,
};
use std::rc::Rc;
use yew::prelude::*;

const DOTS_AT_MOST: usize = 80;
const MARKS_AT_MOST: usize = 200;
/// Half of what a digit of an axis is wide, rounded up.
const HALF_DIGIT: f64 = 3.6;
/// How many colours the style sheet has.
const HUES: usize = 10;

pub(super) fn pixels(value: f64) -> String {
    format::fixed(value, 1)
}

/// The class that gives a line its colour.
pub(crate) fn hue_class(line: &Line) -> String {
    format!("hue-{}", line.hue % HUES)
}

#[hook]
pub(crate) fn use_base(props: Rc<LayerProps>) -> Html {
    let plot = Plot::new(&props.chart, props.width);
    let (width, height) = (format::fixed(props.width, 0), format::fixed(HEIGHT, 0));
    let inside = (
        pixels(LEFT),
        pixels(props.width - RIGHT - LEFT),
        pixels(HEIGHT - BOTTOM - TOP + 8.0),
    );
    // Their own picture, which cuts off what leads out of view. Points stand above it: one at an end is drawn whole.
    let view_box = format!("{} {} {} {}", inside.0, pixels(TOP - 4.0), inside.1, inside.2);
    html! {
        <svg class="line-chart-base" aria-hidden="true" width={width.clone()} height={height.clone()} viewBox={format!("0 0 {width} {height}")}>
            { plot.rows() }
            { plot.columns() }
            <svg x={inside.0} y={pixels(TOP - 4.0)} width={inside.1} height={inside.2} viewBox={view_box}>
                { plot.marks(&props.chart.marks) }
                <g>{ for props.chart.lines.iter().map(|line| plot.line(line)) }</g>
                { plot.gaps(&props.chart.lines) }
            </svg>
            <g>{ for props.chart.lines.iter().map(|line| plot.dots(line)) }</g>
            { plot.tip(props.chart.all.first(), props.chart.growing) }
        </svg>
    }
}

impl Plot {
    fn rows(&self) -> Html {
        let bottom = pixels(HEIGHT - BOTTOM);
        let (left, right) = (pixels(LEFT), pixels(self.width - RIGHT));
        let values = if self.log {
            log_ticks(self.vertical.0, self.vertical.1)
        } else {
            ticks(self.vertical.0, self.vertical.1, 5)
        };
        let distance = |index: usize| {
            let next = if index == 0 { 1 } else { index };
            let pair = values.get(next.wrapping_sub(1)).zip(values.get(next));
            pair.map_or(
                1.0,
                |(below, above)| if self.log { *below } else { above - below },
            )
        };
        let rows = values.iter().enumerate().map(|(index, value)| {
            let at = self.y.at(*value);
            html! {
                <g key={index}>
                    <line class="grid-line" x1={left.clone()} x2={right.clone()} y1={pixels(at)} y2={pixels(at)} />
                    <text class="tick" x={pixels(LEFT - 8.0)} y={pixels(at + 4.0)} text-anchor="end">{ tick_label(*value, if self.log { *value } else { distance(index) }) }</text>
                </g>
            }
        });
        let rows: Html = rows.collect();
        html! {
            <g key="rows">
                <g>{ rows }</g>
                <line class="axis-line" x1={left} x2={right} y1={bottom.clone()} y2={bottom} />
            </g>
        }
    }

    fn columns(&self) -> Html {
        let across = ((self.width / 110.0) as usize).clamp(2, 9);
        let (values, distance) = self.column_ticks(across);
        let columns = values.into_iter().enumerate().map(|(index, at)| {
            let label = self.axis.label(at, distance);
            // In the middle below its place, unless it would stand out at the right.
            let x = self.x.at(at).min(self.width - label.chars().count() as f64 * HALF_DIGIT);
            html! { <text key={index} class="tick" x={pixels(x)} y={pixels(HEIGHT - 8.0)} text-anchor="middle">{ label }</text> }
        });
        let columns: Html = columns.collect();
        html! { <g key="columns">{ columns }</g> }
    }

    fn column_ticks(&self, across: usize) -> (Vec<f64>, f64) {
        let (from, to) = self.range;
        if self.axis == Axis::Time {
            let every = round_time((to - from) / across as f64);
            let first = (from / every).ceil() as i64;
            let last = (to / every).floor() as i64;
            return (
                (first..=last)
                    .take(100)
                    .map(|index| index as f64 * every)
                    .collect(),
                every,
            );
        }
        let mut values = ticks(from, to, across);
        if self.axis == Axis::Step {
            values.retain(|step| step.fract() == 0.0);
        }
        let distance = values
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .next()
            .unwrap_or(1.0);
        (values, distance)
    }

    /// Where training was taken up again.
    fn marks(&self, marks: &[(u64, f64)]) -> Html {
        let shown = marks
            .iter()
            .filter(|(_, place)| (self.range.0..=self.range.1).contains(place));
        let marks = shown.take(MARKS_AT_MOST).enumerate().map(|(index, (_, place))| {
            let path = format!(
                "M{} {}V{}",
                pixels(self.x.at(*place)),
                pixels(TOP),
                pixels(HEIGHT - BOTTOM)
            );
            html! { <path key={index} class="attempt-mark" d={path} /> }
        });
        let marks: Html = marks.collect();
        html! { <g key="marks">{ marks }</g> }
    }

    /// The path of some of a line's values, as far as they are in view.
    pub(crate) fn path(&self, line: &Line, values: &[Option<f64>]) -> String {
        let shown = line.visible(self.range);
        let (x, y) = (line.x.get(shown.clone()), values.get(shown));
        let points = x
            .unwrap_or_default()
            .iter()
            .copied()
            .zip(y.unwrap_or_default().iter().copied());
        line_path(points, self.x, self.y)
    }

    fn line(&self, line: &Line) -> Html {
        let mut class = hue_class(line);
        class.push_str(if line.dashed { " is-dashed" } else { "" });
        class.push_str(if line.smooth.is_some() { " is-smoothed" } else { "" });
        let over = line
            .smooth
            .as_deref()
            .map(|smooth| self.path(line, smooth))
            .unwrap_or_default();
        html! {
            <g key={line.key.clone()} {class}>
                <path class="line-raw" d={self.path(line, &line.y)} />
                <path class="line-smooth" d={over} />
            </g>
        }
    }

    fn dots(&self, line: &Line) -> Html {
        let shown = line.visible(self.range);
        let has_dots = line.dashed && shown.len() <= DOTS_AT_MOST;
        let points = shown
            .filter(|_| has_dots)
            .filter_map(|index| Some((index, *line.x.get(index)?, (*line.y.get(index)?)?)));
        let dots = points
            .filter(|(_, x, _)| (self.range.0..=self.range.1).contains(x))
            .map(|(index, x, y)| {
                html! { <circle key={index} cx={pixels(self.x.at(x))} cy={pixels(self.y.at(y))} r="3" /> }
            });
        html! { <g key={line.key.clone()} class={hue_class(line)}>{ for dots }</g> }
    }

    /// Steps whose value is not a number: a mark at the top, because a gap alone is easily overlooked.
    fn gaps(&self, lines: &[Line]) -> Html {
        let gaps = lines.iter().enumerate().flat_map(|(which, line)| {
            let shown = line
                .visible(self.range)
                .filter(|index| line.y.get(*index) == Some(&None));
            shown.filter_map(move |index| Some((which, index, *line.x.get(index)?)))
        });
        let gaps = gaps.take(MARKS_AT_MOST).map(|(which, index, x)| {
            let at = pixels(self.x.at(x));
            let path = format!("M{at} 10l5 0l-5 8l-5 -8zM{at} 18V{}", pixels(HEIGHT - BOTTOM));
            html! { <path key={format!("{which} {index}")} class="gap-mark" d={path} /> }
        });
        let gaps: Html = gaps.collect();
        html! { <g key="gaps">{ gaps }</g> }
    }

    /// The newest point of a growing curve.
    fn tip(&self, line: Option<&Line>, growing: bool) -> Html {
        let last = line.filter(|_| growing).and_then(|line| {
            let x = line
                .x
                .last()
                .filter(|x| (self.range.0..=self.range.1).contains(*x))?;
            Some((*x, (*line.y.last()?)?))
        });
        let Some((x, y)) = last else {
            return html! { <g key="tip"></g> };
        };
        let (cx, cy) = (pixels(self.x.at(x)), pixels(self.y.at(y)));
        html! {
            <g key="tip" class="tip">
                <circle class="tip-halo" cx={cx.clone()} cy={cy.clone()} r="7" />
                <circle {cx} {cy} r="3.2" />
            </g>
        }
    }
}

/// A round span of time, in milliseconds, of at least so many.
fn round_time(least: f64) -> f64 {
    const SECOND: f64 = 1000.0;
    const HOUR: f64 = 3600.0 * SECOND;
    let spans = [
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0,
    ]
    .map(|seconds| seconds * SECOND);
    let hours = [1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0, 336.0, 720.0].map(|hours| hours * HOUR);
    let fitting = spans.into_iter().chain(hours).find(|span| *span >= least);
    fitting.unwrap_or(least.max(1.0))
}
