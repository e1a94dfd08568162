//! Hyperparameters after `auto` was resolved: what a job keeps, and what its `spec.json` is written from.

use serde::{Deserialize, Serialize};
use shared::{
    job::{Hyperparameters, NewJob},
    model::BaseModel,
    run::{DEFAULT_BETA, GradientCheckpointing, LoraSpec, Method, MethodSpec, Schedule, Warmup},
};

/// Longest example in tokens where the model doesn't tell its own limit.
const DEFAULT_SEQUENCE_LENGTH: u32 = 2048;

/// Everything that a job's training depends on besides its model and data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameters {
    #[serde(default)]
    pub(crate) method: MethodSpec,
    pub(crate) epochs: u32,
    pub(crate) evaluation_epochs: u32,
    pub(crate) warmup: Warmup,
    pub(crate) learning_rate: f64,
    /// What /v1 asked for instead of a learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) learning_rate_multiplier: Option<f64>,
    pub(crate) schedule: Schedule,
    pub(crate) batch_size: u32,
    pub(crate) gradient_accumulation: u32,
    #[serde(default)]
    pub(crate) gradient_checkpointing: GradientCheckpointing,
    pub(crate) lora: LoraSpec,
    pub(crate) max_sequence_length: u32,
    pub(crate) seed: u64,
    /// Names of the values that the engine chose.
    pub(crate) auto: Vec<String>,
}

/// What a job's settings are as far as they are told. Of a job that was trained elsewhere this is all that is known, and it
/// stands where the others keep their [`Parameters`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) epochs: Option<u32>,
    pub(crate) evaluation_epochs: Option<u32>,
    pub(crate) warmup_epochs: Option<u32>,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) hyperparameters: Hyperparameters,
}

impl From<Parameters> for Recipe {
    fn from(parameters: Parameters) -> Self {
        Self {
            epochs: Some(parameters.epochs),
            evaluation_epochs: Some(parameters.evaluation_epochs),
            warmup_epochs: match parameters.warmup {
                Warmup::Epochs(epochs) => Some(epochs),
                Warmup::Ratio(_) => None,
            },
            learning_rate: Some(parameters.learning_rate),
            hyperparameters: Hyperparameters {
                method: parameters.method.method().as_str().to_owned(),
                beta: parameters.method.beta(),
                batch_size: Some(parameters.batch_size),
                gradient_accumulation: Some(parameters.gradient_accumulation),
                learning_rate_multiplier: None,
                schedule: Some(parameters.schedule),
                lora: Some(parameters.lora),
                max_sequence_length: Some(parameters.max_sequence_length),
                seed: Some(parameters.seed),
                auto: parameters.auto,
            },
        }
    }
}

/// A value that the caller gave, or the engine's own with its name added to `auto`.
pub(crate) fn given_or<T>(
    given: Option<T>,
    name: &str,
    auto: &mut Vec<String>,
    own: impl FnOnce() -> T,
) -> T {
    given.unwrap_or_else(|| {
        auto.push(name.to_owned());
        own()
    })
}

impl Parameters {
    /// Resolves what the console's form leaves open from the model's own defaults. `fresh_seed` is used where no
    /// seed is given.
    pub(crate) fn resolve(job: &NewJob, model: &BaseModel, fresh_seed: u64) -> Self {
        let mut auto = Vec::new();
        Self {
            method: method(job.method.unwrap_or_default(), job.beta, &mut auto),
            epochs: job.epochs,
            evaluation_epochs: job.evaluation_epochs,
            warmup: Warmup::Epochs(job.warmup_epochs),
            learning_rate: job.learning_rate,
            learning_rate_multiplier: None,
            schedule: given_or(job.schedule, "schedule", &mut auto, Schedule::default),
            batch_size: given_or(job.batch_size, "batch_size", &mut auto, || {
                model.defaults.batch_size
            }),
            gradient_accumulation: 1,
            gradient_checkpointing: job.gradient_checkpointing.unwrap_or_default(),
            lora: given_or(job.lora.clone(), "lora", &mut auto, || {
                model.defaults.lora.clone()
            }),
            max_sequence_length: sequence_length(model),
            seed: given_or(job.seed, "seed", &mut auto, || fresh_seed),
            auto,
        }
    }
}

/// A method with its settings.
pub(crate) fn method(method: Method, beta: Option<f64>, auto: &mut Vec<String>) -> MethodSpec {
    match method {
        Method::Supervised => MethodSpec::Supervised,
        Method::Dpo => MethodSpec::Dpo {
            beta: given_or(beta, "beta", auto, || DEFAULT_BETA),
        },
    }
}

/// What /v1 multiplies by the caller's number: the model's own proposal, of which preferences take a tenth, because
/// what they teach is soon overdone.
pub(crate) fn learning_rate(model: &BaseModel, method: Method) -> f64 {
    match method {
        Method::Supervised => model.defaults.learning_rate,
        Method::Dpo => model.defaults.learning_rate / 10.0,
    }
}

/// Longest example in tokens for a model.
pub(crate) fn sequence_length(model: &BaseModel) -> u32 {
    model.context_length.unwrap_or(DEFAULT_SEQUENCE_LENGTH)
}
