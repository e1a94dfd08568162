//! The fields of `config.json` as they are written, and which of them can't be trained here.

use super::Family;
use crate::{Error, rope::RopeScaling};
use serde_json::{Map, Value};

pub(super) fn token_id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|id| u32::try_from(id).ok())
}

pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    pub(super) fn family(&self) -> Result<Family, Error> {
        let architecture = self
            .0
            .get("architectures")
            .and_then(|list| list.get(0))
            .and_then(Value::as_str);
        let name = match self.0.get("model_type").and_then(Value::as_str) {
            Some(name) => name,
            None => match architecture {
                Some("LlamaForCausalLM") => "llama",
                Some("Qwen2ForCausalLM") => "qwen2",
                Some("Qwen3ForCausalLM") => "qwen3",
                Some(other) => other,
                None => {
                    return Err(Error::InvalidModel(
                        "`config.json` has neither `model_type` nor `architectures`; is this a model's folder?"
                            .to_owned(),
                    ));
                }
            },
        };
        let family = match name {
            "llama" => Family::Llama,
            "qwen2" => Family::Qwen2,
            "qwen3" => Family::Qwen3,
            other => return Err(Error::UnknownArchitecture(other.to_owned())),
        };
        match architecture {
            Some(other) if other != family.architecture() => {
                Err(Error::UnknownArchitecture(other.to_owned()))
            }
            _ => Ok(family),
        }
    }

    pub(super) fn refuse_what_differs(&self) -> Result<(), Error> {
        let refuse = |what: &str| Err(Error::InvalidModel(format!("{what} can't be trained here")));
        if self.flag("use_sliding_window") {
            return refuse("a model with sliding-window attention (`use_sliding_window`)");
        }
        if let Some(Value::Array(types)) = self.0.get("layer_types")
            && types.iter().any(|kind| kind != "full_attention")
        {
            return refuse("a model whose `layer_types` aren't all `full_attention`");
        }
        if ["num_experts", "num_local_experts", "n_routed_experts"]
            .iter()
            .any(|key| self.0.contains_key(*key))
        {
            return refuse("a mixture of experts");
        }
        if let Some(quantised) = self
            .0
            .get("quantization_config")
            .filter(|config| !config.is_null())
        {
            let method = quantised
                .get("quant_method")
                .and_then(Value::as_str)
                .unwrap_or("an unnamed method");
            return Err(Error::UnsupportedQuantisation(format!(
                "the weights are quantised with {method} (`quantization_config` in `config.json`); use the model's original weights"
            )));
        }
        let activation = self.0.get("hidden_act").and_then(Value::as_str).unwrap_or("silu");
        if activation != "silu" {
            return refuse(&format!("a model with `hidden_act` `{activation}`"));
        }
        if self
            .0
            .get("partial_rotary_factor")
            .and_then(Value::as_f64)
            .is_some_and(|factor| factor != 1.0)
        {
            return refuse("a model with `partial_rotary_factor`");
        }
        Ok(())
    }

    pub(super) fn size(&self, name: &str) -> Result<usize, Error> {
        self.optional_size(name)?
            .ok_or_else(|| Error::InvalidModel(format!("`config.json` lacks `{name}`")))
    }

    pub(super) fn optional_size(&self, name: &str) -> Result<Option<usize>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            // The upper bound keeps products of two sizes from overflowing.
            Some(value) => match value.as_u64() {
                Some(size @ 1..=0x4000_0000) => Ok(Some(size as usize)),
                _ => Err(Error::InvalidModel(format!(
                    "`{name}` in `config.json` is no sensible size: {value}"
                ))),
            },
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The older spelling is `rope_theta` beside `rope_scaling`, the newer one `rope_parameters` with both inside.
    pub(super) fn rope(&self, max_position_embeddings: usize) -> Result<(f64, RopeScaling), Error> {
        let parameters = ["rope_parameters", "rope_scaling"]
            .iter()
            .find_map(|key| self.0.get(*key).and_then(Value::as_object));
        let theta = parameters
            .and_then(|map| map.get("rope_theta"))
            .or_else(|| self.0.get("rope_theta"))
            .and_then(Value::as_f64)
            .unwrap_or(10_000.0);
        let scaling = match parameters {
            Some(map) => RopeScaling::parse(map, max_position_embeddings)?,
            None => RopeScaling::Default,
        };
        Ok((theta, scaling))
    }
}
