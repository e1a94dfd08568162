//! What stands beside a job's curves: hyperparameters and result.

use super::settings::settings;
use crate::{
    components::{
        card::{facts, padded_card, paragraph, words},
        link::Link,
    },
    route::playground,
    text,
};
use shared::job::Job;
use yew::prelude::*;

/// What was chosen, and what the engine chose.
pub(super) fn hyperparameters(job: &Job) -> Html {
    let list = settings(job).into_iter().map(|setting| {
        // What was asked for, and what it became.
        let auto = if setting.auto { text::auto() } else { "" };
        let value = html! { <><span class="auto dim">{ auto }</span>{ setting.value }</> };
        (setting.label, value)
    });
    padded_card(text::hyperparameters(), Html::default(), facts(list.collect()))
}

/// What the job made, once it has made it.
pub(super) fn result(job: &Job, can_chat: bool) -> Html {
    let Some(model) = job.fine_tuned_model.clone() else {
        return html! { <div hidden=true></div> };
    };
    let dataset = job.validation_dataset.as_ref().or(job.training_dataset.as_ref());
    let try_it = can_chat.then(|| {
        let to = playground(
            [job.base_model.as_str(), model.as_str()].into_iter(),
            dataset.map(|dataset| dataset.id.as_str()),
        );
        Link {
            to,
            class: "button",
            content: words(text::try_in_playground()),
            ..Link::default()
        }
        .view()
    });
    let body = html! {
        <>
            { paragraph("sub", text::fine_tuned_model()) }
            <p><code class="model-name">{ model }</code></p>
            <div>{ try_it }</div>
        </>
    };
    padded_card(text::result(), Html::default(), body)
}
