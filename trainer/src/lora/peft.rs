//! PEFT's folder format: `adapter_config.json` and `adapter_model.safetensors`.

use super::Adapter;
use crate::{
    Error, Model,
    storage::{PendingFolder, Written},
    tensor_file::{self, Precision, TensorFile},
};
use serde_json::{Value, json};
use shared::run::LoraSpec;
use std::{fs, path::Path};

/// The configuration's file name.
pub(crate) const CONFIG: &str = "adapter_config.json";
/// The tensors' file name.
pub(crate) const TENSORS: &str = "adapter_model.safetensors";

impl Adapter {
    /// Loads a PEFT adapter of this very shape; `spec.dropout` is free, and alpha ÷ rank must agree.
    ///
    /// # Errors
    /// [`Error::InvalidAdapter`] where it's of another shape or kind, [`Error::Read`].
    pub fn load(folder: &Path, model: &Model, spec: &LoraSpec) -> Result<Self, Error> {
        let config = read_config(folder)?;
        compare(&config, spec)?;
        let adapter = Self::zero(model, spec)?;
        adapter.with_values(&folder.join(TENSORS))
    }

    /// Loads a PEFT adapter of whatever shape it has.
    ///
    /// # Errors
    /// [`Error::InvalidAdapter`] where it doesn't fit the model or is of another kind, [`Error::Read`].
    pub fn open(folder: &Path, model: &Model) -> Result<Self, Error> {
        let config = read_config(folder)?;
        let refuse =
            |what: &str| Error::InvalidAdapter(format!("the adapter's `{CONFIG}` has no usable `{what}`"));
        let targets = config.get("target_modules").cloned().unwrap_or_default();
        let spec = LoraSpec {
            rank: config
                .get("r")
                .and_then(Value::as_u64)
                .and_then(|rank| u32::try_from(rank).ok())
                .ok_or_else(|| refuse("r"))?,
            alpha: config
                .get("lora_alpha")
                .and_then(Value::as_f64)
                .ok_or_else(|| refuse("lora_alpha"))?,
            dropout: 0.0,
            targets: serde_json::from_value(targets).map_err(|_| refuse("target_modules"))?,
        };
        Self::load(folder, model, &spec)
    }

    /// Reads the values from a file of PEFT's tensors.
    pub(crate) fn with_values(mut self, path: &Path) -> Result<Self, Error> {
        let as_adapter = |error: Error| match error {
            Error::InvalidModel(message) => Error::InvalidAdapter(message),
            Error::WeightShapeMismatch {
                name,
                found,
                expected,
            } => Error::InvalidAdapter(format!(
                "adapter tensor `{name}` has shape {found:?} where the base model asks for {expected:?}"
            )),
            Error::Read { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
                Error::InvalidAdapter(format!("`{path}` is missing"))
            }
            other => other,
        };
        let mut file = TensorFile::open(path).map_err(as_adapter)?;
        let mut values = std::mem::take(&mut self.values);
        let mut known = 0;
        self.read_tensors(&mut values, |name, shape, out| {
            known += 1;
            file.read(name, shape, out)
        })
        .map_err(as_adapter)?;
        self.values = values;
        if file.names().len() != known {
            return Err(Error::InvalidAdapter(format!(
                "`{}` holds {} tensors where its configuration asks for {known}",
                path.display(),
                file.names().len()
            )));
        }
        Ok(self)
    }

    /// Writes the two files into a folder that isn't visible yet.
    pub(crate) fn write(
        &self,
        base_model: &str,
        folder: &PendingFolder,
    ) -> Result<[(&'static str, Written); 2], Error> {
        let config = format!("{:#}\n", self.config(base_model));
        let config = folder.write(CONFIG, |out| out.write_all(config.as_bytes()))?;
        let tensors = self.tensors(&self.values);
        let tensors = folder.write(TENSORS, |mut out| {
            tensor_file::write(&mut out, tensors, Precision::F32)
        })?;
        Ok([(CONFIG, config), (TENSORS, tensors)])
    }

    /// Writes a PEFT folder, in place of an older one.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, base_model: &str, folder: &Path) -> Result<(), Error> {
        let pending = PendingFolder::create(folder)?;
        self.write(base_model, &pending)?;
        pending.commit()
    }

    fn config(&self, base_model: &str) -> Value {
        let spec = &self.spec;
        // PEFT's type of alpha is a whole number; others read back, too, but are written only where needed.
        let alpha = if spec.alpha.fract() == 0.0 && spec.alpha < 1e15 {
            json!(spec.alpha as u64)
        } else {
            json!(spec.alpha)
        };
        json!({
            "alpha_pattern": {},
            "auto_mapping": null,
            "base_model_name_or_path": base_model,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": null,
            "layers_to_transform": null,
            "lora_alpha": alpha,
            "lora_dropout": spec.dropout,
            "modules_to_save": null,
            "peft_type": "LORA",
            "r": spec.rank,
            "rank_pattern": {},
            "revision": null,
            "target_modules": spec.targets,
            "task_type": "CAUSAL_LM",
            "use_dora": false,
            "use_rslora": false,
        })
    }
}

fn read_config(folder: &Path) -> Result<Value, Error> {
    let path = folder.join(CONFIG);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let folder = folder.display();
            Error::InvalidAdapter(format!(
                "`{folder}` holds no `{CONFIG}`; give the folder of a PEFT adapter"
            ))
        }
        _ => Error::read(&path)(error),
    })?;
    serde_json::from_str(&text)
        .map_err(|error| Error::InvalidAdapter(format!("`{}` is no JSON: {error}", path.display())))
}

/// Refuses an adapter that would mean another function or another shape than the run's.
fn compare(config: &Value, spec: &LoraSpec) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::InvalidAdapter(message));
    let kind = config.get("peft_type").and_then(Value::as_str).unwrap_or("");
    if kind != "LORA" {
        return refuse(format!(
            "the adapter is of type `{kind}`; only LORA can be trained here"
        ));
    }
    for flag in [
        "use_dora",
        "use_rslora",
        "use_qalora",
        "use_bdlora",
        "fan_in_fan_out",
        "lora_bias",
    ] {
        if config.get(flag).and_then(Value::as_bool) == Some(true) {
            return refuse(format!("the adapter uses `{flag}`, which can't be trained here"));
        }
    }
    for option in [
        "rank_pattern",
        "alpha_pattern",
        "modules_to_save",
        "layers_to_transform",
        "layer_replication",
        "target_parameters",
        "trainable_token_indices",
    ] {
        let empty = match config.get(option) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            Some(_) => false,
        };
        if !empty {
            return refuse(format!(
                "the adapter uses `{option}`, which can't be trained here"
            ));
        }
    }
    if config
        .get("bias")
        .and_then(Value::as_str)
        .is_some_and(|bias| bias != "none")
    {
        return refuse("the adapter trains biases, which can't be done here".to_owned());
    }
    if config.get("r").and_then(Value::as_u64) != Some(u64::from(spec.rank)) {
        return refuse(format!(
            "the adapter's rank isn't the run's ({}); set `lora.rank` to the adapter's",
            spec.rank
        ));
    }
    if config.get("lora_alpha").and_then(Value::as_f64) != Some(spec.alpha) {
        return refuse(format!(
            "the adapter's alpha isn't the run's ({}); set `lora.alpha` to the adapter's",
            spec.alpha
        ));
    }
    let mut found: Vec<&str> = match config.get("target_modules") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => return refuse("the adapter's `target_modules` is no list of projections".to_owned()),
    };
    let mut wanted: Vec<&str> = spec.targets.iter().map(|target| target.as_str()).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    if found != wanted {
        return refuse(format!(
            "the adapter is on {found:?}; set `lora.targets` to the same projections"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tiny_model;
    use shared::run::Projection;

    fn spec() -> LoraSpec {
        LoraSpec {
            rank: 3,
            alpha: 6.0,
            dropout: 0.0,
            targets: vec![Projection::KProj, Projection::DownProj],
        }
    }

    #[test]
    fn an_adapter_comes_back_from_its_folder() {
        let model = tiny_model("llama", 1);
        let mut adapter = Adapter::random(&model, &spec(), 5).unwrap();
        for (place, value) in adapter.values.iter_mut().enumerate() {
            *value += place as f32;
        }
        let folder = tempfile::tempdir().unwrap();
        adapter.save("base", &folder.path().join("adapter")).unwrap();
        let again = Adapter::load(&folder.path().join("adapter"), &model, &spec()).unwrap();
        assert_eq!(again.values, adapter.values);
        let opened = Adapter::open(&folder.path().join("adapter"), &model).unwrap();
        assert_eq!((&opened.spec, &opened.values), (&spec(), &adapter.values));
    }

    #[test]
    fn an_adapter_that_does_not_fit_is_refused_with_advice() {
        let model = tiny_model("llama", 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adapter");
        let refusal = |spec: &LoraSpec| Adapter::load(&path, &model, spec).unwrap_err().to_string();
        assert!(refusal(&spec()).contains("adapter_config.json"));
        Adapter::random(&model, &spec(), 5)
            .unwrap()
            .save("base", &path)
            .unwrap();
        assert!(refusal(&LoraSpec { rank: 4, ..spec() }).contains("lora.rank"));
        assert!(refusal(&LoraSpec { alpha: 4.0, ..spec() }).contains("lora.alpha"));
        assert!(
            refusal(&LoraSpec {
                targets: vec![Projection::KProj],
                ..spec()
            })
            .contains("lora.targets")
        );
        let config = fs::read_to_string(path.join(CONFIG)).unwrap();
        fs::write(
            path.join(CONFIG),
            config.replace("\"use_dora\": false", "\"use_dora\": true"),
        )
        .unwrap();
        assert!(refusal(&spec()).contains("use_dora"));
        fs::write(path.join(CONFIG), config).unwrap();
        fs::remove_file(path.join(TENSORS)).unwrap();
        assert!(refusal(&spec()).contains("missing"));
    }
}
