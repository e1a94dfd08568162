//! The head of a page: its title, a line about it, its actions. It also tells the browser the title and takes the
//! focus when the page was reached by navigation, so that a screen reader starts at its top.

use crate::{browser, text};
use std::cell::Cell;
use yew::prelude::*;

thread_local! {
    /// The first page of a visit leaves the focus where the browser has it.
    static FIRST: Cell<bool> = const { Cell::new(true) };
}

const HEADING: &str = "page-title";

/// The head of a page.
#[derive(Properties, PartialEq)]
pub struct PageHeaderProps {
    /// The page's title.
    pub title: AttrValue,
    /// Shown beside the title.
    #[prop_or_default]
    pub beside: Html,
    /// Shown above the title.
    #[prop_or_default]
    pub above: Html,
    /// A line about the page.
    #[prop_or_default]
    pub sub: Html,
    /// Its actions.
    #[prop_or_default]
    pub children: Html,
    /// False where something else on the page takes the focus.
    #[prop_or(true)]
    pub focus: bool,
}

/// The head of a page.
#[component]
pub fn PageHeader(props: &PageHeaderProps) -> Html {
    use_effect_with(props.title.clone(), |title| {
        browser::set_title(&text::page_title(title));
    });
    {
        let focus = props.focus;
        use_effect_with((), move |()| {
            let first = FIRST.with(|first| first.replace(false));
            if focus && !first {
                browser::focus_id(HEADING);
            }
        });
    }
    html! {
        <header class="page-header">
            <div class="page-header-text">
                <div class="page-above">{ props.above.clone() }</div>
                <div class="page-title-line">
                    <h1 id={HEADING} tabindex="-1">{ props.title.clone() }</h1>
                    <div class="page-beside">{ props.beside.clone() }</div>
                </div>
                <div class="page-sub">{ props.sub.clone() }</div>
            </div>
            <div class="buttons">{ props.children.clone() }</div>
        </header>
    }
}
