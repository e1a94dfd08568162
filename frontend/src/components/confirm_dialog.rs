//! A question before something that can't be undone: a modal `dialog`, which keeps the focus inside and gives it back.

use crate::components::button::button;
use crate::part::use_change;
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// What is asked.
#[derive(PartialEq)]
pub struct ConfirmDialogProps {
    /// Whether it is asked now.
    pub open: bool,
    /// The question.
    pub title: String,
    /// What will happen.
    pub body: &'static str,
    /// The button that does it.
    pub confirm: &'static str,
    /// The button that doesn't.
    pub decline: &'static str,
    /// It was confirmed.
    pub on_confirm: Callback<()>,
    /// It was declined, or closed.
    pub on_close: Callback<()>,
}

/// Asks before something that can't be undone.
#[hook]
pub fn use_confirm_dialog(props: Rc<ConfirmDialogProps>) -> Html {
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
            aria-description={props.body}
            onclose={props.on_close.reform(|_: Event| ())}
        >
            <h2>{ props.title.clone() }</h2>
            <p>{ props.body }</p>
            <div class="buttons">
                { button("button", props.decline, props.on_close.reform(|_| ())) }
                { button("button danger", props.confirm, props.on_confirm.reform(|_| ())) }
            </div>
        </dialog>
    }
}
