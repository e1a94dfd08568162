//! Measures answering: how long a model takes to load, to the first token of an answer, and how many tokens a second
//! follow. `cargo xtask bench decode` runs it.
//!
//!     bench_decode [--threads N] [MODEL_DIR ...]
//!
//! Without a model: the bundled one, and one of random weights that has the shape of SmolLM2-135M, stored as bf16. Each
//! is measured without an adapter and with one of rank 16 on all projections, which is computed beside the weights.

use anyhow::{Context, Result};
use serde_json::json;
use shared::{
    inference::{InferParameters, Prompt},
    run::{LoraSpec, Projection},
};
use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};
use trainer::{
    Model, Precision,
    bench::peak_memory,
    complete::{Answerer, Named, Piece},
    config::ModelConfig,
    lora::Adapter,
};

/// Words of the prompt, and tokens of the answer.
const PROMPT: usize = 200;
const ANSWER: u32 = 128;
/// Answers of which the middle one counts.
const ROUNDS: u32 = 5;

fn main() -> Result<()> {
    let mut threads = 0;
    let mut models = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--threads" {
            threads = arguments.next().context("`--threads` takes a number")?.parse()?;
        } else {
            models.push(PathBuf::from(argument));
        }
    }
    let scratch = tempfile::tempdir()?;
    if models.is_empty() {
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets/attune-tiny");
        models = vec![bundled.clone(), larger(&bundled, scratch.path())?];
    }
    let told = if threads == 0 {
        "all".to_owned()
    } else {
        threads.to_string()
    };
    println!("{told} threads, {ANSWER} tokens of answer, medians of {ROUNDS}");
    println!(
        "model                    adapter  load ms  prompt  first token ms  same again ms  tokens/s  peak MB"
    );
    for model in models {
        measure(&model, threads)?;
    }
    Ok(())
}

fn measure(folder: &Path, threads: usize) -> Result<()> {
    let begun = Instant::now();
    let mut answerer = Answerer::load(folder, threads, None)?;
    let load = milliseconds(begun);
    let spec = LoraSpec {
        rank: 16,
        alpha: 32.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
    };
    let adapter = Adapter::random(answerer.model(), &spec, 1)?;
    for adapter in [
        None,
        Some(Named {
            id: 1,
            adapter: &adapter,
        }),
    ] {
        let (mut firsts, mut agains, mut rates, mut tokens) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for round in 0..ROUNDS {
            // Another beginning each time, so that nothing of it is known yet.
            let prompt = Prompt::Text(format!("{round} ") + &"a word ".repeat(PROMPT / 2));
            let (first, rate, read) = one(&mut answerer, adapter, &prompt)?;
            let (again, _, _) = one(&mut answerer, adapter, &prompt)?;
            firsts.push(first);
            agains.push(again);
            rates.push(rate);
            tokens = read;
        }
        println!(
            "{:24} {:7} {load:8.0} {tokens:7} {:15.1} {:14.1} {:9.1} {:8.0}",
            folder.file_name().unwrap_or_default().to_string_lossy(),
            if adapter.is_some() { "rank 16" } else { "none" },
            median(firsts),
            median(agains),
            median(rates),
            peak_memory().unwrap_or(0) as f64 / 1e6,
        );
    }
    Ok(())
}

/// Milliseconds to the first token, tokens a second after it, and tokens of the prompt.
fn one(answerer: &mut Answerer, adapter: Option<Named<'_>>, prompt: &Prompt) -> Result<(f64, f64, u32)> {
    let parameters = InferParameters {
        max_tokens: ANSWER,
        shorten: true,
        temperature: 1.0,
        seed: 1,
        ..InferParameters::default()
    };
    let (begun, mut first, mut tokens) = (Instant::now(), None, 0);
    let answered = answerer.answer(adapter, prompt, &parameters, None, &mut |piece| {
        match piece {
            Piece::Started(count) => tokens = count,
            Piece::Reading => {}
            Piece::Text(..) => {
                first.get_or_insert_with(Instant::now);
            }
        }
        ControlFlow::Continue(())
    })?;
    let (first, answered) = (
        first.context("no token came")?,
        answered.context("it was given up")?,
    );
    let rest = f64::from(answered.completion_tokens.saturating_sub(1));
    let rate = rest / first.elapsed().as_secs_f64();
    Ok(((first - begun).as_secs_f64() * 1e3, rate, tokens))
}

/// A model of random weights in the shape of SmolLM2-135M, with the bundled one's tokenizer.
fn larger(bundled: &Path, scratch: &Path) -> Result<PathBuf> {
    let folder = scratch.join("random-135m");
    fs::create_dir(&folder)?;
    let config = json!({
        "model_type": "llama", "vocab_size": 49_152, "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "eos_token_id": 0
    });
    Model::random(ModelConfig::parse(&config.to_string())?, 0)?.save(&folder, Precision::Bf16)?;
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(bundled.join(file), folder.join(file))?;
    }
    Ok(folder)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
