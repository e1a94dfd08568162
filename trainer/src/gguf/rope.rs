//! How a GGUF file says that rotary frequencies are stretched, as `rope_scaling`.

use super::{GgufFile, names::ROPE_FACTORS};
use crate::{Error, rope::RopeScaling};
use serde_json::{Map, json};

/// Llama 3.1 and its successors: the numbers that every one of their model cards gives; a file holds only what follows
/// from them.
const LLAMA3: (f64, f64, f64) = (1.0, 4.0, 8192.0);

/// What `rope_scaling` says, for this base and width of a head.
pub(super) fn scaling(
    file: &GgufFile,
    prefix: &str,
    theta: f64,
    head_dim: usize,
    context_length: usize,
) -> Result<RopeScaling, Error> {
    let metadata = &file.metadata;
    let key = |name: &str| format!("{prefix}.rope.scaling.{name}");
    let kind = metadata.text(&key("type"))?.unwrap_or("none");
    let told = if metadata.contains(&format!("{prefix}.rope.scale_linear")) {
        // The spelling of old files.
        let factor = metadata.float(&format!("{prefix}.rope.scale_linear"))?;
        linear(factor, context_length)?
    } else {
        match kind {
            "none" => RopeScaling::Default,
            "linear" => linear(metadata.float(&key("factor"))?, context_length)?,
            "yarn" => {
                if let Some(name) = [
                    "attn_factor",
                    "yarn_ext_factor",
                    "yarn_attn_factor",
                    "yarn_beta_fast",
                    "yarn_beta_slow",
                    "yarn_log_multiplier",
                ]
                .into_iter()
                .find(|name| metadata.contains(&key(name)))
                {
                    return Err(refusal(&format!("YaRN with `{}`", key(name))));
                }
                let mut map = Map::new();
                map.insert("rope_type".to_owned(), json!("yarn"));
                map.insert("factor".to_owned(), json!(metadata.float(&key("factor"))?));
                map.insert(
                    "original_max_position_embeddings".to_owned(),
                    json!(metadata.needed(&key("original_context_length"))?),
                );
                RopeScaling::parse(&map, context_length)?
            }
            other => return Err(refusal(&format!("rotary embeddings of type `{other}`"))),
        }
    };
    let Some(factors) = factors(file, head_dim)? else {
        return Ok(told);
    };
    if factors.iter().all(|factor| (factor - 1.0).abs() < 1e-6) {
        return Ok(told);
    }
    if told != RopeScaling::Default {
        return Err(refusal(&format!("`{ROPE_FACTORS}` beside another scaling")));
    }
    llama3(&factors, theta, head_dim)
}

fn linear(factor: Option<f64>, context_length: usize) -> Result<RopeScaling, Error> {
    match factor {
        None | Some(1.0) => Ok(RopeScaling::Default),
        Some(factor) => {
            let mut map = Map::new();
            map.insert("rope_type".to_owned(), json!("linear"));
            map.insert("factor".to_owned(), json!(factor));
            RopeScaling::parse(&map, context_length)
        }
    }
}

/// The divisors of the `head_dim / 2` frequencies, where the file holds some.
fn factors(file: &GgufFile, head_dim: usize) -> Result<Option<Vec<f64>>, Error> {
    let Some(tensor) = file.tensors.get(ROPE_FACTORS) else {
        return Ok(None);
    };
    if tensor.elements() != head_dim as u64 / 2 || tensor.shape.len() != 1 || tensor.kind.block() != 1 {
        return Err(refusal(&format!(
            "`{ROPE_FACTORS}` of the shape {:?}",
            tensor.shape
        )));
    }
    let mut factors = vec![0.0; head_dim / 2];
    file.read_rows(tensor, 0, &mut factors)?;
    Ok(Some(factors.into_iter().map(f64::from).collect()))
}

/// The scaling of Llama 3.1 from which these divisors follow.
fn llama3(factors: &[f64], theta: f64, head_dim: usize) -> Result<RopeScaling, Error> {
    let (low_freq_factor, high_freq_factor, original_max_position) = LLAMA3;
    let found = RopeScaling::Llama3 {
        factor: factors.iter().copied().fold(1.0, f64::max),
        low_freq_factor,
        high_freq_factor,
        original_max_position,
    };
    let (plain, _) = RopeScaling::Default.frequencies(theta, head_dim, 1);
    let (stretched, _) = found.frequencies(theta, head_dim, 1);
    let fits = plain
        .iter()
        .zip(&stretched)
        .zip(factors)
        .all(|((plain, stretched), factor)| (plain / stretched - factor).abs() <= 1e-4 * factor.abs());
    if fits {
        Ok(found)
    } else {
        Err(refusal(&format!(
            "`{ROPE_FACTORS}` whose factors aren't those of Llama 3.1"
        )))
    }
}

fn refusal(what: &str) -> Error {
    Error::InvalidModel(format!(
        "{what} can't be turned into a `config.json`; use the model's Hugging Face folder"
    ))
}
