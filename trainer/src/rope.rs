//! Rotary position embeddings and the ways in which their frequencies are stretched.
//!
//! Sources: Su et al. 2021 (RoPE), Peng et al. 2023 (`YaRN`), the Llama 3.1 model card, and the conventions of
//! `config.json` in transformers, whose results these are.

use crate::Error;
use serde_json::{Map, Value, json};
use std::f64::consts::PI;

/// `rope_scaling` of `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// Plain frequencies.
    Default,
    /// All frequencies divided by the factor.
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Beyond the model's length the base grows with the length (NTK-aware).
    Dynamic {
        /// How much longer texts may be.
        factor: f64,
        /// The length up to which frequencies are plain.
        max_position: usize,
    },
    /// Low frequencies divided, high ones kept, smooth in between.
    Llama3 {
        /// The divisor of low frequencies.
        factor: f64,
        /// Below this many turns over the original length a frequency is low.
        low_freq_factor: f64,
        /// Above this many turns a frequency is high.
        high_freq_factor: f64,
        /// Length of the texts in pretraining.
        original_max_position: f64,
    },
    /// A ramp over the dimensions between divided and plain frequencies, and a scale on both tables.
    Yarn {
        /// The divisor of interpolated frequencies.
        factor: f64,
        /// Scale of cosines and sines.
        attention_factor: f64,
        /// Turns above which a dimension stays plain.
        beta_fast: f64,
        /// Turns below which a dimension is divided.
        beta_slow: f64,
        /// Length of the texts in pretraining.
        original_max_position: f64,
        /// Whether the ends of the ramp are rounded to whole dimensions.
        truncate: bool,
    },
}

impl RopeScaling {
    /// Reads `rope_scaling` or `rope_parameters`.
    pub(crate) fn parse(map: &Map<String, Value>, max_position: usize) -> Result<Self, Error> {
        let kind = ["rope_type", "type"]
            .iter()
            .find_map(|key| map.get(*key).and_then(Value::as_str));
        let optional = |name: &str| map.get(name).and_then(Value::as_f64);
        let number = |name: &str| {
            optional(name)
                .filter(|value| value.is_finite() && *value > 0.0)
                .ok_or_else(|| {
                    Error::InvalidModel(format!(
                        "`rope_scaling` in `config.json` lacks a positive `{name}`"
                    ))
                })
        };
        let original = || optional("original_max_position_embeddings").unwrap_or(max_position as f64);
        if optional("partial_rotary_factor").is_some_and(|factor| factor != 1.0) {
            return Err(Error::InvalidModel(
                "a model with `partial_rotary_factor` can't be trained here".to_owned(),
            ));
        }
        match kind.unwrap_or("default") {
            "default" => Ok(Self::Default),
            "linear" => Ok(Self::Linear {
                factor: number("factor")?,
            }),
            "dynamic" => Ok(Self::Dynamic {
                factor: number("factor")?,
                max_position,
            }),
            "llama3" => Ok(Self::Llama3 {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original_max_position: original(),
            }),
            "yarn" => {
                let original_max_position = original();
                let factor = optional("factor").unwrap_or(max_position as f64 / original_max_position);
                let magnitude = |scale: f64| {
                    if factor <= 1.0 {
                        1.0
                    } else {
                        0.1 * scale * factor.ln() + 1.0
                    }
                };
                let attention_factor = optional("attention_factor").unwrap_or_else(|| {
                    match (optional("mscale"), optional("mscale_all_dim")) {
                        (Some(scale), Some(all)) if scale != 0.0 && all != 0.0 => {
                            magnitude(scale) / magnitude(all)
                        }
                        _ => magnitude(1.0),
                    }
                });
                Ok(Self::Yarn {
                    factor,
                    attention_factor,
                    beta_fast: optional("beta_fast")
                        .filter(|value| *value != 0.0)
                        .unwrap_or(32.0),
                    beta_slow: optional("beta_slow").filter(|value| *value != 0.0).unwrap_or(1.0),
                    original_max_position,
                    truncate: map.get("truncate").and_then(Value::as_bool).unwrap_or(true),
                })
            }
            other => Err(Error::InvalidModel(format!(
                "rotary embeddings of type `{other}` can't be trained here; known are default, linear, dynamic, llama3 and yarn"
            ))),
        }
    }

    /// The value of `rope_scaling` that reads back as this.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Default => Value::Null,
            Self::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
            Self::Dynamic { factor, .. } => json!({"rope_type": "dynamic", "factor": factor}),
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position,
            } => json!({
                "rope_type": "llama3", "factor": factor, "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor, "original_max_position_embeddings": *original_max_position as u64,
            }),
            Self::Yarn {
                factor,
                attention_factor,
                beta_fast,
                beta_slow,
                original_max_position,
                truncate,
            } => json!({
                "rope_type": "yarn", "factor": factor, "attention_factor": attention_factor, "beta_fast": beta_fast,
                "beta_slow": beta_slow, "original_max_position_embeddings": *original_max_position as u64,
                "truncate": truncate,
            }),
        }
    }

    /// Frequencies of the `head_dim / 2` pairs for a sequence of this length, and the scale of both tables.
    pub(crate) fn frequencies(&self, theta: f64, head_dim: usize, length: usize) -> (Vec<f64>, f64) {
        let plain = |theta: f64| -> Vec<f64> {
            (0..head_dim / 2)
                .map(|pair| theta.powf(-((2 * pair) as f64) / head_dim as f64))
                .collect()
        };
        match *self {
            Self::Default => (plain(theta), 1.0),
            Self::Linear { factor } => (
                plain(theta).into_iter().map(|value| value / factor).collect(),
                1.0,
            ),
            Self::Dynamic { factor, max_position } => {
                let longest = length.max(max_position) as f64 / max_position as f64;
                let exponent = head_dim as f64 / (head_dim as f64 - 2.0);
                (
                    plain(theta * (factor * longest - (factor - 1.0)).powf(exponent)),
                    1.0,
                )
            }
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_position,
            } => {
                let stretch = |value: f64| {
                    let turns = original_max_position * value / (2.0 * PI);
                    let smooth =
                        ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
                    (1.0 - smooth) * value / factor + smooth * value
                };
                (plain(theta).into_iter().map(stretch).collect(), 1.0)
            }
            Self::Yarn {
                factor,
                attention_factor,
                beta_fast,
                beta_slow,
                original_max_position,
                truncate,
            } => {
                let dim = head_dim as f64;
                let correction =
                    |turns: f64| dim * (original_max_position / (turns * 2.0 * PI)).ln() / (2.0 * theta.ln());
                let (mut low, mut high) = (correction(beta_fast), correction(beta_slow));
                if truncate {
                    (low, high) = (low.floor(), high.ceil());
                }
                (low, high) = (low.max(0.0), high.min(dim - 1.0));
                if low == high {
                    high += 0.001;
                }
                let ramp = |pair: usize| ((pair as f64 - low) / (high - low)).clamp(0.0, 1.0);
                let frequencies = plain(theta)
                    .into_iter()
                    .enumerate()
                    .map(|(pair, value)| value / factor * ramp(pair) + value * (1.0 - ramp(pair)))
                    .collect();
                (frequencies, attention_factor)
            }
        }
    }
}

/// Cosines and sines for the first positions of a sequence.
#[derive(Debug, Clone, Default)]
pub(crate) struct RopeTable {
    /// `[positions, head_dim / 2]`.
    pub(crate) cos: Vec<f32>,
    /// `[positions, head_dim / 2]`.
    pub(crate) sin: Vec<f32>,
    half: usize,
}

impl RopeTable {
    /// Tables for `positions` positions of a sequence of `length` tokens.
    pub(crate) fn new(
        scaling: &RopeScaling,
        theta: f64,
        head_dim: usize,
        positions: usize,
        length: usize,
    ) -> Self {
        let (frequencies, scale) = scaling.frequencies(theta, head_dim, length);
        let mut table = Self {
            cos: Vec::new(),
            sin: Vec::new(),
            half: head_dim / 2,
        };
        for position in 0..positions {
            for frequency in &frequencies {
                // The angle is rounded to f32 as in the reference, whose tables are computed in f32.
                let angle = f64::from(position as f32 * *frequency as f32);
                table.cos.push((angle.cos() * scale) as f32);
                table.sin.push((angle.sin() * scale) as f32);
            }
        }
        table
    }

    /// Number of positions held.
    pub(crate) fn positions(&self) -> usize {
        self.cos.len().checked_div(self.half).unwrap_or(0)
    }

    /// Cosines and sines of one position.
    #[inline(always)]
    pub(crate) fn at(&self, position: usize) -> (&[f32], &[f32]) {
        let range = position * self.half..(position + 1) * self.half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frequencies(config: &Value, length: usize) -> (Vec<f64>, f64) {
        RopeScaling::parse(config.as_object().unwrap(), 64)
            .unwrap()
            .frequencies(10_000.0, 8, length)
    }

    #[test]
    fn each_scaling_touches_the_frequencies_it_should() {
        let (plain, _) = frequencies(&json!({"rope_type": "default"}), 10);
        assert_eq!(plain, [1.0, 0.1, 0.01, 0.001]);
        let (linear, _) = frequencies(&json!({"type": "linear", "factor": 4.0}), 10);
        assert!(
            linear
                .iter()
                .zip(&plain)
                .all(|(stretched, value)| (stretched * 4.0 - value).abs() < 1e-12)
        );
        let dynamic = json!({"type": "dynamic", "factor": 2.0});
        assert_eq!(frequencies(&dynamic, 64).0, plain);
        assert!(frequencies(&dynamic, 128).0[3] < plain[3]);
        let (llama, _) = frequencies(
            &json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                    "original_max_position_embeddings": 32}),
            10,
        );
        assert_eq!(llama[0], 1.0);
        assert!((llama[3] - 0.001 / 8.0).abs() < 1e-12);
    }

    #[test]
    fn yarn_scales_both_tables_and_an_unknown_type_is_refused() {
        let (yarn, scale) = frequencies(&json!({"rope_type": "yarn", "factor": 4.0}), 10);
        assert!((scale - (0.1 * 4.0_f64.ln() + 1.0)).abs() < 1e-12);
        assert_eq!(yarn[0], 1.0);
        assert!(yarn[3] < 0.001);
        let unknown = json!({"rope_type": "longrope"});
        assert!(RopeScaling::parse(unknown.as_object().unwrap(), 64).is_err());
    }
}
