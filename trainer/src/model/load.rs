//! Reading a Hugging Face folder.

use super::{
    Layout, Model, NamedTensor,
    weights::{Place, Weights},
};
use crate::{
    Error,
    config::ModelConfig,
    tensor_file::{Precision, TensorFile},
};
use serde_json::Value;
use shared::memory::ModelShape;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

pub(super) fn read_config(folder: &Path) -> Result<ModelConfig, Error> {
    let path = folder.join("config.json");
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::InvalidModel(format!(
            "`{}` holds no `config.json`; give the folder of a model in Hugging Face format",
            folder.display()
        )),
        io::ErrorKind::InvalidData => Error::InvalidModel(format!("`{}` is no text", path.display())),
        _ => Error::read(&path)(error),
    })?;
    ModelConfig::parse(&text)
}

/// A folder whose weights fit its configuration, not read yet.
struct Files {
    config: ModelConfig,
    layout: Layout,
    tensors: Vec<NamedTensor>,
    files: BTreeMap<PathBuf, TensorFile>,
    /// In which file each tensor is.
    places: BTreeMap<String, PathBuf>,
    precision: Precision,
}

pub(super) fn read_shape(folder: &Path) -> Result<ModelShape, Error> {
    let Files {
        config, precision, ..
    } = open(folder)?;
    Ok(config.shape(precision))
}

/// What the heads of a folder's files tell once its weights are found to fit its configuration.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The files that hold weights.
    pub(crate) files: Vec<PathBuf>,
    /// How matrices are stored; f32 where they aren't all alike.
    pub(crate) precision: Precision,
    /// Number of weights; tied ones count once.
    pub(crate) parameters: u64,
}

pub(super) fn stored(folder: &Path) -> Result<Stored, Error> {
    let Files {
        layout,
        files,
        precision,
        ..
    } = open(folder)?;
    Ok(Stored {
        files: files.into_keys().collect(),
        precision,
        parameters: layout.total as u64,
    })
}

pub(super) fn load(folder: &Path) -> Result<Model, Error> {
    let Files {
        config,
        layout,
        tensors,
        mut files,
        places,
        precision,
    } = open(folder)?;
    let mut weights = Weights::stored(precision, layout.matrices, layout.total);
    for tensor in &tensors {
        if let Some(file) = places.get(&tensor.name).and_then(|path| files.get_mut(path)) {
            match weights.place(&tensor.range) {
                Place::Bits(out) => file.read_bits(&tensor.name, out)?,
                Place::F32(out) => file.read(&tensor.name, &tensor.shape, out)?,
            }
        }
    }
    Ok(Model {
        config,
        layout,
        weights,
    })
}

fn open(folder: &Path) -> Result<Files, Error> {
    let config = read_config(folder)?;
    let layout = Layout::new(&config);
    let mut files: BTreeMap<PathBuf, TensorFile> = BTreeMap::new();
    let mut places: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in weight_files(folder)? {
        let file = TensorFile::open(&path)?;
        places.extend(file.names().into_iter().map(|name| (name, path.clone())));
        files.insert(path, file);
    }
    let tensors = layout.tensors(&config);
    // Look at all shapes before the memory is taken: a wrong `config.json` may ask for any amount.
    for tensor in &tensors {
        let file = places.get(&tensor.name).and_then(|path| files.get(path));
        let found = file
            .and_then(|file| file.shape(&tensor.name))
            .ok_or_else(|| Error::InvalidModel(format!("the weights lack the tensor `{}`", tensor.name)))?;
        if found != tensor.shape {
            return Err(Error::WeightShapeMismatch {
                name: tensor.name.clone(),
                found: found.to_vec(),
                expected: tensor.shape.clone(),
            });
        }
        if file.and_then(|file| file.precision(&tensor.name)).is_none() {
            return Err(Error::UnsupportedQuantisation(format!(
                "tensor `{}` is stored in a way that can't be read; use the model's f32, f16 or bf16 weights",
                tensor.name
            )));
        }
    }
    if let Some(name) = places
        .keys()
        .find(|name| changes_the_forward_pass(name, &tensors))
    {
        return Err(Error::InvalidModel(format!(
            "the weights hold the tensor `{name}`, which this architecture has no use for; `config.json` doesn't fit them"
        )));
    }
    let precision = precision(&layout, &tensors, |name| {
        files.get(places.get(name)?)?.precision(name)
    });
    Ok(Files {
        config,
        layout,
        tensors,
        files,
        places,
        precision,
    })
}

/// How matrices are kept: as they are stored where all are stored alike, else as f32.
fn precision(
    layout: &Layout,
    tensors: &[NamedTensor],
    stored: impl Fn(&str) -> Option<Precision>,
) -> Precision {
    let mut found = tensors
        .iter()
        .filter(|tensor| tensor.range.start < layout.matrices)
        .map(|tensor| stored(&tensor.name));
    match found.next().flatten() {
        Some(first) if found.all(|other| other == Some(first)) => first,
        _ => Precision::F32,
    }
}

/// Whether a tensor of the files that nothing reads would have had a say.
fn changes_the_forward_pass(name: &str, known: &[NamedTensor]) -> bool {
    let harmless = name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight";
    !harmless && name.starts_with("model.layers.") && !known.iter().any(|tensor| tensor.name == name)
}

fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let single = folder.join("model.safetensors");
    if single.exists() {
        return Ok(vec![single]);
    }
    let index = folder.join("model.safetensors.index.json");
    let text = fs::read_to_string(&index).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::InvalidModel(format!(
            "`{}` holds neither `model.safetensors` nor `model.safetensors.index.json`; other formats of weights aren't read",
            folder.display()
        )),
        _ => Error::read(&index)(error),
    })?;
    let broken = || Error::InvalidModel(format!("`{}` has no usable `weight_map`", index.display()));
    let value: Value = serde_json::from_str(&text).map_err(|_| broken())?;
    let map = value
        .get("weight_map")
        .and_then(Value::as_object)
        .ok_or_else(broken)?;
    let mut files: Vec<PathBuf> = Vec::new();
    for file in map.values() {
        let name = file
            .as_str()
            .filter(|name| !name.contains(['/', '\\']) && *name != "..")
            .ok_or_else(broken)?;
        let path = folder.join(name);
        if !path.exists() {
            return Err(Error::InvalidModel(format!(
                "the shard `{}` is missing; fetch the model again",
                path.display()
            )));
        }
        files.push(path);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        tensor_file::{self, Precision, Tensor},
        testing,
    };
    use std::borrow::Cow;

    #[test]
    fn a_model_comes_back_from_its_folder_in_every_precision() {
        for family in ["llama", "qwen2", "qwen3"] {
            let model = testing::tiny_model(family, 3);
            let folder = tempfile::tempdir().unwrap();
            model.save(folder.path(), Precision::F32).unwrap();
            let again = Model::load(folder.path()).unwrap();
            assert_eq!((&again.weights, &again.config), (&model.weights, &model.config));
            model.save(folder.path(), Precision::Bf16).unwrap();
            let again = Model::load(folder.path()).unwrap();
            assert_eq!(
                again.weights.full.len(),
                again.layout.total - again.layout.matrices
            );
            let again = again.into_f32();
            assert!(
                again
                    .weights
                    .full
                    .iter()
                    .zip(&model.weights.full)
                    .all(|(a, b)| (a - b).abs() <= b.abs() / 128.0)
            );
        }
    }

    #[test]
    fn shards_are_put_together() {
        let model = testing::tiny_model("llama", 3);
        let folder = tempfile::tempdir().unwrap();
        model.save(folder.path(), Precision::F32).unwrap();
        fs::remove_file(folder.path().join("model.safetensors")).unwrap();
        let mut map = serde_json::Map::new();
        for (index, part) in model.layout.tensors(&model.config).chunks(5).enumerate() {
            let name = format!("model-{index}.safetensors");
            let tensors = part
                .iter()
                .map(|tensor| Tensor {
                    name: tensor.name.clone(),
                    shape: tensor.shape.clone(),
                    values: Cow::Borrowed(&model.weights.full[tensor.range.clone()]),
                })
                .collect();
            let mut bytes = Vec::new();
            tensor_file::write(&mut bytes, tensors, Precision::F32).unwrap();
            fs::write(folder.path().join(&name), bytes).unwrap();
            map.extend(
                part.iter()
                    .map(|tensor| (tensor.name.clone(), Value::from(name.clone()))),
            );
        }
        let index = serde_json::json!({"weight_map": map});
        fs::write(
            folder.path().join("model.safetensors.index.json"),
            index.to_string(),
        )
        .unwrap();
        assert_eq!(Model::load(folder.path()).unwrap().weights, model.weights);
        fs::remove_file(folder.path().join("model-1.safetensors")).unwrap();
        assert!(
            Model::load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("model-1.safetensors")
        );
    }

    #[test]
    fn a_folder_that_is_no_model_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Model::load(folder.path()).unwrap_err().code(), "invalid_model");
        let model = testing::tiny_model("llama", 3);
        model.save(folder.path(), Precision::F32).unwrap();
        let mut config = model.config.clone();
        config.intermediate_size += 1;
        fs::write(folder.path().join("config.json"), config.to_json("float32")).unwrap();
        assert_eq!(
            Model::load(folder.path()).unwrap_err().code(),
            "weight_shape_mismatch"
        );
        config = model.config.clone();
        config.qkv_bias = true;
        fs::write(folder.path().join("config.json"), config.to_json("float32")).unwrap();
        assert!(
            Model::load(folder.path())
                .unwrap_err()
                .to_string()
                .contains("bias")
        );
    }
}
