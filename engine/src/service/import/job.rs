//! A job as it was elsewhere, and what of it is written here.

use super::{ArrivingFile, bounds};
use crate::{parameters::Recipe, secret, store::imports::Reached};
use shared::{
    event::{Checkpoint, JobEvent, Level, MeasuredStep},
    id::CheckpointId,
    job::{Hyperparameters, Job, JobFailure},
    run::StepMetrics,
    timestamp::Timestamp,
};
use std::collections::{BTreeMap, HashMap};

/// How an API of this kind tells that training has begun.
const STARTED: &str = "Fine-tuning job started";

/// A job that has ended elsewhere, as it was told there.
#[derive(Debug)]
pub struct ImportJob {
    /// The job. Its files are those below.
    pub job: Job,
    /// The suffix of its model's name.
    pub suffix: Option<String>,
    /// What was attached to it.
    pub metadata: BTreeMap<String, String>,
    /// Its record, oldest first.
    pub record: Vec<ImportEntry>,
    /// What of its record was left there.
    pub lacks: Lacks,
    /// Its checkpoints, whose weights stay there.
    pub checkpoints: Vec<Checkpoint>,
    /// What it was trained on.
    pub training: ImportFile,
    /// What it was validated on.
    pub validation: Option<ImportFile>,
    /// What was measured, as a table.
    pub results: Option<ImportFile>,
}

/// What a record lacks, because there is more of it than is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lacks {
    /// There are older events, or may be.
    pub events: bool,
    /// There are, or may be, steps that the curves don't have.
    pub steps: bool,
}

/// One entry of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportEntry {
    /// A message.
    Event(JobEvent),
    /// A step, and when it was told.
    Step(Timestamp, MeasuredStep),
}

/// A file that a job names.
#[derive(Debug)]
pub enum ImportFile {
    /// It was taken over before, and is called so here.
    Here(String),
    /// It comes with the job.
    New(NewFileOfImport),
}

/// A file that comes with a job.
#[derive(Debug)]
pub struct NewFileOfImport {
    /// What it is called there.
    pub upstream_id: String,
    /// The name that it was uploaded with.
    pub filename: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Nothing where it is gone there, or isn't given out.
    pub content: Option<ArrivingFile>,
}

/// A job's files.
pub(super) struct Files {
    pub(super) training: Option<ImportFile>,
    pub(super) validation: Option<ImportFile>,
    pub(super) results: Option<ImportFile>,
}

/// A line of the record to be.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Event(Timestamp, Level, String),
    Step(Timestamp, Box<StepMetrics>),
}

/// A job within our bounds.
pub(super) struct Prepared {
    pub(super) job: Job,
    pub(super) recipe: Recipe,
    pub(super) suffix: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) record: Vec<Line>,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) reached: Option<Reached>,
}

impl ImportJob {
    /// The job within our bounds, and its files.
    pub(super) fn prepare(self, now: Timestamp) -> (Prepared, Files) {
        let mut job = self.job;
        job.created_at = job.created_at.min(now);
        let created_at = job.created_at;
        let past = |time: Timestamp| bounds::past(time, created_at, now);
        let epochs = job.epochs;
        let record = lines(self.record, epochs, past);
        let newest = record.iter().map(Line::at).max();
        job.finished_at = Some(past(job.finished_at.or(newest).unwrap_or(created_at)));
        job.started_at = job.started_at.or_else(|| started_at(&record)).map(past);
        job.name = bounds::line_or(&job.name, bounds::WORD, job.id.as_str());
        job.name = bounds::line_or(&job.name, bounds::WORD, "-");
        job.base_model = bounds::line_or(&job.base_model, bounds::WORD, "-");
        job.fine_tuned_model = job
            .fine_tuned_model
            .map(|name| bounds::line(&name, bounds::WORD))
            .filter(|name| !name.is_empty());
        job.failure = job.failure.map(failure);
        let recipe = Recipe {
            epochs,
            evaluation_epochs: job.evaluation_epochs,
            warmup_epochs: job.warmup_epochs,
            learning_rate: bounds::finite(job.learning_rate),
            hyperparameters: job.hyperparameters.take().map_or_else(unknown, chosen),
        };
        let reached = reached(&record);
        let prepared = Prepared {
            recipe,
            suffix: self.suffix.map(|suffix| bounds::line(&suffix, bounds::WORD)),
            metadata: bounds::metadata(self.metadata),
            checkpoints: checkpoints(self.checkpoints, past),
            record,
            reached,
            job,
        };
        let mut files = Files {
            training: Some(self.training),
            validation: self.validation,
            results: self.results,
        };
        for file in [&mut files.training, &mut files.validation, &mut files.results] {
            if let Some(ImportFile::New(file)) = file {
                file.filename = bounds::line_or(&file.filename, bounds::FILENAME, "file.jsonl");
                file.created_at = file.created_at.min(now);
            }
        }
        (prepared, files)
    }
}

fn unknown() -> Hyperparameters {
    Hyperparameters {
        method: "supervised".to_owned(),
        beta: None,
        batch_size: None,
        gradient_accumulation: None,
        learning_rate_multiplier: None,
        schedule: None,
        lora: None,
        max_sequence_length: None,
        seed: None,
        auto: Vec::new(),
    }
}

fn chosen(told: Hyperparameters) -> Hyperparameters {
    Hyperparameters {
        method: bounds::line_or(&told.method, bounds::WORD, "supervised"),
        beta: bounds::finite(told.beta),
        learning_rate_multiplier: bounds::finite(told.learning_rate_multiplier),
        ..told
    }
}

fn failure(told: JobFailure) -> JobFailure {
    let failure = JobFailure::new(
        bounds::line_or(&told.code, bounds::WORD, "upstream_failure"),
        bounds::message(&told.message),
    );
    match told.param {
        Some(param) => failure.of(bounds::line(&param, bounds::WORD)),
        None => failure,
    }
}

impl Line {
    const fn at(&self) -> Timestamp {
        match self {
            Self::Event(at, ..) | Self::Step(at, _) => *at,
        }
    }
}

/// The record to be; a step that is told again counts as it was told last, at its first place.
fn lines(record: Vec<ImportEntry>, epochs: Option<u32>, past: impl Fn(Timestamp) -> Timestamp) -> Vec<Line> {
    let mut lines = Vec::with_capacity(record.len());
    let mut places: HashMap<u64, usize> = HashMap::new();
    for entry in record {
        match entry {
            ImportEntry::Event(event) => {
                let message = bounds::message(&event.message);
                lines.push(Line::Event(past(event.created_at), event.level, message));
            }
            ImportEntry::Step(at, step) => {
                if step.step > bounds::STEPS {
                    continue;
                }
                let line = Line::Step(past(at), Box::new(metrics(&step, epochs)));
                match places.get(&step.step).and_then(|place| lines.get_mut(*place)) {
                    Some(known) => *known = line,
                    None => {
                        places.insert(step.step, lines.len());
                        lines.push(line);
                    }
                }
            }
        }
    }
    lines
}

/// A step as the table keeps it; what wasn't measured is no number there.
#[expect(clippy::cast_precision_loss, reason = "steps are bounded")]
fn metrics(step: &MeasuredStep, epochs: Option<u32>) -> StepMetrics {
    let total_steps = step.total_steps.min(bounds::STEPS);
    let reckoned = match epochs {
        Some(epochs) if total_steps > 0 => {
            f64::from(epochs) * step.step.min(total_steps) as f64 / total_steps as f64
        }
        _ => 0.0,
    };
    let number = |value: Option<f64>| bounds::finite(value).unwrap_or(f64::NAN);
    StepMetrics {
        step: step.step,
        total_steps,
        epoch: bounds::finite(step.epoch).unwrap_or(reckoned),
        train_loss: number(step.train_loss),
        train_token_accuracy: number(step.train_token_accuracy),
        learning_rate: number(step.learning_rate),
        gradient_norm: number(step.gradient_norm),
        tokens: step.tokens.unwrap_or(0),
        trained_tokens: None,
        valid_loss: bounds::finite(step.valid_loss),
        valid_token_accuracy: bounds::finite(step.valid_token_accuracy),
        rewards: step.rewards,
        valid_rewards: step.valid_rewards,
    }
}

fn started_at(record: &[Line]) -> Option<Timestamp> {
    record.iter().find_map(|line| match line {
        Line::Event(at, _, message) if message.starts_with(STARTED) => Some(*at),
        _ => None,
    })
}

/// What the record tells of where the job stood at its end.
fn reached(record: &[Line]) -> Option<Reached> {
    let mut reached: Option<Reached> = None;
    for line in record {
        let Line::Step(_, step) = line else { continue };
        let before = reached.unwrap_or_default();
        // Validation is measured now and then: its last figure stands.
        let valid_loss = step.valid_loss.or(before.valid_loss);
        if step.step >= before.step {
            reached = Some(Reached {
                step: step.step,
                total_steps: step.total_steps.max(before.total_steps),
                epoch: step.epoch,
                train_loss: bounds::finite(Some(step.train_loss)),
                valid_loss,
            });
        }
    }
    reached
}

/// The checkpoints in their order, each step's once, under identifiers of ours.
fn checkpoints(told: Vec<Checkpoint>, past: impl Fn(Timestamp) -> Timestamp) -> Vec<Checkpoint> {
    let by_step: BTreeMap<u64, Checkpoint> = (told.into_iter())
        .filter(|checkpoint| checkpoint.step <= bounds::STEPS)
        .map(|checkpoint| (checkpoint.step, checkpoint))
        .collect();
    let ours = |checkpoint: Checkpoint| {
        Some(Checkpoint {
            id: CheckpointId::new(secret::new_id("ftckpt_").ok()?),
            created_at: past(checkpoint.created_at),
            train_loss: bounds::finite(checkpoint.train_loss),
            valid_loss: bounds::finite(checkpoint.valid_loss),
            ..checkpoint
        })
    };
    by_step.into_values().filter_map(ours).collect()
}
