//! The crosshair: a line through a place of the axis, a dot on each curve, and their values in a box.

use super::super::{
    BOTTOM, HEIGHT, LayerProps, Plot, TOP,
    base::{hue_class, pixels},
};
use crate::{chart::lines::Reading, text};
use yew::prelude::*;

const ROWS_AT_MOST: usize = 10;
const LETTERS_AT_MOST: usize = 24;
/// About the width of a letter, in pixels.
const LETTER: f64 = 6.6;

/// What is read at a place: its name on the axis, then a row for each line with its value, the smoothed one behind it.
fn rows(props: &LayerProps, readings: &[Reading]) -> Vec<(String, String)> {
    let chart = &props.chart;
    let value = chart.measure.value();
    let rows = readings.iter().filter_map(|reading| {
        let line = chart.lines.get(reading.line)?;
        let mut name: String = line.name.chars().take(LETTERS_AT_MOST).collect();
        if name.len() < line.name.len() {
            name.push('…');
        }
        let mut row = format!(
            "{name} {}",
            reading
                .value
                .map_or_else(|| text::not_a_number().to_owned(), value)
        );
        if let Some(smooth) = reading.smooth {
            row.push_str(&text::smoothed_reading(&value(smooth)));
        }
        if line.dashed {
            row.push_str(&text::read_at_step(reading.step));
        }
        Some((hue_class(line), row))
    });
    rows.collect()
}

/// The same in words.
pub(super) fn spoken(props: &LayerProps, at: f64, readings: &[Reading]) -> String {
    let mut words = vec![text::at_place(props.chart.axis, at)];
    words.extend(
        rows(props, readings)
            .into_iter()
            .take(ROWS_AT_MOST)
            .map(|(_, row)| row),
    );
    words.join(", ")
}

/// The line through a place, and what is read there beside it.
pub(super) fn crosshair(props: &LayerProps, plot: Plot, readings: Option<(f64, Vec<Reading>)>) -> Html {
    let Some((place, mut readings)) = readings else {
        return html! { <g key="crosshair"></g> };
    };
    // The lowest first, as one looks for the best of many losses.
    readings.sort_by(|one, other| {
        one.value
            .unwrap_or(f64::INFINITY)
            .total_cmp(&other.value.unwrap_or(f64::INFINITY))
    });
    if readings.len() <= 2 {
        readings.sort_by_key(|reading| reading.line);
    }
    let at = plot.x.at(place);
    let mut lines = vec![("read-head".to_owned(), text::at_place(props.chart.axis, place))];
    lines.extend(rows(props, &readings).into_iter().take(ROWS_AT_MOST));
    if readings.len() > ROWS_AT_MOST {
        lines.push((
            "read-head".to_owned(),
            text::more_lines((readings.len() - ROWS_AT_MOST) as u64),
        ));
    }
    let longest = lines
        .iter()
        .map(|(_, line)| line.chars().count())
        .max()
        .unwrap_or(0);
    let width = (longest as f64 * LETTER + 30.0).min(plot.width - 20.0);
    let left = if at + width + 16.0 > plot.width {
        at - width - 10.0
    } else {
        at + 10.0
    };
    let height = 14 + lines.len() * 17;
    let words = lines.into_iter().enumerate().map(|(index, (class, line))| {
        let y = 20 + index * 17;
        let is_head = class == "read-head";
        html! {
            <g key={index} {class}>
                <circle class="read-dot" cx="13" cy={(y - 4).to_string()} r={if is_head { "0" } else { "3.5" }} />
                <text class={if is_head { "read-head" } else { "read-line" }} x={if is_head { "10" } else { "22" }} y={y.to_string()}>{ line }</text>
            </g>
        }
    });
    let words: Html = words.collect();
    let dots = readings.iter().take(ROWS_AT_MOST).filter_map(|reading| {
        let line = props.chart.lines.get(reading.line)?;
        let value = reading.smooth.or(reading.value)?;
        let (cx, cy) = (pixels(at), pixels(plot.y.at(value)));
        (!line.dashed).then(|| html! { <circle key={reading.line} class={format!("{} read-point", hue_class(line))} {cx} {cy} r="3.5" /> })
    });
    let dots: Html = dots.collect();
    html! {
        <g key="crosshair">
            <line class="cross-line" x1={pixels(at)} x2={pixels(at)} y1={pixels(TOP)} y2={pixels(HEIGHT - BOTTOM)} />
            <g>{ dots }</g>
            <g transform={format!("translate({},{})", pixels(left.max(0.0)), pixels(TOP + 4.0))}>
                <rect class="read-box" width={pixels(width)} height={height.to_string()} rx="6" />
                { words }
            </g>
        </g>
    }
}
