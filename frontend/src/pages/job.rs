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
    query::{
        Poll,
        hooks::{use_now, use_store},
        live::{Connection, use_live},
        use_query,
    },
    route::{Route, Section},
    text,
};
use actions::Actions;
use metrics::MetricsSection;
use record::{CheckpointsSection, EventsSection};
use shared::{id::JobId, job::Job, status::JobStatus};
use yew::prelude::*;

const WORKING_MS: u32 = 2_500;

/// Which job.
#[derive(Properties, PartialEq)]
pub struct JobProps {
    /// Its id.
    pub id: JobId,
}

/// One job.
#[component]
pub fn JobPage(props: &JobProps) -> Html {
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
    html! {
        <div class="page">
            <PageHeader title={name} {above} beside={html! { { for beside } }} sub={html! { { for sub } }}>
                <span class="dim reconnecting" role="status">{ if reconnecting { text::reconnecting() } else { "" } }</span>
                <button type="button" class="switch" role="switch" aria-checked={if *following { "true" } else { "false" }} onclick={toggle} hidden={!working}>
                    <i aria-hidden="true"></i>{ text::live() }
                </button>
                <button type="button" class="button" onclick={refresh}>{ text::refresh() }</button>
                <Actions job={job.data.clone()} capabilities={caps.clone()} />
            </PageHeader>
            <div>{ match (&job.data, &job.error, &caps) {
                (None, Some(error), _) if error.status() == Some(404) => error_view(error, job.retry.clone()),
                _ => face(&job, skeleton, |_| None, |job| html! {
                    <div class="job">
                        <div class="job-top">{ failure(job) }</div>
                        { progress::progress(job, &live.tail) }
                        <div class="columns">
                            <div class="stack">
                                <div hidden={!caps.as_ref().is_some_and(|caps| caps.metrics)}>
                                    <MetricsSection id={props.id.clone()} job={job.clone()} tail={live.tail.clone()} poll={record_poll} on={caps.as_ref().is_some_and(|caps| caps.metrics)} />
                                </div>
                                <div hidden={!caps.as_ref().is_some_and(|caps| caps.checkpoints)}>
                                    <CheckpointsSection id={props.id.clone()} ended={job.status.is_terminal()} poll={record_poll} {now} on={caps.as_ref().is_some_and(|caps| caps.checkpoints)} />
                                </div>
                                <div hidden={!caps.as_ref().is_some_and(|caps| caps.events)}>
                                    <EventsSection id={props.id.clone()} poll={record_poll} on={caps.as_ref().is_some_and(|caps| caps.events)} />
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
