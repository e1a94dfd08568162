//! The controls above a chart: axis, logarithm, smoothing, zoom, export.

use super::{
    export::{self, Format},
    lines::{Axis, Line},
    view::{MOST_SMOOTHING, View, zoomed},
};
use crate::{
    browser,
    components::button::{button_if, icon_button},
    components::icon::Icon,
    kept::Kept,
    text,
};
use std::rc::Rc;
use yew::prelude::*;

/// What the controls act on.
#[derive(Clone)]
pub struct Tools {
    /// How the chart is looked at.
    pub view: Kept<View>,
    /// The axes that can be chosen.
    pub axes: Vec<Axis>,
    /// All of the horizontal axis, and the shown part.
    pub whole: (f64, f64),
    /// The shown part.
    pub range: (f64, f64),
    /// Smoothing makes sense for what is shown.
    pub smooths: bool,
    /// What is shown.
    pub lines: Rc<Vec<Line>>,
    /// What a saved file is called, without its ending.
    pub file_name: String,
    /// Where the server gives every point as a table.
    pub all_points: Option<Callback<()>>,
}

/// The controls above a chart.
pub fn tools(tools: &Tools) -> Html {
    let view = &tools.view;
    let set = {
        let setter = view.setter();
        move |view: View| setter.set(view)
    };
    let axes = tools.axes.iter().map(|axis| {
        let (set, chosen) = (set.clone(), (**view).clone());
        let axis = *axis;
        let onchange = Callback::from(move |_: Event| {
            set(View { axis, range: None, ..chosen.clone() });
        });
        html! {
            <label key={axis.as_str()} class="segment">
                <input type="radio" name="axis" value={axis.as_str()} checked={view.axis == axis} {onchange} />
                <span>{ text::axis_label(axis) }</span>
            </label>
        }
    });
    let axes: Html = axes.collect();
    let toggle_log = {
        let (set, chosen) = (set.clone(), (**view).clone());
        Callback::from(move |_: Event| {
            set(View {
                log: !chosen.log,
                ..chosen.clone()
            });
        })
    };
    let smooth = {
        let (set, chosen) = (set.clone(), (**view).clone());
        Callback::from(move |event: InputEvent| {
            let typed = shared::number::parse(&browser::typed(&event)).unwrap_or(0.0);
            set(View {
                smoothing: typed.clamp(0.0, MOST_SMOOTHING),
                ..chosen.clone()
            });
        })
    };
    let zoom = |factor: f64| {
        let (set, chosen, range, whole) = (set.clone(), (**view).clone(), tools.range, tools.whole);
        Callback::from(move |_: MouseEvent| {
            let range = zoomed(range, whole, (range.0 + range.1) / 2.0, factor);
            set(View {
                range,
                ..chosen.clone()
            });
        })
    };
    let whole = {
        let (set, chosen) = (set.clone(), (**view).clone());
        Callback::from(move |_: MouseEvent| {
            set(View {
                range: None,
                ..chosen.clone()
            });
        })
    };
    html! {
        <div class="chart-tools">
            <fieldset class="segments" hidden={tools.axes.len() < 2}>
                <legend class="visually-hidden">{ text::axis() }</legend>{ axes }
            </fieldset>
            <label class="chart-check"><input type="checkbox" checked={view.log} onchange={toggle_log} />{ text::logarithmic() }</label>
            <label class="chart-smoothing" hidden={!tools.smooths}>
                <span>{ text::smoothing() }</span>
                <input type="range" min="0" max="0.99" step="0.01" value={shared::number::text(view.smoothing)} oninput={smooth} />
            </label>
            <div class="chart-zoom">
                { button_if(view.range.is_some(), "button small", text::reset_zoom(), whole) }
                { icon_button(true, text::zoom_in().to_owned(), Icon::Plus, zoom(0.5)) }
                { icon_button(view.range.is_some(), text::zoom_out().to_owned(), Icon::Minus, zoom(2.0)) }
                { export_menu(tools) }
            </div>
        </div>
    }
}

fn export_menu(tools: &Tools) -> Html {
    let entry = |format: Format| {
        let (lines, name, range) = (Rc::clone(&tools.lines), tools.file_name.clone(), tools.range);
        let axis = tools.view.axis;
        let onclick =
            Callback::from(move |event: MouseEvent| export::save(format, &event, &name, &lines, axis, range));
        html! { <button key={format.ending()} type="button" class="menu-entry" {onclick}>{ format.label() }</button> }
    };
    let all = tools.all_points.clone().map(|all| {
        let onclick = all.reform(|_: MouseEvent| ());
        html! { <button key="all" type="button" class="menu-entry" {onclick}>{ text::export_all() }</button> }
    });
    html! {
        <details class="menu">
            <summary class="button small">{ text::export() }</summary>
            <div class="menu-list">{ for Format::ALL.into_iter().map(entry) }<div>{ all }</div></div>
        </details>
    }
}

/// The legend: a button for each line, also those that are switched off.
pub fn legend(view: &Kept<View>, lines: &[Line]) -> Html {
    let keys = lines.iter().map(|line| {
        let (set, chosen) = (view.setter(), (**view).clone());
        let shown = !view.hidden.contains(&line.key);
        let toggled = line.key.clone();
        let onclick = Callback::from(move |_: MouseEvent| set.set(chosen.with_toggled(&toggled)));
        let dashed = if line.dashed { " is-dashed" } else { "" };
        let class = format!("legend-key hue-{}{dashed}", line.hue % 10);
        html! {
            <button key={line.key.clone()} type="button" {class} aria-pressed={if shown { "true" } else { "false" }} {onclick}>
                <i aria-hidden="true"></i>{ line.name.clone() }
            </button>
        }
    });
    let keys: Html = keys.collect();
    html! { <div class="legend" role="group" aria-label={text::chart_lines()}>{ keys }</div> }
}
