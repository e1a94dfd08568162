//! How far a job is: its stages, each a bar, and the time left.

use crate::{
    query::curves::Tail,
    text::{self, format},
};
use shared::{
    job::{Job, Progress},
    run::Stage,
    status::JobStatus,
};
use yew::prelude::*;

/// The stages and the share of the whole that each takes.
const STAGES: [(Stage, f64); 4] = [
    (Stage::Preparing, 0.03),
    (Stage::Loading, 0.04),
    (Stage::Training, 0.9),
    (Stage::Saving, 0.03),
];

/// How far each stage is, from 0 to 1.
fn shares(status: JobStatus, progress: Option<&Progress>) -> [f64; 4] {
    if status == JobStatus::Succeeded {
        return [1.0; 4];
    }
    let Some(progress) = progress else { return [0.0; 4] };
    let here = STAGES
        .iter()
        .position(|(stage, _)| *stage == progress.stage)
        .unwrap_or(0);
    let trained = if progress.total_steps == 0 {
        0.0
    } else {
        progress.step as f64 / progress.total_steps as f64
    };
    let mut shares = [0.0; 4];
    for (index, share) in shares.iter_mut().enumerate() {
        *share = match index.cmp(&here) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Equal if progress.stage == Stage::Training => trained.min(1.0),
            std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => 0.0,
        };
    }
    shares
}

/// How far the whole is, the stages weighted.
fn overall(shares: [f64; 4]) -> f64 {
    shares
        .iter()
        .zip(STAGES)
        .map(|(share, (_, weight))| share * weight)
        .sum()
}

/// The newest step that the stream told, where it is ahead of what was fetched.
fn newest(progress: &Progress, tail: &Tail) -> Progress {
    let mut progress = progress.clone();
    if let Some(told) = tail
        .last()
        .filter(|told| told.step > progress.step && progress.stage == Stage::Training)
    {
        progress.step = told.step;
        progress.epoch = told.epoch.unwrap_or(progress.epoch);
        if told.total_steps > 0 {
            progress.total_steps = told.total_steps;
        }
    }
    progress
}

/// How far a job at work is, in percent.
pub(super) fn percent(job: &Job, tail: &Tail) -> Option<u32> {
    let progress = job.progress.as_ref().filter(|_| job.status.is_active())?;
    Some((overall(shares(job.status, Some(&newest(progress, tail)))) * 100.0) as u32)
}

/// Whether there is anything to show: an upstream that tells no progress gets no section, rather than one that stands
/// still, and stages that nobody knows of.
const fn is_told(job: &Job) -> bool {
    job.progress.is_some()
        || matches!(
            job.status,
            JobStatus::ValidatingFiles | JobStatus::Queued | JobStatus::Paused
        )
}

/// The section of a job's page; `turn` is what can be done about a job that waits.
pub(super) fn progress(job: &Job, tail: &Tail, turn: Html) -> Html {
    let mut job = job.clone();
    job.progress = job.progress.as_ref().map(|progress| newest(progress, tail));
    let shares = shares(job.status, job.progress.as_ref());
    let stage = job.progress.as_ref().map(|progress| progress.stage);
    let left = match (job.status, &job.progress) {
        (JobStatus::Running, Some(progress)) => progress.remaining_ms.map(text::time_left),
        (JobStatus::Queued, _) => job
            .starts_in_ms
            .filter(|time| *time >= 1_000)
            .map(text::starts_in),
        _ => None,
    };
    let ended_badly = matches!(job.status, JobStatus::Failed | JobStatus::Cancelled);
    let bars = STAGES.iter().zip(shares).map(|((of, _), share)| {
        let active = stage == Some(*of) && job.status == JobStatus::Running && share == 0.0;
        let mut class = String::from(if *of == Stage::Training {
            "stage stage-training"
        } else {
            "stage"
        });
        if active {
            class.push_str(" is-active");
        }
        if ended_badly {
            class.push_str(" is-stopped");
        }
        html! {
            <li key={text::stage_label(*of)} {class}>
                <progress class="meter" aria-hidden="true" value={format::fixed(share, 4)} max="1"></progress>
                <span>{ text::stage_label(*of) }</span>
            </li>
        }
    });
    html! {
        <section class="card job-progress" aria-label={text::progress()} hidden={!is_told(&job)}>
            <div class="card-body">
                <div class="job-progress-head">
                    <h2>{ text::progress_title(&job) }</h2>
                    <span class="sub">{ left.unwrap_or_default() }</span>
                </div>
                <progress class="visually-hidden" aria-label={text::progress_of(&job.title())} value={format::fixed(overall(shares), 4)} max="1"></progress>
                <ol class="stages">{ for bars }</ol>
                { turn }
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stage: Stage, step: u64) -> Progress {
        Progress {
            stage,
            step,
            total_steps: 100,
            epoch: 0.0,
            remaining_ms: None,
            tokens_per_second: None,
            train_loss: None,
            valid_loss: None,
        }
    }

    #[test]
    fn the_whole_only_grows_along_a_jobs_life() {
        let life = [
            (JobStatus::Queued, None),
            (JobStatus::Running, Some(at(Stage::Preparing, 0))),
            (JobStatus::Running, Some(at(Stage::Loading, 0))),
            (JobStatus::Running, Some(at(Stage::Training, 0))),
            (JobStatus::Running, Some(at(Stage::Training, 50))),
            (JobStatus::Running, Some(at(Stage::Training, 100))),
            (JobStatus::Running, Some(at(Stage::Saving, 100))),
            (JobStatus::Succeeded, Some(at(Stage::Saving, 100))),
        ];
        let done: Vec<f64> = life
            .iter()
            .map(|(status, progress)| overall(shares(*status, progress.as_ref())))
            .collect();
        assert!(done.windows(2).all(|pair| pair[0] <= pair[1]), "{done:?}");
        assert_eq!(done.first(), Some(&0.0));
        assert!((done.last().copied().unwrap_or_default() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_upstream_that_tells_no_progress_gets_no_section() {
        let job = |status: &str| {
            let text = format!(
                r#"{{"id":"a","name":"n","base_model":"m","status":"{status}","created_at":"2026-11-21T12:00:00Z"}}"#
            );
            serde_json::from_str::<Job>(&text).expect("a job")
        };
        for status in ["running", "succeeded", "failed"] {
            assert!(!is_told(&job(status)), "{status}");
        }
        assert!(is_told(&job("queued")), "its place in the queue is told");
        let mut running = job("running");
        running.progress = Some(at(Stage::Training, 1));
        assert!(is_told(&running));
    }
}
