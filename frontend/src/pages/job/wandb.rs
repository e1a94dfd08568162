//! Where a job's curves are to be shown at Weights & Biases, and its run to take there.

use crate::{
    browser,
    components::{
        button::button,
        card::{facts, padded_card, paragraph, words},
        toast::use_toaster,
    },
    query::hooks::use_store,
    text,
};
use shared::job::Job;
use std::rc::Rc;
use yew::prelude::*;

/// Nothing where the job has no such run.
#[hook]
pub(super) fn use_wandb(job: Rc<Job>) -> Html {
    let store = use_store();
    let toaster = use_toaster();
    let Some(wandb) = &job.wandb else {
        return html! { <div hidden=true></div> };
    };
    let mut list = vec![(text::wandb_project(), words(wandb.project.clone()))];
    list.extend(
        wandb
            .entity
            .clone()
            .map(|entity| (text::wandb_entity(), words(entity))),
    );
    // Without a name it has the job's id, which stands above.
    list.extend(wandb.name.clone().map(|name| (text::wandb_run(), words(name))));
    let tags = wandb.tags.join(", ");
    list.extend((!tags.is_empty()).then(|| (text::wandb_tags(), words(tags))));
    let download = {
        let id = job.id.clone();
        Callback::from(move |_: MouseEvent| {
            let (store, toaster, id) = (store.clone(), toaster.clone(), id.clone());
            wasm_bindgen_futures::spawn_local(async move {
                match store.wandb_link(&id).await {
                    Ok(address) => browser::leave_for(&address),
                    Err(error) => toaster.tell(Err(error)),
                }
            });
        })
    };
    let (hint, control) = if job.status.is_terminal() {
        (
            text::wandb_ready(),
            button("button", text::download_run(), download),
        )
    } else {
        (text::wandb_later(), Html::default())
    };
    let body = html! { <>{ facts(list) }{ paragraph("sub", hint) }<div>{ control }</div></> };
    padded_card(text::wandb(), Html::default(), body)
}
