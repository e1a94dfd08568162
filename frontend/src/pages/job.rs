//! One job: what it is doing, its curves, checkpoints, settings and events, live.

mod actions;
mod facts;
mod metrics;
mod progress;
mod record;

use crate::{
    api,
    components::{
        face::{error_view, face, skeleton_block},
        icon::{Icon, icon},
        link::Link,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::status_pill,
    },
    part::part,
    query::{
        Poll,
        hooks::{use_now, use_store},
        live::{Connection, use_live},
        use_query,
    },
    route::{Route, Section},
    text,
};
use actions::{ActionsProps, use_actions};
use metrics::{MetricsProps, use_metrics_section};
use record::{CheckpointsProps, EventsProps, use_checkpoints_section, use_events_section};
use shared::{capabilities::Capabilities, id::JobId, job::Job, status::JobStatus};
use std::rc::Rc;
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
    let following = use_state(|| true);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let known = store.read(&api::jobs::job(&props.id)).map(|job| job.status);
    let working = known.is_none_or(|status| !status.is_terminal());
    let poll = if *following && working {
        Poll::Every(WORKING_MS)
    } else {
        Poll::Never
    };
    let job = use_query(api::jobs::job(&props.id), poll);
    let has_stream = capabilities
        .data
        .as_ref()
        .is_some_and(|capabilities| capabilities.stream);
    let live = use_live(&props.id, has_stream && *following && known.is_some());
    let streaming = matches!(live.connection, Connection::Open | Connection::Ended);
    let record_poll = if *following && working && !streaming {
        Poll::Every(WORKING_MS)
    } else {
        Poll::Never
    };

    let name = job.data.as_ref().map_or_else(
        || text::section_label(Section::Jobs).to_owned(),
        |job| job.name.clone(),
    );
    let above = html! { <Link to={Route::Jobs}>{ text::section_label(Section::Jobs) }{ " /" }</Link> };
    let beside = job.data.as_ref().map(|job| status_pill(job.status));
    let sub = job.data.as_ref().map(|job| headline(job, now));
    let refresh = {
        let (store, id) = (store.clone(), props.id.clone());
        Callback::from(move |_: MouseEvent| {
            store.refresh(&api::jobs::job(&id));
            store.invalidate(crate::query::Resource::JobRecord);
        })
    };
    let toggle = {
        let following = following.clone();
        Callback::from(move |_: MouseEvent| following.set(!*following))
    };
    let reconnecting = live.connection == Connection::Connecting && working;
    let caps = capabilities.data.clone();
    let has = |what: fn(&Capabilities) -> bool| caps.as_deref().is_some_and(what);
    html! {
        <div class="page">
            <PageHeader title={name} {above} beside={html! { { for beside } }} sub={html! { { for sub } }}>
                <span class="dim reconnecting" role="status">{ if reconnecting { text::reconnecting() } else { "" } }</span>
                <button type="button" class="switch" role="switch" aria-checked={if *following { "true" } else { "false" }} onclick={toggle} hidden={!working}>
                    <i aria-hidden="true"></i>{ text::live() }
                </button>
                <button type="button" class="button" onclick={refresh}>{ text::refresh() }</button>
                { part(use_actions, ActionsProps { job: job.data.clone(), capabilities: caps.clone() }) }
            </PageHeader>
            <div>{ match (&job.data, &job.error, &caps) {
                (None, Some(error), _) if error.status() == Some(404) => error_view(error, job.retry.clone()),
                _ => face(&job, skeleton, |_| None, |job| html! {
                    <div class="job">
                        <div class="job-top">{ failure(job) }</div>
                        { progress::progress(job, &live.tail) }
                        <div class="columns">
                            <div class="stack">
                                <div hidden={!has(|caps| caps.metrics)}>
                                    { part(use_metrics_section, MetricsProps { id: props.id.clone(), job: job.clone(), tail: live.tail.clone(), poll: record_poll, on: has(|caps| caps.metrics) }) }
                                </div>
                                <div hidden={!has(|caps| caps.checkpoints)}>
                                    { part(use_checkpoints_section, CheckpointsProps { id: props.id.clone(), ended: job.status.is_terminal(), poll: record_poll, now, on: has(|caps| caps.checkpoints) }) }
                                </div>
                                <div hidden={!has(|caps| caps.events)}>
                                    { part(use_events_section, EventsProps { id: props.id.clone(), poll: record_poll, on: has(|caps| caps.events) }) }
                                </div>
                            </div>
                            <div class="stack">
                                { facts::hyperparameters(job) }
                                { facts::timeline(job, now) }
                                { facts::result(job) }
                            </div>
                        </div>
                    </div>
                }),
            } }</div>
        </div>
    }
}

fn headline(job: &Job, now: i64) -> Html {
    let dataset = job.training_dataset.as_ref().map(|dataset| {
        html! { <>{ " · " }<Link to={Route::Dataset { id: dataset.id.to_string() }} class="quiet-link">{ dataset.name.clone() }</Link></> }
    });
    html! {
        <>
            { job.base_model.clone() }
            <span>{ for dataset }</span>
            { " · " }{ text::created_word() }{ " " }{ relative_time(now, job.created_at) }
            { " · " }<span class="mono dim">{ job.id.to_string() }</span>
        </>
    }
}

fn failure(job: &Job) -> Html {
    let Some(failure) = job.failure.as_ref().filter(|_| job.status == JobStatus::Failed) else {
        return html! { <div hidden=true></div> };
    };
    html! {
        <div class="notice notice-error job-failure" role="alert">
            <span class="notice-icon">{ icon(Icon::Alert) }</span>
            <div>
                <p class="notice-title">{ text::job_failed() }</p>
                <p class="notice-body">{ text::sentence(&failure.message) }</p>
                <code>{ failure.code.clone() }</code>
            </div>
        </div>
    }
}

fn skeleton() -> Html {
    html! {
        <div class="stack">
            { skeleton_block("skeleton-progress") }
            <div class="columns">{ skeleton_block("skeleton-list") }{ skeleton_block("skeleton-side") }</div>
        </div>
    }
}
