//! What was reckoned before a job trained beside what it took, and what it costs.

use crate::{
    api, browser,
    components::{
        card::{card, facts, padded_card, words},
        table::{table, text_cell},
    },
    query::{
        Poll,
        hooks::{use_now, use_optional_query},
    },
    text::{self, format},
};
use shared::{
    cost::TokenPrice,
    job::{Job, JobEstimate},
    status::JobStatus,
    timeline::Timeline,
};
use std::rc::Rc;
use yew::prelude::*;

#[derive(PartialEq)]
pub(super) struct ReckoningProps {
    pub(super) job: Rc<Job>,
    pub(super) price: Option<TokenPrice>,
    /// The upstream tells when a job came to stand where.
    pub(super) has_timeline: bool,
    pub(super) poll: Poll,
}

/// One thing that was reckoned, and what became of it.
struct Row {
    label: &'static str,
    estimated: u64,
    actual: Option<u64>,
    write: Box<dyn Fn(u64) -> String>,
}

#[hook]
pub(super) fn use_reckoning(props: Rc<ReckoningProps>) -> Html {
    let ReckoningProps {
        job,
        price,
        has_timeline,
        poll,
    } = &*props;
    let now = use_now(if job.status.is_terminal() { 10_000 } else { 1_000 });
    let query = has_timeline.then(|| api::jobs::timeline(&job.id));
    let timeline = use_optional_query(query, *poll).data;
    let trained = timeline.as_ref().and_then(|timeline| trained_ms(timeline, now));
    let rows = job
        .estimate
        .map(|estimate| rows(job, estimate, trained, price.as_ref()))
        .unwrap_or_default();
    let is_final = job.status == JobStatus::Succeeded && !job.stopped;
    let is_reckoned = !rows.is_empty();
    html! {
        <>
            <div hidden={price.is_none()}>{ price.as_ref().map(|price| cost(job, price)) }</div>
            <div hidden={!is_reckoned}>{ is_reckoned.then(|| comparison(&rows, is_final)) }</div>
        </>
    }
}

/// Milliseconds that trainers were at work; nothing before the first.
fn trained_ms(timeline: &Timeline, now: i64) -> Option<u64> {
    let at_work = timeline
        .durations(now)
        .filter(|(phase, _)| matches!(phase.status, JobStatus::Running | JobStatus::Pausing));
    at_work
        .filter_map(|(_, took)| took)
        .reduce(|sum, took| sum + took)
}

fn rows(job: &Job, estimate: JobEstimate, trained: Option<u64>, price: Option<&TokenPrice>) -> Vec<Row> {
    let row = |label, estimated, actual, write: fn(u64) -> String| Row {
        label,
        estimated,
        actual,
        write: Box::new(write),
    };
    let mut rows = Vec::new();
    rows.extend(
        estimate
            .duration_ms
            .map(|ms| row(text::training_time(), ms, trained, format::duration)),
    );
    rows.push(row(
        text::trained_tokens(),
        estimate.trained_tokens,
        job.trained_tokens,
        format::count,
    ));
    rows.push(row(
        text::peak_memory(),
        estimate.memory_bytes,
        job.peak_memory_bytes,
        format::bytes,
    ));
    rows.extend(price.map(|price| {
        let currency = price.currency.clone();
        Row {
            label: text::cost(),
            estimated: price.cost_micros(estimate.trained_tokens),
            actual: job.trained_tokens.map(|tokens| price.cost_micros(tokens)),
            write: Box::new(move |micros| browser::money(micros, &currency)),
        }
    }));
    rows
}

fn comparison(rows: &[Row], is_final: bool) -> Html {
    let entries = rows.iter().map(|row| {
        let actual = row
            .actual
            .map_or_else(|| text::none().to_owned(), |actual| (row.write)(actual));
        // Half of a job is no less than what was reckoned of it.
        let difference = row.actual.filter(|_| is_final && row.estimated > 0);
        let difference = difference.map(|actual| text::against_baseline(actual as f64 / row.estimated as f64));
        html! {
            <tr key={row.label}>
                <th scope="row">{ row.label }</th>
                { text_cell("number", (row.write)(row.estimated)) }
                <td class="number">{ actual }<span class="difference dim">{ difference.unwrap_or_default() }</span></td>
            </tr>
        }
    });
    let actual = if is_final { text::actual() } else { text::so_far() };
    let columns = [
        (text::quantity(), ""),
        (text::estimated(), "number"),
        (actual, "number"),
    ];
    let body = table("reckoning", &columns, entries.collect());
    card(text::reckoning(), Html::default(), body)
}

/// What the job has cost so far or in all, and what it will.
fn cost(job: &Job, price: &TokenPrice) -> Html {
    let money = |micros| words(browser::money(micros, &price.currency));
    let of = |tokens| money(price.cost_micros(tokens));
    let label = if job.status.is_terminal() {
        text::total()
    } else {
        text::so_far()
    };
    let known = job.trained_tokens.map_or_else(|| words(text::none()), of);
    let mut list = vec![(label, known)];
    list.extend(
        job.estimate
            .map(|estimate| (text::estimated(), of(estimate.trained_tokens))),
    );
    list.push((text::per_1000_tokens(), money(price.micros)));
    padded_card(text::cost(), Html::default(), facts(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{timeline::Phase, timestamp::Timestamp};

    #[test]
    fn the_time_of_training_leaves_pauses_and_waiting_out() {
        let at = |status, ms| Phase {
            status,
            started_at: Timestamp::from_unix_ms(ms),
        };
        let mut timeline = Timeline {
            phases: vec![at(JobStatus::ValidatingFiles, 0), at(JobStatus::Queued, 5)],
        };
        assert_eq!(trained_ms(&timeline, 100), None);
        timeline.phases.extend([
            at(JobStatus::Running, 100),
            at(JobStatus::Pausing, 150),
            at(JobStatus::Paused, 170),
            at(JobStatus::Queued, 900),
            at(JobStatus::Running, 1_000),
        ]);
        assert_eq!(trained_ms(&timeline, 1_030), Some(100));
    }
}
