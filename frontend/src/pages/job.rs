//! One job: what it is doing, its curves, checkpoints, settings and events, live.

mod actions;
mod alerts;
mod checkpoints;
mod events;
mod facts;
mod failure;
mod metrics;
mod progress;
mod reckoning;
pub(crate) mod settings;
mod step_examples;
mod timeline;
mod turn;
mod wandb;

use crate::{
    api, browser,
    components::{
        button::button,
        card::words,
        face::{face, skeleton_block},
        link::link,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::status_pill,
    },
    kept::{Kept, use_kept},
    part::{part, use_change},
    query::{
        Poll, Resource,
        hooks::{use_now, use_optional_query, use_store},
        live::{Connection, use_live},
        use_query,
    },
    route::{Route, Section},
    text,
};
pub(crate) use actions::follow_download;
use actions::{ActionsProps, use_actions};
use alerts::{AlertsProps, use_alerts};
use checkpoints::{RecordProps, use_checkpoints_section};
use events::use_events_section;
use failure::{FailureProps, use_failure};
use metrics::{MetricsProps, use_metrics_section};
use reckoning::{ReckoningProps, use_reckoning};
use shared::{attempt::AttemptList, capabilities::Capabilities, id::JobId, job::Job, status::JobStatus};
use std::rc::Rc;
use timeline::{TimelineProps, use_timeline};
use turn::{TurnProps, use_turn};
use yew::prelude::*;

const WORKING_MS: u32 = 2_500;

/// Which job.
#[derive(PartialEq)]
pub struct JobProps {
    /// Its id.
    pub id: JobId,
}

/// One job.
#[hook]
pub fn use_job_page(props: Rc<JobProps>) -> Html {
    let store = use_store();
    let now = use_now(10_000);
    let following = use_kept(|| true);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never).data;
    let known = store.read(&api::jobs::job(&props.id)).map(|job| job.status);
    let working = known.is_none_or(|status| !status.is_terminal());
    let often = if *following && working {
        Poll::Every(WORKING_MS)
    } else {
        Poll::Never
    };
    let job = use_query(api::jobs::job(&props.id), often);
    let has_stream = capabilities
        .as_ref()
        .is_some_and(|capabilities| capabilities.stream);
    let is_followed = use_followed(&props.id, known);
    let live = use_live(&props.id, has_stream && *following && is_followed);
    let streaming = matches!(live.connection, Connection::Open | Connection::Ended);
    let poll = if streaming { Poll::Never } else { often };

    let has_attempts = capabilities.as_ref().is_some_and(|known| known.attempts);
    let has_timeline = capabilities.as_ref().is_some_and(|known| known.timeline);
    let can_retry = capabilities.as_ref().is_some_and(|known| known.retry);
    let can_chat = capabilities.as_ref().is_some_and(|known| known.chat);
    let can_queue = capabilities.as_ref().is_some_and(|known| known.queue);
    let has_alerts = capabilities.as_ref().is_some_and(|known| known.alerts);
    // Asked after the job, as the rest of its record: what was asked before is asked again once the stream is followed.
    let attempts = (has_attempts && known.is_some()).then(|| api::jobs::attempts(&props.id));
    let attempts = use_optional_query(attempts, poll).data;

    let refresh = {
        let id = props.id.clone();
        Callback::from(move |_: MouseEvent| {
            store.refresh(&api::jobs::job(&id));
            store.invalidate(Resource::JobRecord);
        })
    };
    let title = job.data.as_ref().map_or_else(
        || text::section_label(Section::Jobs).to_owned(),
        |job| job.title(),
    );
    let percent = job
        .data
        .as_ref()
        .and_then(|job| progress::percent(job, &live.tail));
    use_tab(&title, percent);
    let cut = if live.connection == Connection::Reconnecting && working {
        text::reconnecting()
    } else {
        ""
    };
    let actions = ActionsProps {
        job: job.data.clone(),
        capabilities: capabilities.clone(),
    };
    let has_record = capabilities
        .as_ref()
        .is_none_or(|known| known.metrics || known.checkpoints || known.events);
    let view = face(
        &job,
        skeleton,
        |_| None,
        |job| {
            // Its weights lie elsewhere: nothing goes on from them, and nobody can ask them.
            let is_ours = job.imported.is_none();
            let (can_retry, can_chat) = (can_retry && is_ours, can_chat && is_ours);
            let record = RecordProps {
                id: props.id.clone(),
                ended: job.status.is_terminal(),
                can_retry: can_retry && !job.status.is_active(),
                can_download: capabilities
                    .as_ref()
                    .is_some_and(|known| known.checkpoint_downloads),
                poll,
                now,
                weights_at: job.imported.as_ref().map(|from| from.host.clone()),
                try_beside: can_chat.then(|| {
                    let examples = job.validation_dataset.as_ref().or(job.training_dataset.as_ref());
                    (
                        job.base_model.clone(),
                        examples.map(|dataset| dataset.id.to_string()),
                    )
                }),
            };
            let metrics = MetricsProps {
                has_examples: capabilities.as_ref().is_some_and(|known| known.step_examples),
                id: props.id.clone(),
                job: Rc::clone(job),
                tail: Rc::clone(&live.tail),
                marks: marks(attempts.as_deref()),
                poll,
            };
            let reckoning = ReckoningProps {
                job: Rc::clone(job),
                price: capabilities.as_ref().and_then(|known| known.price.clone()),
                has_timeline,
                poll,
            };
            let timeline = TimelineProps {
                job: Rc::clone(job),
                attempts: attempts.clone(),
                is_told: has_timeline,
                poll,
            };
            html! {
                <div class="job">
                    { part(use_failure, FailureProps { job: Rc::clone(job), can_retry, attempts: attempts.clone() }) }
                    { progress::progress(job, &live.tail, part(use_turn, TurnProps { job: Rc::clone(job), can_change: can_queue })) }
                    <div class={if has_record { "columns" } else { "halves" }}>
                        { sections(capabilities.as_deref(), metrics, record) }
                        <div class="stack facts-stack">
                            { facts::hyperparameters(job) }
                            { part(use_reckoning, reckoning) }
                            { part(use_timeline, timeline) }
                            { facts::result(job, can_chat) }
                            { part(wandb::use_wandb, (**job).clone()) }
                            { alerts_card(job, has_alerts) }
                        </div>
                    </div>
                </div>
            }
        },
    );
    html! {
        <div class="page">
            <PageHeader
                {title}
                above={link(&Route::Jobs, "", text::jobs_above())}
                beside={job.data.as_ref().map(|job| status_pill(job.status)).unwrap_or_default()}
                sub={job.data.as_ref().map(|job| headline(job, now)).unwrap_or_default()}
            >
                <span class="dim reconnecting" role="status">{ cut }</span>
                { live_switch(working, following) }
                { button("button", text::refresh(), refresh) }
                { part(use_actions, actions) }
            </PageHeader>
            { view }
        </div>
    }
}

/// What the upstream records of a job, one section each.
fn sections(capabilities: Option<&Capabilities>, metrics: MetricsProps, record: RecordProps) -> Html {
    let has = |what: fn(&Capabilities) -> bool| capabilities.is_some_and(what);
    let mut sections = Vec::new();
    if has(|capabilities| capabilities.metrics) {
        sections.push(part(use_metrics_section, metrics));
    }
    if has(|capabilities| capabilities.checkpoints) {
        sections.push(part(use_checkpoints_section, record.clone()));
    }
    if has(|capabilities| capabilities.events) {
        sections.push(part(use_events_section, record));
    }
    let has_none = sections.is_empty();
    html! { <div class="stack" hidden={has_none}>{ for sections }</div> }
}

/// What the job is watched for, as long as there is something to watch.
fn alerts_card(job: &Job, has_alerts: bool) -> Html {
    let watched = has_alerts && !job.status.is_terminal();
    let card = watched.then(|| part(use_alerts, AlertsProps { id: job.id.clone() }));
    html! { <div hidden={!watched}>{ card }</div> }
}

/// Whether there is something to follow: the job was at work when it was first seen here. One that had ended by then is told
/// whole by its record; one that ends meanwhile is followed to the end of its stream.
#[hook]
fn use_followed(id: &JobId, known: Option<JobStatus>) -> bool {
    let at_work = use_memo((id.clone(), known.is_some()), |_| {
        known.is_some_and(|status| !status.is_terminal())
    });
    *at_work || known.is_some_and(|status| !status.is_terminal())
}

/// How far the job is, in the tab's title and its picture.
#[hook]
fn use_tab(title: &str, percent: Option<u32>) {
    use_change((title.to_owned(), percent), |(title, percent)| {
        let told = percent.map(|percent| text::percent_of(percent, title));
        browser::set_title(&text::page_title(told.as_ref().unwrap_or(title)));
        Some(Box::new(browser::TabPicture::show(*percent)))
    });
}

fn live_switch(working: bool, following: Kept<bool>) -> Html {
    let checked = if *following { "true" } else { "false" };
    let onclick = Callback::from(move |_: MouseEvent| following.set(!*following));
    html! {
        <button type="button" class="switch" role="switch" aria-checked={checked} {onclick} hidden={!working}>
            <i aria-hidden="true"></i>{ text::live() }
        </button>
    }
}

fn headline(job: &Job, now: i64) -> Html {
    let dataset = job.training_dataset.as_ref().map(|dataset| {
        let to = Route::Dataset(dataset.id.to_string());
        html! { <>{ " · " }{ link(&to, "quiet-link", dataset.name.clone()) }</> }
    });
    html! {
        <>
            { words(job.base_model.clone()) }
            <span>{ dataset }</span>
            { words(text::created_word()) }{ relative_time(now, job.created_at) }
            { " · " }<span class="mono dim">{ job.id.as_str() }</span>
        </>
    }
}

/// The steps at which training was taken up again.
fn marks(attempts: Option<&AttemptList>) -> Vec<u64> {
    let all = attempts.map(|list| list.attempts.as_slice()).unwrap_or_default();
    all.iter()
        .filter(|attempt| attempt.attempt > 1)
        .filter_map(|attempt| attempt.from_step)
        .filter(|step| *step > 0)
        .collect()
}

fn skeleton() -> Html {
    html! {
        <div class="stack">
            { skeleton_block("skeleton-progress") }
            <div class="columns">{ skeleton_block("skeleton-list") }{ skeleton_block("skeleton-side") }</div>
        </div>
    }
}
