//! Breadth-first through every state that can be reached, so that the way to a broken property is a shortest one; then
//! backwards from where all is at rest, to find the states that never come there by themselves. docs/adr/0006 tells why
//! this is ours.

use crate::{Model, actions::Action, properties::Property, state::State};
use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    fmt,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hasher},
};

/// What was seen.
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) depth: u32,
    /// Every action that led to a new state.
    pub(crate) taken: HashSet<Action>,
    pub(crate) broken: Option<Broken>,
}

/// Properties that don't hold, and the shortest way to where they don't.
pub(crate) struct Broken {
    pub(crate) properties: Vec<Property>,
    pub(crate) trace: Vec<Action>,
    state: State,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:?} broken after", self.properties)?;
        for action in &self.trace {
            writeln!(formatter, "    {action:?}")?;
        }
        write!(formatter, "in {:#?}", self.state)
    }
}

/// A state that was reached, and from where; the state itself is made again where it is needed.
struct Reached {
    from: u32,
    by: Option<Action>,
    depth: u32,
}

/// Keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Goes through all states, or up to the first that breaks a property.
pub(crate) fn explore(model: &Model) -> Report {
    let fingerprints = BuildHasherDefault::<DefaultHasher>::default();
    let mut seen: HashMap<u64, u32, BuildHasherDefault<AsItIs>> = HashMap::default();
    let first = State::first(&model.bounds);
    seen.insert(fingerprints.hash_one(&first), 0);
    let mut reached = vec![Reached {
        from: 0,
        by: None,
        depth: 0,
    }];
    let mut quiet = vec![Model::is_quiet(&first)];
    // Steps that happen by themselves, from and to.
    let mut due = Vec::new();
    let mut transitions = 0;
    let mut queue = VecDeque::from([(0_u32, first)]);
    while let Some((at, state)) = queue.pop_front() {
        for action in model.actions(&state) {
            let next = model.after(&state, action);
            transitions += 1;
            // More states than that don't fit into a machine.
            let fresh = reached.len() as u32;
            let to = match seen.entry(fingerprints.hash_one(&next)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    new.insert(fresh);
                    reached.push(Reached {
                        from: at,
                        by: Some(action),
                        depth: reached[at as usize].depth + 1,
                    });
                    quiet.push(Model::is_quiet(&next));
                    let properties = model.broken(&next);
                    if !properties.is_empty() {
                        return report(
                            &reached,
                            transitions,
                            Some(broken(model, &reached, fresh, properties)),
                        );
                    }
                    queue.push_back((fresh, next));
                    fresh
                }
            };
            if action.is_due() && to != at {
                due.push((at, to));
            }
        }
    }
    let stuck = first_stuck(&mut due, &quiet);
    let broken = stuck.map(|at| broken(model, &reached, at, vec![Property::NobodyWaitsForEver]));
    report(&reached, transitions, broken)
}

fn report(reached: &[Reached], transitions: usize, broken: Option<Broken>) -> Report {
    Report {
        states: reached.len(),
        transitions,
        depth: reached.last().map_or(0, |last| last.depth),
        taken: reached.iter().filter_map(|it| it.by).collect(),
        broken,
    }
}

/// The first state from which no way of due steps leads to a quiet one.
fn first_stuck(due: &mut [(u32, u32)], quiet: &[bool]) -> Option<u32> {
    due.sort_unstable_by_key(|(_, to)| *to);
    let mut rests = quiet.to_vec();
    let mut queue: VecDeque<u32> = (0..)
        .zip(quiet)
        .filter(|(_, it)| **it)
        .map(|(at, _)| at)
        .collect();
    while let Some(to) = queue.pop_front() {
        let first = due.partition_point(|(_, it)| *it < to);
        for (from, _) in due[first..].iter().take_while(|(_, it)| *it == to) {
            if !std::mem::replace(&mut rests[*from as usize], true) {
                queue.push_back(*from);
            }
        }
    }
    (0..).zip(&rests).find(|(_, rests)| !**rests).map(|(at, _)| at)
}

fn broken(model: &Model, reached: &[Reached], at: u32, properties: Vec<Property>) -> Broken {
    let mut trace = Vec::new();
    let mut here = &reached[at as usize];
    while let Some(action) = here.by {
        trace.push(action);
        here = &reached[here.from as usize];
    }
    trace.reverse();
    let start = State::first(&model.bounds);
    let state = trace
        .iter()
        .fold(start, |state, action| model.after(&state, *action));
    Broken {
        properties,
        trace,
        state,
    }
}
