//! What the model remembers: the rows that the database keeps, the run directories on disk, the servers with their
//! supervisors, and the trainers. Each is cut down to what the protocol of docs/RUNS.md decides by; numbers are small.

use crate::{
    bounds::{Bounds, Left},
    disk::{Disk, Folder},
    trainer::{Line, Trainer},
};

/// A set of step numbers; 0 is the state before the first, of which there can be a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Steps(u16);

impl Steps {
    pub(crate) fn up_to(step: u8) -> Self {
        Self((1 << (step + 1)) - 2)
    }

    pub(crate) fn has(self, step: u8) -> bool {
        self.0 & (1 << step) != 0
    }

    pub(crate) fn add(&mut self, step: u8) {
        self.0 |= 1 << step;
    }

    pub(crate) fn cut(&mut self, step: u8) {
        self.0 &= Self::up_to(step).0;
    }

    pub(crate) fn highest(self) -> u8 {
        (1..16).rev().find(|step| self.has(*step)).unwrap_or(0)
    }

    /// `store::steps::contiguous`.
    pub(crate) fn contiguous(self) -> u8 {
        (1..16).find(|step| !self.has(*step)).unwrap_or(16) - 1
    }

    pub(crate) fn after(self, step: u8) -> impl Iterator<Item = u8> {
        (step + 1..16).filter(move |step| self.has(*step))
    }
}

/// `shared::status::JobStatus`, and that there is no such job yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Absent,
    Validating,
    Queued,
    Running,
    Pausing,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

impl Status {
    pub(crate) const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Nothing happens to it any more by itself.
    pub(crate) const fn rests(self) -> bool {
        self.is_terminal() || matches!(self, Self::Paused | Self::Absent)
    }

    pub(crate) const fn is_at_work(self) -> bool {
        matches!(self, Self::Running | Self::Pausing)
    }
}

/// What a trainer is told (`shared::run::RunCommand`), and what a job's row keeps as its wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wish {
    Pause,
    Stop,
}

/// A server that is gone, in a lease.
pub(crate) const GONE: u8 = u8::MAX;

/// The columns `lease_owner` and `lease_expires_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) server: u8,
    pub(crate) live: bool,
}

/// A job's rows in `jobs`, `steps`, `checkpoints` and `artifacts`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) status: Status,
    pub(crate) validated: bool,
    pub(crate) attempt: u8,
    pub(crate) lease: Option<Lease>,
    pub(crate) wish: Option<Wish>,
    pub(crate) step: u8,
    pub(crate) steps: Steps,
    pub(crate) checkpoints: Steps,
    pub(crate) artifacts: Vec<Artifact>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Artifact {
    pub(crate) attempt: u8,
    pub(crate) step: u8,
}

/// What no part of the system knows: what was promised, and whether it was broken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Promises {
    /// A wish that was acknowledged and is neither fulfilled nor replaced.
    pub(crate) asked: Option<Wish>,
    /// The step whose checkpoint made it paused, where a trainer had to save for that.
    pub(crate) paused_at: Option<u8>,
    /// Every end that was recorded.
    pub(crate) ends: Vec<Status>,
    /// A write was accepted whose fence didn't stand.
    pub(crate) stale_write: bool,
    /// A step was stored twice.
    pub(crate) doubled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) row: Row,
    pub(crate) disk: Disk,
    pub(crate) promises: Promises,
}

impl Job {
    /// `jobs::change_status` and `leases::end`, but for their conditions: whoever moves it so has it no longer.
    pub(crate) fn move_to(&mut self, status: Status) {
        self.row.status = status;
        self.row.lease = None;
        self.row.wish = None;
        self.promises.asked = None;
        if status.is_terminal() {
            self.promises.ends.push(status);
        }
    }

    /// `leases::requeue` and `leases::requeue_orphans`, but for their conditions.
    pub(crate) fn requeue(&mut self) {
        self.row.status = Status::Queued;
        self.row.lease = None;
    }
}

/// Where a supervisor is (`supervise::run`, `supervise::attempt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Minding {
    /// `wait_for_orphan`.
    Waiting,
    /// `attempt::mind`.
    Trainer,
    /// `attempt::let_go`.
    LettingGo,
    /// `supervise` has returned; it is still among those that run.
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Supervisor {
    pub(crate) job: u8,
    pub(crate) attempt: u8,
    pub(crate) doing: Minding,
    pub(crate) trainer: Option<Trainer>,
    /// It can be found by the job's name: told a wish, and its lease prolonged.
    pub(crate) listed: bool,
    pub(crate) nudged: bool,
    pub(crate) cancelled: bool,
    /// `attempt::Wish`.
    pub(crate) wanted: Option<Wish>,
    pub(crate) told: bool,
    pub(crate) recorded: u8,
    pub(crate) asked_to_leave: bool,
    pub(crate) last_word: Option<Line>,
    /// `Ingest`: the job's highest step, and the one that this attempt has come to.
    pub(crate) step: u8,
    pub(crate) reached: Option<u8>,
    /// It has started a trainer before.
    pub(crate) again: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    pub(crate) job: u8,
    pub(crate) attempt: u8,
    pub(crate) step: u8,
}

/// A server's memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) stopping: bool,
    /// The permit of `Inner::work`.
    pub(crate) work: bool,
    /// Claimed, and not yet minded: the row as the claim answered it.
    pub(crate) claimed: Option<Claim>,
    /// Jobs whose files are being read.
    pub(crate) validating: Vec<u8>,
    pub(crate) supervisors: Vec<Supervisor>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) jobs: Vec<Job>,
    /// By the number in leases; nothing where none is up.
    pub(crate) servers: Vec<Option<Server>>,
    /// Trainers whose server is gone, with their jobs.
    pub(crate) orphans: Vec<(u8, Trainer)>,
    pub(crate) left: Left,
}

impl State {
    pub(crate) fn first(bounds: &Bounds) -> Self {
        let job = Job {
            row: Row {
                status: Status::Absent,
                validated: false,
                attempt: 0,
                lease: None,
                wish: None,
                step: 0,
                steps: Steps::default(),
                checkpoints: Steps::default(),
                artifacts: Vec::new(),
            },
            disk: Disk {
                checkpoints: vec![Folder::default(); usize::from(bounds.steps) + 1],
                ..Disk::default()
            },
            promises: Promises::default(),
        };
        Self {
            jobs: vec![job; usize::from(bounds.jobs)],
            servers: vec![None; usize::from(bounds.servers)],
            orphans: Vec::new(),
            left: bounds.left,
        }
    }

    pub(crate) fn job(&mut self, job: u8) -> &mut Job {
        &mut self.jobs[usize::from(job)]
    }

    pub(crate) fn supervisor(&mut self, server: u8, at: u8) -> Option<&mut Supervisor> {
        let server = self.servers[usize::from(server)].as_mut()?;
        server.supervisors.get_mut(usize::from(at))
    }

    /// Every trainer that lives, or whose end nobody has seen, with its job.
    pub(crate) fn trainers(&self) -> impl Iterator<Item = (u8, &Trainer)> {
        let minded = self.servers.iter().flatten().flat_map(|server| {
            let supervisors = server.supervisors.iter();
            supervisors.filter_map(|it| Some((it.job, it.trainer.as_ref()?)))
        });
        minded.chain(self.orphans.iter().map(|(job, trainer)| (*job, trainer)))
    }
}
