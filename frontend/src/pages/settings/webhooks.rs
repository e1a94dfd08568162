//! Webhooks: which addresses are told when a job ends. Each row shows what came of telling it last.

mod adding;
mod remove;
mod row;

use super::secret::{SecretProps, use_secret};
use crate::{
    api, browser,
    components::{
        card::card,
        face::{empty_view, face, skeleton_lines},
        remove_dialog::{RemoveDialogProps, use_remove_dialog},
    },
    kept::use_kept,
    part::{keyed_part, part, use_change},
    query::{Poll, hooks::use_now, use_query},
    text,
};
use adding::{AddingProps, use_adding};
use row::{RowProps, use_row};
use shared::webhook::{CreatedWebhook, Webhook, WebhookList};
use std::rc::Rc;
use yew::prelude::*;

/// Another tab, or the command line, may add one, and what waits is tried again.
const POLL: Poll = Poll::Every(15_000);

/// The ids of what takes the focus.
const ADD: &str = "add-webhook";
const SECRET: &str = "webhook-secret";

/// What is done in the card besides looking.
#[derive(Clone, Default)]
enum Doing {
    #[default]
    Nothing,
    Adding,
    /// A secret is shown; it is nowhere else.
    Showing(Rc<CreatedWebhook>),
}

/// The card.
#[hook]
pub(super) fn use_webhooks() -> Html {
    let now = use_now(30_000);
    let list = use_query(api::webhooks::list(), POLL);
    let doing = use_kept(Doing::default);
    let leaving = use_kept(|| None::<Rc<Webhook>>);
    let adding = matches!(*doing, Doing::Adding);
    // A secret that is shown would be gone with another form.
    let idle = matches!(*doing, Doing::Nothing);
    {
        // Whoever works with the keyboard is led to what has come, and back.
        let to = match *doing {
            Doing::Nothing => ADD,
            Doing::Adding => "field-webhook_url",
            Doing::Showing(_) => SECRET,
        };
        let was = use_kept(|| std::cell::Cell::new(ADD));
        use_change(to, move |to| {
            if was.replace(to) != *to {
                browser::focus_id(to);
            }
            None
        });
    }
    let ask = {
        let leaving = leaving.setter();
        Callback::from(move |webhook| leaving.set(Some(webhook)))
    };
    let begin = {
        let doing = doing.setter();
        Callback::from(move |_: MouseEvent| doing.set(Doing::Adding))
    };
    let end = {
        let doing = doing.setter();
        Callback::from(move |()| doing.set(Doing::Nothing))
    };
    let made = {
        let doing = doing.setter();
        Callback::from(move |created| doing.set(Doing::Showing(created)))
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
    let secret = match &*doing {
        Doing::Showing(created) => part(
            use_secret,
            SecretProps {
                id: SECRET,
                title: text::webhook_secret_title(),
                once: text::webhook_secret_once().to_owned(),
                copy: (text::copy_secret(), text::secret_copied()),
                secret: created.secret.clone(),
                done: end.clone(),
            },
        ),
        _ => Html::default(),
    };
    let form = adding.then(|| part(use_adding, AddingProps { made, cancel: end }));
    let beside = html! {
        <button type="button" id={ADD} class="button small" hidden={!idle} onclick={begin}>{ text::add_webhook() }</button>
    };
    let body = html! { <><div>{ secret }</div><div>{ form }</div>{ shown }</> };
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
