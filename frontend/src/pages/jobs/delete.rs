//! Deleting a job, from the list or from its own page: asked first, told afterwards.

use crate::{
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    part::part,
    query::hooks::use_store,
    text,
};
use shared::job::Job;
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(crate) struct DeleteJobProps {
    /// Which job is to go, if one is.
    pub(crate) job: Option<Rc<Job>>,
    /// Jobs have artifacts, which go with them.
    pub(crate) artifacts: bool,
    /// The dialog was closed; true where the job is gone.
    pub(crate) on_done: Callback<bool>,
}

#[hook]
pub(crate) fn use_delete_job(props: Rc<DeleteJobProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let name = props.job.as_ref().map(|job| job.name.clone()).unwrap_or_default();
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |()| {
            let Some(job) = props.job.clone() else { return };
            let (store, toaster, on_done) = (store.clone(), toaster.clone(), props.on_done.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = store.delete_job(&job.id).await;
                on_done.emit(outcome.is_ok());
                toaster.tell(outcome.map(|()| text::deleted(&job.name)));
            });
        })
    };
    let dialog = ConfirmDialogProps {
        open: props.job.is_some(),
        title: text::delete_title(&name),
        body: text::delete_job_body(props.artifacts),
        confirm: text::delete(),
        decline: text::cancel(),
        on_confirm,
        on_close: props.on_done.reform(|()| false),
    };
    part(use_confirm_dialog, dialog)
}
