//! Everything that can happen next. What it does stands with whoever does it: `client`, `server`, `supervisor`,
//! `trainer`, `disk`.

use crate::{Model, state::State, trainer::Doing};

/// One step of the whole system. A transaction is one step, because SQLite has one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Client(Ask, u8),
    Server(u8, ServerStep),
    /// A server's supervisor, by its place in the list.
    Supervisor(u8, u8, SupervisorStep),
    /// A trainer of a supervisor.
    Trainer(u8, u8, TrainerStep),
    /// A trainer whose server is gone, by its place in the list.
    Orphan(u8, TrainerStep),
    /// The machine loses power; what wasn't flushed is lost, or only bytes whose names were written are.
    PowerCut {
        names_kept: bool,
    },
}

/// What somebody asks by `/api` or `/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    Create,
    Pause,
    Resume,
    Stop,
    Cancel,
    /// A new job with the parent's settings.
    Retry(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ServerStep {
    Start,
    Validate(u8, bool),
    Claim(u8),
    Mind,
    /// Longer than a lease nothing of it runs.
    Sleep,
    Beat,
    Kill,
    Shutdown,
    Leave,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SupervisorStep {
    /// The lock is free, or there is something better to do than to wait for it.
    Begin,
    Ingest,
    ReadWish,
    SeeCancelled,
    SeeStopping,
    /// The time to leave is over: the trainer is killed.
    LosePatience,
    /// The trainer has left and all its lines are read.
    Judge,
    /// It goes off the list, and the queue is looked at.
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TrainerStep {
    /// Whatever comes next by itself.
    Go,
    /// Reads a command, or the end of its input.
    Obey,
    /// Reads `pause`, and can't write.
    FailToPause,
    Die,
    /// `nan_loss`, `disk_full` and the like.
    Refuse,
}

impl Action {
    /// Happens by itself, so that it can be counted on; the others may never come.
    pub(crate) const fn is_due(self) -> bool {
        match self {
            Self::Client(..) | Self::PowerCut { .. } => false,
            Self::Server(_, step) => {
                !matches!(step, ServerStep::Sleep | ServerStep::Kill | ServerStep::Shutdown)
            }
            Self::Supervisor(..) => true,
            Self::Trainer(_, _, step) | Self::Orphan(_, step) => {
                matches!(step, TrainerStep::Go | TrainerStep::Obey)
            }
        }
    }
}

impl Model {
    /// What can happen in a state.
    pub(crate) fn actions(&self, state: &State) -> Vec<Action> {
        let mut all = Vec::new();
        self.client_actions(state, &mut all);
        for (place, server) in (0..).zip(&state.servers) {
            self.server_actions(state, place, &mut all);
            let supervisors = server.iter().flat_map(|server| &server.supervisors);
            for (at, supervisor) in (0..).zip(supervisors) {
                self.supervisor_actions(state, place, supervisor, |step| {
                    all.push(Action::Supervisor(place, at, step));
                });
                if let Some(trainer) = &supervisor.trainer {
                    self.trainer_steps(state, trainer, |step| {
                        all.push(Action::Trainer(place, at, step));
                    });
                }
            }
        }
        for (at, (_, trainer)) in (0..).zip(&state.orphans) {
            self.trainer_steps(state, trainer, |step| all.push(Action::Orphan(at, step)));
        }
        if state.left.power_cuts > 0 {
            all.push(Action::PowerCut { names_kept: false });
            all.push(Action::PowerCut { names_kept: true });
        }
        all
    }

    /// The state after an action.
    pub(crate) fn after(&self, state: &State, action: Action) -> State {
        let mut next = state.clone();
        match action {
            Action::Client(ask, job) => self.ask(&mut next, ask, job),
            Action::Server(place, step) => self.server_step(&mut next, place, step),
            Action::Supervisor(place, at, step) => self.supervisor_step(&mut next, place, at, step),
            Action::Trainer(place, at, step) => {
                let taken = next.supervisor(place, at).map(|it| (it.job, it.trainer.take()));
                if let Some((job, Some(mut trainer))) = taken {
                    let free = self.lock_is_free(state, job);
                    self.trainer_step(&mut next, job, &mut trainer, step, free);
                    if let Some(supervisor) = next.supervisor(place, at) {
                        supervisor.trainer = Some(trainer);
                    }
                }
            }
            Action::Orphan(at, step) => {
                let (job, mut trainer) = next.orphans.remove(usize::from(at));
                let free = self.lock_is_free(state, job);
                self.trainer_step(&mut next, job, &mut trainer, step, free);
                if !matches!(trainer.doing, Doing::Left(_)) {
                    next.orphans.insert(usize::from(at), (job, trainer));
                }
            }
            Action::PowerCut { names_kept } => self.power_cut(&mut next, names_kept),
        }
        self.look_at_queue(&mut next);
        next
    }

    /// All that was asked for is done, and nobody is at work.
    pub(crate) fn is_quiet(state: &State) -> bool {
        state.jobs.iter().all(|job| job.row.status.rests())
            && state.orphans.is_empty()
            && state
                .servers
                .iter()
                .flatten()
                .all(|server| server.supervisors.is_empty() && server.claimed.is_none())
    }
}
