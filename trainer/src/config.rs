//! A model's shape, as `config.json` of a Hugging Face folder tells it.
//!
//! Understood: `llama`, `qwen2` and `qwen3` decoders with full attention. Refused by name: everything whose forward
//! pass would differ (sliding windows, mixtures of experts, quantised weights, partial rotary embeddings).

mod fields;

use crate::{Error, Precision, rope::RopeScaling};
use fields::{Fields, token_id};
use serde_json::{Value, json};
use shared::memory::ModelShape;

/// The decoder families that this trainer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Llama 1 to 3 and everything with their layout.
    Llama,
    /// Qwen2 and 2.5: bias on q, k and v.
    Qwen2,
    /// Qwen3: RMS norms on each head of q and k.
    Qwen3,
}

impl Family {
    /// `model_type` in `config.json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }

    const fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
        }
    }
}

/// Everything that decides the forward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Which decoder it is.
    pub family: Family,
    /// Number of tokens that have an embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Inner width of the feed-forward part.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// Width of one head, even.
    pub head_dim: usize,
    /// Longest sequence that the model was made for.
    pub max_position_embeddings: usize,
    /// Added to the mean square under the root of the RMS norms.
    pub rms_norm_eps: f32,
    /// Base wavelength of the rotary embeddings.
    pub rope_theta: f64,
    /// How rotary frequencies are stretched.
    pub rope_scaling: RopeScaling,
    /// Whether the output projection is the embedding table.
    pub tie_word_embeddings: bool,
    /// Bias on q, k and v.
    pub qkv_bias: bool,
    /// Bias on o.
    pub output_bias: bool,
    /// Bias on gate, up and down.
    pub mlp_bias: bool,
    /// First token of a text, where the model has one.
    pub bos_token_id: Option<u32>,
    /// Tokens that end a text.
    pub eos_token_ids: Vec<u32>,
}

impl ModelConfig {
    /// Reads the text of `config.json`.
    ///
    /// # Errors
    /// [`Error::InvalidModel`] and [`Error::UnknownArchitecture`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Error::InvalidModel(format!("`config.json` is no JSON: {error}")))?;
        let fields = Fields(
            value
                .as_object()
                .ok_or_else(|| Error::InvalidModel("`config.json` is no JSON object".to_owned()))?,
        );
        let family = fields.family()?;
        fields.refuse_what_differs()?;
        let hidden_size = fields.size("hidden_size")?;
        let num_attention_heads = fields.size("num_attention_heads")?;
        let num_key_value_heads = fields
            .optional_size("num_key_value_heads")?
            .unwrap_or(num_attention_heads);
        let head_dim = match fields.optional_size("head_dim")? {
            Some(size) => size,
            None if family == Family::Qwen3 => 128,
            None => hidden_size / num_attention_heads,
        };
        let attention_bias = fields.flag("attention_bias");
        let max_position_embeddings = fields.optional_size("max_position_embeddings")?.unwrap_or(2048);
        let (rope_theta, rope_scaling) = fields.rope(max_position_embeddings)?;
        let config = Self {
            family,
            vocab_size: fields.size("vocab_size")?,
            hidden_size,
            intermediate_size: fields.size("intermediate_size")?,
            num_hidden_layers: fields.size("num_hidden_layers")?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            max_position_embeddings,
            rms_norm_eps: fields
                .0
                .get("rms_norm_eps")
                .and_then(Value::as_f64)
                .unwrap_or(1e-6) as f32,
            rope_theta,
            rope_scaling,
            tie_word_embeddings: fields.flag("tie_word_embeddings"),
            qkv_bias: attention_bias || family == Family::Qwen2,
            output_bias: attention_bias && family != Family::Qwen2,
            mlp_bias: fields.flag("mlp_bias") && family == Family::Llama,
            bos_token_id: fields.0.get("bos_token_id").and_then(token_id),
            eos_token_ids: match fields.0.get("eos_token_id") {
                Some(Value::Array(ids)) => ids.iter().filter_map(token_id).collect(),
                Some(id) => token_id(id).into_iter().collect(),
                None => Vec::new(),
            },
        };
        config.check()?;
        Ok(config)
    }

    /// Whether the numbers fit each other, and describe a model that could exist: what is computed from them neither
    /// overflows nor asks for any amount of memory.
    ///
    /// # Errors
    /// [`Error::InvalidModel`].
    pub fn check(&self) -> Result<(), Error> {
        for (name, size, most) in [
            ("vocab_size", self.vocab_size, 1 << 24),
            ("hidden_size", self.hidden_size, 1 << 18),
            ("intermediate_size", self.intermediate_size, 1 << 20),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 11),
            ("num_attention_heads", self.num_attention_heads, 1 << 12),
            ("num_key_value_heads", self.num_key_value_heads, 1 << 12),
            ("head_dim", self.head_dim, 1 << 12),
        ] {
            if size > most {
                return Err(Error::InvalidModel(format!(
                    "`{name}` ({size}) is more than any model has; at most {most} can be read"
                )));
            }
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            return Err(Error::InvalidModel(format!(
                "`num_attention_heads` ({}) is no multiple of `num_key_value_heads` ({})",
                self.num_attention_heads, self.num_key_value_heads
            )));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) {
            return Err(Error::InvalidModel(format!(
                "`head_dim` ({}) is not an even number above 0",
                self.head_dim
            )));
        }
        Ok(())
    }

    /// Width of all query heads together.
    #[must_use]
    pub const fn query_size(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Width of all key heads together; the value heads are as wide.
    #[must_use]
    pub const fn key_size(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    /// Query heads that share one key and value head.
    #[must_use]
    pub const fn group_size(&self) -> usize {
        self.num_attention_heads / self.num_key_value_heads
    }

    /// What of it decides about memory, with its matrices kept in this precision.
    #[must_use]
    pub fn shape(&self, precision: Precision) -> ModelShape {
        let (hidden, inner) = (self.hidden_size, self.intermediate_size);
        let biases = [
            (self.qkv_bias, self.query_size() + 2 * self.key_size()),
            (self.output_bias, hidden),
            (self.mlp_bias, 2 * inner + hidden),
        ];
        ModelShape {
            vocab_size: self.vocab_size as u64,
            hidden_size: hidden as u64,
            intermediate_size: inner as u64,
            num_hidden_layers: self.num_hidden_layers as u64,
            num_attention_heads: self.num_attention_heads as u64,
            query_size: self.query_size() as u64,
            key_size: self.key_size() as u64,
            tie_word_embeddings: self.tie_word_embeddings,
            head_norms: self.has_head_norms(),
            layer_biases: biases
                .iter()
                .filter(|(has, _)| *has)
                .map(|(_, size)| *size as u64)
                .sum(),
            weight_bytes: precision.bytes() as u64,
        }
    }

    /// Whether each head of q and k has an RMS norm.
    #[must_use]
    pub fn has_head_norms(&self) -> bool {
        self.family == Family::Qwen3
    }

    /// The text of a `config.json` that transformers and [`ModelConfig::parse`] read as this configuration.
    /// `dtype` is `float32`, `float16` or `bfloat16`.
    #[must_use]
    pub fn to_json(&self, dtype: &str) -> String {
        let mut value = json!({
            "architectures": [self.family.architecture()],
            "model_type": self.family.as_str(),
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "head_dim": self.head_dim,
            "hidden_act": "silu",
            "max_position_embeddings": self.max_position_embeddings,
            "initializer_range": 0.02,
            // Through text, so that 1e-5 doesn't become the neighbouring f64 of the f32.
            "rms_norm_eps": self.rms_norm_eps.to_string().parse::<f64>().unwrap_or(1e-6),
            "rope_theta": self.rope_theta,
            "rope_scaling": self.rope_scaling.to_json(),
            "tie_word_embeddings": self.tie_word_embeddings,
            "attention_bias": self.qkv_bias && self.family != Family::Qwen2,
            "mlp_bias": self.mlp_bias,
            "bos_token_id": self.bos_token_id,
            "eos_token_id": self.eos_token_ids,
            "torch_dtype": dtype,
            "use_cache": true,
        });
        if let [only] = self.eos_token_ids.as_slice() {
            value["eos_token_id"] = json!(only);
        }
        format!("{value:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Value {
        json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32, "hidden_size": 16,
            "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true, "eos_token_id": [2, 3]
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> Error {
        let mut value = base();
        change(&mut value);
        ModelConfig::parse(&value.to_string()).expect_err("must be refused")
    }

    #[test]
    fn a_config_comes_back_from_its_own_json() {
        let config = ModelConfig::parse(&base().to_string()).unwrap();
        assert_eq!((config.head_dim, config.group_size()), (4, 2));
        assert_eq!(ModelConfig::parse(&config.to_json("float32")).unwrap(), config);
    }

    #[test]
    fn both_spellings_of_rope_mean_the_same() {
        let mut older = base();
        older["rope_theta"] = json!(5000.0);
        older["rope_scaling"] = json!({"type": "linear", "factor": 2.0});
        let mut newer = base();
        newer.as_object_mut().unwrap().remove("rope_theta");
        newer["rope_parameters"] = json!({"rope_type": "linear", "factor": 2.0, "rope_theta": 5000.0});
        assert_eq!(
            ModelConfig::parse(&older.to_string()).unwrap(),
            ModelConfig::parse(&newer.to_string()).unwrap()
        );
    }

    #[test]
    fn what_can_not_be_trained_is_refused_by_name() {
        assert_eq!(
            refusal(|value| value["model_type"] = json!("mamba")).code(),
            "unknown_architecture"
        );
        assert_eq!(
            refusal(|value| value["architectures"] = json!(["LlamaForSequenceClassification"])).code(),
            "unknown_architecture"
        );
        assert!(
            refusal(|value| value["use_sliding_window"] = json!(true))
                .to_string()
                .contains("sliding")
        );
        assert!(
            refusal(|value| value["num_local_experts"] = json!(8))
                .to_string()
                .contains("experts")
        );
        assert!(
            refusal(|value| value["hidden_act"] = json!("gelu"))
                .to_string()
                .contains("gelu")
        );
        assert!(
            refusal(|value| value["hidden_size"] = json!(-1))
                .to_string()
                .contains("hidden_size")
        );
        assert!(
            refusal(|value| value["num_key_value_heads"] = json!(3))
                .to_string()
                .contains("multiple")
        );
        assert!(
            refusal(|value| value["num_hidden_layers"] = json!(1_000_000_000))
                .to_string()
                .contains("num_hidden_layers")
        );
        let quantised = refusal(|value| value["quantization_config"] = json!({"quant_method": "gptq"}));
        assert_eq!(quantised.code(), "unsupported_quantisation");
        assert!(quantised.to_string().contains("gptq"), "{quantised}");
        assert_eq!(ModelConfig::parse("[1]").unwrap_err().code(), "invalid_model");
        assert_eq!(ModelConfig::parse("{}").unwrap_err().code(), "invalid_model");
    }
}
