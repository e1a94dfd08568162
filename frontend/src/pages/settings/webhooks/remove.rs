//! Removing a webhook: asked first.

use crate::{
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    part::part,
    query::hooks::use_store,
    text,
};
use shared::webhook::Webhook;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct RemoveProps {
    /// Which is to go, if one is.
    pub(super) webhook: Option<Rc<Webhook>>,
    /// The dialog was closed.
    pub(super) on_done: Callback<()>,
}

#[hook]
pub(super) fn use_remove(props: Rc<RemoveProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let url = (props.webhook.as_ref()).map(|webhook| webhook.url.clone());
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |()| {
            let Some(webhook) = props.webhook.clone() else {
                return;
            };
            let (store, toaster) = (store.clone(), toaster.clone());
            props.on_done.emit(());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_webhook(&webhook.id).await;
                toaster.tell(outcome.map(|()| text::deleted(&webhook.url)));
            });
        })
    };
    let dialog = ConfirmDialogProps {
        open: props.webhook.is_some(),
        title: text::delete_title(&url.unwrap_or_default()),
        body: text::delete_webhook_body(),
        confirm: text::delete(),
        decline: text::cancel(),
        on_confirm,
        on_close: props.on_done.clone(),
    };
    part(use_confirm_dialog, dialog)
}
