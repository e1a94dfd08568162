//! The head of a page: its title, a line about it, its actions. It also tells the browser the title and takes the
//! focus when the page was reached by navigation, so that a screen reader starts at its top.

use crate::{browser, part::use_change, text};
use std::cell::RefCell;
use yew::prelude::*;

thread_local! {
    /// The page whose heading was drawn last. The first page of a visit leaves the focus where the browser has it.
    static SHOWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The page was reached from another one.
fn was_reached() -> bool {
    let here = browser::address().path;
    let before = SHOWN.with(|shown| shown.replace(Some(here.clone())));
    before.is_some_and(|before| before != here)
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
    use_change(props.title.clone(), |title| {
        browser::set_title(&text::page_title(title));
        None
    });
    {
        let focus = props.focus;
        use_change((), move |()| {
            if was_reached() && focus {
                browser::focus_id(HEADING);
            }
            None
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
