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

/// What was chosen, and what the engine chose where that was left to it.
pub(crate) fn settings(job: &Job) -> Vec<Setting> {
    let auto = job.hyperparameters.as_ref().map(|values| values.auto.as_slice());
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    // By the names of /v1, where they can be left open.
    let told = [
        (text::epochs(), "n_epochs", number(job.epochs)),
        (
            text::evaluation_epochs(),
            "evaluation_epochs",
            number(job.evaluation_epochs),
        ),
        (text::warmup_epochs(), "warmup_epochs", number(job.warmup_epochs)),
        (
            text::learning_rate(),
            "learning_rate_multiplier",
            job.learning_rate.map(format::learning_rate),
        ),
    ];
    let resolved = job.hyperparameters.iter().flat_map(resolved);
    let all = told.into_iter().chain(resolved);
    let setting = |(label, name, value): Told| {
        Some(Setting {
            label,
            value: value?,
            auto: auto.is_some_and(|auto| auto.iter().any(|known| known == name)),
        })
    };
    all.filter_map(setting).collect()
}

/// A label, the value's name in the list of what the engine chose, and the value.
type Told = (&'static str, &'static str, Option<String>);

fn resolved(values: &Hyperparameters) -> impl Iterator<Item = Told> {
    let lora = values.lora.as_ref();
    let schedule = values.schedule.map(text::schedule_label);
    let longest = values.max_sequence_length;
    let all = [
        (text::method(), "method", Some(text::method_label(&values.method))),
        (
            text::beta(),
            "beta",
            values.beta.map(|beta| format::localised(&number::text(beta))),
        ),
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
    all.into_iter()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    fn job(more: &str) -> Job {
        let json = format!(
            r#"{{"id":"ftjob-1","name":"n","base_model":"m","status":"running","created_at":"2027-01-15T07:59:00Z",
            "epochs":3,"evaluation_epochs":0,"warmup_epochs":1,"learning_rate":0.001{more}}}"#
        );
        json::read(&json).expect("a job")
    }

    #[test]
    fn whatever_was_left_to_the_engine_is_told_as_such() {
        let names = r#""n_epochs","evaluation_epochs","warmup_epochs","learning_rate_multiplier","beta","batch_size","seed""#;
        let told = format!(
            r#","hyperparameters":{{"method":"dpo","beta":0.1,"batch_size":8,"seed":7,"auto":[{names}]}}"#
        );
        let all = settings(&job(&told));
        assert_eq!(all.len(), 8);
        for setting in all {
            assert_eq!(setting.auto, setting.label != text::method(), "{}", setting.label);
        }
    }

    #[test]
    fn what_was_chosen_is_not_told_as_left_to_the_engine() {
        let told = r#","hyperparameters":{"method":"dpo","beta":0.1,"batch_size":8,"seed":7,"auto":[]}"#;
        for job in [job(""), job(told)] {
            assert!(settings(&job).iter().all(|setting| !setting.auto));
        }
    }
}
