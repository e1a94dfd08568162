//! Deleting a dataset: asked first, and explained where it stays because a job still uses it.

use crate::{
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    part::part,
    query::hooks::use_store,
    text,
};
use shared::dataset::Dataset;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(crate) struct DeleteDatasetProps {
    /// Which dataset is to go, if one is.
    pub(crate) dataset: Option<Rc<Dataset>>,
    /// The dialog was closed; true where the dataset is gone.
    pub(crate) on_done: Callback<bool>,
}

#[hook]
pub(crate) fn use_delete_dataset(props: Rc<DeleteDatasetProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let name = props
        .dataset
        .as_ref()
        .map(|dataset| dataset.name.clone())
        .unwrap_or_default();
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |()| {
            let Some(dataset) = props.dataset.clone() else {
                return;
            };
            let (store, toaster, on_done) = (store.clone(), toaster.clone(), props.on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_dataset(&dataset.id).await;
                on_done.emit(outcome.is_ok());
                match outcome {
                    Err(error) if error.status() == Some(409) => toaster.bad(text::dataset_in_use()),
                    other => toaster.tell(other.map(|()| text::deleted(&dataset.name))),
                }
            });
        })
    };
    let dialog = ConfirmDialogProps {
        open: props.dataset.is_some(),
        title: text::delete_title(&name),
        body: text::delete_dataset_body(),
        confirm: text::delete(),
        decline: text::cancel(),
        on_confirm,
        on_close: props.on_done.reform(|()| false),
    };
    part(use_confirm_dialog, dialog)
}
