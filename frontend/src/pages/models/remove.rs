//! What removing a base model asks, does and tells. Where something needs it, the server says what.

use crate::{
    components::remove_dialog::{Leaving, Removal},
    query::Store,
    text,
};
use shared::model::BaseModel;
use std::rc::Rc;
use yew::prelude::*;

/// Removes this model, once it is confirmed.
pub(super) fn leaving(model: &Rc<BaseModel>) -> Leaving {
    let model = Rc::clone(model);
    Leaving {
        title: text::remove_title(&model.display_name),
        body: text::remove_model_body(),
        confirm: text::remove(),
        remove: Callback::from(move |store: Store| -> Removal {
            let model = Rc::clone(&model);
            Box::pin(async move {
                let outcome = store.remove_model(&model.id).await;
                let told = outcome.map(|()| text::removed(&model.display_name));
                told.map_err(|error| text::error_line(&error))
            })
        }),
    }
}
