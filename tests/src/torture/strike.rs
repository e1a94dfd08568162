//! The ways in which a job is disturbed.

use crate::{process_tree, random::Random};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    path::Path,
    time::Duration,
};
use tokio::time::{interval, timeout};

/// What a process that was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// One kind of disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strike {
    /// SIGKILL for the trainer.
    Trainer,
    /// SIGKILL for the server; its trainer notices by itself.
    Server,
    /// SIGKILL for both.
    Both,
    /// Both, and the newest checkpoint is damaged before the next server starts.
    Torn,
    /// SIGSTOP for the trainer until the server kills it for its silence.
    Hung,
    /// SIGSTOP for the server until its leases have run out.
    Asleep,
}

impl Strike {
    pub(super) const ALL: [Self; 6] = [
        Self::Trainer,
        Self::Server,
        Self::Both,
        Self::Torn,
        Self::Hung,
        Self::Asleep,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Trainer => "trainer",
            Self::Server => "server",
            Self::Both => "both",
            Self::Torn => "both, checkpoint torn",
            Self::Hung => "trainer stopped, killed",
            Self::Asleep => "server asleep past its lease",
        }
    }

    /// Draws one: of a hundred, that many of each.
    pub(super) fn draw(random: &mut Random) -> Self {
        match random.below(100) {
            0..46 => Self::Trainer,
            46..74 => Self::Server,
            74..88 => Self::Both,
            88..94 => Self::Torn,
            94..97 => Self::Hung,
            _ => Self::Asleep,
        }
    }

    /// Whether a process is killed.
    pub(super) const fn kills(self) -> bool {
        !matches!(self, Self::Asleep)
    }

    /// Whether the server counts it as the trainer's own death.
    pub(super) const fn is_trainers_death(self) -> bool {
        matches!(self, Self::Trainer | Self::Hung)
    }

    /// Whether the time to the job's training again is held to the goal: elsewhere it has a wait in it that is meant.
    pub(super) const fn has_goal(self) -> bool {
        !matches!(self, Self::Hung | Self::Asleep)
    }
}

/// Waits until a process has ended, whether or not its parent has taken note.
pub(super) async fn gone(process: u32) {
    let mut ticks = interval(Duration::from_millis(1));
    let ended = async {
        while process_tree::is_alive(process) {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, ended).await.expect("a killed process ends");
}

/// SIGKILL, and back when it is dead.
pub(super) async fn kill(process: u32) {
    process_tree::signal(process, Signal::KILL);
    gone(process).await;
}

/// Cuts off or changes a byte of a random file of the newest checkpoint; nothing where there is none. Its step, and what
/// was done.
pub(super) fn tear_newest_checkpoint(run_dir: &Path, random: &mut Random) -> Option<String> {
    let entries = fs::read_dir(run_dir.join("checkpoints")).ok()?;
    let step: u64 = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("step-")?.parse().ok())
        .max()?;
    let folder = run_dir.join(format!("checkpoints/step-{step}"));
    let mut files: Vec<_> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let count = u64::try_from(files.len()).ok().filter(|count| *count > 0)?;
    let path = files.swap_remove(usize::try_from(random.below(count)).ok()?);
    let mut content = fs::read(&path).ok()?;
    let length = u64::try_from(content.len()).ok().filter(|length| *length > 0)?;
    let place = random.below(length);
    let name = path.file_name()?.to_string_lossy().into_owned();
    if random.below(2) == 0 {
        let file = File::options().write(true).open(&path).ok()?;
        file.set_len(place).ok()?;
        return Some(format!("`{name}` of step {step} ends after {place} bytes"));
    }
    *content.get_mut(usize::try_from(place).ok()?)? ^= 1 << random.below(8);
    fs::write(&path, content).ok()?;
    Some(format!("`{name}` of step {step} has another byte {place}"))
}
