//! The recipe of the bundled base model and of the example dataset: `cargo xtask base-model`.
//!
//! Everything is generated here from a seed: the reading tasks to pretrain on, the tokenizer, the weights, the example
//! chats. An interrupted run goes on where it was. Nothing is downloaded.

mod card;
mod dice;
#[cfg(test)]
mod disjoint;
mod example_task;
mod model;
mod reading;
mod tokenizer;

use anyhow::{Context, Result, bail};
use shared::training_line::Example;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};
use trainer::{Precision, chat::ChatTokenizer};

/// Keys the reading tasks and the first weights.
const PRETRAINING_SEED: u64 = 20_261_121;
/// Keys the chats to train on.
const TRAINING_SEED: u64 = 1;
/// Keys the chats to validate on.
const VALIDATION_SEED: u64 = 2;
/// How many reading tasks the tokenizer learns from.
const TOKENIZER_EXAMPLES: u64 = 20_000;

const USAGE: &str = "cargo xtask base-model [--only-data] [--fresh] [--out DIR]
  --only-data   write the example dataset and nothing else
  --fresh       forget the state of an interrupted run
  --out DIR     write here instead of engine/assets";

struct Arguments {
    only_data: bool,
    fresh: bool,
    out: PathBuf,
}

fn main() -> Result<()> {
    let Some(arguments) = parse(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(());
    };
    write_examples(&arguments.out.join("example"))?;
    if arguments.only_data {
        return Ok(());
    }
    let folder = arguments.out.join("attune-tiny");
    fs::create_dir_all(&folder).with_context(|| format!("creating `{}`", folder.display()))?;
    tokenizer::write(&folder, PRETRAINING_SEED, TOKENIZER_EXAMPLES)?;
    let tokenizer = ChatTokenizer::load(&folder, &model::config())?;
    let state = state_folder(&arguments.out);
    if arguments.fresh && state.exists() {
        fs::remove_dir_all(&state).with_context(|| format!("removing `{}`", state.display()))?;
    }
    let begun = Instant::now();
    let (model, loss) = model::make(PRETRAINING_SEED, &tokenizer, &state)?;
    model.save(&folder, Precision::Bf16)?;
    card::write(&folder, &model, PRETRAINING_SEED, loss)?;
    println!(
        "{} parameters, final loss {loss:?}, {:.1} minutes in this run; written to `{}`",
        model.parameters(),
        begun.elapsed().as_secs_f64() / 60.0,
        folder.display()
    );
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>> {
    let mut arguments = Arguments {
        only_data: false,
        fresh: false,
        out: assets(),
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--only-data" => arguments.only_data = true,
            "--fresh" => arguments.fresh = true,
            "--out" => arguments.out = PathBuf::from(value()?),
            "--help" | "-h" => return Ok(None),
            _ => bail!("`{word}` is not understood\n\n{USAGE}"),
        }
    }
    Ok(Some(arguments))
}

/// `engine/assets` of this repository.
fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets")
}

/// Where an interrupted run keeps its state: in the target folder for the repository's own assets.
fn state_folder(out: &Path) -> PathBuf {
    if out == assets() {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/base-model")
    } else {
        out.join("state")
    }
}

fn training_chats() -> Vec<Example> {
    example_task::chats(example_task::TRAINING, TRAINING_SEED, 600)
}

fn validation_chats() -> Vec<Example> {
    example_task::chats(example_task::VALIDATION, VALIDATION_SEED, 80)
}

fn write_examples(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("creating `{}`", folder.display()))?;
    for (name, chats) in [
        ("training.jsonl", training_chats()),
        ("validation.jsonl", validation_chats()),
    ] {
        let path = folder.join(name);
        fs::write(&path, jsonl(&chats)).with_context(|| format!("writing `{}`", path.display()))?;
    }
    let path = folder.join("README.md");
    fs::write(&path, card::EXAMPLE_README).with_context(|| format!("writing `{}`", path.display()))
}

fn jsonl(examples: &[Example]) -> String {
    examples
        .iter()
        .filter_map(|example| serde_json::to_string(example).ok())
        .map(|line| line + "\n")
        .collect()
}

fn write_json(path: &Path, value: &serde_json::Value) -> Result<()> {
    fs::write(path, format!("{value:#}\n")).with_context(|| format!("writing `{}`", path.display()))
}
