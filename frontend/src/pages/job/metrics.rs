//! The curves of a job: fetched once, joined with what the stream tells, fetched anew where a hole shows.

use crate::{
    api,
    chart::{
        line_chart::{LineChartProps, use_line_chart},
        sparkline::sparkline,
    },
    components::face::{face, skeleton_block},
    part::part,
    query::{
        Loaded, Poll,
        curves::{Tail, has_hole, join},
        hooks::use_optional_query,
    },
    text,
};
use shared::{
    id::JobId,
    job::Job,
    metrics::{Curve, Metrics, MetricsQuery, Series},
};
use std::rc::Rc;
use yew::prelude::*;

const COLUMNS: u32 = 800;
const SMALL: [Series; 4] = [
    Series::TrainTokenAccuracy,
    Series::LearningRate,
    Series::GradientNorm,
    Series::Tokens,
];

#[derive(PartialEq)]
pub(super) struct MetricsProps {
    pub(super) id: JobId,
    pub(super) job: Rc<Job>,
    pub(super) tail: Rc<Tail>,
    pub(super) poll: Poll,
    pub(super) on: bool,
}

#[hook]
pub(super) fn use_metrics_section(props: Rc<MetricsProps>) -> Html {
    let zoom = use_state(|| None::<(u64, u64)>);
    let ask = |range: Option<(u64, u64)>| {
        let query = MetricsQuery {
            from: range.map(|range| range.0),
            to: range.map(|range| range.1),
            points: Some(COLUMNS),
        };
        props.on.then(|| api::jobs::metrics(&props.id, &query))
    };
    let whole = use_optional_query(ask(None), props.poll);
    let finer = use_optional_query(zoom.and_then(|range| ask(Some(range))), Poll::Never);
    let holes = whole
        .data
        .as_ref()
        .is_some_and(|fetched| has_hole(fetched, &props.tail))
        && !whole.fetching;
    {
        let retry = whole.retry.clone();
        use_effect_with((holes, props.tail.len()), move |(holes, _)| {
            if *holes {
                retry.emit(());
            }
        });
    }
    let joined = use_memo((whole.data.clone(), props.tail.clone()), |(fetched, tail)| {
        let nothing = Metrics {
            from: 0,
            to: 0,
            curves: Vec::new(),
        };
        join(fetched.as_deref().unwrap_or(&nothing), tail)
    });
    let told = whole.data.is_some() || !props.tail.is_empty();
    let all = Loaded {
        data: told.then(|| Rc::clone(&joined)),
        ..whole
    };
    let on_zoom = {
        let zoom = zoom.setter();
        Callback::from(move |range| zoom.set(range))
    };
    let reset = {
        let zoom = zoom.setter();
        Callback::from(move |_: MouseEvent| zoom.set(None))
    };
    let total_steps = props
        .job
        .progress
        .as_ref()
        .map_or(0, |progress| progress.total_steps);
    let ended = props.job.status.is_terminal();
    html! {
        <section class="stack" aria-label={text::training_metrics()}>
            <div class="card">
                <div class="card-head">
                    <h2>{ text::loss() }</h2>
                    <div class="legend">
                        <span class="legend-key"><i aria-hidden="true"></i>{ text::train() }</span>
                        <span class="legend-key is-valid"><i aria-hidden="true"></i>{ text::validation() }</span>
                        <span class="dim">{ badge(zoom.and(finer.data.as_deref()).unwrap_or(&joined)) }</span>
                        <button type="button" class="button small" hidden={zoom.is_none()} onclick={reset}>{ text::reset_zoom() }</button>
                    </div>
                </div>
                <div class="card-body chart-body">
                    { face(&all, || skeleton_block("skeleton-chart"), |metrics| no_points(metrics, ended), |metrics| {
                        let last = total_steps.max(metrics.to).max(metrics.from + 1);
                        let (shown, steps) = match (*zoom, &finer.data) {
                            (Some(range), Some(finer)) => (Rc::clone(finer), range),
                            (Some(range), None) => (Rc::clone(metrics), range),
                            (None, _) => (Rc::clone(metrics), (metrics.from.min(1), last)),
                        };
                        part(use_line_chart, LineChartProps { metrics: shown, steps, growing: !ended, on_zoom: on_zoom.clone() })
                    }) }
                </div>
            </div>
            <div class="minis" hidden={joined.curves.is_empty()}>
                { for SMALL.iter().map(|series| small(*series, &joined, total_steps)) }
            </div>
        </section>
    }
}

fn badge(metrics: &Metrics) -> String {
    let train = metrics
        .curves
        .iter()
        .find(|curve| curve.series == Series::TrainLoss);
    train
        .map(|curve| text::points_badge(curve.steps.len() as u64, curve.total_points))
        .unwrap_or_default()
}

fn no_points(metrics: &Metrics, ended: bool) -> Option<Html> {
    metrics.curves.is_empty().then(|| {
        let words = if ended {
            text::no_metrics_ended()
        } else {
            text::no_metrics()
        };
        html! { <p class="chart-empty dim">{ words }</p> }
    })
}

fn small(series: Series, metrics: &Metrics, total_steps: u64) -> Html {
    let empty = Curve {
        series,
        total_points: 0,
        steps: Vec::new(),
        values: Vec::new(),
    };
    let curve = metrics
        .curves
        .iter()
        .find(|curve| curve.series == series)
        .unwrap_or(&empty);
    let newest = curve.values.iter().rev().flatten().next().copied();
    let value = newest.map_or_else(
        || text::none().to_owned(),
        |value| text::series_value(series, value),
    );
    let class = if series == Series::TrainTokenAccuracy {
        "is-accent"
    } else {
        "is-plain"
    };
    let label = text::curve_summary(text::series_label(series), &curve.steps, &curve.values);
    html! {
        <div key={series.as_str()} class="card mini">
            <div class="mini-head"><h3>{ text::series_label(series) }</h3><span class="sub">{ value }</span></div>
            { sparkline(label, class, &curve.steps, &curve.values, total_steps) }
        </div>
    }
}
