//! A server: start and recovery (`service.rs`), the queue at work (`supervise.rs`, `store/queue.rs`), and its ends.

use crate::{
    Model,
    actions::{Action, ServerStep},
    bugs::Bug,
    state::{Claim, GONE, Lease, Minding, Row, Server, State, Status, Supervisor, Wish},
};

impl Model {
    pub(crate) fn server_actions(&self, state: &State, place: u8, all: &mut Vec<Action>) {
        let mut may = |step| all.push(Action::Server(place, step));
        let Some(server) = &state.servers[usize::from(place)] else {
            return may(ServerStep::Start);
        };
        for job in &server.validating {
            may(ServerStep::Validate(*job, true));
            if state.left.faults > 0 {
                may(ServerStep::Validate(*job, false));
            }
        }
        if self.has_free_slot(server) && server.work {
            for (job, it) in (0..).zip(&state.jobs) {
                if it.row.status == Status::Queued {
                    may(ServerStep::Claim(job));
                }
            }
        }
        if server.claimed.is_some() {
            may(ServerStep::Mind);
        }
        let holds = |lease: Option<Lease>| lease.is_some_and(|it| it.server == place && it.live);
        if state.left.sleeps > 0 && state.jobs.iter().any(|job| holds(job.row.lease)) {
            may(ServerStep::Sleep);
        }
        if state
            .jobs
            .iter()
            .any(|job| job.row.lease.is_some_and(|it| !it.live))
        {
            may(ServerStep::Beat);
        }
        if state.left.server_ends > 0 {
            may(ServerStep::Kill);
            if !server.stopping {
                may(ServerStep::Shutdown);
            }
        }
        if server.stopping && server.supervisors.is_empty() && server.claimed.is_none() {
            may(ServerStep::Leave);
        }
    }

    /// `start_queued`: as many trainers as `engine.max_running`, and none any more once the server goes down.
    fn has_free_slot(&self, server: &Server) -> bool {
        let listed = server.supervisors.iter().filter(|it| it.listed).count();
        !server.stopping && server.claimed.is_none() && listed < usize::from(self.bounds.slots)
    }

    /// A permit of `work` is spent by a look at the queue that finds no job or no slot. The look every five seconds
    /// isn't modelled: wake-ups must do without it.
    pub(crate) fn look_at_queue(&self, state: &mut State) {
        let waits = state.jobs.iter().any(|job| job.row.status == Status::Queued);
        for server in state.servers.iter_mut().flatten() {
            if server.claimed.is_none() && !(waits && self.has_free_slot(server)) {
                server.work = false;
            }
        }
    }

    pub(crate) fn server_step(&self, state: &mut State, place: u8, step: ServerStep) {
        let at = usize::from(place);
        if step == ServerStep::Start {
            return self.start(state, at);
        }
        let Some(server) = &mut state.servers[at] else {
            return;
        };
        match step {
            ServerStep::Start => {}
            // `service/job_validation.rs`: moves the job only from where it was read.
            ServerStep::Validate(job, good) => {
                if let Some(found) = server.validating.iter().position(|it| *it == job) {
                    server.validating.remove(found);
                }
                let it = &mut state.jobs[usize::from(job)];
                if it.row.status != Status::Validating {
                    return;
                }
                if good {
                    it.row.validated = true;
                    it.row.status = Status::Queued;
                    server.work = true;
                } else {
                    it.move_to(Status::Failed);
                    state.left.faults -= 1;
                }
            }
            // `queue::claim`; which of the jobs that wait is next is fairness, and not modelled.
            ServerStep::Claim(job) => {
                let it = &mut state.jobs[usize::from(job)];
                server.claimed = Some(Claim {
                    job,
                    attempt: it.row.attempt + 1,
                    step: it.row.step,
                });
                if self.bug != Some(Bug::ClaimWithoutCompareAndSet) {
                    claim(&mut it.row, place);
                }
            }
            // `Running::add`, then `run::supervise`.
            ServerStep::Mind => {
                let Some(claimed) = server.claimed.take() else {
                    return;
                };
                if self.bug == Some(Bug::ClaimWithoutCompareAndSet) {
                    claim(&mut state.jobs[usize::from(claimed.job)].row, place);
                }
                if self.bug == Some(Bug::KnownByJobAlone) {
                    for other in server.supervisors.iter_mut().filter(|it| it.job == claimed.job) {
                        other.listed = false;
                    }
                }
                server.supervisors.push(supervise(claimed));
            }
            // Every lease runs out before one is prolonged.
            ServerStep::Sleep => {
                state.left.sleeps -= 1;
                for job in &mut state.jobs {
                    if let Some(lease) = job.row.lease.as_mut().filter(|it| it.server == place) {
                        lease.live = false;
                    }
                }
            }
            // `beat`: a lease that has run out isn't prolonged, and its job is queued again.
            ServerStep::Beat => {
                server.work = true;
                self.requeue(state, |lease| !lease.live);
            }
            // "server, killed": trainers see the end of their input, and nobody takes their lines.
            ServerStep::Kill => {
                state.left.server_ends -= 1;
                self.end(state, at);
            }
            // `Service::shutdown`
            ServerStep::Shutdown => {
                state.left.server_ends -= 1;
                server.stopping = true;
            }
            ServerStep::Leave => self.end(state, at),
        }
    }

    /// `Service::recover`. The data folder's lock has made sure that no other server is up, so every lease is a dead
    /// one's.
    fn start(&self, state: &mut State, at: usize) {
        if self.bug != Some(Bug::OrphansNotRequeued) {
            self.requeue(state, |_| true);
        }
        let unread = (0..).zip(&state.jobs);
        let unread = unread.filter(|(_, job)| job.row.status == Status::Validating);
        state.servers[at] = Some(Server {
            work: true,
            validating: unread.map(|(job, _)| job).collect(),
            ..Server::default()
        });
    }

    /// `leases::requeue_orphans`: what was wished stays wished.
    fn requeue(&self, state: &mut State, is_orphaned: impl Fn(Lease) -> bool) {
        for job in &mut state.jobs {
            if job.row.status.is_at_work() && job.row.lease.is_some_and(&is_orphaned) {
                job.requeue();
                if self.bug == Some(Bug::WishForgottenByRequeue) {
                    job.row.wish = None;
                }
            }
        }
    }

    fn end(&self, state: &mut State, at: usize) {
        let Some(server) = state.servers[at].take() else {
            return;
        };
        for supervisor in server.supervisors {
            if let Some(mut trainer) = supervisor.trainer.filter(|it| !it.has_left()) {
                trainer.deafen();
                trainer.input_ended = true;
                trainer.replay_after = 0;
                state.orphans.push((supervisor.job, trainer));
            }
        }
        // The next server has another name.
        for job in &mut state.jobs {
            if let Some(lease) = job.row.lease.as_mut().filter(|it| usize::from(it.server) == at) {
                lease.server = GONE;
            }
        }
    }
}

/// The one statement that counts the attempt up and writes the lease.
fn claim(row: &mut Row, server: u8) {
    row.status = match row.wish {
        Some(Wish::Pause) => Status::Pausing,
        _ => Status::Running,
    };
    row.attempt += 1;
    row.lease = Some(Lease { server, live: true });
}

fn supervise(claimed: Claim) -> Supervisor {
    Supervisor {
        job: claimed.job,
        attempt: claimed.attempt,
        doing: Minding::Waiting,
        trainer: None,
        listed: true,
        nudged: false,
        cancelled: false,
        wanted: None,
        told: false,
        recorded: 0,
        asked_to_leave: false,
        last_word: None,
        step: claimed.step,
        reached: None,
        again: false,
    }
}
