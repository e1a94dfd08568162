//! What deleting a dataset asks, does and tells: also why it stays where a job still uses it.

use crate::{
    components::remove_dialog::{Leaving, Removal},
    query::Store,
    text,
};
use shared::dataset::Dataset;
use std::rc::Rc;
use yew::prelude::*;

/// Deletes this dataset, once it is confirmed.
pub(crate) fn leaving(dataset: &Rc<Dataset>) -> Leaving {
    let dataset = Rc::clone(dataset);
    Leaving {
        title: text::delete_title(&dataset.name),
        body: text::delete_dataset_body(),
        confirm: text::delete(),
        remove: Callback::from(move |store: Store| -> Removal {
            let dataset = Rc::clone(&dataset);
            Box::pin(async move {
                match store.delete_dataset(&dataset.id).await {
                    Ok(()) => Ok(text::deleted(&dataset.name)),
                    Err(error) if error.status() == Some(409) => Err(text::dataset_in_use().to_owned()),
                    Err(error) => Err(text::error_line(&error)),
                }
            })
        }),
    }
}
