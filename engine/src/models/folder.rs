//! Reads what a model folder tells about itself, without loading any weights.

use super::AddError;
use serde::Deserialize;
use shared::{
    memory::{ModelShape, RunShape, TOKENS_PER_PASS, peak},
    model::{BaseModel, InstalledModel, JobDefaults, ModelObstacle},
    plain::{self, Fault},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    path::Path,
};

/// Longest safetensors header that is read.
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// Architectures that can be trained.
const ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// Tokens of a text for which a model's need of memory is told.
const TYPICAL_TOKENS: u64 = 256;

/// The part of `config.json` that is shown and reckoned with.
#[derive(Debug, Deserialize)]
struct ModelConfig {
    model_type: Option<String>,
    max_position_embeddings: Option<u32>,
    quantization_config: Option<serde_json::Value>,
    vocab_size: Option<u32>,
    hidden_size: Option<u32>,
    intermediate_size: Option<u32>,
    num_hidden_layers: Option<u32>,
    num_attention_heads: Option<u32>,
    num_key_value_heads: Option<u32>,
    head_dim: Option<u32>,
    tie_word_embeddings: Option<bool>,
    torch_dtype: Option<String>,
    dtype: Option<String>,
}

/// `attune.json`: what a model folder says to Attune alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AttuneConfig {
    display_name: Option<String>,
    #[serde(alias = "license")]
    licence: Option<String>,
    defaults: Option<JobDefaults>,
    /// Whence Attune added it.
    source: Option<String>,
}

/// Describes the model in a folder, or tells why it can't be used. `memory` is what a trainer may take, where that is
/// known.
pub(crate) fn describe(id: &str, path: &Path, memory: Option<u64>) -> Result<BaseModel, String> {
    let (config, attune) = read_configs(path)?;
    let defaults = attune.defaults.unwrap_or_default();
    let training = config
        .shape()
        .map(|shape| typical_memory(&shape, &defaults, memory));
    Ok(BaseModel {
        id: id.to_owned(),
        display_name: attune.display_name.unwrap_or_else(|| id.to_owned()),
        parameters: count_parameters(path),
        context_length: config.max_position_embeddings,
        defaults,
        installed: Some(InstalledModel {
            bytes: size_of(path),
            licence: attune.licence,
            training_memory_bytes: training,
            obstacle: config.obstacle(memory),
            removable: attune.source.is_some(),
        }),
        architecture: config.model_type,
    })
}

/// Whether the model in a folder can be described.
pub(crate) fn is_model(path: &Path) -> bool {
    read_configs(path).is_ok()
}

fn read_configs(path: &Path) -> Result<(ModelConfig, AttuneConfig), String> {
    let config = read_json(&path.join("config.json"))?;
    let attune = match path.join("attune.json") {
        file if file.is_file() => read_json(&file)?,
        _ => AttuneConfig::default(),
    };
    Ok((config, attune))
}

/// Why the model of a folder can't be trained here, as far as its configuration tells.
pub(crate) fn obstacle(path: &Path, memory: Option<u64>) -> Option<ModelObstacle> {
    let config: ModelConfig = read_json(&path.join("config.json")).ok()?;
    config.obstacle(memory)
}

/// An obstacle as the reason why a model isn't added.
pub(crate) fn refusal(obstacle: ModelObstacle) -> AddError {
    let (code, message) = match obstacle {
        ModelObstacle::UnknownArchitecture => (
            "unknown_architecture",
            "the model's architecture can't be trained here: choose one of the families Llama, Qwen2 and Qwen3",
        ),
        ModelObstacle::Quantised => (
            "unsupported_quantisation",
            "the model's weights are quantised in a way that can't be undone: choose the repository with the original \
             weights",
        ),
        ModelObstacle::NotEnoughMemory => (
            "not_enough_memory",
            "this machine has less memory than training the model takes even with the smallest batch: choose a smaller \
             one",
        ),
    };
    AddError::Refused {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

impl ModelConfig {
    fn obstacle(&self, memory: Option<u64>) -> Option<ModelObstacle> {
        if !self
            .model_type
            .as_deref()
            .is_some_and(|name| ARCHITECTURES.contains(&name))
        {
            return Some(ModelObstacle::UnknownArchitecture);
        }
        if self.quantization_config.is_some() {
            return Some(ModelObstacle::Quantised);
        }
        let least = self.shape().map(|shape| {
            let batch = RunShape {
                rows: TYPICAL_TOKENS,
                target_rows: TYPICAL_TOKENS,
                ..typical_run(&JobDefaults::default())
            };
            peak(&shape, &batch, true).total()
        });
        match (least, memory) {
            (Some(least), Some(memory)) if least > memory => Some(ModelObstacle::NotEnoughMemory),
            _ => None,
        }
    }

    /// What decides about memory, where the configuration tells it and means a model that could exist.
    fn shape(&self) -> Option<ModelShape> {
        let bounded =
            |value: Option<u32>, most: u64| value.map(u64::from).filter(|value| (1..=most).contains(value));
        let hidden_size = bounded(self.hidden_size, 1 << 16)?;
        let heads = bounded(self.num_attention_heads, 1 << 10)?;
        let key_heads = bounded(self.num_key_value_heads, 1 << 10).unwrap_or(heads);
        let head_dim = bounded(self.head_dim, 1 << 12).unwrap_or(hidden_size / heads);
        let has_biases = self.model_type.as_deref() == Some("qwen2");
        let (query_size, key_size) = (heads * head_dim, key_heads * head_dim);
        let is_wide = [&self.torch_dtype, &self.dtype]
            .into_iter()
            .flatten()
            .any(|name| name == "float32");
        Some(ModelShape {
            vocab_size: bounded(self.vocab_size, 1 << 24)?,
            hidden_size,
            intermediate_size: bounded(self.intermediate_size, 1 << 20)?,
            num_hidden_layers: bounded(self.num_hidden_layers, 1 << 10)?,
            num_attention_heads: heads,
            query_size,
            key_size,
            tie_word_embeddings: self.tie_word_embeddings.unwrap_or(false),
            head_norms: self.model_type.as_deref() == Some("qwen3"),
            layer_biases: if has_biases { query_size + 2 * key_size } else { 0 },
            weight_bytes: if is_wide { 4 } else { 2 },
        })
    }
}

/// A run with a model's proposals over texts of a typical length.
fn typical_run(defaults: &JobDefaults) -> RunShape {
    let rows = (u64::from(defaults.batch_size) * TYPICAL_TOKENS).min(TOKENS_PER_PASS);
    RunShape {
        rows,
        target_rows: rows,
        longest: TYPICAL_TOKENS,
        data_tokens: 0,
        rank: u64::from(defaults.lora.rank),
        targets: defaults.lora.targets.clone(),
        dropout: defaults.lora.dropout > 0.0,
        threads: std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64),
    }
}

/// What such a run takes: with gradient checkpointing only where it wouldn't fit otherwise, as the trainer decides.
fn typical_memory(shape: &ModelShape, defaults: &JobDefaults, memory: Option<u64>) -> u64 {
    let run = typical_run(defaults);
    let plain = peak(shape, &run, false).total();
    match memory {
        Some(memory) if plain > memory => peak(shape, &run, true).total(),
        _ => plain,
    }
}

/// The size of a folder's files together.
fn size_of(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .filter(fs::Metadata::is_file)
        .map(|known| known.len())
        .sum()
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read(path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("`{}` can't be understood: {}", path.display(), finding(&error)))
}

/// What is wrong with a file's JSON, in words that whoever wrote it knows.
fn finding(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match plain::fault(&text) {
        None => text,
        Some(Fault {
            field: Some(field),
            problem,
        }) => format!("`{field}` {problem}"),
        Some(Fault { field: None, problem }) => {
            format!(
                "what stands at line {}, column {} {problem}",
                error.line(),
                error.column()
            )
        }
    }
}

/// One entry of a safetensors header.
#[derive(Deserialize)]
struct Tensor {
    #[serde(default)]
    shape: Vec<u64>,
}

/// The number of weights in all safetensors files of a folder, from their headers; nothing where one is broken.
fn count_parameters(path: &Path) -> Option<u64> {
    let mut total: Option<u64> = None;
    for entry in fs::read_dir(path).ok()?.flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "safetensors")
        {
            total = Some(total.unwrap_or(0) + count_in_file(&entry.path())?);
        }
    }
    total
}

fn count_in_file(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header).ok()?;
    let mut count = 0_u64;
    for (name, value) in header {
        if name != "__metadata__" {
            let tensor: Tensor = serde_json::from_value(value).ok()?;
            count = count.checked_add(
                tensor
                    .shape
                    .iter()
                    .try_fold(1_u64, |size, side| size.checked_mul(*side))?,
            )?;
        }
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_its_architecture_size_and_defaults() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("config.json"),
            r#"{"model_type": "llama", "max_position_embeddings": 512, "vocab_size": 8}"#,
        )
        .unwrap();
        fs::write(
            folder.path().join("attune.json"),
            r#"{"display_name": "Tiny", "licence": "MIT", "source": "hf:a/b", "defaults": {"epochs": 7}}"#,
        )
        .unwrap();
        let header = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"b":{"dtype":"F32","shape":[5],"data_offsets":[48,68]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let model = describe("tiny", folder.path(), None).unwrap();
        assert_eq!(
            (model.display_name.as_str(), model.parameters),
            ("Tiny", Some(17))
        );
        assert_eq!(
            (model.architecture.as_deref(), model.context_length),
            (Some("llama"), Some(512))
        );
        assert_eq!(
            (model.defaults.epochs, model.defaults.batch_size),
            (7, JobDefaults::default().batch_size)
        );
        let installed = model.installed.unwrap();
        assert_eq!(
            (installed.licence.as_deref(), installed.obstacle),
            (Some("MIT"), None)
        );
        assert_eq!(installed.training_memory_bytes, None, "its shape isn't told");
        assert!(installed.removable && installed.bytes > 200, "{installed:?}");
    }

    /// The configuration of SmolLM2-135M, with some lines changed.
    fn configured(changes: &[(&str, serde_json::Value)]) -> ModelConfig {
        let mut config = serde_json::json!({
            "model_type": "llama", "vocab_size": 49_152, "hidden_size": 576, "intermediate_size": 1536,
            "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": true,
            "torch_dtype": "bfloat16"
        });
        for (name, value) in changes {
            config[name] = value.clone();
        }
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn what_stands_in_the_way_of_training_is_told_from_the_configuration_alone() {
        assert_eq!(configured(&[]).obstacle(Some(4 << 30)), None);
        assert_eq!(
            configured(&[]).obstacle(Some(300 << 20)),
            Some(ModelObstacle::NotEnoughMemory)
        );
        let mamba = configured(&[("model_type", "mamba".into())]);
        assert_eq!(mamba.obstacle(None), Some(ModelObstacle::UnknownArchitecture));
        let packed = configured(&[("quantization_config", serde_json::json!({"quant_method": "gptq"}))]);
        assert_eq!(packed.obstacle(None), Some(ModelObstacle::Quantised));
    }

    #[test]
    fn a_models_need_of_memory_follows_its_shape_and_no_nonsense() {
        let defaults = JobDefaults::default();
        let small = configured(&[]).shape().unwrap();
        let wide = configured(&[("torch_dtype", "float32".into())]).shape().unwrap();
        let more = typical_memory(&wide, &defaults, None) - typical_memory(&small, &defaults, None);
        assert!((250_000_000..280_000_000).contains(&more), "{more}");
        let roomy = typical_memory(&small, &defaults, Some(1 << 40));
        assert!(typical_memory(&small, &defaults, Some(roomy - 1)) < roomy / 2);
        assert!(
            configured(&[("hidden_size", 4_000_000_000_u32.into())])
                .shape()
                .is_none()
        );
        assert!(configured(&[("num_attention_heads", 0.into())]).shape().is_none());
    }

    #[test]
    fn a_folder_with_a_broken_configuration_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), "{").unwrap();
        assert!(
            describe("broken", folder.path(), None)
                .unwrap_err()
                .contains("can't be understood")
        );
    }
}
