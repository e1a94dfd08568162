//! How far the search goes.

/// So many jobs, steps, deaths and wishes there are at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) jobs: u8,
    /// Optimizer steps of a job.
    pub(crate) steps: u8,
    /// A checkpoint is due at each multiple of this; 0 for the last step alone.
    pub(crate) every: u8,
    /// `engine.max_running`.
    pub(crate) slots: u8,
    /// Event lines of new steps that a trainer is ahead of its server.
    pub(crate) lead: u8,
    /// Servers that work at once in one data folder; more than one is what its lock prevents.
    pub(crate) servers: u8,
    pub(crate) left: Left,
}

impl Bounds {
    /// One job of two steps, and nothing befalls it.
    pub(crate) const SMALL: Self = Self {
        jobs: 1,
        steps: 2,
        every: 0,
        slots: 1,
        lead: 1,
        servers: 1,
        left: Left {
            wishes: 0,
            server_ends: 0,
            power_cuts: 0,
            sleeps: 0,
            faults: 0,
        },
    };
}

/// What may still befall the system, and what may still be asked of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    /// Actions on a job after its creation.
    pub(crate) wishes: u8,
    /// Ends of servers: killed, or asked to end.
    pub(crate) server_ends: u8,
    /// Losses of power.
    pub(crate) power_cuts: u8,
    /// Times that a server sleeps past its leases.
    pub(crate) sleeps: u8,
    /// Trainers that die, refuse, or can't write the checkpoint of a pause.
    pub(crate) faults: u8,
}
