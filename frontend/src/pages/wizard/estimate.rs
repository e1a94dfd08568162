//! What the job would take, reckoned by the server from the data itself before anything is started.

use super::review::ReviewProps;
use crate::{
    api, browser,
    components::{
        card::{card, facts, paragraph, words},
        face::{face, skeleton_lines},
    },
    query::{Poll, hooks::use_optional_query},
    text::{self, format},
};
use shared::{
    cost::TokenPrice,
    draft::Draft,
    estimate::{Estimate, EstimateQuery},
    id::DatasetId,
};
use std::rc::Rc;
use yew::prelude::*;

/// The card; nothing where the upstream can't tell.
#[hook]
pub(super) fn use_estimate_card(props: Rc<ReviewProps>) -> Html {
    let can_tell = props.capabilities.estimates;
    let query = query_of(&props.draft.draft).filter(|_| can_tell);
    let estimate = use_optional_query(query.as_ref().map(api::models::estimate), Poll::Never);
    if query.is_none() {
        return Html::default();
    }
    card(
        text::estimate_title(),
        Html::default(),
        face(
            &estimate,
            || skeleton_lines(3),
            |_| None,
            |estimate| body(estimate, props.capabilities.price.as_ref()),
        ),
    )
}

fn query_of(draft: &Draft) -> Option<EstimateQuery> {
    let number = |text: &str| text.trim().parse().ok();
    let dataset = |id: &str| (!id.is_empty()).then(|| DatasetId::new(id));
    Some(EstimateQuery {
        base_model: Some(draft.base_model.clone()).filter(|id| !id.is_empty())?,
        training_dataset: dataset(&draft.training_dataset)?,
        validation_dataset: dataset(&draft.validation_dataset),
        epochs: number(&draft.epochs)?,
        batch_size: number(&draft.batch_size),
        lora_rank: number(&draft.lora_rank),
    })
}

fn body(estimate: &Estimate, price: Option<&TokenPrice>) -> Html {
    let mut list = vec![
        (text::run_steps(), words(format::count(estimate.total_steps))),
        (
            text::tokens_an_epoch(),
            words(format::count(estimate.training_tokens)),
        ),
        (
            text::trained_tokens(),
            words(format::count(estimate.trained_tokens)),
        ),
        (text::longest_text(), words(text::tokens(estimate.longest_tokens))),
        (text::peak_memory(), words(text::memory_of(estimate))),
    ];
    list.extend(price.map(|price| {
        let micros = price.cost_micros(estimate.trained_tokens);
        (text::cost(), words(browser::money(micros, &price.currency)))
    }));
    let (class, note) = if estimate.fits {
        ("dim", text::checkpointing_note())
    } else {
        ("field-error", text::too_large_note())
    };
    let is_noted = !estimate.fits || estimate.gradient_checkpointing;
    html! {
        <div class="card-body stack-small">
            { facts(list) }
            <div hidden={!is_noted}>{ paragraph(class, note) }</div>
        </div>
    }
}
