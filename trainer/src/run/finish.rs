//! The result: `adapter/`, on request `merged/`, and `result.json`, by which a later attempt sees that all is done.

use super::{RunOptions, emitter::Emitter, metrics_log, resume, training::Training};
use crate::{
    Error, Precision,
    checkpoint::{self, FileDigest},
    storage::{self, PendingFolder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::run::{RunEvent, Stage};
use std::{collections::BTreeMap, fs, path::Path};

/// Files beside the weights that a merged model needs, too.
const COMPANIONS: [&str; 9] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "generation_config.json",
];

/// What `result.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    step: u64,
    trained_tokens: u64,
    complete: bool,
    /// The files of `adapter/`.
    files: BTreeMap<String, FileDigest>,
}

fn summary(run_dir: &Path) -> Option<Summary> {
    serde_json::from_slice(&fs::read(run_dir.join("result.json")).ok()?).ok()
}

/// Whether an earlier attempt was told to stop at this step but couldn't finish saving.
pub(super) fn was_stopped_at(run_dir: &Path, step: u64) -> bool {
    summary(run_dir).is_some_and(|summary| !summary.complete && summary.step == step)
}

/// If the result is already whole, tells everything again and says so.
pub(super) fn replay(run_dir: &Path, options: RunOptions, emitter: &mut Emitter) -> Result<bool, Error> {
    let Some(summary) = summary(run_dir) else {
        return Ok(false);
    };
    let whole = |(name, file): (&String, &FileDigest)| {
        storage::digest(&run_dir.join("adapter").join(name)).is_ok_and(|digest| digest == file.sha256)
    };
    if summary.files.is_empty() || !summary.files.iter().all(whole) {
        return Ok(false);
    }
    checkpoint::flush_names(run_dir)?;
    emitter.set_step(summary.step);
    for (step, line) in metrics_log::read(run_dir) {
        if step > options.replay_after {
            emitter.emit_line(&line);
        }
    }
    let saved: Vec<_> = checkpoint::steps(run_dir)
        .into_iter()
        .filter_map(|step| checkpoint::verify(run_dir, step).ok())
        .map(|(_, saved)| saved)
        .collect();
    resume::tell(&saved, emitter);
    tell_done(&summary, emitter);
    Ok(true)
}

/// Writes the result and tells of it.
pub(super) fn finish(
    run_dir: &Path,
    training: &Training,
    complete: bool,
    emitter: &mut Emitter,
) -> Result<(), Error> {
    emitter.stage(Stage::Saving, Some(training.run.rate.total_steps));
    if training.run.spec.merge {
        merge(run_dir, training)?;
    }
    let run = &training.run;
    let pending = PendingFolder::create(&run_dir.join("adapter"))?;
    let files = run.adapter.write(&run.spec.base_model, &pending)?;
    let summary = Summary {
        step: run.state.step,
        trained_tokens: run.state.trained_tokens,
        complete,
        files: files
            .into_iter()
            .map(|(name, written)| (name.to_owned(), written.into()))
            .collect(),
    };
    let path = run_dir.join("result.json");
    let text = serde_json::to_vec_pretty(&summary).map_err(|error| Error::write(&path)(error.into()))?;
    storage::replace_file(&path, &text)?;
    pending.commit()?;
    tell_done(&summary, emitter);
    Ok(())
}

fn tell_done(summary: &Summary, emitter: &mut Emitter) {
    let Summary {
        step,
        trained_tokens,
        complete,
        ..
    } = *summary;
    emitter.emit(&RunEvent::Done {
        step,
        trained_tokens,
        complete,
    });
}

/// Writes `merged/`: the base model with the adapter added in, f32, and what belongs to its tokenizer.
fn merge(run_dir: &Path, training: &Training) -> Result<(), Error> {
    let run = &training.run;
    let pending = PendingFolder::create(&run_dir.join("merged"))?;
    run.adapter.save_merged(&run.model, pending.path())?;
    // The model's own configuration, because it may say more than ours.
    let path = run.model_folder.join("config.json");
    let text = fs::read(&path).map_err(Error::read(&path))?;
    if let Ok(Value::Object(mut config)) = serde_json::from_slice(&text) {
        config.remove("dtype");
        config.insert("torch_dtype".to_owned(), json!(Precision::F32.as_str()));
        let text = format!("{:#}\n", Value::Object(config));
        pending.write("config.json", |out| out.write_all(text.as_bytes()))?;
    }
    for name in COMPANIONS {
        let from = run.model_folder.join(name);
        if from.exists() {
            let content = fs::read(&from).map_err(Error::read(&from))?;
            pending.write(name, |out| out.write_all(&content))?;
        }
    }
    pending.commit()
}
