//! One training run from its directory to its adapter: the whole of what `attune train RUN_DIR` does.
//!
//! Commands come in, event lines go out; see docs/RUNS.md. A broken output means that the engine is gone and is treated
//! like the end of the input: a checkpoint, then out.

mod commands;
mod emitter;
mod estimate;
mod examples;
mod finish;
mod metrics_log;
mod preference;
mod prepare;
mod resume;
mod training;

pub use commands::Commands;
pub use estimate::estimate;
pub use examples::examples;

use crate::{Error, pretrain::thread_pool};
use emitter::Emitter;
use rustix::fs::{FlockOperation, flock};
use shared::run::{RunEvent, exit_code};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

/// What the caller of a run decides, besides its directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Metrics of steps after this one are printed again on a resume: the caller has the others.
    pub replay_after: u64,
}

/// How a run ended, short of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Paused,
}

/// Runs with standard input and output; the result is the exit code of the process.
#[must_use]
pub fn main(run_dir: &Path, options: RunOptions) -> u8 {
    run(
        run_dir,
        options,
        Commands::from_stdin(),
        Box::new(std::io::stdout()),
    )
}

/// Runs with commands from anywhere and event lines to anywhere.
#[must_use]
pub fn run(run_dir: &Path, options: RunOptions, commands: Commands, out: Box<dyn Write + Send>) -> u8 {
    let mut emitter = Emitter::new(out);
    match attempt(run_dir, options, commands, &mut emitter) {
        Ok(Outcome::Done) => exit_code::DONE,
        Ok(Outcome::Paused) => exit_code::PAUSED,
        Err(error) => {
            note(&format!("failed: {error}"));
            emitter.emit(&RunEvent::Failed {
                step: emitter.step(),
                code: error.code().to_owned(),
                message: error.to_string(),
                line: error.line(),
            });
            error.exit_code()
        }
    }
}

fn attempt(
    run_dir: &Path,
    options: RunOptions,
    mut commands: Commands,
    emitter: &mut Emitter,
) -> Result<Outcome, Error> {
    let spec = prepare::read_spec(run_dir)?;
    let _lock = lock(run_dir)?;
    if finish::replay(run_dir, options, emitter)? {
        return Ok(Outcome::Done);
    }
    let pool = thread_pool(spec.threads as usize)?;
    pool.install(|| {
        let resumed = resume::find(run_dir, &spec, options, emitter)?;
        let prepared = prepare::prepare(run_dir, spec, resumed, emitter)?;
        let mut training = training::Training::new(run_dir, prepared)?;
        match training.run(&mut commands, emitter)? {
            training::End::Paused => Ok(Outcome::Paused),
            training::End::Finished { complete } => {
                training.shrink();
                finish::finish(run_dir, &training, complete, emitter)?;
                Ok(Outcome::Done)
            }
        }
    })
}

/// Takes `run.lock` for as long as the file stays open.
fn lock(run_dir: &Path) -> Result<File, Error> {
    let path = run_dir.join("run.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::write(&path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked),
        Err(error) => Err(Error::write(&path)(error.into())),
    }
}

/// One line on the standard error. Whether anybody reads it doesn't matter.
fn note(message: &str) {
    drop(writeln!(std::io::stderr(), "{message}"));
}

#[cfg(test)]
mod tests;
