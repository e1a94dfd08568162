//! A GGUF file becomes a Hugging Face folder.

use super::{GgufFile, config, tokenizer, weights::Plan};
use crate::{Error, config::ModelConfig, storage};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Room for everything but the weights.
const SMALL_FILES_BYTES: u64 = 64 << 20;

/// Writes the model of this file into `folder` and removes the file. `config.json` appears last: a folder that has it
/// is whole, and one without it is begun anew.
///
/// # Errors
/// Those of [`GgufFile::open`], of its contents, and of writing ([`Error::NoSpace`] before anything is written).
pub(crate) fn convert(path: &Path, folder: &Path) -> Result<(), Error> {
    let file = GgufFile::open(path)?;
    let config = config::read(&file)?;
    let plan = Plan::new(&file, &config)?;
    let tokenizer = tokenizer::read(&file, &config)?;
    storage::ensure_space(folder, plan.bytes() + SMALL_FILES_BYTES)?;
    plan.write(&folder.join("model.safetensors"))?;
    write_json(folder, "tokenizer.json", &tokenizer.tokenizer)?;
    write_json(folder, "tokenizer_config.json", &tokenizer.config)?;
    write_json(
        folder,
        "generation_config.json",
        &generation(&config, tokenizer.pad_token_id),
    )?;
    if let Some(licence) = licence(&file)? {
        let attune = folder.join("attune.json");
        if !attune.exists() {
            write_json(folder, "attune.json", &json!({ "licence": licence }))?;
        }
    }
    let text = config.to_json(plan.precision().as_str());
    storage::replace_file(&folder.join("config.json"), text.as_bytes())?;
    fs::remove_file(path).map_err(Error::write(path))?;
    storage::sync_folder(folder)
}

fn write_json(folder: &Path, name: &str, value: &Value) -> Result<(), Error> {
    storage::replace_file(&folder.join(name), format!("{value:#}\n").as_bytes())
}

fn generation(config: &ModelConfig, pad_token_id: Option<u32>) -> Value {
    let mut value = json!({ "eos_token_id": config.eos_token_ids });
    if let Some(id) = config.bos_token_id {
        value["bos_token_id"] = id.into();
    }
    if let Some(id) = pad_token_id {
        value["pad_token_id"] = id.into();
    }
    value
}

/// The licence by its short name, or what its makers call it where it has none.
fn licence(file: &GgufFile) -> Result<Option<String>, Error> {
    let short = file.metadata.text("general.license")?;
    let long = file.metadata.text("general.license.name")?;
    let name = match short {
        Some("other") => long.or(short),
        Some(_) => short,
        None => long,
    };
    Ok(name.map(str::to_owned).filter(|name| !name.is_empty()))
}
