//! Planted bugs: ways to get the protocol wrong. Each is caught by the property that it is said to break, where nothing
//! more befalls the system than what it needs.

use crate::{
    Model,
    bounds::{Bounds, Left},
    checker::explore,
    properties::Property,
};

/// The list of bugs: what is done otherwise than the protocol says, the property that it breaks, what has to happen for that,
/// and the test's name.
macro_rules! planted {
    ($($(#[$doc:meta])* $bug:ident breaks $property:ident where { $($left:ident: $count:literal),* } => $test:ident;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Bug {
            $($(#[$doc])* $bug,)*
        }

        $(
            #[test]
            fn $test() {
                caught(Bug::$bug, Property::$property, Left { $($left: $count,)* ..Left::default() });
            }
        )*
    };
}

planted! {
    /// A write asks for server and lease, but not for the attempt.
    NoFencingByAttempt breaks NoStaleWrite where { sleeps: 1 } => a_write_that_is_not_fenced_by_attempt;
    /// A write asks for server and attempt, but not whether the lease has run out.
    NoLeaseCheck breaks NoStaleWrite where { sleeps: 1 } => a_write_that_does_not_ask_for_the_lease;
    /// A job is read as queued, and claimed later without asking again.
    ClaimWithoutCompareAndSet breaks EndsOnce where { wishes: 1 } => a_claim_that_does_not_compare;
    /// A cancellation overwrites whatever the job has become.
    CancelOverwrites breaks CancelledOrSucceeded where { wishes: 1 } => a_cancellation_that_overwrites;
    /// A success overwrites whatever the job has become.
    CompleteOverwrites breaks CancelledOrSucceeded where { wishes: 1 } => a_success_that_overwrites;
    /// The status and the artifact of a success are two transactions.
    SuccessInTwo breaks OneArtifact where {} => a_success_in_two_transactions;
    /// A running job is paused at once, before its checkpoint is recorded.
    PausedBeforeRecorded breaks PausedIsSaved where { wishes: 1 } => a_pause_before_its_checkpoint_is_recorded;
    /// A checkpoint is renamed before its files are flushed.
    NoFlushBeforeRename breaks PausedIsSaved where { wishes: 1, power_cuts: 1 } => a_rename_without_a_flush_before;
    /// The folder that holds a renamed checkpoint isn't flushed.
    FolderNotFlushed breaks PausedIsSaved where { wishes: 1, power_cuts: 1 } => a_rename_without_a_flush_after;
    /// The folders above that one are made and not flushed.
    ParentsNotFlushed breaks PausedIsSaved where { wishes: 1, power_cuts: 1 } => folders_that_are_made_without_a_flush;
    /// A checkpoint that an earlier attempt has renamed is believed to be flushed.
    FoundNotFlushed breaks PausedIsSaved where { wishes: 1, power_cuts: 1, faults: 1 } => a_name_that_is_found_and_believed;
    /// `metrics.jsonl` isn't flushed before the checkpoint that stands for its lines.
    MetricsNotFlushed breaks NoStepLost where { power_cuts: 1 } => metrics_that_are_flushed_after_their_checkpoint;
    /// The end is told before the adapter's name is flushed.
    DoneBeforeFlush breaks OneArtifact where { power_cuts: 1 } => an_end_that_is_told_before_the_flush;
    /// A trainer doesn't take `run.lock`.
    LockNotTaken breaks OneWriter where { server_ends: 1 } => a_trainer_without_a_lock;
    /// A line that is told again is stored again.
    ReplayStoredTwice breaks NoStepDoubled where { faults: 1 } => a_replay_that_is_stored_twice;
    /// A trainer that goes on from a checkpoint doesn't tell the lines up to it again.
    NothingReplayed breaks NoStepLost where { server_ends: 1 } => a_trainer_that_replays_nothing;
    /// An attempt that follows another begins with what its server knew at the claim.
    ProgressMovesBack breaks NoStepLost where { faults: 1 } => an_attempt_that_moves_progress_back;
    /// A trainer is told to stop before it has come back to what is recorded.
    StopToldTooEarly breaks NoStepLost where { wishes: 1, faults: 1 } => a_stop_that_is_told_too_early;
    /// The attempt after a trainer's death doesn't ask what is wished.
    WishForgottenByNewAttempt breaks WishIsHeard where { wishes: 1, faults: 1 } => a_wish_that_a_new_attempt_forgets;
    /// A job that is queued again loses its wish.
    WishForgottenByRequeue breaks WishIsKept where { wishes: 1, server_ends: 1 } => a_wish_that_the_queue_forgets;
    /// A supervisor is woken before the wish is committed.
    NudgedBeforeCommit breaks WishIsHeard where { wishes: 1 } => a_wish_that_is_told_before_its_commit;
    /// The queue is looked at before a resumed job is committed to it.
    WokenBeforeCommit breaks NobodyWaitsForEver where { wishes: 2 } => a_wake_up_before_the_commit;
    /// What a dead server was at isn't taken back.
    OrphansNotRequeued breaks NobodyWaitsForEver where { server_ends: 1 } => a_job_that_is_left_to_a_dead_server;
    /// Supervisors are known by the job alone, so that one that leaves takes its successor off the list.
    KnownByJobAlone breaks IsMinded where { sleeps: 1 } => supervisors_that_are_known_by_the_job_alone;
}

fn caught(bug: Bug, property: Property, left: Left) {
    let bounds = Bounds {
        slots: 1 + left.sleeps,
        left,
        ..Bounds::SMALL
    };
    let right = explore(&Model { bounds, bug: None });
    assert!(right.broken.is_none(), "it is the bug that breaks {property:?}");
    let wrong = explore(&Model {
        bounds,
        bug: Some(bug),
    });
    let found = wrong.broken.map(|it| (it.properties, it.trace.len()));
    let (properties, steps) = found.unwrap_or_default();
    assert!(properties.contains(&property), "{bug:?} breaks {properties:?}");
    println!("{bug:?} breaks {properties:?} in {steps} steps");
}
