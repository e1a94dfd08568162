//! Webhooks: which addresses are told when a job ends. Each row shows what came of telling it last.

mod adding;
mod remove;
mod row;

use super::{
    making::{Doing, use_making},
    secret::{SecretProps, use_secret},
};
use crate::{
    api,
    components::{
        card::card,
        face::{empty_view, face, skeleton_lines},
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
    },
    kept::use_kept,
    part::{keyed_part, part},
    query::{Poll, hooks::use_now, use_query},
    text,
};
use adding::{AddingProps, use_adding};
use row::{RowProps, use_row};
use shared::webhook::{Webhook, WebhookList};
use std::rc::Rc;
use yew::prelude::*;

/// Another tab, or the command line, may add one, and what waits is tried again.
const POLL: Poll = Poll::Every(15_000);

/// The ids of what takes the focus.
const ADD: &str = "add-webhook";
const SECRET: &str = "webhook-secret";

/// The card.
#[hook]
pub(super) fn use_webhooks() -> Html {
    let now = use_now(30_000);
    let list = use_query(api::webhooks::list(), POLL);
    let making = use_making(ADD, "field-webhook_url", SECRET);
    let leaving = use_kept(|| None::<Rc<Webhook>>);
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |webhook| leaving.set(Some(webhook)))
    };
    let on_close = {
        let leaving = leaving.setter();
        Callback::from(move |()| leaving.set(None))
    };
    let rows = |list: &WebhookList| {
        let rows = list.webhooks.iter().map(|webhook| {
            let props = RowProps {
                webhook: Rc::new(webhook.clone()),
                now,
                ask: ask.clone(),
            };
            keyed_part(webhook.id.as_str(), use_row, props)
        });
        html! { <ul class="setting-rows">{ for rows }</ul> }
    };
    let shown = face(&list, || skeleton_lines(2), no_webhooks, |list| rows(list));
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
                title: text::webhook_secret_title(),
                once: text::webhook_secret_once().to_owned(),
                copy: (text::copy_secret(), text::secret_copied()),
                secret: secret.to_string(),
                done: making.end.clone(),
            },
        ),
    };
    let idle = making.is_idle();
    let beside = html! {
        <button type="button" id={ADD} class="button small" hidden={!idle} onclick={making.begin}>{ text::add_webhook() }</button>
    };
    let body = html! { <><div>{ above }</div>{ shown }</> };
    html! {
        <>
            { card(text::webhooks(), beside, body) }
            { part(use_remove_dialog, RemoveDialogProps { leaving: leaving.as_ref().map(remove::leaving), on_close, on_gone: Callback::noop() }) }
        </>
    }
}

fn no_webhooks(list: &WebhookList) -> Option<Html> {
    let empty = || {
        empty_view(
            text::no_webhooks_title(),
            text::no_webhooks_body(),
            Html::default(),
        )
    };
    list.webhooks.is_empty().then(empty)
}

#[cfg(test)]
mod tests;
