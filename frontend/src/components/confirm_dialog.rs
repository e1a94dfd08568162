//! A question before something that can't be undone: a modal `dialog`, which keeps the focus inside and gives it back.

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
    pub title: AttrValue,
    /// What will happen.
    pub body: AttrValue,
    /// The button that does it.
    pub confirm: AttrValue,
    /// The button that doesn't.
    pub decline: AttrValue,
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
        use_effect_with(props.open, move |open| {
            let Some(dialog) = dialog
                .get()
                .and_then(|node| node.dyn_into::<HtmlDialogElement>().ok())
            else {
                return;
            };
            if *open && !dialog.open() {
                let _ = dialog.show_modal();
            } else if !*open && dialog.open() {
                dialog.close();
            }
        });
    }
    let confirm = props.on_confirm.reform(|_: MouseEvent| ());
    let decline = props.on_close.reform(|_: MouseEvent| ());
    let closed = props.on_close.reform(|_: Event| ());
    html! {
        <dialog ref={dialog} class="dialog" aria-label={props.title.clone()} aria-description={props.body.clone()} onclose={closed}>
            <h2>{ props.title.clone() }</h2>
            <p>{ props.body.clone() }</p>
            <div class="buttons">
                <button type="button" class="button" onclick={decline}>{ props.decline.clone() }</button>
                <button type="button" class="button danger" onclick={confirm}>{ props.confirm.clone() }</button>
            </div>
        </dialog>
    }
}
