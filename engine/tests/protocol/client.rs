//! What somebody asks of a job: `service/job_actions.rs`, `service/job_create.rs`, `service/job_retry.rs`, and the table
//! "States and actions" of docs/RUNS.md.

use crate::{
    Model,
    actions::{Action, Ask},
    bugs::Bug,
    state::{Server, State, Status, Supervisor, Wish},
};

impl Model {
    pub(crate) fn client_actions(&self, state: &State, all: &mut Vec<Action>) {
        if state.servers.iter().all(Option::is_none) {
            return;
        }
        let free = (0..)
            .zip(&state.jobs)
            .find(|(_, job)| job.row.status == Status::Absent);
        if let Some((new, _)) = free {
            all.push(Action::Client(Ask::Create, new));
        }
        if state.left.wishes == 0 {
            return;
        }
        for (job, it) in (0..).zip(&state.jobs) {
            let (status, stopping) = (it.row.status, it.row.wish == Some(Wish::Stop));
            let mut may = |ask| all.push(Action::Client(ask, job));
            // `refusal` in service/job_actions.rs.
            if matches!(status, Status::Validating | Status::Queued | Status::Running) && !stopping {
                may(Ask::Pause);
            }
            if status == Status::Paused {
                may(Ask::Resume);
            }
            if matches!(status, Status::Queued | Status::Running | Status::Paused)
                && it.row.step > 0
                && !stopping
            {
                may(Ask::Stop);
            }
            if !status.is_terminal() && status != Status::Absent {
                may(Ask::Cancel);
            }
            if self.bug == Some(Bug::CancelOverwrites) && status == Status::Succeeded {
                may(Ask::Cancel);
            }
            if let Some((new, _)) = free
                && status.rests()
                && status != Status::Absent
            {
                may(Ask::Retry(new));
            }
        }
    }

    /// The action's transaction, and whom it wakes after its commit.
    pub(crate) fn ask(&self, state: &mut State, ask: Ask, job: u8) {
        if ask != Ask::Create {
            state.left.wishes -= 1;
        }
        match ask {
            Ask::Create => create(state, job),
            Ask::Retry(new) => create(state, new),
            Ask::Pause => {
                let it = state.job(job);
                if it.row.status == Status::Running {
                    // `jobs::ask`
                    it.row.wish = Some(Wish::Pause);
                    it.row.status = Status::Pausing;
                    it.promises.asked = Some(Wish::Pause);
                    if self.bug == Some(Bug::PausedBeforeRecorded) {
                        it.promises.paused_at = Some(it.row.step);
                        it.move_to(Status::Paused);
                    }
                    self.nudge(state, job);
                } else {
                    it.move_to(Status::Paused);
                }
            }
            Ask::Resume => {
                let it = state.job(job);
                it.promises.paused_at = None;
                // `queued_at` tells whether its files were read.
                if it.row.validated {
                    // `jobs::requeue_paused`
                    it.row.status = Status::Queued;
                    it.row.wish = None;
                    if self.bug != Some(Bug::WokenBeforeCommit) {
                        wake(state);
                    }
                } else {
                    it.move_to(Status::Validating);
                    validate(state, job);
                }
            }
            Ask::Stop => {
                let it = state.job(job);
                it.row.wish = Some(Wish::Stop);
                it.promises.asked = Some(Wish::Stop);
                it.promises.paused_at = None;
                if it.row.status == Status::Paused {
                    it.row.status = Status::Queued;
                }
                self.nudge(state, job);
                wake(state);
            }
            Ask::Cancel => {
                state.job(job).move_to(Status::Cancelled);
                // `Running::cancel`
                for supervisor in listed(state, job) {
                    supervisor.cancelled = true;
                }
            }
        }
    }

    /// `Running::nudge`, after the commit.
    fn nudge(&self, state: &mut State, job: u8) {
        if self.bug != Some(Bug::NudgedBeforeCommit) {
            for supervisor in listed(state, job) {
                supervisor.nudged = true;
            }
        }
    }
}

/// `jobs::insert`: its files are read beside everything else.
fn create(state: &mut State, job: u8) {
    state.job(job).row.status = Status::Validating;
    validate(state, job);
}

fn validate(state: &mut State, job: u8) {
    if let Some(server) = asked(state) {
        server.validating.push(job);
    }
}

/// `Inner::work.notify_one`.
fn wake(state: &mut State) {
    if let Some(server) = asked(state) {
        server.work = true;
    }
}

/// The strings of `Running` that belong to a job.
fn listed(state: &mut State, job: u8) -> impl Iterator<Item = &mut Supervisor> {
    let supervisors = asked(state).into_iter().flat_map(|it| &mut it.supervisors);
    supervisors.filter(move |it| it.job == job && it.listed)
}

/// The server that takes requests.
fn asked(state: &mut State) -> Option<&mut Server> {
    state.servers.iter_mut().flatten().next()
}
