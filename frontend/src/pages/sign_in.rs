//! The page for somebody who isn't signed in: a field for the local token and how to get it.

use crate::{
    browser,
    components::{
        card::paragraph,
        field::{FieldProps, control_id, text_field},
        icon::{Icon, icon},
        toast::use_toaster,
    },
    kept::use_kept,
    part::use_change,
    query::hooks::use_store,
    text,
};
use std::rc::Rc;
use yew::prelude::*;

/// What the page needs.
#[derive(PartialEq)]
pub struct SignInProps {
    /// A token was tried and is wrong.
    pub wrong: bool,
    /// Somebody is signed in now.
    pub opened: Callback<()>,
}

/// The page for somebody who isn't signed in.
#[hook]
pub fn use_sign_in_page(props: Rc<SignInProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let token = use_kept(String::new);
    let error = use_kept(|| props.wrong.then(text::token_wrong));
    let busy = use_kept(|| false);
    use_change((), |()| {
        browser::set_title(&text::page_title(text::sign_in()));
        browser::focus_id(&control_id("token"));
        None
    });
    let onsubmit = {
        let (token, error, busy, opened) =
            (token.clone(), error.setter(), busy.clone(), props.opened.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let typed = token.trim().to_owned();
            if typed.is_empty() {
                error.set(Some(text::token_missing()));
                browser::focus_id(&control_id("token"));
                return;
            }
            if *busy {
                return;
            }
            busy.set(true);
            let (store, error, busy) = (store.clone(), error.clone(), busy.setter());
            let (opened, toaster) = (opened.clone(), toaster.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match store.sign_in(&typed).await {
                    Ok(_) => return opened.emit(()),
                    Err(failure) if failure.is_signed_out() => error.set(Some(text::token_wrong())),
                    Err(failure) => toaster.tell(Err(failure)),
                }
                busy.set(false);
                browser::focus_id(&control_id("token"));
            });
        })
    };
    let on_change = {
        let (token, error) = (token.setter(), error.setter());
        Callback::from(move |typed: String| {
            token.set(typed);
            error.set(None);
        })
    };
    let field = FieldProps {
        field: "token",
        label: text::token(),
        value: (*token).clone(),
        error: error.map(ToOwned::to_owned),
        on_change,
        ..FieldProps::default()
    };
    html! {
        <main id="main" class="sign-in">
            <form class="card sign-in-card" novalidate=true {onsubmit}>
                <div class="brand">{ icon(Icon::Logo) }<span>{ text::product() }</span></div>
                <h1>{ text::sign_in() }</h1>
                { paragraph("sub", text::sign_in_body()) }
                { text_field(&field) }
                <p class="field-hint">{ text::token_hint_before() }<code>{ text::token_command() }</code>{ text::token_hint_after() }</p>
                <button type="submit" class="button primary" disabled={*busy}>{ text::sign_in() }</button>
            </form>
        </main>
    }
}
