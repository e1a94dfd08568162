//! The form that makes a key.

use crate::{
    browser,
    components::{
        button::button,
        field::{FieldProps, control_id, text_field},
        toast::use_toaster,
    },
    kept::use_kept,
    query::hooks::use_store,
    text,
};
use shared::api_key::{NewApiKey, checked_name};
use std::rc::Rc;
use yew::prelude::*;

const NAME: &str = "key_name";

#[derive(PartialEq)]
pub(super) struct AddingProps {
    /// It was made, with this secret.
    pub(super) made: Callback<String>,
    /// The form was given up.
    pub(super) cancel: Callback<()>,
}

#[hook]
pub(super) fn use_adding(props: Rc<AddingProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let name = use_kept(String::new);
    let wrong = use_kept(|| false);
    let sending = use_kept(|| false);
    let onsubmit = {
        let (props, name) = (Rc::clone(&props), name.clone());
        let (wrong, sending) = (wrong.setter(), sending.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            // By the rule that the server goes by, so that it has nothing against it.
            let checked = checked_name(&name);
            wrong.set(checked.is_none());
            let Some(checked) = checked else {
                browser::focus_id(&control_id(NAME));
                return;
            };
            if *sending {
                return;
            }
            sending.set(true);
            let key = NewApiKey {
                name: checked.to_owned(),
            };
            let (store, toaster, props) = (store.clone(), toaster.clone(), Rc::clone(&props));
            let sending = sending.setter();
            wasm_bindgen_futures::spawn_local(async move {
                match store.create_key(&key).await {
                    Ok(created) => props.made.emit(created.secret),
                    Err(error) => {
                        sending.set(false);
                        toaster.tell(Err(error));
                    }
                }
            });
        })
    };
    let field = FieldProps {
        field: NAME,
        label: text::key_name(),
        hint: text::hint_key_name(),
        error: wrong.then(|| text::key_name_wrong().to_owned()),
        value: (*name).clone(),
        required: true,
        on_change: {
            let name = name.setter();
            Callback::from(move |typed| name.set(typed))
        },
        ..FieldProps::default()
    };
    let send = if *sending { "true" } else { "false" };
    html! {
        <form class="card-body stack-small setting-form" novalidate=true {onsubmit}>
            { text_field(&field) }
            <div class="buttons">
                <button type="submit" class="button primary" aria-busy={send}>{ text::create_key() }</button>
                { button("button", text::cancel(), props.cancel.reform(|_| ())) }
            </div>
        </form>
    }
}
