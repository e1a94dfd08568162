//! The dashboard: how many jobs stand where, what runs now, what came last.

use crate::{
    api,
    chart::{ring::ring, sparkline::sparkline},
    components::{
        face::{empty_view, face, skeleton_block, skeleton_lines},
        link::Link,
        meter::meter,
        page_header::PageHeader,
        relative_time::relative_time,
        status_pill::{pill, status_pill},
    },
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
    job::{Job, JobList, JobQuery, JobSummary},
    metrics::{MetricsQuery, Series},
    status::JobStatus,
};
use std::rc::Rc;
use yew::prelude::*;

const RECENT: u32 = 6;
const AT_WORK: &str = "running,pausing,queued,validating_files";

/// The dashboard.
#[hook]
pub fn use_dashboard_page() -> Html {
    let now = use_now(30_000);
    let capabilities = use_query(api::capabilities::capabilities(), Poll::Never);
    let recent = JobQuery {
        limit: Some(RECENT),
        ..JobQuery::default()
    };
    let recent = use_query(api::jobs::list(&recent), Poll::Every(5_000));
    let busy = recent
        .data
        .as_ref()
        .is_some_and(|list| list.summary.running + list.summary.queued > 0);
    let at_work = JobQuery {
        limit: Some(4),
        status: Some(AT_WORK.to_owned()),
        ..JobQuery::default()
    };
    let at_work = use_optional_query(busy.then(|| api::jobs::list(&at_work)), Poll::Every(2_000));
    let sub = recent
        .data
        .as_ref()
        .map(|list| text::dashboard_summary(&list.summary))
        .unwrap_or_default();
    let capabilities = capabilities
        .data
        .unwrap_or_else(|| Rc::new(Capabilities::job_training_api()));
    html! {
        <div class="page">
            <PageHeader title={text::section_label(Section::Dashboard)} sub={html! { sub }}>
                <Link to={Route::NewJob} class="button primary">{ text::new_job() }</Link>
            </PageHeader>
            { face(&recent, skeleton, empty, |list| ready(list, at_work.data.as_deref(), &capabilities, now)) }
        </div>
    }
}

fn skeleton() -> Html {
    html! {
        <div class="dashboard">
            <div class="tiles">{ for (0..4).map(|tile| html! { <div key={tile} class="card tile">{ skeleton_lines(3) }</div> }) }</div>
            <div class="columns">
                { skeleton_block("skeleton-list") }
                { skeleton_block("skeleton-side") }
            </div>
        </div>
    }
}

fn empty(list: &JobList) -> Option<Html> {
    (list.summary.total == 0).then(|| {
        let action = html! { <Link to={Route::NewJob} class="button primary">{ text::new_job() }</Link> };
        html! { <div class="card">{ empty_view(text::no_jobs_title(), text::no_jobs_body(), action) }</div> }
    })
}

fn ready(list: &Rc<JobList>, at_work: Option<&JobList>, capabilities: &Capabilities, now: i64) -> Html {
    let running: Vec<Job> = at_work.map(|list| list.jobs.clone()).unwrap_or_default();
    html! {
        <div class="dashboard">
            { tiles(&list.summary, capabilities, &running) }
            <div class="columns">
                <div class="stack">
                    <section class="card" aria-labelledby="running-now">
                        <div class="card-head">
                            <h2 id="running-now">{ text::running_now() }</h2>
                            <Link to={Route::Jobs} class="quiet-link">{ text::all_jobs() }</Link>
                        </div>
                        <div class="running-list">
                            { for running.iter().map(|job| keyed_part(job.id.as_str(), use_running_job, RunningJobProps { job: Rc::new(job.clone()), metrics: capabilities.metrics })) }
                            <p class="card-body dim" key="none" hidden={!running.is_empty()}>{ text::nothing_running() }</p>
                        </div>
                    </section>
                    { recent_jobs(&list.jobs, capabilities, now) }
                </div>
                <div class="stack">
                    { all_jobs(&list.summary, capabilities) }
                    { needs_attention(&list.jobs) }
                </div>
            </div>
        </div>
    }
}

fn tiles(summary: &JobSummary, capabilities: &Capabilities, running: &[Job]) -> Html {
    let pace: f64 = running
        .iter()
        .filter_map(|job| job.progress.as_ref()?.tokens_per_second)
        .sum();
    let pace = if pace > 0.0 {
        text::tokens_per_second(pace)
    } else {
        String::new()
    };
    let knows = |status: JobStatus| capabilities.statuses.contains(&status);
    let shown = [
        (
            true,
            "running",
            "is-running",
            JobStatus::Running,
            summary.running,
            pace,
        ),
        (
            knows(JobStatus::Queued),
            "queued",
            "is-quiet",
            JobStatus::Queued,
            summary.queued,
            String::new(),
        ),
        (
            true,
            "succeeded",
            "is-ok",
            JobStatus::Succeeded,
            summary.completed,
            String::new(),
        ),
        (
            true,
            "failed",
            "is-bad",
            JobStatus::Failed,
            summary.failed,
            String::new(),
        ),
    ];
    let tiles = shown
        .into_iter()
        .filter(|tile| tile.0)
        .map(|(_, word, class, status, number, note)| {
            html! {
                <Link key={word} class="card tile" to={Route::Jobs} parameters={vec![("status", word)]}>
                    { pill(class, text::status_label(status)) }
                    <b>{ format::count(number) }</b>
                    <span class="dim">{ note }</span>
                </Link>
            }
        });
    html! { <div class="tiles">{ for tiles }</div> }
}

fn recent_jobs(jobs: &[Job], capabilities: &Capabilities, now: i64) -> Html {
    let rows = jobs.iter().map(|job| {
        let loss = job.progress.as_ref().and_then(|progress| progress.valid_loss.or(progress.train_loss));
        html! {
            <tr key={job.id.to_string()}>
                <td><Link to={Route::Job { id: job.id.to_string() }} class="row-link">{ job.name.clone() }</Link></td>
                <td>{ status_pill(job.status) }</td>
                <td class="sub wide">{ job.base_model.clone() }</td>
                <td class="dim wide">{ relative_time(now, job.created_at) }</td>
                <td class="number" hidden={!capabilities.metrics}>{ loss.map_or_else(|| text::none().to_owned(), format::measure) }</td>
            </tr>
        }
    });
    html! {
        <section class="card" aria-labelledby="recent-jobs">
            <div class="card-head"><h2 id="recent-jobs">{ text::recent_jobs() }</h2></div>
            <table>
                <thead><tr>
                    <th scope="col">{ text::name() }</th>
                    <th scope="col">{ text::status() }</th>
                    <th scope="col" class="wide">{ text::base_model() }</th>
                    <th scope="col" class="wide">{ text::created() }</th>
                    <th scope="col" class="number" hidden={!capabilities.metrics}>{ text::loss() }</th>
                </tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </section>
    }
}

fn all_jobs(summary: &JobSummary, capabilities: &Capabilities) -> Html {
    let shares = [
        ("is-running", summary.running, JobStatus::Running),
        ("is-quiet", summary.queued, JobStatus::Queued),
        ("is-warn", summary.paused, JobStatus::Paused),
        ("is-ok", summary.completed, JobStatus::Succeeded),
        ("is-bad", summary.failed, JobStatus::Failed),
        ("is-off", summary.cancelled, JobStatus::Cancelled),
    ];
    let legend = shares
        .iter()
        .filter(|(_, number, _)| *number > 0)
        .map(|(class, number, status)| {
            let label = format!(
                "{} {}",
                format::count(*number),
                text::status_label(*status).to_ascii_lowercase()
            );
            html! { <li key={*class}>{ pill(class, label) }</li> }
        });
    let arcs: Vec<_> = shares
        .iter()
        .map(|(class, number, _)| (*class, *number))
        .collect();
    let limit = capabilities.max_jobs.map(text::limit_note).unwrap_or_default();
    html! {
        <section class="card" aria-labelledby="all-jobs">
            <div class="card-head"><h2 id="all-jobs">{ text::all_jobs() }</h2></div>
            <div class="card-body ring-body">
                { ring(text::ring_label(summary), &arcs, summary.total, text::jobs_unit(summary.total)) }
                <ul class="legend-list">{ for legend }</ul>
            </div>
            <p class="card-note" hidden={limit.is_empty()}>{ limit.clone() }</p>
        </section>
    }
}

fn needs_attention(jobs: &[Job]) -> Html {
    let failed = jobs.iter().find(|job| job.status == JobStatus::Failed);
    let message = failed
        .and_then(|job| job.failure.as_ref())
        .map(|failure| text::sentence(&failure.message));
    let content = failed.map(|job| {
        html! {
            <>
                <p><b>{ job.name.clone() }</b>{ " " }{ text::failed_word() }</p>
                <p class="dim attention-text">{ message.unwrap_or_default() }</p>
                <Link to={Route::Job { id: job.id.to_string() }} class="button">{ text::last_failure() }</Link>
            </>
        }
    });
    html! {
        <section class="card" aria-labelledby="needs-attention" hidden={failed.is_none()}>
            <div class="card-head"><h2 id="needs-attention">{ text::needs_attention() }</h2></div>
            <div class="card-body attention">{ content }</div>
        </section>
    }
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
    let share = job.progress.as_ref().map_or(0.0, |progress| {
        if progress.total_steps == 0 {
            0.0
        } else {
            progress.step as f64 / progress.total_steps as f64
        }
    });
    let total_steps = job.progress.as_ref().map_or(0, |progress| progress.total_steps);
    let curve = curves.data.as_ref().and_then(|metrics| {
        metrics
            .curves
            .iter()
            .find(|curve| curve.series == Series::TrainLoss)
    });
    let drawing = curve.map(|curve| {
        let label = text::curve_summary(text::series_label(Series::TrainLoss), &curve.steps, &curve.values);
        sparkline(label, "is-accent", &curve.steps, &curve.values, total_steps)
    });
    html! {
        <div class="running-job">
            <div>
                <div class="running-head">
                    <Link to={Route::Job { id: job.id.to_string() }} class="row-link">{ job.name.clone() }</Link>
                    { status_pill(job.status) }
                </div>
                <p class="dim running-line">{ text::running_line(job) }</p>
                { meter(text::progress_of(&job.name), share) }
            </div>
            <div class="running-curve">{ drawing }</div>
        </div>
    }
}
