//! The unfinished wizard: every field as the text that was typed, so that nothing is lost on a reload.
//!
//! Where it is kept (the browser's localStorage) and where its id comes from (randomness) is the caller's matter.

mod names;

pub use names::Names;

use crate::{
    id::DatasetId,
    job::Job,
    number,
    preset::{Preset, Proposals, within_epochs},
    run::{Method, Projection, Schedule},
};
use serde::Serialize;

/// The version of a draft that this build reads and writes.
pub const DRAFT_VERSION: u32 = 1;

/// The text fields of a draft, by the names that findings use.
pub const FIELDS: [&str; 17] = [
    "name",
    "base_model",
    "training_dataset",
    "validation_dataset",
    "preset",
    "epochs",
    "evaluation_epochs",
    "warmup_epochs",
    "learning_rate",
    "method",
    "beta",
    "batch_size",
    "lora_rank",
    "lora_alpha",
    "lora_dropout",
    "schedule",
    "seed",
];

/// An unfinished job. Fields hold text as typed; [`crate::validate`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of `job::NewJob` and `run::LoraSpec`, as text"
)]
pub struct Draft {
    /// [`DRAFT_VERSION`].
    pub version: u32,
    /// A UUID; sent as `Idempotency-Key`, so that a draft becomes one job at most.
    pub id: String,
    pub name: String,
    pub base_model: String,
    pub training_dataset: String,
    pub validation_dataset: String,
    /// A [`Preset`]'s word, or empty for what the model proposes. It decides what untouched fields hold.
    pub preset: String,
    pub epochs: String,
    pub evaluation_epochs: String,
    pub warmup_epochs: String,
    pub learning_rate: String,
    /// `dpo`, or empty for supervised training.
    pub method: String,
    pub beta: String,
    pub batch_size: String,
    pub lora_rank: String,
    pub lora_alpha: String,
    pub lora_dropout: String,
    /// `constant`, `linear`, `cosine`, or empty for the default.
    pub schedule: String,
    pub seed: String,
    pub lora_targets: Vec<Projection>,
    /// Names of the fields that somebody has set: defaults leave them alone.
    pub touched: Names,
}

impl Draft {
    /// An empty draft. `id` is a fresh UUID as text.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            version: DRAFT_VERSION,
            id: id.into(),
            name: String::new(),
            base_model: String::new(),
            training_dataset: String::new(),
            validation_dataset: String::new(),
            preset: String::new(),
            epochs: String::new(),
            evaluation_epochs: String::new(),
            warmup_epochs: String::new(),
            learning_rate: String::new(),
            method: String::new(),
            beta: String::new(),
            batch_size: String::new(),
            lora_rank: String::new(),
            lora_alpha: String::new(),
            lora_dropout: String::new(),
            schedule: String::new(),
            seed: String::new(),
            lora_targets: Vec::new(),
            touched: Names::default(),
        }
    }

    /// The text of a field of [`FIELDS`].
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        let text = match field {
            "name" => &self.name,
            "base_model" => &self.base_model,
            "training_dataset" => &self.training_dataset,
            "validation_dataset" => &self.validation_dataset,
            "preset" => &self.preset,
            "epochs" => &self.epochs,
            "evaluation_epochs" => &self.evaluation_epochs,
            "warmup_epochs" => &self.warmup_epochs,
            "learning_rate" => &self.learning_rate,
            "method" => &self.method,
            "beta" => &self.beta,
            "batch_size" => &self.batch_size,
            "lora_rank" => &self.lora_rank,
            "lora_alpha" => &self.lora_alpha,
            "lora_dropout" => &self.lora_dropout,
            "schedule" => &self.schedule,
            "seed" => &self.seed,
            _ => return None,
        };
        Some(text)
    }

    /// Sets a field of [`FIELDS`] as typed and marks it touched. False where there is no such field.
    pub fn set(&mut self, field: &str, value: impl Into<String>) -> bool {
        let known = self.put(field, value.into());
        if known {
            self.touched.insert(field.to_owned());
        }
        known
    }

    /// Sets the projections that get an adapter and marks `lora_targets` touched.
    pub fn set_targets(&mut self, targets: Vec<Projection>) {
        self.lora_targets = targets;
        self.touched.insert("lora_targets".to_owned());
    }

    /// Chooses a preset of a model's proposals: it sets its fields, whoever has touched them, and what it sets counts as
    /// proposed.
    pub fn choose(&mut self, preset: Preset, proposals: &Proposals) {
        self.set("preset", preset.as_str());
        for field in Preset::FIELDS {
            self.touched.remove(field);
        }
        self.apply_defaults(proposals);
    }

    /// Fills every field that nobody has touched with what the base model proposes, by the preset that is chosen and as far as
    /// what was typed leaves it room.
    pub fn apply_defaults(&mut self, proposals: &Proposals) {
        let defaults = &Preset::parse(&self.preset).of(proposals);
        let typed = |field: &str, text: &str| {
            let text = Some(text).filter(|_| self.touched.contains(field))?;
            text.trim().parse::<u32>().ok()
        };
        let epochs = typed("epochs", &self.epochs).unwrap_or(defaults.epochs);
        let room = |taken: u32, wanted: u32| wanted.min(epochs.saturating_sub(taken));
        let (evaluation, warmup) = (defaults.evaluation_epochs, defaults.warmup_epochs);
        // What was typed itself isn't changed below.
        let (evaluation, warmup) = match (
            typed("evaluation_epochs", &self.evaluation_epochs),
            typed("warmup_epochs", &self.warmup_epochs),
        ) {
            (Some(taken), None) => (evaluation, room(taken, warmup)),
            (None, Some(taken)) => (room(taken, evaluation), warmup),
            _ => within_epochs(epochs, evaluation, warmup),
        };
        let proposals = [
            ("epochs", defaults.epochs.to_string()),
            ("evaluation_epochs", evaluation.to_string()),
            ("warmup_epochs", warmup.to_string()),
            ("learning_rate", number_text(defaults.learning_rate)),
            ("batch_size", defaults.batch_size.to_string()),
            ("lora_rank", defaults.lora.rank.to_string()),
            ("lora_alpha", number_text(defaults.lora.alpha)),
            ("lora_dropout", number_text(defaults.lora.dropout)),
        ];
        for (field, text) in proposals {
            if !self.touched.contains(field) {
                self.put(field, text);
            }
        }
        if !self.touched.contains("lora_targets") {
            self.lora_targets.clone_from(&defaults.lora.targets);
        }
    }

    /// A draft that repeats a job; `id` is a fresh UUID as text. One that was trained elsewhere leaves the base model to be
    /// chosen; where it isn't told, it doesn't warm up and validates once, if it can.
    #[must_use]
    pub fn from_job(id: impl Into<String>, job: &Job) -> Self {
        let mut draft = Self::new(id);
        draft.set("name", copy_name(&job.name));
        if job.imported.is_none() {
            draft.set("base_model", job.base_model.clone());
        }
        let untold = job.imported.as_ref().map(|_| 0);
        let mut set = |field, text: Option<String>| {
            if let Some(text) = text {
                draft.set(field, text);
            }
        };
        let dataset_id = |id: &DatasetId| id.as_str().to_owned();
        set(
            "training_dataset",
            job.training_dataset
                .as_ref()
                .map(|dataset| dataset_id(&dataset.id)),
        );
        set(
            "validation_dataset",
            job.validation_dataset
                .as_ref()
                .map(|dataset| dataset_id(&dataset.id)),
        );
        set("epochs", job.epochs.map(|epochs| epochs.to_string()));
        set(
            "evaluation_epochs",
            job.evaluation_epochs
                .or_else(|| untold.map(|_| u32::from(job.validation_dataset.is_some())))
                .map(|epochs| epochs.to_string()),
        );
        set(
            "warmup_epochs",
            job.warmup_epochs.or(untold).map(|epochs| epochs.to_string()),
        );
        set("learning_rate", job.learning_rate.map(number_text));
        if let Some(chosen) = &job.hyperparameters {
            if chosen.method == Method::Dpo.as_str() {
                set("method", Some(chosen.method.clone()));
                set("beta", chosen.beta.map(number_text));
            }
            set("batch_size", chosen.batch_size.map(|size| size.to_string()));
            let word = chosen.schedule.map(schedule_word);
            set("schedule", word.map(str::to_owned));
            set("seed", chosen.seed.map(|seed| seed.to_string()));
            if let Some(lora) = &chosen.lora {
                set("lora_rank", Some(lora.rank.to_string()));
                set("lora_alpha", Some(number_text(lora.alpha)));
                set("lora_dropout", Some(number_text(lora.dropout)));
                draft.set_targets(lora.targets.clone());
            }
        }
        draft
    }

    fn put(&mut self, field: &str, value: String) -> bool {
        let place = match field {
            "name" => &mut self.name,
            "base_model" => &mut self.base_model,
            "training_dataset" => &mut self.training_dataset,
            "validation_dataset" => &mut self.validation_dataset,
            "preset" => &mut self.preset,
            "epochs" => &mut self.epochs,
            "evaluation_epochs" => &mut self.evaluation_epochs,
            "warmup_epochs" => &mut self.warmup_epochs,
            "learning_rate" => &mut self.learning_rate,
            "method" => &mut self.method,
            "beta" => &mut self.beta,
            "batch_size" => &mut self.batch_size,
            "lora_rank" => &mut self.lora_rank,
            "lora_alpha" => &mut self.lora_alpha,
            "lora_dropout" => &mut self.lora_dropout,
            "schedule" => &mut self.schedule,
            "seed" => &mut self.seed,
            _ => return false,
        };
        *place = value;
        true
    }
}

/// The word of a schedule on the wire and in a draft.
#[must_use]
pub const fn schedule_word(schedule: Schedule) -> &'static str {
    match schedule {
        Schedule::Constant => "constant",
        Schedule::Linear => "linear",
        Schedule::Cosine => "cosine",
    }
}

/// A number as people type it: `0.0002`, and `1e-5` below a ten-thousandth. Reads back as the same number.
#[must_use]
pub fn number_text(value: f64) -> String {
    number::text(value)
}

/// A name that passes validation, made from any name.
fn copy_name(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .take(45)
        .collect();
    let mut kept = kept.as_str();
    while let Some(original) = kept.strip_suffix("-copy") {
        kept = original;
    }
    let kept = kept.trim_matches('-');
    if kept.is_empty() {
        "copy".to_owned()
    } else {
        format!("{kept}-copy")
    }
}

#[cfg(test)]
mod tests;
