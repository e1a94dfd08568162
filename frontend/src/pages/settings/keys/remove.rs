//! What removing a key asks, does and tells.

use crate::{
    components::remove_dialog::{Leaving, Removal},
    query::Store,
    text,
};
use shared::api_key::ApiKey;
use yew::prelude::*;

/// Removes this key, once it is confirmed.
pub(super) fn leaving(key: &ApiKey) -> Leaving {
    let key = key.clone();
    Leaving {
        title: text::delete_title(&key.name),
        body: text::delete_key_body(),
        confirm: text::delete(),
        remove: Callback::from(move |store: Store| -> Removal {
            let key = key.clone();
            Box::pin(async move {
                let outcome = store.delete_key(&key.id).await;
                let told = outcome.map(|()| text::deleted(&key.name));
                told.map_err(|error| text::error_line(&error))
            })
        }),
    }
}
