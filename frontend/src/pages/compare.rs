//! Several jobs side by side: their curves over one axis, and what differs between them.
//!
//! Which jobs, which is the baseline, and how the chart is looked at all stand in the address, so that a link shows the same to
//! somebody else.

mod choose;
mod differences;

use crate::{
    api, browser,
    chart::{
        line_chart::{LineChartProps, use_line_chart},
        lines::{Axis, Line},
        measure::{Measure, Places, is_validation},
        tools::{Tools, legend, tools},
        view::{View, on_range, use_view},
    },
    components::{
        card::{paragraph, words},
        face::{error_view, skeleton_block},
        link::link,
        page_header::PageHeader,
        select::select,
    },
    kept::use_kept,
    part::part,
    query::{
        Loaded, Poll,
        curves::ends_before,
        hooks::{use_queries, use_store},
    },
    route::Route,
    text,
};
use choose::{ChooseProps, use_choose};
use differences::differences;
use shared::{
    id::JobId,
    job::Job,
    metrics::{Metrics, Series},
};
use std::rc::Rc;
use yew::prelude::*;

/// More than this nobody tells apart, and the server would be asked for too much.
pub(crate) const MOST: usize = 50;
const FRESH_MS: u32 = 5_000;

/// The jobs of an address, each once, in its order.
fn named(list: &str) -> Vec<JobId> {
    let mut ids: Vec<JobId> = Vec::new();
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let id = JobId::new(id);
        if !ids.contains(&id) && ids.len() < MOST {
            ids.push(id);
        }
    }
    ids
}

/// Several jobs side by side.
#[hook]
pub fn use_compare_page() -> Html {
    let ids = use_kept(|| named(&browser::address().parameter("jobs")));
    let pinned = use_kept(|| browser::address().parameter("baseline"));
    let joined: Vec<&str> = ids.iter().map(JobId::as_str).collect();
    let view = use_view(vec![("jobs", joined.join(",")), ("baseline", (*pinned).clone())]);
    let measure = Measure::parse(&view.measure);
    let jobs = use_queries(ids.iter().map(api::jobs::job).collect(), Poll::Every(FRESH_MS));
    let working = jobs
        .iter()
        .any(|job| job.data.as_ref().is_some_and(|job| !job.status.is_terminal()));
    let poll = if working {
        Poll::Every(FRESH_MS)
    } else {
        Poll::Never
    };
    let by_time = view.axis == Axis::Time;
    // The table tells the losses, whatever the chart shows.
    let told: Vec<Series> = [Series::TrainLoss, Series::ValidLoss]
        .iter()
        .chain(measure.series())
        .copied()
        .collect();
    let curves = use_queries(
        ids.iter()
            .map(|id| api::jobs::curves_among(id, None, &told, by_time))
            .collect(),
        poll,
    );
    let store = use_store();
    let mut finer_poll = Poll::Never;
    let finer = ids.iter().zip(&jobs).zip(&curves).map(|((id, job), whole)| {
        let (range, job) = view.range.zip(job.data.as_deref())?;
        let steps = Places::of_job(job, view.axis)
            .timed_by(whole.data.as_deref())
            .steps(range);
        let query = api::jobs::curves_among(id, Some(steps), measure.series(), by_time);
        if !job.status.is_terminal() && ends_before(store.read(&query).as_deref(), steps.1) {
            finer_poll = poll;
        }
        Some(query)
    });
    let finer: Vec<_> = finer.collect();
    let wanted: Vec<usize> = (0..finer.len()).filter(|index| finer[*index].is_some()).collect();
    let finer = use_queries(finer.into_iter().flatten().collect(), finer_poll);
    let finer = |index: usize| {
        let place = wanted.iter().position(|wanted| *wanted == index)?;
        finer.get(place).and_then(|loaded| loaded.data.clone())
    };

    let known: Vec<(usize, Rc<Job>)> = jobs
        .iter()
        .enumerate()
        .filter_map(|(index, job)| Some((index, job.data.clone()?)))
        .collect();
    let all: Vec<Line> = lines(&known, &view, measure, |index| curves[index].data.clone());
    let shown: Vec<Line> = lines(&known, &view, measure, |index| {
        finer(index).or_else(|| curves[index].data.clone())
    });
    let ends = ends(&all);
    let range = view.range.unwrap_or(ends);
    let keys: Vec<Line> = all.iter().filter(|line| !line.dashed).cloned().collect();
    let switched_on = |lines: Vec<Line>| {
        let lines = lines.into_iter().filter(|line| !view.hidden.contains(&line.key));
        Rc::new(lines.collect::<Vec<_>>())
    };
    let (shown, all) = (switched_on(shown), switched_on(all));
    let controls = Tools {
        view: view.clone(),
        axes: Axis::ALL.to_vec(),
        whole: ends,
        range,
        smooths: measure.is_smoothed(),
        lines: Rc::clone(&shown),
        file_name: format!("comparison-{}", measure.as_str()),
        all_points: None,
    };
    let choose_measure = {
        let (set, chosen) = (view.setter(), (*view).clone());
        Callback::from(move |event: Event| {
            set.set(View {
                measure: browser::typed(&event),
                ..chosen.clone()
            });
        })
    };
    let choices = Measure::ALL.map(|measure| {
        (
            measure.as_str().to_owned(),
            text::measure_label(measure).to_owned(),
        )
    });
    let chart = LineChartProps {
        lines: shown,
        all,
        axis: view.axis,
        log: view.log,
        range,
        whole: ends,
        marks: Vec::new(),
        growing: false,
        measure,
        on_range: on_range(&view, ends),
        picked: None,
        on_pick: None,
    };
    let add = {
        let ids = ids.clone();
        Callback::from(move |id: JobId| {
            let mut more = (*ids).clone();
            if !more.contains(&id) && more.len() < MOST {
                more.push(id);
            }
            ids.set(more);
        })
    };
    let remove = {
        let (ids, pinned) = (ids.clone(), pinned.clone());
        Callback::from(move |id: JobId| {
            if pinned.as_str() == id.as_str() {
                pinned.set(String::new());
            }
            ids.set(ids.iter().filter(|known| **known != id).cloned().collect());
        })
    };
    let pin = {
        let pinned = pinned.setter();
        Callback::from(move |id: JobId| pinned.set(id.to_string()))
    };
    let baseline = known
        .iter()
        .position(|(_, job)| job.id.as_str() == pinned.as_str())
        .unwrap_or(0);
    let cut = cut_names(&known, |index| {
        curves[index]
            .data
            .as_ref()
            .is_some_and(|curves| curves.incomplete)
    });
    let jobs_known: Vec<Rc<Job>> = known.iter().map(|(_, job)| Rc::clone(job)).collect();
    let body = if ids.is_empty() {
        html! {
            <div key="empty" class="card empty">
                { paragraph("empty-title", text::compare_nothing()) }
                { paragraph("empty-body", text::compare_how()) }
                <div class="buttons">{ link(&Route::Jobs, "button primary", text::compare_to_list()) }</div>
            </div>
        }
    } else if known.is_empty() && jobs.iter().any(|job| job.error.is_none()) {
        html! { <div key="waits" class="stack">{ skeleton_block("skeleton-chart") }{ skeleton_block("skeleton-list") }</div> }
    } else {
        html! {
            <div key="ready" class="stack">
                <div class="card chart-card">
                    <div class="card-head">
                        <h2>{ text::measure_label(measure) }</h2>
                        { legend(&view, &keys) }
                    </div>
                    { tools(&controls) }
                    <div class="card-body chart-body">{ part(use_line_chart, chart) }</div>
                    <p class="card-body dim" hidden={cut.is_empty()}>{ text::incomplete_curves_of(&cut) }</p>
                </div>
                { differences(&jobs_known, &curve_ends(&known, &curves), baseline, &pin, &remove) }
            </div>
        }
    };
    html! {
        <div class="page">
            <PageHeader title={text::compare_title()} above={link(&Route::Jobs, "", text::jobs_above())} sub={words(text::compare_sub(ids.len() as u64))}>
                { select(text::measure(), choices.to_vec(), measure.as_str(), choose_measure) }
                { part(use_choose, ChooseProps { chosen: (*ids).clone(), on_choose: add }) }
            </PageHeader>
            <div class="compare-errors">{ for failures(&ids, &jobs, &remove) }</div>
            { body }
        </div>
    }
}

/// Jobs that can't be shown, each with what is wrong and a way out of it.
fn failures(ids: &[JobId], jobs: &[Loaded<Job>], remove: &Callback<JobId>) -> Vec<Html> {
    let failed = ids.iter().zip(jobs).filter(|(_, job)| job.data.is_none());
    let failed = failed.filter_map(|(id, job)| {
        let error = job.error.as_ref()?;
        let id = id.clone();
        let leave_out = {
            let id = id.clone();
            remove.reform(move |_: MouseEvent| id.clone())
        };
        Some(html! {
            <div key={id.to_string()} class="compare-failure">
                <p class="mono dim">{ id.to_string() }</p>
                { error_view(error, job.retry.clone()) }
                <button type="button" class="button small" onclick={leave_out}>{ text::compare_leave_out() }</button>
            </div>
        })
    });
    failed.collect()
}

fn lines(
    jobs: &[(usize, Rc<Job>)],
    view: &View,
    measure: Measure,
    curves: impl Fn(usize) -> Option<Rc<Metrics>>,
) -> Vec<Line> {
    let lines = jobs.iter().filter_map(|(index, job)| {
        let metrics = curves(*index)?;
        let places = Places::of_job(job, view.axis).timed_by(Some(&metrics));
        let lines = places.lines(&metrics, measure, view.smoothing, |series| {
            let name = if is_validation(series) {
                text::validation_of(&job.title())
            } else {
                job.title()
            };
            (job.id.to_string(), name, *index)
        });
        Some(lines)
    });
    lines.flatten().collect()
}

/// The names of the jobs whose curves may lack older steps.
fn cut_names(jobs: &[(usize, Rc<Job>)], is_cut: impl Fn(usize) -> bool) -> String {
    let cut = jobs.iter().filter(|(index, _)| is_cut(*index));
    let names: Vec<_> = cut.map(|(_, job)| job.title()).collect();
    names.join(", ")
}

/// The axis holds the longest of the lines.
fn ends(lines: &[Line]) -> (f64, f64) {
    let last = lines
        .iter()
        .filter_map(|line| line.x.last().copied())
        .fold(0.0, f64::max);
    let first = lines
        .iter()
        .filter_map(|line| line.x.first().copied())
        .fold(last, f64::min);
    (first, if last > first { last } else { first + 1.0 })
}

/// The last training loss and the lowest validation loss of each job.
fn curve_ends(jobs: &[(usize, Rc<Job>)], curves: &[Loaded<Metrics>]) -> Vec<(Option<f64>, Option<f64>)> {
    use crate::chart::measure::curve;
    let ends = jobs.iter().map(|(index, _)| {
        let metrics = curves.get(*index).and_then(|curves| curves.data.as_deref());
        let train = metrics.and_then(|metrics| curve(metrics, Series::TrainLoss));
        let valid = metrics.and_then(|metrics| curve(metrics, Series::ValidLoss));
        let last = train.and_then(|train| train.values.iter().rev().flatten().next().copied());
        let best = valid.and_then(|valid| valid.values.iter().flatten().copied().min_by(f64::total_cmp));
        (last, best)
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_each_job_once_and_not_too_many() {
        let ids: Vec<_> = named("a, b,,a,c").iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        let many: Vec<String> = (0..80).map(|number| number.to_string()).collect();
        assert_eq!(named(&many.join(",")).len(), MOST);
    }

    #[test]
    fn only_jobs_with_cut_curves_are_named() {
        let job = |name: &str| {
            let json = format!(
                r#"{{"id":"ftjob-{name}","name":"{name}","base_model":"m","status":"running","created_at":"2026-11-21T12:00:00Z"}}"#
            );
            Rc::new(serde_json::from_str::<Job>(&json).expect("this is a job"))
        };
        let jobs = [(0, job("a")), (2, job("b")), (3, job("c"))];
        assert_eq!(cut_names(&jobs, |index| index != 2), "a, c");
        assert_eq!(cut_names(&jobs, |_| false), "");
    }

    #[test]
    fn the_axis_holds_the_longest_line() {
        let line = |x: &[f64]| Line {
            x: x.to_vec(),
            ..Line::default()
        };
        assert_eq!(
            ends(&[line(&[1.0, 5.0]), line(&[2.0, 90.0]), line(&[])]),
            (1.0, 90.0)
        );
        assert_eq!(ends(&[line(&[3.0])]), (3.0, 4.0));
        assert_eq!(ends(&[]), (0.0, 1.0));
    }
}
