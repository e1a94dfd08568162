//! What a job was started with, as labels and values: for its own page and for the comparison.

use crate::text::{self, format};
use shared::{
    job::{Hyperparameters, Job},
    number,
    run::Projection,
};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// What it is.
    pub(crate) label: &'static str,
    /// The value in words.
    pub(crate) value: String,
    /// The engine chose it.
    pub(crate) auto: bool,
}

fn chosen(label: &'static str, value: String) -> Setting {
    Setting {
        label,
        value,
        auto: false,
    }
}

/// What was chosen, and what the engine chose.
pub(crate) fn settings(job: &Job) -> Vec<Setting> {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let told = [
        (text::epochs(), number(job.epochs)),
        (text::evaluation_epochs(), number(job.evaluation_epochs)),
        (text::warmup_epochs(), number(job.warmup_epochs)),
        (
            text::learning_rate(),
            job.learning_rate.map(format::learning_rate),
        ),
    ];
    let told = told
        .into_iter()
        .filter_map(|(label, value)| Some(chosen(label, value?)));
    let resolved = job.hyperparameters.iter().flat_map(resolved);
    told.chain(resolved).collect()
}

fn resolved(values: &Hyperparameters) -> impl Iterator<Item = Setting> {
    let lora = values.lora.as_ref();
    let schedule = values.schedule.map(text::schedule_label);
    let longest = values.max_sequence_length;
    let all = [
        (text::method(), "method", Some(text::method_label(&values.method))),
        (
            text::batch_size(),
            "batch_size",
            values.batch_size.map(|size| size.to_string()),
        ),
        (
            text::learning_rate_multiplier(),
            "learning_rate_multiplier",
            values
                .learning_rate_multiplier
                .map(|factor| format::localised(&number::text(factor))),
        ),
        (text::schedule(), "schedule", schedule.map(str::to_owned)),
        (
            text::rank_alpha(),
            "lora",
            lora.map(|lora| format!("{} / {}", lora.rank, format::localised(&number::text(lora.alpha)))),
        ),
        (
            text::dropout(),
            "lora",
            lora.map(|lora| format::localised(&number::text(lora.dropout))),
        ),
        (text::targets(), "lora", lora.map(|lora| targets(&lora.targets))),
        (
            text::longest_example(),
            "max_sequence_length",
            longest.map(|tokens| text::tokens(tokens.into())),
        ),
        (text::seed(), "seed", values.seed.map(|seed| seed.to_string())),
    ];
    all.into_iter().filter_map(|(label, name, value)| {
        Some(Setting {
            label,
            value: value?,
            auto: values.auto.iter().any(|known| known == name),
        })
    })
}

fn targets(targets: &[Projection]) -> String {
    if targets.len() == Projection::ALL.len() {
        return text::all_targets().to_owned();
    }
    targets
        .iter()
        .map(|target| {
            let name = target.as_str();
            name.strip_suffix("_proj").unwrap_or(name)
        })
        .collect::<Vec<_>>()
        .join(", ")
}
