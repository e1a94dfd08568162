//! A choice outside of a form: it acts when it is made.

use yew::prelude::*;

/// Choices are value and label; `onchange` hears of another one.
pub fn select(
    label: &'static str,
    choices: Vec<(String, String)>,
    chosen: &str,
    onchange: Callback<Event>,
) -> Html {
    let options = choices.into_iter().map(|(value, label)| {
        let selected = value == chosen;
        html! { <option key={value.clone()} {value} {selected}>{ label }</option> }
    });
    let options: Html = options.collect();
    html! {
        <label key={label} class="control is-select">
            <span class="control-label">{ label }</span>
            <select aria-label={label} {onchange}>{ options }</select>
        </label>
    }
}
