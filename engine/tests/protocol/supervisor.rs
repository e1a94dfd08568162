//! A supervisor and what it writes: `supervise/run.rs`, `attempt.rs`, `ingest.rs`, `finish.rs`, `store/leases.rs`, and the
//! tables "What is committed together" and "What each death leads to" of docs/RUNS.md.

use crate::{
    Model,
    actions::SupervisorStep,
    bugs::Bug,
    state::{Artifact, Job, Minding, Row, State, Status, Supervisor, Wish},
    trainer::{Doing, Exit, Line, Trainer},
};

impl Model {
    pub(crate) fn supervisor_actions(
        &self,
        state: &State,
        server: u8,
        it: &Supervisor,
        mut may: impl FnMut(SupervisorStep),
    ) {
        let stopping = state.servers[usize::from(server)]
            .as_ref()
            .is_some_and(|it| it.stopping);
        match it.doing {
            Minding::Waiting => {
                if it.cancelled || stopping || self.lock_is_free(state, it.job) {
                    may(SupervisorStep::Begin);
                }
            }
            Minding::Trainer => {
                let Some(trainer) = &it.trainer else { return };
                if it.cancelled {
                    may(SupervisorStep::SeeCancelled);
                }
                if stopping && !it.asked_to_leave {
                    may(SupervisorStep::SeeStopping);
                }
                if it.nudged {
                    may(SupervisorStep::ReadWish);
                }
                if !trainer.lines.is_empty() {
                    may(SupervisorStep::Ingest);
                } else if trainer.has_left() {
                    may(SupervisorStep::Judge);
                }
                if it.asked_to_leave && !trainer.has_left() {
                    may(SupervisorStep::LosePatience);
                }
            }
            Minding::LettingGo => match it.trainer.as_ref().is_none_or(Trainer::has_left) {
                true => may(SupervisorStep::Judge),
                false => may(SupervisorStep::LosePatience),
            },
            Minding::Over => may(SupervisorStep::Remove),
        }
    }

    pub(crate) fn supervisor_step(&self, state: &mut State, server: u8, at: u8, step: SupervisorStep) {
        let Some(job) = state.supervisor(server, at).map(|it| it.job) else {
            return;
        };
        let lock_is_free = self.lock_is_free(state, job);
        let Some(of) = state.servers[usize::from(server)].as_mut() else {
            return;
        };
        if step == SupervisorStep::Remove {
            // `Running::remove`, and the wake-up that follows it.
            let gone = of.supervisors.remove(usize::from(at));
            if self.bug == Some(Bug::KnownByJobAlone) {
                for other in of.supervisors.iter_mut().filter(|it| it.job == gone.job) {
                    other.listed = false;
                }
            }
            of.work = true;
            return;
        }
        let stopping = of.stopping;
        let it = &mut of.supervisors[usize::from(at)];
        let job = &mut state.jobs[usize::from(it.job)];
        match step {
            SupervisorStep::Remove => {}
            SupervisorStep::Begin if it.cancelled || stopping => {
                self.give_back(job, server, it);
            }
            // The trainer is started, then what is wished is read: the list has it, so a later wish nudges it.
            SupervisorStep::Begin if lock_is_free => {
                it.doing = Minding::Trainer;
                it.trainer = Some(Trainer::start(job.row.steps.contiguous()));
                it.reached = None;
                it.last_word = None;
                it.wanted = None;
                if !(it.again && self.bug == Some(Bug::WishForgottenByNewAttempt)) {
                    read_wish(&job.row, it);
                }
                it.told = false;
            }
            SupervisorStep::Begin => {}
            SupervisorStep::Ingest => self.ingest(job, server, it),
            SupervisorStep::ReadWish => {
                it.nudged = false;
                let before = it.wanted;
                read_wish(&job.row, it);
                it.told &= it.wanted == before;
            }
            SupervisorStep::SeeCancelled => {
                it.trainer = None;
                it.doing = Minding::Over;
            }
            SupervisorStep::SeeStopping => {
                it.asked_to_leave = true;
                tell(it, Wish::Pause);
            }
            SupervisorStep::LosePatience => kill(it),
            SupervisorStep::Judge if it.doing == Minding::LettingGo => {
                it.trainer = None;
                it.doing = Minding::Over;
            }
            SupervisorStep::Judge => self.judge(job, server, it),
        }
        self.tell_what_is_due(it);
    }

    /// The top of the loop in `attempt::mind`, with `Wish::due`.
    fn tell_what_is_due(&self, it: &mut Supervisor) {
        if it.doing != Minding::Trainer || it.asked_to_leave || it.told {
            return;
        }
        let due = match it.wanted {
            Some(Wish::Stop) if self.bug != Some(Bug::StopToldTooEarly) => {
                it.reached.is_some_and(|step| step >= it.recorded)
            }
            wanted => wanted.is_some(),
        };
        if let Some(wish) = it.wanted.filter(|_| due) {
            it.told = true;
            tell(it, wish);
        }
    }

    /// The condition of every write (`held!` in store/leases.rs). Notes where one is let through that mustn't be.
    fn may_write(&self, job: &mut Job, server: u8, it: &Supervisor) -> bool {
        let row = &job.row;
        let is = |attempt: bool, lease: bool| {
            let ours = row
                .lease
                .is_some_and(|held| held.server == server && (held.live || !lease));
            ours && row.status.is_at_work() && (row.attempt == it.attempt || !attempt)
        };
        let accepted = is(
            self.bug != Some(Bug::NoFencingByAttempt),
            self.bug != Some(Bug::NoLeaseCheck),
        );
        let stands = is(true, true);
        job.promises.stale_write |= accepted && !stands;
        accepted
    }

    /// `leave`: the job goes back to the queue, if it is still ours.
    fn give_back(&self, job: &mut Job, server: u8, it: &mut Supervisor) {
        if self.may_write(job, server, it) {
            job.requeue();
        }
        it.trainer = None;
        it.doing = Minding::Over;
    }

    /// One line in one transaction: a batch is several of these at once, so it passes through no other state.
    fn ingest(&self, job: &mut Job, server: u8, it: &mut Supervisor) {
        if !self.may_write(job, server, it) {
            return let_go(it);
        }
        let Some(trainer) = &mut it.trainer else { return };
        let (row, promises) = (&mut job.row, &mut job.promises);
        let line = trainer.lines.remove(0);
        match line {
            Line::Training(step) => it.reached = it.reached.or(Some(step)),
            Line::Metrics(step) => {
                promises.doubled |= row.steps.has(step) && self.bug == Some(Bug::ReplayStoredTwice);
                row.steps.add(step);
                it.reached = it.reached.map(|reached| reached.max(step));
                if step > it.step {
                    it.step = step;
                    row.step = step;
                }
            }
            Line::Checkpoint(step) => row.checkpoints.add(step),
            // `leases::pause_failed`; then the wish is read again.
            Line::PauseFailed => {
                if row.status == Status::Pausing {
                    row.status = Status::Running;
                    row.wish = None;
                    promises.asked = None;
                }
                read_wish(row, it);
                it.told = false;
                if it.asked_to_leave {
                    kill(it);
                }
            }
            Line::Paused(_) | Line::Done => it.last_word = Some(line),
        }
    }

    /// `post_mortem::judge`, and what `run` makes of it.
    fn judge(&self, job: &mut Job, server: u8, it: &mut Supervisor) {
        let Some(Doing::Left(exit)) = it.trainer.as_ref().map(|trainer| trainer.doing) else {
            return;
        };
        it.trainer = None;
        match (exit, it.last_word) {
            (Exit::Done, Some(Line::Done)) => self.succeed(job, server, it),
            // `finish::pause`: only with the checkpoint of that very step recorded.
            (Exit::Paused, Some(Line::Paused(step))) if it.wanted == Some(Wish::Pause) => {
                if job.row.checkpoints.has(step) && self.may_write(job, server, it) {
                    job.move_to(Status::Paused);
                    job.promises.paused_at = Some(step);
                    it.doing = Minding::Over;
                } else {
                    self.restart(job, server, it);
                }
            }
            (Exit::Refused, _) => {
                if self.may_write(job, server, it) {
                    job.move_to(Status::Failed);
                }
                it.doing = Minding::Over;
            }
            _ if it.asked_to_leave => self.give_back(job, server, it),
            (Exit::Locked, _) => it.doing = Minding::Waiting,
            _ => self.restart(job, server, it),
        }
    }

    /// `finish::succeed`: status, artifact and the attempt's end in one transaction.
    fn succeed(&self, job: &mut Job, server: u8, it: &mut Supervisor) {
        let accepted = match self.bug {
            Some(Bug::CompleteOverwrites) => !job.row.status.rests() || job.row.status == Status::Cancelled,
            _ => self.may_write(job, server, it),
        };
        it.doing = Minding::Over;
        if !accepted {
            return;
        }
        let step = job.disk.result.map_or(0, |(step, _)| step);
        job.move_to(Status::Succeeded);
        if self.bug != Some(Bug::SuccessInTwo) {
            job.row.artifacts.push(Artifact {
                attempt: it.attempt,
                step,
            });
        }
    }

    /// `restart`: the next attempt within the same lease. That the fifth in vain fails the job isn't modelled.
    fn restart(&self, job: &mut Job, server: u8, it: &mut Supervisor) {
        if !self.may_write(job, server, it) {
            it.doing = Minding::Over;
            return;
        }
        job.row.attempt += 1;
        it.attempt = job.row.attempt;
        it.doing = Minding::Waiting;
        it.again = true;
        if self.bug == Some(Bug::ProgressMovesBack) {
            it.step = 0;
        }
    }
}

/// `leases::wish`
fn read_wish(row: &Row, it: &mut Supervisor) {
    let ours = row.attempt == it.attempt;
    it.wanted = row.wish.filter(|_| ours);
    it.recorded = if ours { row.step } else { 0 };
}

fn tell(it: &mut Supervisor, wish: Wish) {
    if let Some(trainer) = it.trainer.as_mut().filter(|it| !it.has_left()) {
        trainer.told.push(wish);
    }
}

/// `attempt::let_go`: of a cancelled job the trainer is killed; of another it saves, and nothing it tells is stored.
fn let_go(it: &mut Supervisor) {
    it.doing = Minding::LettingGo;
    if it.cancelled {
        return kill(it);
    }
    tell(it, Wish::Pause);
    if let Some(trainer) = &mut it.trainer {
        trainer.deafen();
    }
}

fn kill(it: &mut Supervisor) {
    if let Some(trainer) = it.trainer.as_mut().filter(|it| !it.has_left()) {
        trainer.doing = Doing::Left(Exit::Killed);
    }
}
