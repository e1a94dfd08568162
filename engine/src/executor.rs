//! Who starts trainers: a child process, or a double in tests.

pub mod child;
pub(crate) mod tool;

use shared::run::{RunCommand, RunEvent};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::{mpsc, oneshot};

/// What a trainer is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The run directory.
    pub run_dir: PathBuf,
    /// The trainer tells again what it measured after this step, because nobody has recorded that.
    pub replay_after: u64,
    /// Where its standard error goes.
    pub log: PathBuf,
}

/// A trainer at work. Dropping it closes the trainer's standard input, at which it saves and leaves.
#[derive(Debug)]
pub struct Trainer {
    /// What it tells, in order; closed when its standard output is.
    pub events: mpsc::Receiver<RunEvent>,
    /// What to tell it.
    pub control: mpsc::UnboundedSender<Control>,
    /// The most memory that it had by the event that was told last, in bytes; 0 where that isn't known.
    pub peak_memory: Arc<AtomicU64>,
    /// How it ended, once it has.
    pub exit: oneshot::Receiver<Exit>,
}

/// What a trainer can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// One line on its standard input.
    Command(RunCommand),
    /// Ended at once, without being asked.
    Kill,
}

/// How a trainer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With an exit code; see `shared::run::exit_code`.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody knows.
    Unknown,
}

/// Starts trainers.
pub trait Executor: Send + Sync + 'static {
    /// Starts one. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The trainer could not be started.
    fn spawn(&self, launch: &Launch) -> io::Result<Trainer>;
}
