//! Checkpoints: `checkpoints/step-N/` with the adapter, the optimizer's moments and `state.json`, which holds the SHA-256
//! of the others and of itself. A folder that fails its digests is passed over for the one before.
//!
//! Randomness is counter-based, so its whole state is the seed and the step.

use crate::{
    Error,
    lora::{Adapter, TENSORS},
    optimizer::AdamW,
    schedule::LearningRate,
    storage::{self, PendingFolder, Written},
    tensor_file::{self, Precision, TensorFile},
};
use serde::{Deserialize, Serialize};
use shared::run::Schedule;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
const VERSION: u32 = 1;

/// Everything of a run that isn't a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) version: u32,
    /// Digest of what decides the result in `spec.json`: a checkpoint of other settings isn't resumed.
    pub(crate) spec_sha256: String,
    /// Optimizer steps done.
    pub(crate) step: u64,
    pub(crate) schedule: ScheduleState,
    pub(crate) data: DataPosition,
    /// Keys all randomness, together with the step.
    pub(crate) seed: u64,
    /// Target tokens trained on so far.
    pub(crate) trained_tokens: u64,
    /// Validation loss measured at this very step.
    pub(crate) valid_loss: Option<f64>,
    /// The lowest validation loss so far.
    pub(crate) best: Option<Best>,
    /// The other files of the folder.
    pub(crate) files: BTreeMap<String, FileDigest>,
    /// SHA-256 of this document with an empty string here.
    pub(crate) sha256: String,
}

/// The learning rate's course, so that a reader needs no other file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScheduleState {
    pub(crate) kind: Schedule,
    pub(crate) peak: f64,
    pub(crate) warmup_steps: u64,
    pub(crate) total_steps: u64,
}

impl From<LearningRate> for ScheduleState {
    fn from(rate: LearningRate) -> Self {
        let LearningRate {
            peak,
            schedule,
            warmup_steps,
            total_steps,
        } = rate;
        Self {
            kind: schedule,
            peak,
            warmup_steps,
            total_steps,
        }
    }
}

/// Where the next step begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataPosition {
    /// Epoch, from 0.
    pub(crate) epoch: u64,
    /// Examples of that epoch already seen.
    pub(crate) example: u64,
}

/// The best validation so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    pub(crate) step: u64,
    pub(crate) valid_loss: f64,
}

/// A file's digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileDigest {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

impl From<Written> for FileDigest {
    fn from(written: Written) -> Self {
        Self {
            sha256: written.sha256,
            bytes: written.bytes,
        }
    }
}

/// A checkpoint that is whole on disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saved {
    pub(crate) step: u64,
    pub(crate) bytes: u64,
    pub(crate) valid_loss: Option<f64>,
}

/// A checkpoint's folder, relative to the run directory.
pub(crate) fn relative_path(step: u64) -> String {
    format!("checkpoints/step-{step}")
}

impl State {
    pub(crate) fn new(spec_sha256: String, seed: u64, rate: LearningRate) -> Self {
        Self {
            version: VERSION,
            spec_sha256,
            step: 0,
            schedule: rate.into(),
            data: DataPosition { epoch: 0, example: 0 },
            seed,
            trained_tokens: 0,
            valid_loss: None,
            best: None,
            files: BTreeMap::new(),
            sha256: String::new(),
        }
    }

    fn own_digest(&self) -> Result<String, serde_json::Error> {
        let bare = Self {
            sha256: String::new(),
            ..self.clone()
        };
        use sha2::{Digest, Sha256};
        Ok(storage::hex(&Sha256::digest(serde_json::to_vec(&bare)?)))
    }
}

/// Writes a checkpoint of `state.step`; `before_visible` runs when all files are on disk but the name isn't there yet.
pub(crate) fn save(
    run_dir: &Path,
    state: &State,
    adapter: &Adapter,
    optimizer: &AdamW,
    base_model: &str,
    before_visible: impl FnOnce() -> Result<(), Error>,
) -> Result<Saved, Error> {
    let pending = PendingFolder::create(&run_dir.join(relative_path(state.step)))?;
    let mut files: BTreeMap<String, FileDigest> = adapter
        .write(base_model, &pending)?
        .into_iter()
        .map(|(name, written)| (name.to_owned(), written.into()))
        .collect();
    let mut tensors = Vec::new();
    for (suffix, moments) in [("exp_avg", &optimizer.first), ("exp_avg_sq", &optimizer.second)] {
        tensors.extend(adapter.tensors(moments).into_iter().map(|mut tensor| {
            tensor.name = format!("{}.{suffix}", tensor.name);
            tensor
        }));
    }
    let written = pending.write(OPTIMIZER, |mut out| {
        tensor_file::write(&mut out, tensors, Precision::F32)
    })?;
    files.insert(OPTIMIZER.to_owned(), written.into());
    let mut bytes: u64 = files.values().map(|file| file.bytes).sum();
    let mut state = State {
        files,
        ..state.clone()
    };
    bytes += pending
        .write(STATE, |out| {
            state.sha256 = state.own_digest()?;
            Ok(serde_json::to_writer_pretty(out, &state)?)
        })?
        .bytes;
    before_visible()?;
    pending.commit()?;
    Ok(Saved {
        step: state.step,
        bytes,
        valid_loss: state.valid_loss,
    })
}

/// What a checkpoint of an adapter takes on disk, about: its weights, two moments of each, and what describes them.
pub(crate) fn estimated_bytes(adapter: &Adapter) -> u64 {
    const DESCRIPTION: u64 = 128 * 1024;
    3 * 4 * adapter.parameters() as u64 + DESCRIPTION
}

/// Flushes the names of what an earlier attempt left, which may have been killed between a rename and its flush: what is
/// told to be whole outlives a loss of power.
pub(crate) fn flush_names(run_dir: &Path) -> Result<(), Error> {
    let checkpoints = run_dir.join("checkpoints");
    if checkpoints.is_dir() {
        storage::sync_folder(&checkpoints)?;
    }
    storage::sync_folder(run_dir)
}

/// The steps of all checkpoints, oldest first.
pub(crate) fn steps(run_dir: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(run_dir.join("checkpoints")) else {
        return Vec::new();
    };
    let mut steps: Vec<u64> = entries
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .strip_prefix("step-")?
                .parse()
                .ok()
        })
        .collect();
    steps.sort_unstable();
    steps
}

/// Reads a checkpoint's state and checks every digest.
pub(crate) fn verify(run_dir: &Path, step: u64) -> Result<(State, Saved), String> {
    let folder = run_dir.join(relative_path(step));
    let text = fs::read(folder.join(STATE)).map_err(|error| format!("`{STATE}` can't be read: {error}"))?;
    let state: State =
        serde_json::from_slice(&text).map_err(|error| format!("`{STATE}` is broken: {error}"))?;
    if state.version != VERSION {
        return Err(format!(
            "it is of version {}, this program reads version {VERSION}",
            state.version
        ));
    }
    if state.own_digest().ok().as_ref() != Some(&state.sha256) || state.step != step {
        return Err(format!("`{STATE}` doesn't agree with its own digest"));
    }
    for needed in [TENSORS, OPTIMIZER] {
        if !state.files.contains_key(needed) {
            return Err(format!("`{STATE}` doesn't mention `{needed}`"));
        }
    }
    for (name, file) in &state.files {
        match storage::digest(&folder.join(name)) {
            Ok(digest) if digest == file.sha256 => {}
            Ok(_) => return Err(format!("`{name}` doesn't agree with its digest")),
            Err(error) => return Err(error.to_string()),
        }
    }
    let bytes = text.len() as u64 + state.files.values().map(|file| file.bytes).sum::<u64>();
    let saved = Saved {
        step,
        bytes,
        valid_loss: state.valid_loss,
    };
    Ok((state, saved))
}

/// Reads the tensors of a verified checkpoint into an adapter of the same shape and its optimizer.
pub(crate) fn restore(run_dir: &Path, state: &State, adapter: Adapter) -> Result<(Adapter, AdamW), Error> {
    let folder: PathBuf = run_dir.join(relative_path(state.step));
    let adapter = adapter.with_values(&folder.join(TENSORS))?;
    let mut optimizer = AdamW::new(adapter.parameters());
    optimizer.step = state.step;
    let mut file = TensorFile::open(&folder.join(OPTIMIZER))?;
    for (suffix, moments) in [
        ("exp_avg", &mut optimizer.first),
        ("exp_avg_sq", &mut optimizer.second),
    ] {
        adapter.read_tensors(moments, |name, shape, out| {
            file.read(&format!("{name}.{suffix}"), shape, out)
        })?;
    }
    Ok((adapter, optimizer))
}

/// Which checkpoints are no longer kept: all but the newest `keep_last` (0 keeps all) and the one with the lowest
/// validation loss.
pub(crate) fn outdated(saved: &[Saved], keep_last: u32) -> Vec<u64> {
    if keep_last == 0 {
        return Vec::new();
    }
    let best = saved
        .iter()
        .filter_map(|checkpoint| Some((checkpoint.valid_loss?, checkpoint.step)))
        .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)))
        .map(|(_, step)| step);
    let newest = saved.len().saturating_sub(keep_last as usize);
    saved[..newest]
        .iter()
        .map(|checkpoint| checkpoint.step)
        .filter(|step| Some(*step) != best)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_and_the_best_are_kept() {
        let saved: Vec<Saved> = [
            (1, Some(3.0)),
            (2, Some(1.0)),
            (3, None),
            (4, Some(2.0)),
            (5, None),
        ]
        .map(|(step, valid_loss)| Saved {
            step,
            bytes: 0,
            valid_loss,
        })
        .to_vec();
        assert_eq!(outdated(&saved, 2), [1, 3]);
        assert_eq!(outdated(&saved, 1), [1, 3, 4]);
        assert!(outdated(&saved, 0).is_empty());
        assert!(outdated(&saved, 9).is_empty());
    }
}
