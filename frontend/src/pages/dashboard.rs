//! The dashboard: how many jobs stand where, what runs now, what came last.

use crate::{
    api, browser,
    calendar::Calendar,
    chart::{
        ring::{Share, ring},
        sparkline::sparkline,
    },
    components::{
        card::{card, paragraph, words},
        face::{empty_view, face, skeleton_block, skeleton_lines},
        link::{Link, link},
        meter::meter,
        page_header::PageHeader,
        relative_time::relative_time,
        retry::{RetryProps, use_retry},
        status_pill::{pill, status_class, status_pill},
        table::{cell, table, text_cell},
    },
    pages::jobs::state::{GROUPS, ListState},
    part::keyed_part,
    query::{
        Poll,
        hooks::{use_now, use_optional_query},
        use_query,
    },
    route::{Route, Section},
    text::{self, format},
};
use shared::{
    capabilities::Capabilities,
    cost::TokenPrice,
    job::{Job, JobList, JobQuery, JobSummary, Outlook},
    metrics::{MetricsQuery, Series},
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

const AT_WORK: &str = "running,pausing";

/// The dashboard.
#[hook]
pub fn use_dashboard_page() -> Html {
    let now = use_now(30_000);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let recent = use_query(api::jobs::overview(), Poll::Every(5_000));
    let busy = recent.data.as_ref().is_some_and(|list| list.summary.running > 0);
    let at_work = JobQuery {
        limit: Some(4),
        status: Some(AT_WORK.to_owned()),
        ..JobQuery::default()
    };
    let at_work = use_optional_query(busy.then(|| api::jobs::list(&at_work)), Poll::Every(2_000));
    let sub = recent
        .data
        .as_ref()
        .map(|list| text::dashboard_summary(&list.summary, outlook(list).next_starts_in_ms))
        .unwrap_or_default();
    let view = face(
        &capabilities,
        skeleton,
        |_| None,
        |capabilities| {
            face(&recent, skeleton, empty, |list| {
                ready(list, at_work.data.as_deref(), capabilities, now)
            })
        },
    );
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Dashboard)} sub={words(sub)}>
                { link(&Route::Setup, "button primary", text::new_job()) }
            </PageHeader>
            { view }
        </div>
    }
}

fn skeleton() -> Html {
    let tiles = (0..4).map(|tile| html! { <div key={tile} class="card tile">{ skeleton_lines(3) }</div> });
    html! {
        <div class="dashboard">
            <div class="tiles">{ for tiles }</div>
            <div class="columns">{ skeleton_block("skeleton-list") }{ skeleton_block("skeleton-side") }</div>
        </div>
    }
}

fn empty(list: &JobList) -> Option<Html> {
    (list.summary.total == 0).then(|| {
        let action = link(&Route::Setup, "button primary", text::new_job());
        html! { <div class="card">{ empty_view(text::no_jobs_title(), text::no_jobs_body(), action) }</div> }
    })
}

fn ready(list: &Rc<JobList>, at_work: Option<&JobList>, capabilities: &Capabilities, now: i64) -> Html {
    let running: &[Job] = at_work.map(|list| list.jobs.as_slice()).unwrap_or_default();
    let rows = running.iter().map(|job| {
        let props = RunningJobProps {
            job: Rc::new(job.clone()),
            metrics: capabilities.metrics,
        };
        keyed_part(job.id.as_str(), use_running_job, props)
    });
    let spend = capabilities
        .price
        .as_ref()
        .zip(outlook(list).trained_tokens_in_month)
        .map(|(price, tokens)| spend(price, tokens, now));
    let running_now = html! {
        <div>
            <div class="running-list">{ for rows }</div>
            <p class="card-body dim" hidden={!running.is_empty()}>{ text::nothing_running() }</p>
        </div>
    };
    html! {
        <div class="dashboard">
            { tiles(list, capabilities, running) }
            <div class="columns">
                <div class="stack">
                    { card(text::running_now(), link(&Route::Jobs, "quiet-link", text::all_jobs()), running_now) }
                    { card(text::recent_jobs(), Html::default(), recent_jobs(&list.jobs, capabilities, now)) }
                </div>
                <div class="stack">
                    { card(text::all_jobs(), Html::default(), all_jobs(&list.summary, capabilities)) }
                    <div hidden={spend.is_none()}>{ spend }</div>
                    { needs_attention(&list.jobs, capabilities.retry) }
                </div>
            </div>
        </div>
    }
}

/// How things go at large; nothing is known where the upstream can't tell.
fn outlook(list: &JobList) -> Outlook {
    list.outlook.unwrap_or_default()
}

fn tiles(list: &JobList, capabilities: &Capabilities, running: &[Job]) -> Html {
    let (summary, outlook) = (&list.summary, outlook(list));
    let pace: f64 = running
        .iter()
        .filter_map(|job| job.progress.as_ref()?.tokens_per_second)
        .sum();
    let shown = [
        JobStatus::Running,
        JobStatus::Queued,
        JobStatus::Succeeded,
        JobStatus::Failed,
    ];
    let shown = shown
        .into_iter()
        .filter(|status| capabilities.statuses.contains(status));
    let tiles = shown.map(|status| {
        let note = match status {
            JobStatus::Running => Some(pace).filter(|pace| *pace > 0.0).map(text::tokens_per_second),
            JobStatus::Queued => outlook.next_starts_in_ms.map(text::first_starts),
            JobStatus::Succeeded => outlook.completed_in_week.map(text::in_this_week),
            _ => outlook.failed_in_week.map(text::in_this_week),
        };
        let content = html! {
            <>{ status_pill(status) }<b>{ format::count(summary.of(status)) }</b><span class="dim">{ note }</span></>
        };
        Link { to: jobs_with(status), class: "card tile", key: status.as_str(), content, ..Link::default() }.view()
    });
    html! { <div class="tiles">{ for tiles }</div> }
}

fn recent_jobs(jobs: &[Job], capabilities: &Capabilities, now: i64) -> Html {
    let loss_class = if capabilities.metrics { "number" } else { "absent" };
    let rows = jobs.iter().map(|job| {
        let loss = job
            .progress
            .as_ref()
            .and_then(|progress| progress.valid_loss.or(progress.train_loss));
        html! {
            <tr key={job.id.as_str()}>
                { cell("", link(&Route::Job(job.id.to_string()), "row-link", job.title())) }
                { cell("", status_pill(job.status)) }
                { text_cell("sub wide", job.base_model.clone()) }
                { cell("dim wide", relative_time(now, job.created_at)) }
                { text_cell(loss_class, loss.map_or_else(|| text::none().to_owned(), format::measure)) }
            </tr>
        }
    });
    let columns = [
        (text::name(), ""),
        (text::status(), ""),
        (text::base_model(), "wide"),
        (text::created(), "wide"),
        (text::loss(), loss_class),
    ];
    table("", &columns, rows.collect())
}

fn all_jobs(summary: &JobSummary, capabilities: &Capabilities) -> Html {
    let shares = GROUPS.map(|(status, _)| Share {
        class: status_class(status),
        number: summary.of(status),
        to: jobs_with(status),
        label: text::counted_status(summary.of(status), status),
    });
    let legend = shares.iter().filter(|share| share.number > 0).map(|share| {
        let to = Link {
            to: share.to.clone(),
            class: "legend-link",
            content: pill(share.class, share.label.clone()),
            ..Link::default()
        };
        html! { <li key={share.class}>{ to.view() }</li> }
    });
    let limit = capabilities.max_jobs.map(text::limit_note).unwrap_or_default();
    html! {
        <div>
            <div class="card-body ring-body">
                { ring(text::ring_label(summary), &shares, summary.total, text::jobs_unit(summary.total)) }
                <ul class="legend-list">{ for legend }</ul>
            </div>
            { paragraph("card-note", limit) }
        </div>
    }
}

/// Where the list shows the jobs with a status.
fn jobs_with(status: JobStatus) -> String {
    ListState::default().toggled(status).address()
}

/// What this month's training costs at the price of now, and what it comes to if it goes on so.
fn spend(price: &TokenPrice, tokens: u64, now: i64) -> Html {
    let calendar = Calendar::of(now);
    let money = |tokens| browser::money(price.cost_micros(tokens), &price.currency);
    let pace = calendar
        .by_the_end(tokens, now)
        .map(|tokens| text::spend_pace(&money(tokens)))
        .unwrap_or_default();
    let body = html! {
        <div class="card-body spend">
            <p class="spend-line"><b>{ money(tokens) }</b><span class="dim">{ text::tokens(tokens) }</span></p>
            { paragraph("sub", pace) }
            { paragraph("dim", text::spend_note()) }
        </div>
    };
    card(text::spend_in(calendar.month), Html::default(), body)
}

/// The newest job that failed, where one of the recent jobs did: what happened, what to do, and the button that does it.
fn needs_attention(jobs: &[Job], can_retry: bool) -> Html {
    let Some(job) = jobs.iter().find(|job| job.status == JobStatus::Failed) else {
        return html! { <div hidden=true></div> };
    };
    let told = job.failure.as_ref();
    let message = told
        .map(|failure| text::sentence(&failure.message))
        .unwrap_or_default();
    let advice = told
        .map(|failure| text::short_advice(job, failure))
        .unwrap_or_default();
    let again = RetryProps {
        job: Rc::new(job.clone()),
        can_retry,
    };
    let body = html! {
        <div class="card-body attention">
            <p><b>{ job.title() }</b>{ text::failed_word() }</p>
            <p class="dim" lang="en">{ message }</p>
            <p hidden={advice.is_empty()}>{ advice }</p>
            <div class="buttons">
                { keyed_part(job.id.as_str(), use_retry, again) }
                { link(&Route::Job(job.id.to_string()), "button", text::last_failure()) }
            </div>
        </div>
    };
    card(text::needs_attention(), Html::default(), body)
}

#[derive(PartialEq)]
struct RunningJobProps {
    job: Rc<Job>,
    metrics: bool,
}

#[hook]
fn use_running_job(props: Rc<RunningJobProps>) -> Html {
    let job = &props.job;
    let query = MetricsQuery {
        points: Some(80),
        ..MetricsQuery::default()
    };
    let curves =
        (props.metrics && job.status == JobStatus::Running).then(|| api::jobs::metrics(&job.id, &query));
    let curves = use_optional_query(curves, Poll::Every(3_000));
    let total_steps = job.progress.as_ref().map_or(0, |progress| progress.total_steps);
    let step = job.progress.as_ref().map_or(0, |progress| progress.step);
    let share = step as f64 / total_steps.max(1) as f64;
    // An upstream that tells no progress gets no bar, rather than one that stands still.
    let is_untold = job.progress.is_none() && job.status == JobStatus::Running;
    let curve = curves.data.as_ref().and_then(|metrics| {
        metrics
            .curves
            .iter()
            .find(|curve| curve.series == Series::TrainLoss)
    });
    let drawing = curve.map(|curve| {
        let label = text::curve_summary(text::series_label(Series::TrainLoss), &curve.steps, &curve.values);
        sparkline(
            label,
            "sparkline is-accent",
            &curve.steps,
            &curve.values,
            total_steps,
        )
    });
    html! {
        <div class="running-job">
            <div>
                <div class="running-head">
                    { link(&Route::Job(job.id.to_string()), "row-link", job.title()) }
                    { status_pill(job.status) }
                </div>
                { paragraph("dim running-line", text::running_line(job)) }
                <div hidden={is_untold}>{ meter(text::progress_of(&job.title()), share) }</div>
            </div>
            <div class="running-curve">{ drawing }</div>
        </div>
    }
}
