//! Keys of `/v1`: who may call this server on the user's behalf.

mod adding;
mod remove;

use super::{
    making::{Doing, use_making},
    secret::{SecretProps, use_secret},
};
use crate::{
    api,
    components::{
        button::icon_button,
        card::{card, paragraph},
        face::{empty_view, face, skeleton_lines},
        icon::Icon,
        relative_time::relative_time,
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
        status_pill::pill,
    },
    kept::use_kept,
    part::part,
    place,
    query::{Poll, hooks::use_now, use_query},
    text,
};
use adding::{AddingProps, use_adding};
use shared::api_key::{ApiKey, ApiKeyList};
use yew::prelude::*;

/// The command line may make and remove some, and they are used.
const POLL: Poll = Poll::Every(30_000);

/// The ids of what takes the focus.
const ADD: &str = "new-key";
const SECRET: &str = "key-secret";

/// The card.
#[hook]
pub(super) fn use_keys() -> Html {
    let now = use_now(30_000);
    let list = use_query(api::keys::list(), POLL);
    let making = use_making(ADD, "field-key_name", SECRET);
    let leaving = use_kept(|| None::<ApiKey>);
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |key| leaving.set(Some(key)))
    };
    let on_close = {
        let leaving = leaving.setter();
        Callback::from(move |()| leaving.set(None))
    };
    let rows = |list: &ApiKeyList| {
        let rows = list.keys.iter().map(|key| row(key, now, &ask));
        html! { <ul class="setting-rows">{ for rows }</ul> }
    };
    let shown = face(&list, || skeleton_lines(2), no_keys, |list| rows(list));
    let above = match &making.doing {
        Doing::Nothing => Html::default(),
        Doing::Adding => part(
            use_adding,
            AddingProps {
                made: making.made.clone(),
                cancel: making.end.clone(),
            },
        ),
        Doing::Showing(secret) => part(
            use_secret,
            SecretProps {
                id: SECRET,
                title: text::key_secret_title(),
                once: text::key_secret_once(&place::whole("/v1")),
                copy: (text::copy_key(), text::key_copied()),
                secret: secret.to_string(),
                done: making.end.clone(),
            },
        ),
    };
    let idle = making.is_idle();
    let beside = html! {
        <button type="button" id={ADD} class="button small" hidden={!idle} onclick={making.begin}>{ text::new_key() }</button>
    };
    let dialog = RemoveDialogProps {
        leaving: leaving.as_ref().map(remove::leaving),
        on_close,
        on_gone: Callback::noop(),
    };
    html! {
        <>
            { card(text::api_keys(), beside, html! { <><div>{ above }</div>{ shown }</> }) }
            { part(use_remove_dialog, dialog) }
        </>
    }
}

fn no_keys(list: &ApiKeyList) -> Option<Html> {
    let empty = || empty_view(text::no_keys_title(), text::no_keys_body(), Html::default());
    list.keys.is_empty().then(empty)
}

/// One key: what is known of it, and the button that removes it.
fn row(key: &ApiKey, now: i64, ask: &Callback<ApiKey>) -> Html {
    let remove = {
        let key = key.clone();
        ask.reform(move |_: MouseEvent| key.clone())
    };
    let used = match key.last_used_at {
        Some(at) => html! { <>{ text::key_used() }{ " " }{ relative_time(now, at) }</> },
        None => text::key_unused().into(),
    };
    html! {
        <li key={key.id.as_str()}>
            <div class="setting-row">
                <div class="setting-words">
                    <b>{ key.name.clone() }</b>
                    { paragraph("mono dim line", key.id.to_string()) }
                    <div class="setting-last dim">
                        <span hidden={!key.admin}>{ pill("is-warn", text::key_admin()) }</span>
                        <span>{ text::key_made() }{ " " }{ relative_time(now, key.created_at) }</span>
                        <span>{ used }</span>
                    </div>
                </div>
                <div class="buttons">{ icon_button(true, text::delete_named(&key.name), Icon::Trash, remove) }</div>
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests;
