//! What a chart shows, saved as a picture or as a table.
//!
//! The picture is drawn from the chart's own elements with the styles that the browser gave them, so that it looks as the chart does. The
//! tables hold what is drawn, a step a row; where the curve is reduced that isn't every step, and the page offers the server's table
//! beside them.

use super::lines::{Axis, Line};
use crate::{api::json::write, browser, text};
use std::collections::BTreeMap;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, Element, HtmlAnchorElement, HtmlCanvasElement,
    MouseEvent, Path2d, Url,
};

/// Pixels of the picture for each of the screen's.
const SHARPNESS: f64 = 2.0;
const HEADER: f64 = 34.0;

/// What a chart is saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A picture.
    Png,
    /// A table.
    Csv,
    /// The table for programs.
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Png, Self::Csv, Self::Json];

    /// The ending of the file's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// In the menu.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Png => text::export_png(),
            Self::Csv => text::export_csv(),
            Self::Json => text::export_json(),
        }
    }
}

/// Saves what is shown; `event` is the click, which tells which chart.
pub fn save(format: Format, event: &MouseEvent, name: &str, lines: &[Line], axis: Axis, range: (f64, f64)) {
    let file = format!("{name}.{}", format.ending());
    match format {
        Format::Csv => save_text(&file, "text/csv", &csv(lines, axis, range)),
        Format::Json => save_text(&file, "application/json", &json(lines, axis, range)),
        Format::Png => {
            let button = event
                .target()
                .and_then(|target| target.dyn_into::<Element>().ok());
            let card = button.and_then(|button| button.closest(".chart-card").ok().flatten());
            if let Some(card) = card {
                // A browser without a canvas saves nothing; there is none among ours.
                let _ = save_picture(&file, &card, lines);
            }
        }
    }
}

/// Every shown step a row: the step, its place on the axis, and each line's value, empty where it has none.
#[must_use]
pub fn csv(lines: &[Line], axis: Axis, range: (f64, f64)) -> String {
    let mut table = format!("step,{}", axis_column(axis));
    for line in lines {
        table.push(',');
        table.push_str(&quoted(&line.name));
    }
    table.push('\n');
    for (step, (x, values)) in rows(lines, range) {
        table.push_str(&format!("{step},{}", shared::number::text(x)));
        for value in values {
            table.push(',');
            table.push_str(&value.map(shared::number::text).unwrap_or_default());
        }
        table.push('\n');
    }
    table
}

/// The lines with their steps, places and values; `null` where a value is not a number.
#[must_use]
pub fn json(lines: &[Line], axis: Axis, range: (f64, f64)) -> String {
    let list = |values: Vec<String>| format!("[{}]", values.join(","));
    let lines = lines.iter().map(|line| {
        let shown = inside(line, range);
        let steps = shown
            .clone()
            .filter_map(|index| line.steps.get(index))
            .map(ToString::to_string);
        let x = shown
            .clone()
            .filter_map(|index| line.x.get(index))
            .map(|x| shared::number::text(*x));
        let y = shown.filter_map(|index| line.y.get(index));
        let y = y.map(|y| y.map_or_else(|| "null".to_owned(), shared::number::text));
        format!(
            "{{\"key\":{},\"name\":{},\"steps\":{},\"{}\":{},\"values\":{}}}",
            json_text(&line.key),
            json_text(&line.name),
            list(steps.collect()),
            axis_column(axis),
            list(x.collect()),
            list(y.collect())
        )
    });
    format!("{{\"lines\":{}}}\n", list(lines.collect()))
}

fn json_text(text: &str) -> String {
    write(&text).unwrap_or_default()
}

const fn axis_column(axis: Axis) -> &'static str {
    match axis {
        Axis::Step => "at_step",
        Axis::Epoch => "epoch",
        Axis::Time => "elapsed_ms",
    }
}

/// The indices of the points in a range, without those that only lead out of view.
fn inside(line: &Line, range: (f64, f64)) -> std::ops::Range<usize> {
    let start = line.x.partition_point(|x| *x < range.0);
    start..line.x.partition_point(|x| *x <= range.1).max(start)
}

type Row = (f64, Vec<Option<f64>>);

fn rows(lines: &[Line], range: (f64, f64)) -> BTreeMap<u64, Row> {
    let mut rows = BTreeMap::new();
    for (column, line) in lines.iter().enumerate() {
        for index in inside(line, range) {
            let (Some(step), Some(x)) = (line.steps.get(index), line.x.get(index)) else {
                continue;
            };
            let row: &mut Row = rows.entry(*step).or_insert_with(|| (*x, vec![None; lines.len()]));
            if let Some(cell) = row.1.get_mut(column) {
                *cell = line.y.get(index).copied().flatten();
            }
        }
    }
    rows
}

fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

fn save_text(file: &str, kind: &str, content: &str) {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    if let Ok(blob) = Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&content.into()), &options)
    {
        save_blob(file, &blob);
    }
}

fn save_blob(file: &str, blob: &Blob) {
    let link = browser::document().and_then(|document| document.create_element("a").ok());
    let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) else {
        return;
    };
    if let Ok(address) = Url::create_object_url_with_blob(blob) {
        link.set_href(&address);
        link.set_download(file);
        link.click();
        let _ = Url::revoke_object_url(&address);
    }
}

fn save_picture(file: &str, card: &Element, lines: &[Line]) -> Result<(), JsValue> {
    let missing = || JsValue::from("the chart isn't there");
    let chart = card.query_selector(".line-chart-base")?.ok_or_else(missing)?;
    let size = |name: &str| {
        chart
            .get_attribute(name)
            .and_then(|value| shared::number::parse(&value))
            .unwrap_or(0.0)
    };
    let (width, height) = (size("width"), size("height") + HEADER);
    let document = browser::document().ok_or_else(missing)?;
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
    canvas.set_width((width * SHARPNESS) as u32);
    canvas.set_height((height * SHARPNESS) as u32);
    let context = canvas
        .get_context("2d")?
        .ok_or_else(missing)?
        .unchecked_into::<CanvasRenderingContext2d>();
    context.scale(SHARPNESS, SHARPNESS)?;
    let style = |element: &Element, name: &str| -> Result<String, JsValue> {
        let style = browser::window()
            .ok_or_else(missing)?
            .get_computed_style(element)?
            .ok_or_else(missing)?;
        style.get_property_value(name)
    };
    context.set_fill_style_str(&style(card, "background-color")?);
    context.fill_rect(0.0, 0.0, width, height);
    context.set_font("12px system-ui, sans-serif");
    let mut left = 14.0;
    for line in lines.iter().take(8) {
        let selector = format!(".line-chart-base .hue-{} path", line.hue % 10);
        let colour = card
            .query_selector(&selector)?
            .map(|path| style(&path, "stroke"))
            .transpose()?;
        context.set_fill_style_str(&colour.unwrap_or_default());
        context.fill_text(&line.name, left, 20.0)?;
        left += context.measure_text(&line.name)?.width() + 18.0;
    }
    context.translate(0.0, HEADER)?;
    let drawn = chart.query_selector_all("line, path, circle, text")?;
    for index in 0..drawn.length() {
        let Some(element) = drawn.get(index).map(JsCast::unchecked_into::<Element>) else {
            continue;
        };
        let number = |name: &str| {
            element
                .get_attribute(name)
                .and_then(|value| shared::number::parse(&value))
                .unwrap_or(0.0)
        };
        context.save();
        if element
            .parent_element()
            .is_some_and(|parent| parent.closest("svg svg").is_ok_and(|inner| inner.is_some()))
        {
            let (left, right) = (super::line_chart::LEFT, super::line_chart::RIGHT);
            context.begin_path();
            context.rect(left, 0.0, width - left - right, height);
            context.clip();
        }
        let shape = match element.tag_name().as_str() {
            "line" => {
                let shape = Path2d::new()?;
                shape.move_to(number("x1"), number("y1"));
                shape.line_to(number("x2"), number("y2"));
                shape
            }
            "circle" => {
                let shape = Path2d::new()?;
                shape.arc(
                    number("cx"),
                    number("cy"),
                    number("r"),
                    0.0,
                    std::f64::consts::TAU,
                )?;
                shape
            }
            "path" => Path2d::new_with_path_string(&element.get_attribute("d").unwrap_or_default())?,
            _ => {
                context.set_fill_style_str(&style(&element, "fill")?);
                context.set_font("11px system-ui, sans-serif");
                let anchor = element.get_attribute("text-anchor").unwrap_or_default();
                context.set_text_align(if anchor == "end" { "right" } else { "center" });
                context.fill_text(
                    &element.text_content().unwrap_or_default(),
                    number("x"),
                    number("y"),
                )?;
                context.restore();
                continue;
            }
        };
        paint(&context, &shape, |name| style(&element, name))?;
        context.restore();
    }
    let file = file.to_owned();
    let made = Closure::once_into_js(move |blob: JsValue| {
        if let Ok(blob) = blob.dyn_into::<Blob>() {
            save_blob(&file, &blob);
        }
    });
    canvas.to_blob(made.unchecked_ref())
}

/// Fills and strokes a shape as the style sheet says.
fn paint(
    context: &CanvasRenderingContext2d,
    shape: &Path2d,
    style: impl Fn(&str) -> Result<String, JsValue>,
) -> Result<(), JsValue> {
    let number = |text: &str| shared::number::parse(text.trim().trim_end_matches("px"));
    context.set_global_alpha(number(&style("opacity")?).unwrap_or(1.0));
    let fill = style("fill")?;
    if fill != "none" {
        context.set_fill_style_str(&fill);
        context.fill_with_path_2d(shape);
    }
    let stroke = style("stroke")?;
    if stroke != "none" {
        context.set_stroke_style_str(&stroke);
        context.set_line_width(number(&style("stroke-width")?).unwrap_or(1.0));
        let dashes = js_sys::Array::new();
        for dash in style("stroke-dasharray")?.split([',', ' ']).filter_map(number) {
            dashes.push(&dash.into());
        }
        context.set_line_dash(&dashes)?;
        context.stroke_with_path(shape);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> [Line; 2] {
        let train = Line {
            name: "Train loss".into(),
            steps: vec![1, 2, 3],
            x: vec![0.5, 1.0, 1.5],
            y: vec![Some(2.5), None, Some(0.25)],
            ..Line::default()
        };
        let valid = Line {
            name: "a \"b\", c".into(),
            steps: vec![3],
            x: vec![1.5],
            y: vec![Some(0.5)],
            ..Line::default()
        };
        [train, valid]
    }

    #[test]
    fn a_table_holds_what_is_shown() {
        assert_eq!(
            csv(&lines(), Axis::Epoch, (1.0, 2.0)),
            "step,epoch,Train loss,\"a \"\"b\"\", c\"\n2,1,,\n3,1.5,0.25,0.5\n"
        );
    }

    #[test]
    fn the_table_for_programs_is_json() {
        let text = json(&lines(), Axis::Step, (0.0, 9.0));
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(value["lines"][0]["values"], serde_json::json!([2.5, null, 0.25]));
        assert_eq!(value["lines"][1]["name"], "a \"b\", c");
        let mut odd = lines();
        odd[0].name = "tab\t and line\n".into();
        let odd = json(&odd, Axis::Step, (0.0, 9.0));
        let odd: serde_json::Value = serde_json::from_str(&odd).expect("it is JSON");
        assert_eq!(odd["lines"][0]["name"], "tab\t and line\n");
        assert_eq!(value["lines"][0]["steps"], serde_json::json!([1, 2, 3]));
    }
}
