//! The question before something is removed for good, and the removal: the page says what goes, in which words and how.

use crate::{
    components::{
        confirm_dialog::{ConfirmDialogProps, use_confirm_dialog},
        toast::use_toaster,
    },
    part::part,
    query::{Store, hooks::use_store},
    text,
};
use std::{pin::Pin, rc::Rc};
use yew::prelude::*;

/// A removal under way. It ends with what is told of it: that it is done, or why not.
pub type Removal = Pin<Box<dyn Future<Output = Result<String, String>>>>;

/// What is to go.
#[derive(PartialEq)]
pub struct Leaving {
    /// The question, which names it.
    pub title: String,
    /// What will happen.
    pub body: &'static str,
    /// The button that does it.
    pub confirm: &'static str,
    /// Removes it.
    pub remove: Callback<Store, Removal>,
}

/// What is asked about.
#[derive(PartialEq)]
pub struct RemoveDialogProps {
    /// What is to go, if something is.
    pub leaving: Option<Leaving>,
    /// It was confirmed or declined: the dialog closes.
    pub on_close: Callback<()>,
    /// The thing is gone.
    pub on_gone: Callback<()>,
}

/// Asks before something is removed, removes it, and tells how that went.
#[hook]
pub fn use_remove_dialog(props: Rc<RemoveDialogProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let on_confirm = {
        let props = Rc::clone(&props);
        Callback::from(move |()| {
            let Some(leaving) = &props.leaving else { return };
            let removal = leaving.remove.emit(store.clone());
            let (toaster, on_gone) = (toaster.clone(), props.on_gone.clone());
            props.on_close.emit(());
            wasm_bindgen_futures::spawn_local(async move {
                match removal.await {
                    Ok(done) => {
                        on_gone.emit(());
                        toaster.good(&done);
                    }
                    Err(refusal) => toaster.bad(&refusal),
                }
            });
        })
    };
    let leaving = props.leaving.as_ref();
    let dialog = ConfirmDialogProps {
        open: leaving.is_some(),
        title: leaving.map(|leaving| leaving.title.clone()).unwrap_or_default(),
        body: leaving.map(|leaving| leaving.body).unwrap_or_default(),
        confirm: leaving.map(|leaving| leaving.confirm).unwrap_or_default(),
        decline: text::cancel(),
        on_confirm,
        on_close: props.on_close.clone(),
    };
    part(use_confirm_dialog, dialog)
}
