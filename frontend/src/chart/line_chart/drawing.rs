//! The parts of the chart as SVG.

use super::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, curve};
use crate::{
    chart::geometry::{Scale, line_path, smooth, tick_label, ticks},
    text::{self, format},
};
use shared::metrics::{Curve, Metrics, Series};
use yew::prelude::*;

/// From so many points on a smoothed curve is drawn over the raw one.
const SMOOTHED_FROM: usize = 40;
const SMOOTHING: f64 = 0.9;
const DOTS_AT_MOST: usize = 80;
const MARKS_AT_MOST: usize = 200;
const BOX_WIDTH: f64 = 192.0;
/// Half of what a digit of an axis is wide, rounded up.
const HALF_DIGIT: f64 = 3.6;

/// Where everything goes.
pub(super) struct Plot {
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) width: f64,
    pub(super) range: (f64, f64),
    pub(super) steps: (u64, u64),
}

fn pixels(value: f64) -> String {
    format::fixed(value, 1)
}

impl Plot {
    pub(super) fn axes(&self) -> Html {
        let bottom = HEIGHT - BOTTOM;
        let values = ticks(self.range.0, self.range.1, 5);
        let distance = values
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .next()
            .unwrap_or(1.0);
        let rows = values.iter().map(|value| {
            let at = self.y.at(*value);
            html! {
                <g key={pixels(at)}>
                    <line class="grid-line" x1={pixels(LEFT)} x2={pixels(self.width - RIGHT)} y1={pixels(at)} y2={pixels(at)} />
                    <text class="tick" x={pixels(LEFT - 8.0)} y={pixels(at + 4.0)} text-anchor="end">{ tick_label(*value, distance) }</text>
                </g>
            }
        });
        let rows: Html = rows.collect();
        let across = ((self.width / 110.0) as usize).clamp(2, 9);
        let columns = ticks(self.steps.0 as f64, self.steps.1 as f64, across)
            .into_iter()
            .filter(|step| step.fract() == 0.0);
        let columns = columns.map(|step| {
            let label = format::count(step as u64);
            html! {
                <text key={step as u64} class="tick" x={pixels(self.inside(step, &label))} y={pixels(HEIGHT - 8.0)} text-anchor="middle">
                    { label }
                </text>
            }
        });
        let columns: Html = columns.collect();
        html! {
            <g key="axes">
                <g>{ rows }</g>
                <line class="axis-line" x1={pixels(LEFT)} x2={pixels(self.width - RIGHT)} y1={pixels(bottom)} y2={pixels(bottom)} />
                <g>{ columns }</g>
            </g>
        }
    }

    /// The middle of a label below the axis: at its step, unless it would stand out at the right.
    fn inside(&self, step: f64, label: &str) -> f64 {
        self.x.at(step).min(self.width - label.len() as f64 * HALF_DIGIT)
    }

    /// Where training was taken up again.
    pub(super) fn marks(&self, steps: &[u64]) -> Html {
        let shown = steps
            .iter()
            .filter(|step| (self.steps.0..=self.steps.1).contains(step));
        let marks = shown.take(MARKS_AT_MOST).enumerate().map(|(index, step)| {
            let at = pixels(self.x.at(*step as f64));
            html! {
                <path key={index} class="attempt-mark" d={format!("M{at} {}V{}", pixels(TOP), pixels(HEIGHT - BOTTOM))} />
            }
        });
        let marks: Html = marks.collect();
        html! { <g key="marks">{ marks }</g> }
    }

    fn path(&self, steps: &[u64], values: &[Option<f64>]) -> String {
        line_path(
            steps.iter().map(|step| *step as f64).zip(values.iter().copied()),
            self.x,
            self.y,
        )
    }

    pub(super) fn train(&self, train: Option<&Curve>) -> Html {
        let Some(train) = train else {
            return html! { <g key="train"></g> };
        };
        let smoothed = train.steps.len() >= SMOOTHED_FROM;
        let over = if smoothed {
            self.path(&train.steps, &smooth(&train.values, SMOOTHING))
        } else {
            String::new()
        };
        html! {
            <g key="train" class={if smoothed { "train is-smoothed" } else { "train" }}>
                <path class="train-raw" d={self.path(&train.steps, &train.values)} />
                <path class="train-smooth" d={over} />
            </g>
        }
    }

    pub(super) fn valid(&self, valid: Option<&Curve>) -> Html {
        let Some(valid) = valid else {
            return html! { <g key="valid"></g> };
        };
        let points = valid
            .steps
            .iter()
            .zip(&valid.values)
            .filter_map(|(step, value)| value.map(|value| (*step, value)));
        let dots = points.take(if valid.steps.len() > DOTS_AT_MOST { 0 } else { DOTS_AT_MOST }).map(|(step, value)| {
            html! { <circle key={step} cx={pixels(self.x.at(step as f64))} cy={pixels(self.y.at(value))} r="3" /> }
        });
        let dots: Html = dots.collect();
        html! { <g key="valid" class="valid"><path d={self.path(&valid.steps, &valid.values)} /><g>{ dots }</g></g> }
    }

    /// Steps whose loss is not a number: a mark at the top, because a gap alone is easily overlooked.
    pub(super) fn gaps(&self, train: Option<&Curve>) -> Html {
        let gaps = train
            .into_iter()
            .flat_map(|train| train.steps.iter().zip(&train.values));
        let gaps = gaps.filter(|(_, value)| value.is_none()).take(MARKS_AT_MOST).map(|(step, _)| {
            let at = pixels(self.x.at(*step as f64));
            html! {
                <path key={*step} class="gap-mark" d={format!("M{at} 10l5 0l-5 8l-5 -8zM{at} 18V{}", pixels(HEIGHT - BOTTOM))} />
            }
        });
        let gaps: Html = gaps.collect();
        html! { <g key="gaps">{ gaps }</g> }
    }

    /// The newest point of a growing curve.
    pub(super) fn tip(&self, train: Option<&Curve>, growing: bool) -> Html {
        let last = train.and_then(|train| {
            train
                .steps
                .last()
                .copied()
                .zip(train.values.last().copied().flatten())
        });
        let Some((step, value)) = last.filter(|(step, _)| growing && *step <= self.steps.1) else {
            return html! { <g key="tip"></g> };
        };
        let (cx, cy) = (pixels(self.x.at(step as f64)), pixels(self.y.at(value)));
        html! {
            <g key="tip" class="tip">
                <circle class="tip-halo" cx={cx.clone()} cy={cy.clone()} r="7" />
                <circle {cx} {cy} r="3.2" />
            </g>
        }
    }

    pub(super) fn selection(&self, dragged: Option<(f64, f64)>) -> Html {
        let Some((start, end)) = dragged else {
            return html! { <g key="selection"></g> };
        };
        html! {
            <g key="selection">
                <rect class="selection" x={pixels(start.min(end))} y={pixels(TOP)} width={pixels((end - start).abs())} height={pixels(HEIGHT - BOTTOM - TOP)} />
            </g>
        }
    }

    pub(super) fn crosshair(&self, step: Option<u64>, lines: Option<&[String]>) -> Html {
        let (Some(step), Some(lines)) = (step, lines) else {
            return html! { <g key="crosshair"></g> };
        };
        let at = self.x.at(step as f64);
        let left = if at + BOX_WIDTH + 16.0 > self.width {
            at - BOX_WIDTH - 10.0
        } else {
            at + 10.0
        };
        let rows = lines.iter().enumerate().map(|(index, line)| {
            let class = if index == 0 { "read-head" } else { "read-line" };
            html! { <text key={index} {class} x="10" y={format!("{}", 20 + index * 17)}>{ line.clone() }</text> }
        });
        let rows: Html = rows.collect();
        html! {
            <g key="crosshair">
                <line class="cross-line" x1={pixels(at)} x2={pixels(at)} y1={pixels(TOP)} y2={pixels(HEIGHT - BOTTOM)} />
                <g transform={format!("translate({},{})", pixels(left.max(0.0)), pixels(TOP + 4.0))}>
                    <rect class="read-box" width={pixels(BOX_WIDTH)} height={format!("{}", 14 + lines.len() * 17)} rx="6" />
                    { rows }
                </g>
            </g>
        }
    }
}

/// What the crosshair reads at a step, a line each.
pub(super) fn reading(metrics: &Metrics, step: u64) -> Vec<String> {
    let mut lines = vec![text::at_step(step)];
    let train = curve(metrics, Series::TrainLoss);
    if let Some((train, index)) =
        train.and_then(|train| Some((train, train.steps.binary_search(&step).ok()?)))
    {
        lines.push(text::reading(
            text::train(),
            train.values.get(index).copied().flatten(),
            None,
        ));
        if train.steps.len() >= SMOOTHED_FROM {
            let smoothed = smooth(&train.values, SMOOTHING).get(index).copied().flatten();
            lines.extend(smoothed.map(|value| text::reading(text::smoothed(), Some(value), None)));
        }
    }
    if let Some(valid) = curve(metrics, Series::ValidLoss) {
        let index = valid.steps.partition_point(|known| *known <= step).checked_sub(1);
        if let Some((index, at)) = index.and_then(|index| valid.steps.get(index).map(|at| (index, *at))) {
            let value = valid.values.get(index).copied().flatten();
            lines.push(text::reading(
                text::validation(),
                value,
                (at != step).then_some(at),
            ));
        }
    }
    lines
}
