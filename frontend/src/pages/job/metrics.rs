//! The curves of a job: fetched once, joined with what the stream tells, fetched anew where a hole shows.

use crate::{
    api,
    chart::{
        line_chart::{LineChartProps, use_line_chart},
        sparkline::sparkline,
    },
    components::{
        button::button_if,
        card::paragraph,
        face::{face, skeleton_block},
    },
    kept::use_kept,
    part::{part, use_change},
    query::{
        Loaded, Poll,
        curves::{Tail, has_hole, join},
        hooks::use_optional_query,
        use_query,
    },
    text,
};
use shared::{
    id::JobId,
    job::Job,
    metrics::{Curve, Metrics, Series},
};
use std::rc::Rc;
use yew::prelude::*;

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
    /// The steps at which training was taken up again.
    pub(super) marks: Vec<u64>,
    pub(super) poll: Poll,
}

#[hook]
pub(super) fn use_metrics_section(props: Rc<MetricsProps>) -> Html {
    let zoom = use_kept(|| None::<(u64, u64)>);
    let whole = use_query(api::jobs::curves(&props.id, None), props.poll);
    let finer = zoom.map(|range| api::jobs::curves(&props.id, Some(range)));
    let finer = use_optional_query(finer, Poll::Never).data;
    let hole = !whole.fetching
        && whole
            .data
            .as_ref()
            .is_some_and(|fetched| has_hole(fetched, &props.tail));
    {
        let retry = whole.retry.clone();
        use_change((hole, props.tail.len()), move |(hole, _)| {
            if *hole {
                retry.emit(());
            }
            None
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
    let total_steps = props
        .job
        .progress
        .as_ref()
        .map_or(0, |progress| progress.total_steps);
    let ended = props.job.status.is_terminal();
    let reset = {
        let zoom = zoom.setter();
        Callback::from(move |_: MouseEvent| zoom.set(None))
    };
    let shown = zoom.and(finer).unwrap_or_else(|| Rc::clone(&joined));
    let shown_badge = badge(&shown);
    let chart = face(
        &all,
        || skeleton_block("skeleton-chart"),
        |metrics| no_points(metrics, ended),
        |metrics| {
            let last = total_steps.max(metrics.to).max(metrics.from + 1);
            let steps = zoom.unwrap_or((metrics.from.min(1), last));
            let zoom = zoom.setter();
            let on_zoom = Callback::from(move |range| zoom.set(range));
            part(
                use_line_chart,
                LineChartProps {
                    metrics: shown,
                    steps,
                    marks: props.marks.clone(),
                    growing: !ended,
                    on_zoom,
                },
            )
        },
    );
    html! {
        <section class="stack" aria-label={text::training_metrics()}>
            <div class="card">
                <div class="card-head">
                    <h2>{ text::loss() }</h2>
                    <div class="legend">
                        <span class="legend-key"><i aria-hidden="true"></i>{ text::train() }</span>
                        <span class="legend-key is-valid"><i aria-hidden="true"></i>{ text::validation() }</span>
                        <span class="dim">{ shown_badge }</span>
                        { button_if(zoom.is_some(), "button small", text::reset_zoom(), reset) }
                    </div>
                </div>
                <div class="card-body chart-body">{ chart }</div>
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
        paragraph("chart-empty dim", words)
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
        "sparkline is-accent"
    } else {
        "sparkline"
    };
    let label = text::curve_summary(text::series_label(series), &curve.steps, &curve.values);
    html! {
        <div key={series.as_str()} class="card mini">
            <div class="mini-head"><h3>{ text::series_label(series) }</h3><span class="sub">{ value }</span></div>
            { sparkline(label, class, &curve.steps, &curve.values, total_steps) }
        </div>
    }
}
