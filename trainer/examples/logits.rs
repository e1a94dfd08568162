//! Prints the scores of a model with an adapter over one text, for `reference/check_adapter.py`.
//!
//!     cargo run --release -p trainer --example logits -- MODEL ADAPTER TOKEN,TOKEN,…
//!
//! One line of JSON: `[tokens][vocabulary]`.

use anyhow::{Context, Result, bail};
use shared::run::LoraSpec;
use std::path::Path;
use trainer::{Model, generate::logits, lora::Adapter};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, adapter, tokens] = arguments.as_slice() else {
        bail!("usage: logits MODEL ADAPTER TOKEN,TOKEN,…");
    };
    let model = Model::load(Path::new(model))?;
    let folder = Path::new(adapter);
    let config = std::fs::read(folder.join("adapter_config.json")).context("reading adapter_config.json")?;
    let config: serde_json::Value = serde_json::from_slice(&config)?;
    let spec: LoraSpec = serde_json::from_value(serde_json::json!({
        "rank": config["r"], "alpha": config["lora_alpha"], "targets": config["target_modules"],
    }))?;
    let adapter = Adapter::load(folder, &model, &spec)?;
    let tokens: Vec<u32> = tokens.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let scores = logits(&model, Some(&adapter), &tokens)?;
    let rows: Vec<&[f32]> = scores.chunks_exact(model.config().vocab_size).collect();
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}
