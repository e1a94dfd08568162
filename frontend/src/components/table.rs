//! Tables.

use yew::prelude::*;

/// The class of the last column, whose head is read but not seen.
pub const ACTIONS: &str = "cell-action";

/// A table: the label and the class of every column, and its rows.
pub fn table(class: &'static str, columns: &[(&'static str, &'static str)], rows: Html) -> Html {
    let heads = columns.iter().map(|(label, class)| {
        let inner = if *class == ACTIONS { "visually-hidden" } else { "" };
        html! { <th key={*label} scope="col" class={*class}><span class={inner}>{ *label }</span></th> }
    });
    html! { <table {class}><thead><tr>{ for heads }</tr></thead><tbody>{ rows }</tbody></table> }
}

/// A cell.
pub fn cell(class: &'static str, content: Html) -> Html {
    html! { <td {class}>{ content }</td> }
}

/// A cell with words.
pub fn text_cell(class: &'static str, words: impl Into<AttrValue>) -> Html {
    let words: AttrValue = words.into();
    html! { <td {class}>{ words }</td> }
}
