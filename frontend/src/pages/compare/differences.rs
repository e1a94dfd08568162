//! The table of what differs: a column a job, the baseline first, a row for each setting that isn't the same in all, and for each
//! result with its distance to the baseline's.

use crate::{
    components::{button::button_if, button::icon_button, icon::Icon, link::link, status_pill::status_pill},
    pages::job::settings::settings,
    route::Route,
    text::{self, format},
};
use shared::{id::JobId, job::Job};
use std::rc::Rc;
use yew::prelude::*;

/// A row: its label, and a value for each job, empty where a job has none.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: &'static str,
    values: Vec<String>,
}

/// The settings and data that aren't the same in all jobs.
fn differing(jobs: &[Rc<Job>]) -> Vec<Row> {
    let all = jobs.iter().map(|job| {
        let mut values = vec![(text::base_model(), job.base_model.clone())];
        for (label, dataset) in [
            (text::training_dataset(), &job.training_dataset),
            (text::validation_dataset(), &job.validation_dataset),
        ] {
            values.extend(dataset.as_ref().map(|dataset| (label, dataset.name.clone())));
        }
        values.extend(
            settings(job)
                .into_iter()
                .map(|setting| (setting.label, setting.value)),
        );
        values
    });
    let all: Vec<Vec<(&'static str, String)>> = all.collect();
    let mut rows: Vec<Row> = Vec::new();
    for (label, _) in all.iter().flatten() {
        if rows.iter().any(|row| row.label == *label) {
            continue;
        }
        let value = |values: &Vec<(&'static str, String)>| {
            let found = values.iter().find(|(known, _)| known == label);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        rows.push(Row {
            label,
            values: all.iter().map(value).collect(),
        });
    }
    rows.retain(|row| row.values.windows(2).any(|pair| pair[0] != pair[1]));
    rows
}

/// A result of a job: the value in words, its distance to the baseline's, and whether less is better.
struct Outcome {
    label: &'static str,
    values: Vec<Option<f64>>,
    shown: fn(f64) -> String,
    is_less_better: bool,
}

fn outcomes(jobs: &[Rc<Job>], ends: &[(Option<f64>, Option<f64>)]) -> Vec<Outcome> {
    let took = |job: &Rc<Job>| {
        let (start, end) = job.started_at.zip(job.finished_at)?;
        Some((end.unix_ms() - start.unix_ms()) as f64)
    };
    vec![
        Outcome {
            label: text::train_loss(),
            values: ends.iter().map(|(train, _)| *train).collect(),
            shown: format::measure,
            is_less_better: true,
        },
        Outcome {
            label: text::best_validation_loss(),
            values: ends.iter().map(|(_, valid)| *valid).collect(),
            shown: format::measure,
            is_less_better: true,
        },
        Outcome {
            label: text::took(),
            values: jobs.iter().map(took).collect(),
            shown: |milliseconds| format::duration(milliseconds as u64),
            is_less_better: true,
        },
        Outcome {
            label: text::trained_tokens(),
            values: jobs
                .iter()
                .map(|job| job.trained_tokens.map(|tokens| tokens as f64))
                .collect(),
            shown: |tokens| format::count(tokens as u64),
            is_less_better: false,
        },
    ]
}

/// The table.
pub(super) fn differences(
    jobs: &[Rc<Job>],
    ends: &[(Option<f64>, Option<f64>)],
    baseline: usize,
    pin: &Callback<JobId>,
    remove: &Callback<JobId>,
) -> Html {
    // The baseline first, the others in their order.
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|index| (*index != baseline, *index));
    let heads = order.iter().map(|index| {
        let job = &jobs[*index];
        let is_baseline = *index == baseline;
        let (id, gone) = (job.id.clone(), job.id.clone());
        html! {
            <th key={job.id.to_string()} scope="col">
                <span class={format!("compare-key hue-{}", index % 10)} aria-hidden="true"></span>
                { link(&Route::Job(job.id.to_string()), "row-link", job.title()) }
                <span class="compare-status">{ status_pill(job.status) }</span>
                <span class="compare-actions">
                    <span class="dim" hidden={!is_baseline}>{ text::baseline() }</span>
                    { button_if(!is_baseline, "button small", text::pin_baseline(), pin.reform(move |_: MouseEvent| id.clone())) }
                    { icon_button(true, text::compare_remove(&job.title_of_its_own()), Icon::Close, remove.reform(move |_: MouseEvent| gone.clone())) }
                </span>
            </th>
        }
    });
    let heads: Html = heads.collect();
    let rows = differing(jobs);
    let none_differ = rows.is_empty();
    let settings = rows.into_iter().map(|row| {
        let base = row.values.get(baseline).cloned().unwrap_or_default();
        let cells = order.iter().map(|index| {
            let value = row.values.get(*index).cloned().unwrap_or_default();
            let class = if value == base { "dim" } else { "is-other" };
            html! { <td key={*index} {class}>{ if value.is_empty() { text::none().to_owned() } else { value } }</td> }
        });
        html! { <tr key={row.label}><th scope="row">{ row.label }</th>{ for cells }</tr> }
    });
    let settings: Html = settings.collect();
    let results = outcomes(jobs, ends).into_iter().map(|outcome| {
        let base = outcome.values.get(baseline).copied().flatten();
        let best = outcome.values.iter().flatten().copied().reduce(f64::min).filter(|_| outcome.is_less_better);
        let cells = order.iter().map(|index| {
            let value = outcome.values.get(*index).copied().flatten();
            let shown = value.map_or_else(|| text::none().to_owned(), outcome.shown);
            let distance = value.zip(base).filter(|(value, base)| *index != baseline && *base != 0.0 && value != base);
            let distance = distance.map(|(value, base)| text::against_baseline(value / base));
            let class = if value.is_some() && value == best { "is-best" } else { "" };
            html! { <td key={*index}><span {class}>{ shown }</span><span class="dim compare-distance">{ distance.unwrap_or_default() }</span></td> }
        });
        html! { <tr key={outcome.label}><th scope="row">{ outcome.label }</th>{ for cells }</tr> }
    });
    let results: Html = results.collect();
    html! {
        <section class="card" aria-label={text::differences()}>
            <div class="card-head"><h2>{ text::differences() }</h2><span class="dim">{ if none_differ { text::nothing_differs() } else { "" } }</span></div>
            <div class="compare-scroll" tabindex="0" role="group" aria-label={text::differences()}>
                <table class="compare-table">
                    <thead><tr><th scope="col"><span class="visually-hidden">{ text::setting() }</span></th>{ heads }</tr></thead>
                    <tbody>{ settings }</tbody>
                    <tbody class="compare-results">{ results }</tbody>
                </table>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{status::JobStatus, timestamp::Timestamp};

    fn job(id: &str, epochs: u32, learning_rate: f64) -> Rc<Job> {
        let job = serde_json::json!({
            "id": id, "name": id, "base_model": "tiny", "status": JobStatus::Succeeded,
            "created_at": Timestamp::from_unix_ms(0), "epochs": epochs, "learning_rate": learning_rate,
        });
        Rc::new(serde_json::from_value(job).expect("it is a job"))
    }

    #[test]
    fn only_what_differs_is_a_row() {
        let rows = differing(&[job("a", 3, 1e-3), job("b", 3, 2e-3), job("c", 3, 1e-3)]);
        let [row] = rows.as_slice() else {
            panic!("one row: {rows:?}")
        };
        assert_eq!(
            (row.label, row.values.join(" ")),
            (text::learning_rate(), "1e-3 2e-3 1e-3".to_owned())
        );
        assert!(differing(&[job("a", 3, 1e-3)]).is_empty());
    }
}
