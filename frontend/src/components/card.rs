//! The boxes that everything stands in.

use yew::prelude::*;

/// A box with a title, which is also its accessible name; `beside` stands at the other end of the title's line.
pub fn card(title: &'static str, beside: Html, body: Html) -> Html {
    html! {
        <section class="card" aria-label={title}>
            <div class="card-head"><h2>{ title }</h2>{ beside }</div>
            { body }
        </section>
    }
}

/// A box with a title and a padded body.
pub fn padded_card(title: &'static str, beside: Html, body: Html) -> Html {
    card(
        title,
        beside,
        html! { <div class="card-body stack-small">{ body }</div> },
    )
}

/// Labels with their values.
pub fn facts(list: Vec<(&'static str, Html)>) -> Html {
    let rows = list
        .into_iter()
        .map(|(label, value)| html! { <div key={label}><dt>{ label }</dt><dd>{ value }</dd></div> });
    html! { <dl class="facts">{ for rows }</dl> }
}

/// A paragraph.
pub fn paragraph(class: &'static str, words: impl Into<AttrValue>) -> Html {
    let words: AttrValue = words.into();
    html! { <p {class}>{ words }</p> }
}

/// Words as a node.
pub fn words(words: impl Into<AttrValue>) -> Html {
    let words: AttrValue = words.into();
    html! { { words } }
}
