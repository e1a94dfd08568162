//! What removing a webhook asks, does and tells.

use crate::{
    components::remove_dialog::{Leaving, Removal},
    query::Store,
    text,
};
use shared::webhook::Webhook;
use std::rc::Rc;
use yew::prelude::*;

/// Removes this webhook, once it is confirmed.
pub(super) fn leaving(webhook: &Rc<Webhook>) -> Leaving {
    let webhook = Rc::clone(webhook);
    Leaving {
        title: text::delete_title(&webhook.url),
        body: text::delete_webhook_body(),
        confirm: text::delete(),
        remove: Callback::from(move |store: Store| -> Removal {
            let webhook = Rc::clone(&webhook);
            Box::pin(async move {
                let outcome = store.delete_webhook(&webhook.id).await;
                let told = outcome.map(|()| text::deleted(&webhook.url));
                told.map_err(|error| text::error_line(&error))
            })
        }),
    }
}
