//! The body of `POST /v1/fine_tuning/jobs`, read value by value so that each fault names its parameter.

use super::{
    error::ApiError,
    request::{only, read_as},
};
use crate::parameters::{Parameters, given_or, learning_rate, method, sequence_length};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::{
    model::BaseModel,
    run::{GradientCheckpointing, LoraSpec, Method, Projection, Schedule, Warmup, is_beta},
    wandb::Wandb,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a caller asks for; absent is the engine's choice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JobRequest {
    pub(crate) model: String,
    pub(crate) training_file: String,
    pub(crate) validation_file: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) wandb: Option<Wandb>,
    seed: Option<u64>,
    method: Method,
    beta: Option<f64>,
    epochs: Option<u32>,
    batch_size: Option<u32>,
    learning_rate_multiplier: Option<f64>,
    extras: Extras,
}

/// `x_attune`: what OpenAI's API has no words for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Extras {
    learning_rate: Option<f64>,
    warmup_epochs: Option<u32>,
    warmup_ratio: Option<f64>,
    evaluation_epochs: Option<u32>,
    lora: Option<LoraExtras>,
    schedule: Option<Schedule>,
    gradient_accumulation: Option<u32>,
    gradient_checkpointing: Option<GradientCheckpointing>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LoraExtras {
    rank: Option<u32>,
    alpha: Option<f64>,
    dropout: Option<f64>,
    targets: Option<Vec<Projection>>,
}

/// Pairs of metadata, and characters of a key of theirs.
pub(super) const MAX_METADATA: usize = 16;
pub(super) const MAX_METADATA_KEY: usize = 64;

const KNOWN: [&str; 10] = [
    "model",
    "training_file",
    "validation_file",
    "suffix",
    "seed",
    "metadata",
    "integrations",
    "hyperparameters",
    "method",
    "x_attune",
];

impl JobRequest {
    /// Reads the body; what depends on the model is checked by [`Self::resolve`].
    pub(crate) fn read(mut body: Map<String, Value>) -> Result<Self, ApiError> {
        only(&body, &KNOWN)?;
        // An explicit null is the same as nothing.
        body.retain(|_, value| !value.is_null());
        let (method, place, hyperparameters) = read_method(&body)?;
        let number = |name: &str| hyperparameters.get(name).filter(|value| **value != "auto");
        let whole = |name: &str, max: u32| {
            let Some(value) = number(name) else {
                return Ok(None);
            };
            let read = value.as_u64().and_then(|value| u32::try_from(value).ok());
            let message = format!("`{name}` must be \"auto\" or a whole number from 1 to {max}");
            let read = read.filter(|value| (1..=max).contains(value));
            read.map(Some)
                .ok_or_else(|| ApiError::param(&format!("{place}.{name}"), message))
        };
        let fraction = |name: &str, fits: fn(f64) -> bool, bounds: &str| {
            let Some(value) = number(name) else {
                return Ok(None);
            };
            let read = value.as_f64().filter(|value| fits(*value));
            let message = format!("`{name}` must be \"auto\" or a number {bounds}");
            read.map(Some)
                .ok_or_else(|| ApiError::param(&format!("{place}.{name}"), message))
        };
        Ok(Self {
            model: required(&body, "model")?,
            training_file: required(&body, "training_file")?,
            validation_file: text(&body, "validation_file")?,
            suffix: read_suffix(&body)?,
            metadata: read_metadata(&body)?,
            wandb: read_wandb(&body)?,
            seed: read_seed(&body)?,
            method,
            beta: fraction("beta", is_beta, "above 0 and at most 2")?,
            epochs: whole("n_epochs", 50)?,
            batch_size: whole("batch_size", 256)?,
            learning_rate_multiplier: fraction(
                "learning_rate_multiplier",
                |value| value > 0.0 && value.is_finite(),
                "above 0",
            )?,
            extras: read_extras(body.remove("x_attune"))?,
        })
    }

    /// Decides everything that the caller left open.
    pub(crate) fn resolve(&self, model: &BaseModel, fresh_seed: u64) -> Result<Parameters, ApiError> {
        let (extras, defaults) = (&self.extras, &model.defaults);
        let mut auto = Vec::new();
        let epochs = given_or(self.epochs, "n_epochs", &mut auto, || defaults.epochs);
        let batch_size = given_or(self.batch_size, "batch_size", &mut auto, || defaults.batch_size);
        let (learning_rate, multiplier) = match (extras.learning_rate, self.learning_rate_multiplier) {
            (Some(_), Some(_)) => {
                let message = "give `learning_rate` or `learning_rate_multiplier`, not both";
                return Err(ApiError::param("x_attune.learning_rate", message));
            }
            (Some(rate), None) => (rate, None),
            (None, given) => {
                let multiplier = given_or(given, "learning_rate_multiplier", &mut auto, || 1.0);
                (learning_rate(model, self.method) * multiplier, Some(multiplier))
            }
        };
        if !(learning_rate > 0.0 && learning_rate <= 1.0) {
            let message =
                format!("the learning rate would be {learning_rate}, but must be above 0 and at most 1");
            let param = if multiplier.is_some() {
                "learning_rate_multiplier"
            } else {
                "x_attune.learning_rate"
            };
            return Err(ApiError::param(param, message));
        }
        let (evaluation_epochs, warmup) = self.resolve_epochs(model, epochs, &mut auto)?;
        let gradient_accumulation = extras.gradient_accumulation.unwrap_or(1);
        if !(1..=batch_size).contains(&gradient_accumulation) {
            let message = format!("must be from 1 to the batch size, which is {batch_size}");
            return Err(ApiError::param("x_attune.gradient_accumulation", message));
        }
        Ok(Parameters {
            method: method(self.method, self.beta, &mut auto),
            epochs,
            evaluation_epochs,
            warmup,
            learning_rate,
            learning_rate_multiplier: multiplier,
            schedule: given_or(extras.schedule, "schedule", &mut auto, Schedule::default),
            batch_size,
            gradient_accumulation,
            gradient_checkpointing: extras.gradient_checkpointing.unwrap_or_default(),
            lora: resolve_lora(extras.lora.as_ref(), &defaults.lora, &mut auto)?,
            max_sequence_length: sequence_length(model),
            seed: given_or(self.seed, "seed", &mut auto, || fresh_seed),
            auto,
        })
    }

    /// Evaluation and warm-up together fit into the epochs; what the caller left open makes room for the rest.
    fn resolve_epochs(
        &self,
        model: &BaseModel,
        epochs: u32,
        auto: &mut Vec<String>,
    ) -> Result<(u32, Warmup), ApiError> {
        let (extras, defaults) = (&self.extras, &model.defaults);
        if extras.warmup_epochs.is_some() && extras.warmup_ratio.is_some() {
            let message = "give `warmup_epochs` or `warmup_ratio`, not both";
            return Err(ApiError::param("x_attune.warmup_ratio", message));
        }
        if let Some(ratio) = extras.warmup_ratio.filter(|ratio| !(0.0..=1.0).contains(ratio)) {
            return Err(ApiError::param(
                "x_attune.warmup_ratio",
                format!("must be from 0 to 1, not {ratio}"),
            ));
        }
        let given_warmup = if extras.warmup_ratio.is_some() {
            Some(0)
        } else {
            extras.warmup_epochs
        };
        let evaluation_epochs = given_or(extras.evaluation_epochs, "evaluation_epochs", auto, || {
            let room = epochs.saturating_sub(given_warmup.unwrap_or(0));
            if self.validation_file.is_some() {
                defaults.evaluation_epochs.min(room)
            } else {
                0
            }
        });
        let warmup_epochs = given_or(given_warmup, "warmup_epochs", auto, || {
            defaults
                .warmup_epochs
                .min(epochs.saturating_sub(evaluation_epochs))
        });
        if u64::from(evaluation_epochs) + u64::from(warmup_epochs) > u64::from(epochs) {
            let message = format!(
                "evaluation epochs ({evaluation_epochs}) and warm-up epochs ({warmup_epochs}) are more than the \
                 {epochs} epochs"
            );
            return Err(ApiError::param("x_attune.evaluation_epochs", message));
        }
        let warmup = extras
            .warmup_ratio
            .map_or(Warmup::Epochs(warmup_epochs), Warmup::Ratio);
        Ok((evaluation_epochs, warmup))
    }
}

fn resolve_lora(
    asked: Option<&LoraExtras>,
    own: &LoraSpec,
    auto: &mut Vec<String>,
) -> Result<LoraSpec, ApiError> {
    let Some(asked) = asked else {
        auto.push("lora".to_owned());
        return Ok(own.clone());
    };
    let lora = LoraSpec {
        rank: asked.rank.unwrap_or(own.rank),
        alpha: asked.alpha.unwrap_or(own.alpha),
        dropout: asked.dropout.unwrap_or(own.dropout),
        targets: asked.targets.clone().unwrap_or_else(|| own.targets.clone()),
    };
    let fault = |name: &str, message: &str| Err(ApiError::param(&format!("x_attune.lora.{name}"), message));
    if !(1..=256).contains(&lora.rank) {
        return fault("rank", "must be from 1 to 256");
    }
    if !(lora.alpha > 0.0 && lora.alpha.is_finite()) {
        return fault("alpha", "must be above 0");
    }
    if !(0.0..1.0).contains(&lora.dropout) {
        return fault("dropout", "must be at least 0 and below 1");
    }
    if lora.targets.is_empty() || lora.targets.iter().collect::<BTreeSet<_>>().len() != lora.targets.len() {
        return fault("targets", "must name at least one projection, and none twice");
    }
    Ok(lora)
}

/// The method, and its hyperparameters and where they stand: under `method`, or in the deprecated place.
fn read_method(body: &Map<String, Value>) -> Result<(Method, &'static str, Map<String, Value>), ApiError> {
    const OLD: &str = "hyperparameters";
    const SHARED: [&str; 3] = ["n_epochs", "batch_size", "learning_rate_multiplier"];
    const OF_DPO: [&str; 4] = ["n_epochs", "batch_size", "learning_rate_multiplier", "beta"];
    let old = read_hyperparameters(body.get(OLD), OLD, &SHARED)?;
    let Some(method) = body.get("method") else {
        return Ok((Method::Supervised, OLD, old));
    };
    let object_of = object(Some(method), "method")?;
    let (method, known, place, new): (_, &[&str], _, _) = match object_of.get("type").and_then(Value::as_str)
    {
        Some("supervised") => (
            Method::Supervised,
            &SHARED,
            "method.supervised",
            "method.supervised.hyperparameters",
        ),
        Some("dpo") => (Method::Dpo, &OF_DPO, "method.dpo", "method.dpo.hyperparameters"),
        Some(other @ "reinforcement") => {
            let message = format!("the method `{other}` isn't there yet: take `supervised` or `dpo`");
            return Err(ApiError::param("method.type", message).with_code("unsupported_method"));
        }
        _ => {
            let message = "`type` must be `supervised`, `dpo` or `reinforcement`";
            return Err(ApiError::param("method.type", message));
        }
    };
    let settings = object(object_of.get(method.as_str()), place)?;
    match settings.get("hyperparameters") {
        Some(value) => Ok((method, new, read_hyperparameters(Some(value), new, known)?)),
        // The deprecated place is the supervised ones' alone.
        None if method == Method::Supervised => Ok((method, OLD, old)),
        None => Ok((method, new, Map::new())),
    }
}

/// Hyperparameters by their names; one that isn't known is refused wherever it stands.
fn read_hyperparameters(
    value: Option<&Value>,
    place: &str,
    known: &[&str],
) -> Result<Map<String, Value>, ApiError> {
    let hyperparameters = object(value, place)?;
    if let Some(unknown) = hyperparameters.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ApiError::unknown("hyperparameter", unknown).of(&format!("{place}.{unknown}")));
    }
    Ok(hyperparameters)
}

/// An object without its nulls; nothing is an empty one.
fn object(value: Option<&Value>, param: &str) -> Result<Map<String, Value>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()),
        Some(_) => Err(ApiError::param(param, format!("`{param}` must be an object"))),
    }
}

fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match body.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::param(name, format!("`{name}` must be a string"))),
    }
}

fn required(body: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    text(body, name)?.filter(|text| !text.is_empty()).ok_or_else(|| {
        ApiError::param(name, format!("`{name}` is missing")).with_code("missing_required_parameter")
    })
}

fn read_suffix(body: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let suffix = text(body, "suffix")?;
    let fits =
        |suffix: &String| (1..=64).contains(&suffix.chars().count()) && !suffix.chars().any(char::is_control);
    match suffix {
        Some(suffix) if !fits(&suffix) => {
            Err(ApiError::param("suffix", "`suffix` must have 1 to 64 characters"))
        }
        other => Ok(other),
    }
}

fn read_seed(body: &Map<String, Value>) -> Result<Option<u64>, ApiError> {
    let Some(value) = body.get("seed") else {
        return Ok(None);
    };
    let seed = value.as_u64().filter(|seed| *seed <= 2_147_483_647);
    seed.map(Some)
        .ok_or_else(|| ApiError::param("seed", "`seed` must be a whole number from 0 to 2147483647"))
}

fn read_metadata(body: &Map<String, Value>) -> Result<BTreeMap<String, String>, ApiError> {
    let pairs = object(body.get("metadata"), "metadata")?;
    if pairs.len() > MAX_METADATA {
        return Err(ApiError::param(
            "metadata",
            format!(
                "`metadata` has {} pairs, at most {MAX_METADATA} are taken",
                pairs.len()
            ),
        ));
    }
    let mut metadata = BTreeMap::new();
    for (key, value) in pairs {
        let Value::String(value) = value else {
            return Err(ApiError::param(
                "metadata",
                format!("the value of `{key}` must be a string"),
            ));
        };
        if key.chars().count() > MAX_METADATA_KEY {
            return Err(ApiError::param(
                "metadata",
                format!("the key `{key}` has more than {MAX_METADATA_KEY} characters"),
            ));
        }
        if value.chars().count() > 512 {
            return Err(ApiError::param(
                "metadata",
                format!("the value of `{key}` has more than 512 characters"),
            ));
        }
        metadata.insert(key, value);
    }
    Ok(metadata)
}

/// The one integration that there is: `[{"type": "wandb", "wandb": {…}}]`, at most once.
fn read_wandb(body: &Map<String, Value>) -> Result<Option<Wandb>, ApiError> {
    const PLACE: &str = "integrations";
    let fault = |param: &str, message: String| Err(ApiError::param(param, message));
    let list = match body.get(PLACE) {
        None => return Ok(None),
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => return fault(PLACE, "`integrations` must be a list".to_owned()),
    };
    let integration = match list {
        [] => return Ok(None),
        [one] => object(Some(one), PLACE)?,
        _ => return fault(PLACE, "at most one integration is taken".to_owned()),
    };
    if integration.get("type").and_then(Value::as_str) != Some("wandb") {
        return fault("integrations[0].type", "`type` must be `wandb`".to_owned());
    }
    let place = "integrations[0].wandb";
    let wandb = object(integration.get("wandb"), place)?;
    let wandb: Wandb = read_as(Value::Object(wandb), place)?;
    if let Err((field, problem)) = wandb.check() {
        return fault(&format!("{place}.{field}"), format!("`{field}` {problem}"));
    }
    Ok(Some(wandb))
}

fn read_extras(value: Option<Value>) -> Result<Extras, ApiError> {
    let Some(value) = value else {
        return Ok(Extras::default());
    };
    read_as(value, "x_attune")
}
