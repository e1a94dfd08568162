//! What stands beside a job's curves: hyperparameters, timeline, result.

use crate::{
    components::{
        card::{facts, padded_card, paragraph, words},
        link::link,
        relative_time::relative_time,
    },
    route::Route,
    text::{self, format},
};
use shared::{
    job::{Hyperparameters, Job},
    number,
    run::Projection,
};
use yew::prelude::*;

type Facts = Vec<(&'static str, Html)>;

/// What was chosen, and what the engine chose.
pub(super) fn hyperparameters(job: &Job) -> Html {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let mut list = Facts::new();
    for (label, value) in [
        (text::epochs(), number(job.epochs)),
        (text::evaluation_epochs(), number(job.evaluation_epochs)),
        (text::warmup_epochs(), number(job.warmup_epochs)),
        (
            text::learning_rate(),
            job.learning_rate.map(format::learning_rate),
        ),
    ] {
        list.extend(value.map(|value| (label, words(value))));
    }
    if let Some(chosen) = &job.hyperparameters {
        add_chosen(&mut list, chosen);
    }
    padded_card(text::hyperparameters(), Html::default(), facts(list))
}

fn add_chosen(list: &mut Facts, chosen: &Hyperparameters) {
    let lora = &chosen.lora;
    for (label, name, value) in [
        (text::method(), "method", text::method_label(&chosen.method)),
        (text::batch_size(), "batch_size", chosen.batch_size.to_string()),
        (
            text::schedule(),
            "schedule",
            text::schedule_label(chosen.schedule).to_owned(),
        ),
        (
            text::rank_alpha(),
            "lora",
            format!("{} / {}", lora.rank, number::text(lora.alpha)),
        ),
        (text::dropout(), "lora", number::text(lora.dropout)),
        (text::targets(), "lora", targets(&lora.targets)),
        (
            text::longest_example(),
            "max_sequence_length",
            text::tokens(chosen.max_sequence_length.into()),
        ),
        (text::seed(), "seed", chosen.seed.to_string()),
    ] {
        let auto = if chosen.auto.iter().any(|known| known == name) {
            text::auto()
        } else {
            ""
        };
        list.push((
            label,
            html! { <>{ value }<span class="auto dim">{ auto }</span></> },
        ));
    }
}

fn targets(targets: &[Projection]) -> String {
    if targets.len() == Projection::ALL.len() {
        return text::all_targets().to_owned();
    }
    targets
        .iter()
        .map(|target| {
            let name = target.as_str();
            name.strip_suffix("_proj").unwrap_or(name)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// When what happened, and how much was done.
pub(super) fn timeline(job: &Job, now: i64) -> Html {
    let mut list = vec![(text::created(), relative_time(now, job.created_at))];
    list.extend(job.parent.as_ref().map(|parent| {
        let name = text::parent_name(parent.as_str(), job.parent_step);
        (text::retry_of(), link(&Route::Job(parent.to_string()), "", name))
    }));
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
pub(super) fn result(job: &Job) -> Html {
    let Some(model) = job.fine_tuned_model.clone() else {
        return html! { <div hidden=true></div> };
    };
    let body = html! { <>{ paragraph("sub", text::fine_tuned_model()) }<p><code class="model-name">{ model }</code></p></> };
    padded_card(text::result(), Html::default(), body)
}
