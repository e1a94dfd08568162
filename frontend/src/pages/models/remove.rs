//! Removing a base model: asked first, and explained where it stays because something needs it.

use crate::{
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    part::part,
    query::hooks::use_store,
    text,
};
use shared::model::BaseModel;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct RemoveModelProps {
    /// Which model is to go, if one is.
    pub(super) model: Option<Rc<BaseModel>>,
    /// The dialog was closed.
    pub(super) on_done: Callback<()>,
}

#[hook]
pub(super) fn use_remove_model(props: Rc<RemoveModelProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let name = props
        .model
        .as_ref()
        .map(|model| model.display_name.clone())
        .unwrap_or_default();
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |()| {
            let Some(model) = props.model.clone() else {
                return;
            };
            let (store, toaster) = (store.clone(), toaster.clone());
            props.on_done.emit(());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.remove_model(&model.id).await;
                toaster.tell(outcome.map(|()| text::removed(&model.display_name)));
            });
        })
    };
    let dialog = ConfirmDialogProps {
        open: props.model.is_some(),
        title: text::remove_title(&name),
        body: text::remove_model_body(),
        confirm: text::remove(),
        decline: text::cancel(),
        on_confirm,
        on_close: props.on_done.clone(),
    };
    part(use_confirm_dialog, dialog)
}
