//! The life of a job (docs/RUNS.md) as a model, and a search through all that can happen to it within small bounds.
//!
//! A step of the model names the code that it stands for: who changes one, changes the other. Nothing of the engine is
//! called here; that the code does what the model says is the business of its own tests.

mod actions;
mod bounds;
mod bugs;
mod checker;
mod client;
mod disk;
mod properties;
mod server;
mod state;
mod supervisor;
mod trainer;

use actions::{Action, Ask, ServerStep, SupervisorStep, TrainerStep};
use bounds::{Bounds, Left};
use bugs::Bug;
use checker::explore;

/// The protocol within bounds: right, or with one bug.
pub(crate) struct Model {
    pub(crate) bounds: Bounds,
    pub(crate) bug: Option<Bug>,
}

/// Searches within the first bounds, and within the second as well where `ATTUNE_PROTOCOL=deep` asks for it.
fn holds(name: &str, bounds: Bounds, deep: Bounds) {
    let is_deep = std::env::var("ATTUNE_PROTOCOL").is_ok_and(|it| it == "deep");
    for bounds in [Some(bounds), Some(deep).filter(|_| is_deep)]
        .into_iter()
        .flatten()
    {
        let report = explore(&Model { bounds, bug: None });
        println!(
            "{name}: {} states, {} transitions, {} steps deep; {bounds:?}",
            report.states, report.transitions, report.depth
        );
        let broken = report.broken.map(|it| it.to_string());
        assert!(broken.is_none(), "{}", broken.unwrap_or_default());
    }
}

#[test]
fn it_holds_while_servers_end_and_trainers_fail() {
    let left = |wishes| Left {
        wishes,
        server_ends: 1,
        faults: 1,
        ..Left::default()
    };
    let deep = Bounds {
        steps: 3,
        every: 2,
        left: left(2),
        ..Bounds::SMALL
    };
    holds(
        "deaths",
        Bounds {
            left: left(1),
            ..Bounds::SMALL
        },
        deep,
    );
}

#[test]
fn it_holds_while_power_is_lost() {
    let left = |wishes, faults| Left {
        wishes,
        server_ends: 1,
        power_cuts: 1,
        faults,
        ..Left::default()
    };
    let deep = Bounds {
        left: left(2, 1),
        ..Bounds::SMALL
    };
    holds(
        "power",
        Bounds {
            left: left(1, 0),
            ..Bounds::SMALL
        },
        deep,
    );
}

#[test]
fn it_holds_while_a_server_sleeps_past_its_leases() {
    let left = |wishes, faults| Left {
        wishes,
        sleeps: 1,
        faults,
        ..Left::default()
    };
    let deep = Bounds {
        slots: 2,
        left: left(2, 1),
        ..Bounds::SMALL
    };
    holds(
        "sleep",
        Bounds {
            slots: 2,
            left: left(1, 0),
            ..Bounds::SMALL
        },
        deep,
    );
}

#[test]
fn it_holds_while_two_jobs_wait_for_one_slot() {
    let left = |server_ends| Left {
        wishes: 1,
        server_ends,
        faults: 1,
        ..Left::default()
    };
    let two = Bounds {
        jobs: 2,
        steps: 1,
        ..Bounds::SMALL
    };
    holds(
        "two jobs",
        Bounds { left: left(0), ..two },
        Bounds { left: left(1), ..two },
    );
}

/// What the data folder's lock prevents. The fence doesn't rely on it: only who is told of a wish does.
#[test]
fn it_holds_while_two_servers_share_a_data_folder() {
    let left = |wishes, server_ends| Left {
        wishes,
        server_ends,
        ..Left::default()
    };
    let two = Bounds {
        servers: 2,
        ..Bounds::SMALL
    };
    holds(
        "two servers",
        Bounds {
            left: left(1, 0),
            ..two
        },
        Bounds {
            left: left(1, 1),
            ..two
        },
    );
}

/// A step that never happens would make all of this say less than it seems to.
#[test]
fn everything_that_is_modelled_happens() {
    let one_step = Bounds {
        steps: 1,
        ..Bounds::SMALL
    };
    let searched = [
        Bounds {
            jobs: 2,
            left: Left {
                wishes: 2,
                ..Left::default()
            },
            ..one_step
        },
        Bounds {
            left: Left {
                wishes: 1,
                server_ends: 1,
                faults: 1,
                ..Left::default()
            },
            ..one_step
        },
        Bounds {
            left: Left {
                power_cuts: 1,
                sleeps: 1,
                ..Left::default()
            },
            ..one_step
        },
    ];
    let taken: Vec<Action> = searched
        .into_iter()
        .flat_map(|bounds| explore(&Model { bounds, bug: None }).taken)
        .collect();
    let asks = [
        Ask::Create,
        Ask::Pause,
        Ask::Resume,
        Ask::Stop,
        Ask::Cancel,
        Ask::Retry(1),
    ]
    .map(|it| Action::Client(it, 0));
    use ServerStep::{Beat, Claim, Kill, Leave, Mind, Shutdown, Sleep, Start, Validate};
    let server = [
        Start,
        Validate(0, true),
        Validate(0, false),
        Claim(0),
        Mind,
        Sleep,
        Beat,
        Kill,
        Shutdown,
        Leave,
    ]
    .map(|it| Action::Server(0, it));
    use SupervisorStep::{Begin, Ingest, Judge, LosePatience, ReadWish, Remove, SeeCancelled, SeeStopping};
    let supervisor = [
        Begin,
        Ingest,
        ReadWish,
        SeeCancelled,
        SeeStopping,
        LosePatience,
        Judge,
        Remove,
    ]
    .map(|it| Action::Supervisor(0, 0, it));
    use TrainerStep::{Die, FailToPause, Go, Obey, Refuse};
    let trainer = [Go, Obey, FailToPause, Die, Refuse].map(|it| Action::Trainer(0, 0, it));
    let orphan = [Go, Obey, Die].map(|it| Action::Orphan(0, it));
    let power = [true, false].map(|names_kept| Action::PowerCut { names_kept });
    let all = [asks.as_slice(), &server, &supervisor, &trainer, &orphan, &power].concat();
    let idle: Vec<_> = all.iter().filter(|action| !taken.contains(action)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}
