//! A modal `dialog`, which keeps the focus inside and gives it back.

use crate::part::use_change;
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// What it shows.
#[derive(PartialEq)]
pub struct DialogProps {
    /// Whether it is open.
    pub open: bool,
    /// Its heading, which also names it.
    pub title: String,
    /// What is read with its name.
    pub description: String,
    /// What stands under the heading.
    pub content: Html,
    /// It was closed.
    pub on_close: Callback<()>,
}

/// A modal dialog.
#[hook]
pub fn use_dialog(props: Rc<DialogProps>) -> Html {
    let dialog = use_node_ref();
    {
        let dialog = dialog.clone();
        use_change(props.open, move |open| {
            let dialog: HtmlDialogElement = dialog.get()?.unchecked_into::<HtmlDialogElement>();
            if *open && !dialog.open() {
                let _ = dialog.show_modal();
            } else if !*open && dialog.open() {
                dialog.close();
            }
            None
        });
    }
    html! {
        <dialog
            ref={dialog}
            class="dialog"
            aria-label={props.title.clone()}
            aria-description={props.description.clone()}
            onclose={props.on_close.reform(|_: Event| ())}
        >
            <h2>{ props.title.clone() }</h2>
            { props.content.clone() }
        </dialog>
    }
}
