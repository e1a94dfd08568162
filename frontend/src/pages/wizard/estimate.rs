//! What the job would take, reckoned by the server from the data itself before anything is started.

use super::review::ReviewProps;
use crate::{
    api, browser,
    components::{
        card::{card, facts, paragraph, words},
        face::{face, skeleton_lines},
    },
    kept::use_kept,
    part::use_change,
    query::{Poll, hooks::use_optional_query},
    text::{self, format},
};
use gloo_timers::callback::Timeout;
use shared::{
    cost::TokenPrice,
    draft::Draft,
    estimate::{Estimate, EstimateQuery},
    id::DatasetId,
    validate::new_job_from_draft,
};
use std::rc::Rc;
use yew::prelude::*;

/// How long nobody must have typed before the server is asked: it reads a whole dataset.
const QUIET_MS: u32 = 400;

/// The card; nothing where the upstream can't tell. While numbers change it shows what was told last, set back.
#[hook]
pub(super) fn use_estimate_card(props: Rc<ReviewProps>) -> Html {
    let draft = &props.draft.draft;
    let has_data = !draft.base_model.is_empty() && !draft.training_dataset.is_empty();
    // What isn't valid yet is not asked for.
    let is_good = new_job_from_draft(draft, &props.capabilities).is_ok();
    let wanted = query_of(draft).filter(|_| is_good);
    let settled = use_kept(|| wanted.clone());
    {
        let settled = settled.clone();
        use_change(wanted.clone(), move |wanted| {
            if *settled == *wanted {
                return None;
            }
            let (setter, wanted) = (settled.setter(), wanted.clone());
            Some(Box::new(Timeout::new(QUIET_MS, move || setter.set(wanted))))
        });
    }
    let is_offered = props.capabilities.estimates && has_data;
    let query = (*settled).as_ref().filter(|_| is_offered);
    let mut estimate = use_optional_query(query.map(api::models::estimate), Poll::Never);
    let told = use_kept(|| None::<Rc<Estimate>>);
    {
        let told = told.setter();
        use_change(estimate.data.clone(), move |data| {
            if data.is_some() {
                told.set(data.clone());
            }
            None
        });
    }
    if !is_offered {
        return Html::default();
    }
    let mut is_outdated = *settled != wanted;
    if estimate.data.is_none() && estimate.error.is_none() {
        estimate.data.clone_from(&told);
        is_outdated |= told.is_some();
    }
    let nothing = wanted.is_none() && estimate.data.is_none();
    let view = if nothing {
        paragraph("card-body dim", text::estimate_waits())
    } else {
        face(
            &estimate,
            || skeleton_lines(6),
            |_| None,
            |estimate| body(estimate, props.capabilities.price.as_ref()),
        )
    };
    let class = is_outdated.then_some("is-outdated");
    let known = if nothing { "nothing" } else { "known" };
    let body = html! { <div key={known} {class} aria-busy={is_outdated.then_some("true")}>{ view }</div> };
    card(text::estimate_title(), Html::default(), body)
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
    list.extend(
        estimate
            .duration_ms
            .map(|ms| (text::training_time(), words(text::about_so_long(ms)))),
    );
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
