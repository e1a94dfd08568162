//! The curves of a job: fetched once, joined with what the stream tells.

use crate::{
    api,
    chart::{
        line_chart::{LineChartProps, use_line_chart},
        lines::{Axis, Line},
        measure::{Measure, Places, curve},
        sparkline::sparkline,
        spikes::spikes,
        tools::{Tools, legend, tools},
        view::{View, on_range, use_view},
    },
    components::{
        card::paragraph,
        face::{face, skeleton_block},
    },
    language::is_german,
    pages::job::step_examples::{StepExamplesProps, use_picked_step, use_step_examples},
    part::{keyed_part, part},
    query::{
        Loaded, Poll,
        curves::{Tail, ends_before, join, last_step},
        hooks::{use_optional_query, use_store},
        use_query,
    },
    text,
};
use shared::{
    id::JobId,
    job::Job,
    metrics::{Curve, Metrics, Series},
};
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct MetricsProps {
    pub(super) id: JobId,
    pub(super) job: Rc<Job>,
    pub(super) tail: Rc<Tail>,
    /// The steps at which training was taken up again.
    pub(super) marks: Vec<u64>,
    pub(super) poll: Poll,
    /// What a step was made of can be told.
    pub(super) has_examples: bool,
}

/// How often curves over time, and those of a part that isn't whole yet, are asked for anew while training goes on.
const FRESH_MS: u32 = 5_000;

/// How many steps are offered whose loss stands out.
const SPIKES: usize = 3;

#[hook]
pub(super) fn use_metrics_section(props: Rc<MetricsProps>) -> Html {
    let picked = use_picked_step();
    let named = picked.map(|step| step.to_string()).unwrap_or_default();
    let view = use_view(vec![("step", named)]);
    let measure = Measure::parse(&view.measure);
    let whole = use_query(api::jobs::curves(&props.id), props.poll);
    // The stream doesn't tell when a step was recorded: over time, the curves are those that the server has, asked for anew while
    // training goes on.
    let by_time = view.axis == Axis::Time;
    let growing = if props.job.status.is_terminal() {
        Poll::Never
    } else {
        Poll::Every(FRESH_MS)
    };
    let timed = by_time.then(|| api::jobs::some_curves(&props.id, None, measure.series(), true));
    let timed = use_optional_query(timed, growing);
    let places = Places::of_job(&props.job, view.axis).timed_by(timed.data.as_deref());
    let finer = view.range.filter(|_| !by_time || timed.data.is_some());
    let store = use_store();
    let finer = finer.map(|range| {
        let steps = places.steps(range);
        let query = api::jobs::some_curves(&props.id, Some(steps), measure.series(), by_time);
        let poll = if ends_before(store.read(&query).as_deref(), steps.1) {
            growing
        } else {
            Poll::Never
        };
        (query, poll)
    });
    let (finer, finer_poll) = finer.unzip();
    let finer = use_optional_query(finer, finer_poll.unwrap_or(Poll::Never)).data;
    let joined = use_memo((whole.data.clone(), props.tail.clone()), |(fetched, tail)| {
        let nothing = Metrics {
            from: 0,
            to: 0,
            curves: Vec::new(),
            times: None,
            incomplete: false,
        };
        join(fetched.as_deref().unwrap_or(&nothing), tail)
    });
    let told = whole.data.is_some() || !props.tail.is_empty();
    let all = if by_time {
        timed
    } else {
        Loaded {
            data: told.then(|| Rc::clone(&joined)),
            ..whole
        }
    };
    let drawn = all.data.clone().unwrap_or_else(|| Rc::clone(&joined));
    // The overview and the ends of the axis come from all of the curve, the lines from its finer part once that is there.
    let shown = view.range.and(finer).unwrap_or_else(|| Rc::clone(&drawn));
    let drawn_from = |metrics: &Rc<Metrics>| DrawnFrom {
        metrics: Rc::clone(metrics),
        places: places.timed_by(Some(metrics)),
        measure,
        smoothing: view.smoothing,
        german: is_german(),
    };
    let every_line = use_memo(drawn_from(&drawn), DrawnFrom::lines);
    let finer_lines = use_memo(drawn_from(&shown), |from| {
        (!Rc::ptr_eq(&from.metrics, &drawn)).then(|| Rc::new(from.lines()))
    });
    let switched_on = |lines: &Rc<Vec<Line>>| {
        if view.hidden.is_empty() {
            return Rc::clone(lines);
        }
        let lines = lines.iter().filter(|line| !view.hidden.contains(&line.key));
        Rc::new(lines.cloned().collect::<Vec<_>>())
    };
    let visible = switched_on(finer_lines.as_ref().as_ref().unwrap_or(&every_line));
    let all_lines = switched_on(&every_line);
    let (first, last) = ends(&props.job, &joined);
    let ends = (places.at(first), places.at(last).max(places.at(first) + 1.0));
    let range = view.range.unwrap_or(ends);
    let controls = Tools {
        view: view.clone(),
        axes: Axis::ALL.to_vec(),
        whole: ends,
        range,
        smooths: measure.is_smoothed(),
        lines: Rc::clone(&visible),
        file_name: format!("{}-{}", props.job.name, measure.as_str()),
        all_points: None,
    };
    let measured = Measure::ALL.into_iter().filter(|measure| {
        measure
            .series()
            .iter()
            .any(|series| curve(&joined, *series).is_some())
    });
    // What is in small isn't drawn anew with every change of the view, and yet changes the newest.
    let latest = use_memo((), |()| RefCell::new(View::default()));
    latest.replace((*view).clone());
    let small = |of: Measure| SmallProps {
        of,
        is_chosen: of == measure,
        on_choose: {
            let (set, latest) = (view.setter(), Rc::clone(&latest));
            let word = if of == Measure::Loss { "" } else { of.as_str() };
            Callback::from(move |()| {
                let view = latest.borrow().clone();
                set.set(View {
                    measure: word.to_owned(),
                    ..view
                });
            })
        },
        metrics: Rc::clone(&joined),
        last_step: last,
    };
    let ended = props.job.status.is_terminal();
    let chart = face(
        &all,
        || skeleton_block("skeleton-chart"),
        |metrics| no_points(metrics, ended),
        |_| {
            let marks = props.marks.iter().map(|step| (*step, places.resumed_at(*step)));
            let chart = LineChartProps {
                lines: visible,
                all: all_lines,
                axis: view.axis,
                log: view.log,
                range,
                whole: ends,
                marks: marks.collect(),
                growing: !ended,
                measure,
                on_range: on_range(&view, ends),
                picked: picked.filter(|_| props.has_examples).map(|step| places.at(step)),
                on_pick: props.has_examples.then(|| {
                    let picked = picked.setter();
                    Callback::from(move |step| picked.set(Some(step)))
                }),
            };
            part(use_line_chart, chart)
        },
    );
    let standing_out = use_memo(Pointed(Rc::clone(&joined)), |joined| {
        let loss = curve(&joined.0, Series::TrainLoss);
        loss.map(|loss| spikes(&loss.steps, &loss.values, SPIKES))
            .unwrap_or_default()
    });
    let examples = (props.has_examples && !joined.curves.is_empty()).then(|| {
        let examples = StepExamplesProps {
            id: props.id.clone(),
            dataset: props
                .job
                .training_dataset
                .as_ref()
                .map(|dataset| dataset.id.clone()),
            step: *picked,
            last: last_step(&joined),
            spikes: (*standing_out).clone(),
            set: picked.setter(),
        };
        part(use_step_examples, examples)
    });
    html! {
        <section class="stack" aria-label={text::training_metrics()}>
            <div class="card chart-card">
                <div class="card-head">
                    <h2>{ text::measure_label(measure) }</h2>
                    { legend(&view, &every_line) }
                    <span class="dim chart-badge">{ badge(&shown, measure) }</span>
                </div>
                { tools(&controls) }
                <div class="card-body chart-body">{ chart }</div>
                <p class="card-body dim" hidden={!drawn.incomplete}>{ text::incomplete_curves() }</p>
            </div>
            <div hidden={examples.is_none()}>{ examples }</div>
            <div class="minis" role="group" aria-label={text::measure()} hidden={joined.curves.is_empty()}>
                { for measured.map(|of| keyed_part(of.as_str(), use_small, small(of))) }
            </div>
        </section>
    }
}

/// Curves that are the same where they are the very same.
struct Pointed(Rc<Metrics>);

impl PartialEq for Pointed {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What lines are made from. They are made again only for another of these: a view that moves takes them as they are.
struct DrawnFrom {
    metrics: Rc<Metrics>,
    places: Places,
    measure: Measure,
    smoothing: f64,
    german: bool,
}

impl PartialEq for DrawnFrom {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.metrics, &other.metrics)
            && self.places == other.places
            && (self.measure, self.smoothing, self.german) == (other.measure, other.smoothing, other.german)
    }
}

impl DrawnFrom {
    fn lines(&self) -> Vec<Line> {
        let all = self.measure.series();
        self.places
            .lines(&self.metrics, self.measure, self.smoothing, |series| {
                let place = all.iter().position(|known| *known == series);
                let key = series.as_str().to_owned();
                (key, text::series_label(series).to_owned(), place.unwrap_or(0))
            })
    }
}

/// The first and the last step of the axis: a running job's curve grows into its place.
fn ends(job: &Job, metrics: &Metrics) -> (u64, u64) {
    let total = job.progress.as_ref().map_or(0, |progress| progress.total_steps);
    (metrics.from.min(1), total.max(metrics.to).max(metrics.from + 1))
}

fn badge(metrics: &Metrics, measure: Measure) -> String {
    let first = measure
        .series()
        .first()
        .and_then(|series| curve(metrics, *series));
    first
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

/// A measure in small.
struct SmallProps {
    of: Measure,
    is_chosen: bool,
    on_choose: Callback<()>,
    metrics: Rc<Metrics>,
    last_step: u64,
}

/// Drawn anew for other curves or another choice only: zooming the large chart leaves it alone.
impl PartialEq for SmallProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.metrics, &other.metrics)
            && (self.of, self.is_chosen, self.last_step) == (other.of, other.is_chosen, other.last_step)
    }
}

/// A measure in small: a button that shows it on the chart.
#[hook]
fn use_small(props: Rc<SmallProps>) -> Html {
    let of = props.of;
    let empty = Curve {
        series: Series::TrainLoss,
        total_points: 0,
        steps: Vec::new(),
        values: Vec::new(),
    };
    let first = of
        .series()
        .first()
        .and_then(|series| curve(&props.metrics, *series));
    let curve = first.unwrap_or(&empty);
    let newest = curve.values.iter().rev().flatten().next().copied();
    let value = newest.map_or_else(|| text::none().to_owned(), of.value());
    let onclick = props.on_choose.reform(|_: MouseEvent| ());
    let label = text::curve_summary(text::measure_label(of), &curve.steps, &curve.values);
    let (class, pressed) = if props.is_chosen {
        ("sparkline is-accent", "true")
    } else {
        ("sparkline", "false")
    };
    html! {
        <button type="button" class="card mini" aria-pressed={pressed} {onclick}>
            <span class="mini-head"><span class="mini-name">{ text::measure_label(of) }</span><span class="sub">{ value }</span></span>
            { sparkline(label, class, &curve.steps, &curve.values, props.last_step) }
        </button>
    }
}
