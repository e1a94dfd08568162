//! What must hold in every state that can be reached.

use crate::{
    Model,
    state::{Minding, State, Status, Steps, Supervisor},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Property {
    /// Every accepted job ends exactly once, and stays as it ended.
    EndsOnce,
    /// No write of a supervisor is accepted whose lease ran out or whose attempt was superseded.
    NoStaleWrite,
    /// A job that a trainer had to save for its pause has that very checkpoint, whole and recorded.
    PausedIsSaved,
    /// A succeeded job has exactly one artifact, whole and made by the attempt that completed; no other job has one.
    OneArtifact,
    /// A cancelled job never becomes succeeded, nor the other way round.
    CancelledOrSucceeded,
    /// Two trainers never write one run directory at once.
    OneWriter,
    /// A step that was recorded stays: progress never falls back, and the result has it, without a gap before it.
    NoStepLost,
    /// A step is recorded once.
    NoStepDoubled,
    /// A wish that was acknowledged stands in the job's row until it is fulfilled, has failed, or is replaced.
    WishIsKept,
    /// Whoever minds a trainer knows what is wished, or has been told to look.
    WishIsHeard,
    /// Whoever may write for a job can be told of a wish, and its lease is prolonged.
    IsMinded,
    /// No more trainers are minded than there are slots.
    WithinSlots,
    /// From every state all jobs come to rest by themselves, without a wish, a death or a look at the clock.
    NobodyWaitsForEver,
}

/// All that a single state can tell; [`Property::NobodyWaitsForEver`] is about all of them together.
const OF_ONE_STATE: [Property; 12] = [
    Property::EndsOnce,
    Property::NoStaleWrite,
    Property::PausedIsSaved,
    Property::OneArtifact,
    Property::CancelledOrSucceeded,
    Property::OneWriter,
    Property::NoStepLost,
    Property::NoStepDoubled,
    Property::WishIsKept,
    Property::WishIsHeard,
    Property::IsMinded,
    Property::WithinSlots,
];

impl Model {
    /// The properties that a state breaks.
    pub(crate) fn broken(&self, state: &State) -> Vec<Property> {
        let asked = OF_ONE_STATE.into_iter();
        asked.filter(|property| !self.holds(*property, state)).collect()
    }

    fn holds(&self, property: Property, state: &State) -> bool {
        let mut jobs = state.jobs.iter();
        match property {
            Property::EndsOnce => jobs.all(|job| match job.promises.ends.as_slice() {
                [] => !job.row.status.is_terminal(),
                [end] => job.row.status == *end,
                _ => false,
            }),
            Property::NoStaleWrite => jobs.all(|job| !job.promises.stale_write),
            Property::PausedIsSaved => jobs.all(|job| match job.promises.paused_at {
                Some(step) if job.row.status == Status::Paused => {
                    job.disk.has_whole(step) && job.row.checkpoints.has(step)
                }
                _ => true,
            }),
            Property::OneArtifact => jobs.all(|job| match job.row.artifacts.as_slice() {
                [] => job.row.status != Status::Succeeded,
                [only] => {
                    job.row.status == Status::Succeeded
                        && only.attempt == job.row.attempt
                        && job.disk.adapter.is_whole()
                }
                _ => false,
            }),
            Property::CancelledOrSucceeded => jobs.all(|job| {
                let ended = |status| job.promises.ends.contains(&status);
                !(ended(Status::Cancelled) && ended(Status::Succeeded))
            }),
            Property::OneWriter => (0..).zip(jobs).all(|(job, _)| {
                let writers = state
                    .trainers()
                    .filter(|(of, trainer)| *of == job && trainer.doing.writes());
                writers.count() <= 1
            }),
            Property::NoStepLost => jobs.all(|job| {
                let row = &job.row;
                let made = row.artifacts.iter();
                row.step == row.steps.highest()
                    && made
                        .map(|artifact| Steps::up_to(artifact.step))
                        .all(|steps| steps == row.steps)
            }),
            Property::NoStepDoubled => jobs.all(|job| !job.promises.doubled),
            Property::WishIsKept => jobs.all(|job| job.row.wish == job.promises.asked),
            Property::WishIsHeard => self.holders(state).all(|(at, supervisor)| {
                let row = &state.jobs[at].row;
                // A server that shares its folder may be asked what another's supervisor would have to hear.
                self.bounds.servers > 1
                    || supervisor.doing != Minding::Trainer
                    || supervisor.nudged
                    || supervisor.wanted == row.wish
            }),
            Property::IsMinded => self.holders(state).all(|(_, supervisor)| supervisor.listed),
            Property::WithinSlots => state.servers.iter().flatten().all(|server| {
                let minded = server
                    .supervisors
                    .iter()
                    .filter(|it| it.trainer.is_some())
                    .count();
                minded <= usize::from(self.bounds.slots)
            }),
            Property::NobodyWaitsForEver => true,
        }
    }

    /// Supervisors that may write, with their jobs.
    fn holders<'a>(&self, state: &'a State) -> impl Iterator<Item = (usize, &'a Supervisor)> + use<'a> {
        let servers = (0..).zip(&state.servers);
        let all = servers.flat_map(|(place, server)| {
            let supervisors = server.iter().flat_map(|it| &it.supervisors);
            supervisors.map(move |it| (place, it))
        });
        all.filter_map(|(place, it)| {
            let row = &state.jobs[usize::from(it.job)].row;
            let lease = row.lease.filter(|lease| lease.server == place && lease.live)?;
            let holds = row.status.is_at_work() && row.attempt == it.attempt && lease.live;
            holds.then_some((usize::from(it.job), it))
        })
    }
}
