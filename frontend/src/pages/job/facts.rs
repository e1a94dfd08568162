//! What stands beside a job's curves: hyperparameters, timeline, result.

use crate::components::relative_time::relative_time;
use crate::text::{self, format};
use shared::{job::Job, run::Projection};
use yew::prelude::*;

fn fact(label: &'static str, value: impl Into<Html>) -> Html {
    html! { <div key={label}><dt>{ label }</dt><dd>{ value.into() }</dd></div> }
}

fn words(text: impl Into<AttrValue>) -> Html {
    let text: AttrValue = text.into();
    html! { { text } }
}

/// What was chosen, and what the engine chose.
pub(super) fn hyperparameters(job: &Job) -> Html {
    let mut facts = Vec::new();
    let mut add = |label, value: Option<String>| facts.extend(value.map(|value| fact(label, words(value))));
    add(text::epochs(), job.epochs.map(|epochs| epochs.to_string()));
    add(
        text::evaluation_epochs(),
        job.evaluation_epochs.map(|epochs| epochs.to_string()),
    );
    add(
        text::warmup_epochs(),
        job.warmup_epochs.map(|epochs| epochs.to_string()),
    );
    add(
        text::learning_rate(),
        job.learning_rate.map(format::learning_rate),
    );
    if let Some(chosen) = &job.hyperparameters {
        let auto = |name: &str| chosen.auto.iter().any(|known| known == name);
        let mut add = |label, name: &str, value: String| {
            let mark = if auto(name) { text::auto() } else { "" };
            facts.push(fact(
                label,
                html! { <>{ value }<span class="auto dim">{ mark }</span></> },
            ));
        };
        add(text::method(), "method", text::method_label(&chosen.method));
        add(text::batch_size(), "batch_size", chosen.batch_size.to_string());
        add(
            text::schedule(),
            "schedule",
            text::schedule_label(chosen.schedule).to_owned(),
        );
        add(
            text::rank_alpha(),
            "lora",
            format!("{} / {}", chosen.lora.rank, chosen.lora.alpha),
        );
        add(text::dropout(), "lora", chosen.lora.dropout.to_string());
        add(text::targets(), "lora", targets(&chosen.lora.targets));
        add(
            text::longest_example(),
            "max_sequence_length",
            text::tokens(chosen.max_sequence_length.into()),
        );
        add(text::seed(), "seed", chosen.seed.to_string());
    }
    html! {
        <section class="card" aria-label={text::hyperparameters()}>
            <div class="card-head"><h2>{ text::hyperparameters() }</h2></div>
            <div class="card-body"><dl class="facts">{ for facts }</dl></div>
        </section>
    }
}

fn targets(targets: &[Projection]) -> String {
    if targets.len() == Projection::ALL.len() {
        return text::all_targets().to_owned();
    }
    targets
        .iter()
        .map(|target| target.as_str().trim_end_matches("_proj"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// When what happened, and how much was done.
pub(super) fn timeline(job: &Job, now: i64) -> Html {
    let mut facts = vec![fact(text::created(), relative_time(now, job.created_at))];
    facts.extend(
        job.started_at
            .map(|at| fact(text::started(), relative_time(now, at))),
    );
    facts.extend(
        job.finished_at
            .map(|at| fact(text::finished(), relative_time(now, at))),
    );
    if let (Some(start), Some(end)) = (job.started_at, job.finished_at) {
        let took = u64::try_from(end.unix_ms() - start.unix_ms()).unwrap_or(0);
        facts.push(fact(text::took(), words(format::duration(took))));
    }
    if job.attempt > 1 {
        facts.push(fact(text::attempts(), words(job.attempt.to_string())));
    }
    facts.extend(
        job.trained_tokens
            .map(|tokens| fact(text::trained_tokens(), words(format::count(tokens)))),
    );
    let pace = job
        .progress
        .as_ref()
        .and_then(|progress| progress.tokens_per_second);
    facts.extend(pace.map(|pace| fact(text::pace(), words(text::tokens_per_second(pace)))));
    html! {
        <section class="card" aria-label={text::timeline()}>
            <div class="card-head"><h2>{ text::timeline() }</h2></div>
            <div class="card-body"><dl class="facts">{ for facts }</dl></div>
        </section>
    }
}

/// What the job made.
pub(super) fn result(job: &Job) -> Html {
    let model = job.fine_tuned_model.clone().unwrap_or_default();
    html! {
        <section class="card" aria-label={text::result()} hidden={model.is_empty()}>
            <div class="card-head"><h2>{ text::result() }</h2></div>
            <div class="card-body stack-small">
                <p class="sub">{ text::fine_tuned_model() }</p>
                <p><code class="model-name">{ model }</code></p>
            </div>
        </section>
    }
}
