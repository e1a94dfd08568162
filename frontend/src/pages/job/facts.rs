//! What stands beside a job's curves: hyperparameters, timeline, result.

use super::settings::settings;
use crate::{
    components::{
        card::{facts, padded_card, paragraph, words},
        link::{Link, link},
        relative_time::relative_time,
    },
    route::{Route, playground},
    text::{self, format},
};
use shared::job::Job;
use yew::prelude::*;

/// What was chosen, and what the engine chose.
pub(super) fn hyperparameters(job: &Job) -> Html {
    let list = settings(job).into_iter().map(|setting| {
        let auto = if setting.auto { text::auto() } else { "" };
        let value = html! { <>{ setting.value }<span class="auto dim">{ auto }</span></> };
        (setting.label, value)
    });
    padded_card(text::hyperparameters(), Html::default(), facts(list.collect()))
}

/// When what happened, and how much was done.
pub(super) fn timeline(job: &Job, now: i64) -> Html {
    let mut list = vec![(text::created(), relative_time(now, job.created_at))];
    list.extend(job.parent.as_ref().map(|parent| {
        let name = text::parent_name(parent.as_str(), job.parent_step);
        (text::retry_of(), link(&Route::Job(parent.to_string()), "", name))
    }));
    if let Some(from) = &job.imported {
        let name = html! { <>{ words(format!("{}, ", from.host)) }<code class="model-name">{ from.id.clone() }</code></> };
        list.push((text::imported_from(), name));
        list.extend((from.fine_tuned_model.clone()).map(|model| {
            let name = html! { <code class="model-name">{ model }</code> };
            (text::model_there(), name)
        }));
    }
    list.extend(job.started_at.map(|at| (text::started(), relative_time(now, at))));
    list.extend(
        job.finished_at
            .map(|at| (text::finished(), relative_time(now, at))),
    );
    if let (Some(start), Some(end)) = (job.started_at, job.finished_at) {
        let took = u64::try_from(end.unix_ms() - start.unix_ms()).unwrap_or(0);
        list.push((text::took(), words(format::duration(took))));
    }
    if job.attempt > 1 {
        list.push((text::attempts(), words(job.attempt.to_string())));
    }
    list.extend(
        job.trained_tokens
            .map(|tokens| (text::trained_tokens(), words(format::count(tokens)))),
    );
    let pace = job
        .progress
        .as_ref()
        .and_then(|progress| progress.tokens_per_second);
    list.extend(pace.map(|pace| (text::pace(), words(text::tokens_per_second(pace)))));
    padded_card(text::timeline(), Html::default(), facts(list))
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
