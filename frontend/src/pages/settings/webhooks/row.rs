//! One webhook: what came of telling it last, a test, and its log.

use super::POLL;
use crate::{
    api, browser,
    components::{
        button::icon_button,
        card::paragraph,
        face::{face, skeleton_lines},
        icon::Icon,
        relative_time::relative_time,
        status_pill::pill,
        table::{cell, table, text_cell},
        toast::use_toaster,
    },
    kept::use_kept,
    query::{Loaded, hooks::use_store, use_query},
    text::{self, format},
};
use shared::webhook::{Delivery, DeliveryList, DeliveryStatus, Webhook};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct RowProps {
    pub(super) webhook: Rc<Webhook>,
    pub(super) now: i64,
    /// Asks whether it is to go.
    pub(super) ask: Callback<Rc<Webhook>>,
}

#[hook]
pub(super) fn use_row(props: Rc<RowProps>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let webhook = &props.webhook;
    let deliveries = use_query(api::webhooks::deliveries(&webhook.id), POLL);
    let open = use_kept(|| false);
    let sending = use_kept(|| false);
    let test = {
        let (id, sending) = (webhook.id.clone(), sending.clone());
        Callback::from(move |_: MouseEvent| {
            if *sending {
                return;
            }
            sending.set(true);
            let (store, toaster, id) = (store.clone(), toaster.clone(), id.clone());
            let sending = sending.setter();
            wasm_bindgen_futures::spawn_local(async move {
                match store.test_webhook(&id).await {
                    Ok(delivery) if delivery.status == DeliveryStatus::Delivered => {
                        toaster.good(&text::tested(&delivery));
                    }
                    Ok(delivery) => toaster.bad(&text::tested(&delivery)),
                    Err(error) => toaster.tell(Err(error)),
                }
                sending.set(false);
            });
        })
    };
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let remove = {
        let webhook = Rc::clone(webhook);
        props.ask.reform(move |_: MouseEvent| Rc::clone(&webhook))
    };
    let log = (*open).then(|| log(&deliveries, props.now));
    let url = webhook.url.as_str();
    let events: Vec<_> = (webhook.events.iter().copied())
        .map(text::webhook_event_label)
        .collect();
    html! {
        <li>
            <div class="setting-row">
                <div class="setting-words">
                    <b>{ url }</b>
                    { paragraph("dim", events.join(" · ")) }
                    <div class="setting-last">{ last(&deliveries, props.now) }</div>
                </div>
                <div class="buttons">
                    <button type="button" class="button small" aria-label={text::send_test_to(url)} aria-busy={(*sending).then_some("true")} onclick={test}>
                        { if *sending { text::sending_test() } else { text::send_test() } }
                    </button>
                    <button type="button" class="button small" aria-label={text::deliveries_of(url)} aria-expanded={if *open { "true" } else { "false" }} onclick={toggle}>
                        { text::deliveries() }
                    </button>
                    { icon_button(true, text::delete_named(url), Icon::Trash, remove) }
                </div>
            </div>
            <div class="deliveries">{ log }</div>
        </li>
    }
}

fn delivery_pill(status: DeliveryStatus) -> Html {
    let class = match status {
        DeliveryStatus::Pending => "is-warn",
        DeliveryStatus::Delivered => "is-ok",
        DeliveryStatus::Failed => "is-bad",
    };
    pill(class, text::delivery_status_label(status))
}

/// What came of telling it last.
fn last(deliveries: &Loaded<DeliveryList>, now: i64) -> Html {
    let Some(list) = &deliveries.data else {
        let words = deliveries.error.as_ref().map(text::error_line);
        return paragraph("dim", words.unwrap_or_else(|| text::loading().to_owned()));
    };
    let Some(delivery) = list.deliveries.first() else {
        return paragraph("dim", text::nothing_sent());
    };
    let at = delivery.tried_at.unwrap_or(delivery.created_at);
    html! {
        <>
            { delivery_pill(delivery.status) }
            <span class="dim">{ relative_time(now, at) }</span>
        </>
    }
}

/// What it was told and will be.
pub(super) fn log(deliveries: &Loaded<DeliveryList>, now: i64) -> Html {
    let empty = |list: &DeliveryList| {
        let words = || paragraph("card-body dim", text::nothing_sent());
        list.deliveries.is_empty().then(words)
    };
    let columns = [
        (text::delivery_when(), ""),
        (text::delivery_event(), "wide"),
        (text::status(), ""),
        (text::delivery_attempts(), "number"),
    ];
    let full = |list: &Rc<DeliveryList>| {
        let rows = list.deliveries.iter().map(|delivery| entry(delivery, now));
        table("", &columns, rows.collect())
    };
    face(deliveries, || skeleton_lines(2), empty, full)
}

fn entry(delivery: &Delivery, now: i64) -> Html {
    let next = delivery.next_try_at.map(|at| browser::local_time(at.unix_ms()));
    let state = html! {
        <>
            { delivery_pill(delivery.status) }
            { paragraph("delivery-detail dim", text::delivery_detail(delivery)) }
            { paragraph("delivery-detail dim", next.map(|time| text::next_try(&time)).unwrap_or_default()) }
        </>
    };
    html! {
        <tr key={delivery.event_id.as_str()}>
            { cell("", relative_time(now, delivery.created_at)) }
            { text_cell("wide", text::webhook_event_label(delivery.event)) }
            { cell("", state) }
            { text_cell("number", format::count(delivery.tries.into())) }
        </tr>
    }
}
