//! The rules themselves, the same for a draft and for a request body. A field that could not be read is absent
//! here and has its finding already: the first finding under a field stays.

use super::{Findings, plain, with};
use crate::{
    capabilities::{Bounds, Capabilities},
    id::DatasetId,
    job::NewJob,
    number,
    problem::FieldCode,
    run::{LoraSpec, Method, Projection, Schedule},
};

/// Shortest and longest name in characters.
const NAME_LENGTH: (usize, usize) = (3, 50);

/// A job's fields, each present where it was given and readable.
pub(super) struct Fields {
    pub(super) name: String,
    pub(super) base_model: String,
    pub(super) training_dataset: Option<String>,
    pub(super) validation_dataset: Option<String>,
    pub(super) epochs: Option<u32>,
    pub(super) evaluation_epochs: Option<u32>,
    pub(super) warmup_epochs: Option<u32>,
    pub(super) learning_rate: Option<f64>,
    pub(super) method: Option<Method>,
    pub(super) beta: Option<f64>,
    pub(super) batch_size: Option<u32>,
    pub(super) lora: Option<LoraFields>,
    pub(super) schedule: Option<Schedule>,
    pub(super) seed: Option<u64>,
}

pub(super) struct LoraFields {
    pub(super) rank: Option<u32>,
    pub(super) alpha: Option<f64>,
    pub(super) dropout: Option<f64>,
    pub(super) targets: Vec<Projection>,
}

impl Fields {
    pub(super) fn from_new_job(job: &NewJob) -> Self {
        let text = |id: &DatasetId| id.as_str().to_owned();
        Self {
            name: job.name.clone(),
            base_model: job.base_model.clone(),
            training_dataset: job.training_dataset.as_ref().map(text),
            validation_dataset: job.validation_dataset.as_ref().map(text),
            epochs: Some(job.epochs),
            evaluation_epochs: Some(job.evaluation_epochs),
            warmup_epochs: Some(job.warmup_epochs),
            learning_rate: Some(job.learning_rate),
            method: job.method,
            beta: job.beta,
            batch_size: job.batch_size,
            lora: job.lora.as_ref().map(|lora| LoraFields {
                rank: Some(lora.rank),
                alpha: Some(lora.alpha),
                dropout: Some(lora.dropout),
                targets: lora.targets.clone(),
            }),
            schedule: job.schedule,
            seed: job.seed,
        }
    }

    /// The request body; `None` where a required field is absent, which has a finding then.
    pub(super) fn into_new_job(self) -> Option<NewJob> {
        let lora = match self.lora {
            None => None,
            Some(lora) => Some(LoraSpec {
                rank: lora.rank?,
                alpha: lora.alpha?,
                dropout: lora.dropout?,
                targets: lora.targets,
            }),
        };
        Some(NewJob {
            name: self.name,
            base_model: self.base_model,
            epochs: self.epochs?,
            evaluation_epochs: self.evaluation_epochs?,
            warmup_epochs: self.warmup_epochs?,
            learning_rate: self.learning_rate?,
            training_dataset: self.training_dataset.map(DatasetId::new),
            validation_dataset: self.validation_dataset.map(DatasetId::new),
            method: self.method,
            beta: self.beta,
            batch_size: self.batch_size,
            lora,
            schedule: self.schedule,
            seed: self.seed,
            // The form leaves it to the trainer.
            gradient_checkpointing: None,
        })
    }
}

pub(super) fn check(fields: &Fields, capabilities: &Capabilities, findings: &mut Findings) {
    let mut tell = |field: &str, finding: Option<FieldCode>| {
        if let Some(finding) = finding {
            findings.entry(field.to_owned()).or_insert(finding);
        }
    };
    tell("name", name(&fields.name));
    tell(
        "base_model",
        fields.base_model.trim().is_empty().then(|| plain("required")),
    );
    datasets(fields, capabilities, &mut tell);
    epochs(fields, capabilities, &mut tell);
    let learning_rate = fields.learning_rate.filter(|rate| !(*rate > 0.0 && *rate <= 1.0));
    tell(
        "learning_rate",
        learning_rate.map(|_| with("out_of_range", &[("above", "0"), ("max", "1")])),
    );
    method(fields, capabilities, &mut tell);
    if capabilities.hyperparameters {
        tell(
            "batch_size",
            within(fields.batch_size, capabilities.bounds.batch_size),
        );
        if let Some(shape) = fields.lora.as_ref().filter(|_| capabilities.recipe) {
            lora(shape, capabilities, &mut tell);
        }
    }
    let shape = capabilities.hyperparameters && capabilities.recipe;
    let given = [
        (
            "batch_size",
            capabilities.hyperparameters,
            fields.batch_size.is_some(),
        ),
        ("lora", shape, fields.lora.is_some()),
        ("schedule", shape, fields.schedule.is_some()),
        ("seed", capabilities.hyperparameters, fields.seed.is_some()),
    ];
    for (field, _, _) in given.into_iter().filter(|(_, taken, given)| *given && !*taken) {
        tell(field, Some(plain("not_supported")));
    }
}

fn method(fields: &Fields, capabilities: &Capabilities, tell: &mut impl FnMut(&str, Option<FieldCode>)) {
    if let Some(method) = fields.method
        && !capabilities.methods.contains(&method)
    {
        tell("method", Some(plain("not_supported")));
    }
    let Some(beta) = fields.beta else { return };
    let Some(bounds) = capabilities.bounds.beta else {
        return tell("beta", Some(plain("not_supported")));
    };
    if fields.method != Some(Method::Dpo) {
        return tell("beta", Some(plain("needs_dpo")));
    }
    if !(beta > bounds.min && bounds.max.is_none_or(|max| beta <= max)) {
        let mut finding = with("out_of_range", &[("above", &number::text(bounds.min))]);
        if let Some(max) = bounds.max {
            finding.params.insert("max".to_owned(), number::text(max));
        }
        tell("beta", Some(finding));
    }
}

fn name(name: &str) -> Option<FieldCode> {
    let length = name.chars().count();
    if name.is_empty() {
        Some(plain("required"))
    } else if !name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    {
        Some(plain("bad_characters"))
    } else if length < NAME_LENGTH.0 {
        Some(with("too_short", &[("min", &NAME_LENGTH.0.to_string())]))
    } else if length > NAME_LENGTH.1 {
        Some(with("too_long", &[("max", &NAME_LENGTH.1.to_string())]))
    } else {
        name.ends_with('-').then(|| plain("trailing_dash"))
    }
}

fn datasets(fields: &Fields, capabilities: &Capabilities, tell: &mut impl FnMut(&str, Option<FieldCode>)) {
    let blank = |id: &Option<String>| id.as_ref().is_none_or(|id| id.trim().is_empty());
    if capabilities.datasets {
        tell(
            "training_dataset",
            blank(&fields.training_dataset).then(|| plain("required")),
        );
        let named_but_blank = fields.validation_dataset.is_some() && blank(&fields.validation_dataset);
        tell("validation_dataset", named_but_blank.then(|| plain("required")));
    } else {
        tell(
            "training_dataset",
            fields.training_dataset.as_ref().map(|_| plain("not_supported")),
        );
        tell(
            "validation_dataset",
            fields.validation_dataset.as_ref().map(|_| plain("not_supported")),
        );
    }
}

fn epochs(fields: &Fields, capabilities: &Capabilities, tell: &mut impl FnMut(&str, Option<FieldCode>)) {
    tell("epochs", within(fields.epochs, capabilities.bounds.epochs));
    let (Some(epochs), Some(evaluation), Some(warmup)) =
        (fields.epochs, fields.evaluation_epochs, fields.warmup_epochs)
    else {
        return;
    };
    let sum = u64::from(evaluation) + u64::from(warmup);
    if sum > u64::from(epochs) {
        let finding = with(
            "epochs_sum",
            &[("sum", &sum.to_string()), ("epochs", &epochs.to_string())],
        );
        tell("evaluation_epochs", Some(finding.clone()));
        tell("warmup_epochs", Some(finding));
    }
}

fn lora(shape: &LoraFields, capabilities: &Capabilities, tell: &mut impl FnMut(&str, Option<FieldCode>)) {
    tell("lora_rank", within(shape.rank, capabilities.bounds.lora_rank));
    let alpha = shape.alpha.filter(|alpha| !(*alpha > 0.0 && alpha.is_finite()));
    tell(
        "lora_alpha",
        alpha.map(|_| with("out_of_range", &[("above", "0")])),
    );
    let dropout = shape
        .dropout
        .filter(|dropout| !(*dropout >= 0.0 && *dropout < 1.0));
    tell(
        "lora_dropout",
        dropout.map(|_| with("out_of_range", &[("min", "0"), ("below", "1")])),
    );
    tell(
        "lora_targets",
        shape.targets.is_empty().then(|| plain("required")),
    );
    let mut places = shape.targets.iter().enumerate();
    let repeated = places.find(|(place, target)| shape.targets[..*place].contains(target));
    tell(
        "lora_targets",
        repeated.map(|(_, target)| with("duplicate", &[("value", target.as_str())])),
    );
}

fn within(value: Option<u32>, bounds: Bounds<u32>) -> Option<FieldCode> {
    let value = value?;
    if value < bounds.min {
        return Some(with("too_small", &[("min", &bounds.min.to_string())]));
    }
    let max = bounds.max.filter(|max| value > *max)?;
    Some(with("too_large", &[("max", &max.to_string())]))
}
