//! A job's life: where it stood, since when and for how long, live; and how much was done.

use crate::{
    api, browser,
    components::{
        card::{facts, padded_card, words},
        link::link,
        relative_time::relative_time,
        status_pill::status_pill,
    },
    part::use_change,
    query::{
        Poll,
        hooks::{use_now, use_optional_query, use_store},
    },
    route::Route,
    text::{self, format},
};
use shared::{
    attempt::{Attempt, AttemptList},
    job::Job,
    timeline::{Phase, Timeline},
    timestamp::Timestamp,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct TimelineProps {
    pub(super) job: Rc<Job>,
    pub(super) attempts: Option<Rc<AttemptList>>,
    /// The upstream tells it.
    pub(super) is_told: bool,
    pub(super) poll: Poll,
}

#[hook]
pub(super) fn use_timeline(props: Rc<TimelineProps>) -> Html {
    let TimelineProps {
        job,
        attempts,
        is_told,
        poll,
    } = &*props;
    let store = use_store();
    let now = use_now(if job.status.is_terminal() { 10_000 } else { 1_000 });
    let query = api::jobs::timeline(&job.id);
    let timeline = use_optional_query(is_told.then(|| query.clone()), *poll).data;
    // However the page learned that it has moved on.
    use_change((job.status, *is_told), move |(_, is_told)| {
        if *is_told {
            store.refresh(&query);
        }
        None
    });
    let timeline = timeline.filter(|timeline| !timeline.phases.is_empty());
    let attempts = attempts.as_ref().map_or(&[][..], |list| &list.attempts);
    let list = timeline.as_ref().map(|timeline| phases(timeline, attempts, now));
    let body = html! { <>{ list }{ facts(summary(job, timeline.is_some(), now)) }</> };
    padded_card(text::timeline(), Html::default(), body)
}

/// Each phase with its beginning and duration, and the trainers that were started in it.
fn phases(timeline: &Timeline, attempts: &[Attempt], now: i64) -> Html {
    let ends = timeline.phases.iter().skip(1).map(|next| Some(next.started_at));
    let ends = ends.chain([None]);
    let rows = timeline.durations(now).zip(ends).enumerate();
    let rows = rows.map(|(place, ((phase, took), end))| {
        let is_current = end.is_none().then_some("step");
        let took = took.map(format::duration).unwrap_or_default();
        html! {
            <li key={place} aria-current={is_current}>
                { status_pill(phase.status) }
                { clock(phase.started_at) }
                <span class="number">{ took }</span>
                { again(&phase, end, attempts) }
            </li>
        }
    });
    // What scrolls is reached by the keyboard.
    let is_long = timeline.phases.len() > 12;
    html! { <ol class={if is_long { "phases is-long" } else { "phases" }} tabindex={is_long.then_some("0")}>{ for rows }</ol> }
}

/// Trainers that weren't a phase's first: what went wrong in its midst.
fn again(phase: &Phase, end: Option<Timestamp>, attempts: &[Attempt]) -> Html {
    let in_midst = |attempt: &&Attempt| {
        attempt.started_at > phase.started_at && end.is_none_or(|end| attempt.started_at < end)
    };
    let rows = attempts.iter().filter(in_midst).map(|attempt| {
        html! {
            <span key={attempt.attempt} class="phase-attempt dim">
                { text::attempt_from(attempt.attempt, attempt.from_step) }{ clock(attempt.started_at) }
            </span>
        }
    });
    rows.collect()
}

fn clock(at: Timestamp) -> Html {
    html! {
        <time class="dim" datetime={browser::machine_time(at)} title={browser::local_time(at.unix_ms())}>
            { browser::local_clock(at.unix_ms()) }
        </time>
    }
}

/// What the phases don't tell; all that is known where there are none.
fn summary(job: &Job, has_phases: bool, now: i64) -> Vec<(&'static str, Html)> {
    let mut list = Vec::new();
    if !has_phases {
        list.push((text::created(), relative_time(now, job.created_at)));
        list.extend(job.started_at.map(|at| (text::started(), relative_time(now, at))));
        list.extend(
            job.finished_at
                .map(|at| (text::finished(), relative_time(now, at))),
        );
    }
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
    list
}
