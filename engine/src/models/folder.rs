//! Reads what a model folder tells about itself, without loading any weights.

use serde::Deserialize;
use shared::model::{BaseModel, JobDefaults};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read as _,
    path::Path,
};

/// Longest safetensors header that is read.
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// The part of `config.json` that is shown.
#[derive(Debug, Deserialize)]
struct ModelConfig {
    model_type: Option<String>,
    max_position_embeddings: Option<u32>,
}

/// `attune.json`: what a model folder says to Attune alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AttuneConfig {
    display_name: Option<String>,
    defaults: Option<JobDefaults>,
}

/// Describes the model in a folder, or tells why it can't be used.
pub(crate) fn describe(id: &str, path: &Path) -> Result<BaseModel, String> {
    let config: ModelConfig = read_json(&path.join("config.json"))?;
    let attune: AttuneConfig = match path.join("attune.json") {
        file if file.is_file() => read_json(&file)?,
        _ => AttuneConfig::default(),
    };
    Ok(BaseModel {
        id: id.to_owned(),
        display_name: attune.display_name.unwrap_or_else(|| id.to_owned()),
        architecture: config.model_type,
        parameters: count_parameters(path),
        context_length: config.max_position_embeddings,
        defaults: attune.defaults.unwrap_or_default(),
    })
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read(path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("`{}` can't be understood: {error}", path.display()))
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
            r#"{"display_name": "Tiny", "licence": "MIT", "defaults": {"epochs": 7}}"#,
        )
        .unwrap();
        let header = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"b":{"dtype":"F32","shape":[5],"data_offsets":[48,68]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header);
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let model = describe("tiny", folder.path()).unwrap();
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
    }

    #[test]
    fn a_folder_with_a_broken_configuration_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), "{").unwrap();
        assert!(
            describe("broken", folder.path())
                .unwrap_err()
                .contains("can't be understood")
        );
    }
}
