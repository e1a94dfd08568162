//! A question before something that can't be undone, in a modal dialog.

use crate::{
    components::{
        button::button,
        dialog::{DialogProps, use_dialog},
    },
    kept::use_kept,
    part::use_change,
};
use std::rc::Rc;
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
    // A second click on what was confirmed already would do it twice.
    let confirmed = use_kept(|| false);
    {
        let confirmed = confirmed.setter();
        use_change(props.open, move |_| {
            confirmed.set(false);
            None
        });
    }
    let confirm = {
        let (on_confirm, confirmed) = (props.on_confirm.clone(), confirmed.clone());
        Callback::from(move |_: MouseEvent| {
            if !*confirmed {
                confirmed.set(true);
                on_confirm.emit(());
            }
        })
    };
    let content = html! {
        <>
            <p>{ props.body }</p>
            <div class="buttons">
                { button("button", props.decline, props.on_close.reform(|_| ())) }
                { button("button danger", props.confirm, confirm) }
            </div>
        </>
    };
    use_dialog(Rc::new(DialogProps {
        open: props.open,
        title: props.title.clone(),
        description: props.body.to_owned(),
        content,
        on_close: props.on_close.clone(),
    }))
}
