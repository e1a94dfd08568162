//! What an earlier attempt left: the newest whole checkpoint, and the metrics up to it.

use super::{RunOptions, emitter::Emitter, metrics_log, prepare::spec_digest};
use crate::{
    Error,
    checkpoint::{self, Saved, State, relative_path},
};
use shared::{
    event::Level,
    run::{RunEvent, RunSpec},
};
use std::path::Path;

/// Where to go on.
#[derive(Debug)]
pub(super) struct Resumed {
    /// State of the newest whole checkpoint, if there's one.
    pub(super) state: Option<State>,
    /// All whole checkpoints, oldest first.
    pub(super) saved: Vec<Saved>,
}

/// Finds the newest whole checkpoint, cuts the metrics back to it, and tells again what the engine may have missed.
pub(super) fn find(
    run_dir: &Path,
    spec: &RunSpec,
    options: RunOptions,
    emitter: &mut Emitter,
) -> Result<Resumed, Error> {
    checkpoint::flush_names(run_dir)?;
    let (mut state, mut saved) = (None, Vec::new());
    for step in checkpoint::steps(run_dir) {
        match checkpoint::verify(run_dir, step) {
            Ok((newer, checkpoint)) => {
                state = Some(newer);
                saved.push(checkpoint);
            }
            Err(reason) => emitter.log(
                Level::Warn,
                format!(
                    "checkpoint {} can't be used and is passed over: {reason}",
                    relative_path(step)
                ),
            ),
        }
    }
    if let Some(state) = &state {
        if state.spec_sha256 != spec_digest(spec)? {
            return Err(Error::InvalidSpec(format!(
                "`spec.json` isn't the one that {} was trained with; restore it, or remove `checkpoints` to begin again",
                relative_path(state.step)
            )));
        }
        emitter.set_step(state.step);
    }
    let step = state.as_ref().map_or(0, |state| state.step);
    for (at, line) in metrics_log::truncate(run_dir, step)? {
        if at > options.replay_after {
            emitter.emit_line(&line);
        }
    }
    tell(&saved, emitter);
    Ok(Resumed { state, saved })
}

/// Tells of all whole checkpoints.
pub(super) fn tell(saved: &[Saved], emitter: &mut Emitter) {
    for checkpoint in saved {
        emitter.emit(&event(checkpoint));
    }
}

pub(super) fn event(saved: &Saved) -> RunEvent {
    RunEvent::Checkpoint {
        step: saved.step,
        path: relative_path(saved.step),
        bytes: saved.bytes,
        valid_loss: saved.valid_loss,
    }
}
