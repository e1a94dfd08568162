//! One job after the other on a real server, disturbed at instants that nobody chose: trainer and server killed, stopped,
//! their checkpoints damaged, their disk filled. Each has to end as if nothing had happened: succeeded, every step once,
//! one artifact, the same bytes.
//!
//! An instant is uniform: so long after the job was seen to train (again) as an undisturbed one takes at most, or,
//! one time in eight, a fraction of a second after the disturbance before. What a run is at when it is struck is what its
//! directory tells; a trainer is held (SIGSTOP) for that look.

mod arena;
mod full_disk;
mod model;
mod phase;
mod strike;
mod tally;
mod verdict;

pub use tally::Tally;

use crate::{process_tree, random::Random};
use arena::{Arena, Follow, LEASE};
use phase::Phase;
use rustix::process::Signal;
use shared::status::JobStatus;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use strike::Strike;

/// One in so many strikes comes before the job trains again.
const EARLY_ONE_IN: u64 = 8;
const EARLY: Duration = Duration::from_millis(300);
/// A fifth death of a trainer in a row without a newer checkpoint would rightly fail the job.
const TRAINER_DEATHS: u32 = 4;
const STRIKES: u32 = 8;
/// One in so many jobs finds its disk full.
const FULL_DISK_ONE_IN: u64 = 20;
/// Kills from one printed line to the next.
const TOLD_EVERY: u64 = 10;

/// What to do.
#[derive(Debug)]
pub struct Options {
    /// Kills altogether, those of earlier calls on the same folder included.
    pub kills: u64,
    /// Where the random numbers begin.
    pub seed: u64,
    /// Threads of a trainer.
    pub threads: u32,
    /// Keeps the progress, the servers' data and, after a mismatch, the evidence.
    pub folder: PathBuf,
}

/// The steps of a job, and which of them validation follows.
#[derive(Debug)]
struct Course {
    total_steps: u64,
    evaluated: Vec<u64>,
}

impl Course {
    fn evaluates_at(&self, step: u64) -> bool {
        self.evaluated.contains(&step)
    }
}

/// What an undisturbed job does.
#[derive(Debug)]
struct Undisturbed {
    /// Files of its adapter with their hashes.
    adapter: BTreeMap<String, String>,
    took: Duration,
}

/// Disturbs jobs until there were so many kills, or until a job didn't end as it has to.
///
/// # Panics
/// A server can't be started, or a job doesn't go on.
pub async fn run(options: &Options) -> Tally {
    let folder = &options.folder;
    fs::create_dir_all(folder).expect("a folder");
    let folder = fs::canonicalize(folder).expect("a folder");
    let tally = Tally::open(&folder, options.seed);
    if !tally.mismatches.is_empty() || tally.kills() >= options.kills {
        return tally;
    }
    println!(
        "torture in `{}`, seed {}: {} of {} kills were done before",
        folder.display(),
        tally.seed,
        tally.kills(),
        options.kills
    );
    let models = folder.join("models");
    model::write(&models);
    let mut torture = Torture::begin(folder, &models, options, tally).await;
    while torture.tally.mismatches.is_empty() && torture.tally.kills() < options.kills {
        let found = if torture.tally.jobs % FULL_DISK_ONE_IN == 1 {
            torture.job_on_a_full_disk(&models, options.threads).await
        } else {
            torture.disturbed_job(options.kills).await
        };
        torture.tally.jobs += 1;
        torture.note(found);
    }
    if !torture.tally.mismatches.is_empty() {
        println!("the end of the server's log:\n{}", torture.arena.log_tail());
    }
    torture.tally
}

struct Torture {
    folder: PathBuf,
    arena: Arena,
    course: Course,
    undisturbed: Undisturbed,
    random: Random,
    tally: Tally,
}

/// A strike whose job hasn't been seen to train again.
struct Struck {
    strike: Strike,
    since: Instant,
    /// The attempt that it ended.
    attempt: u32,
}

impl Torture {
    /// Measures an undisturbed job, with another number of threads first.
    async fn begin(folder: PathBuf, models: &Path, options: &Options, mut tally: Tally) -> Self {
        let course = Course::of_the_job();
        let of_its_own = folder.join("main");
        // What a call before this one was at when it ended is of no use: each begins with an empty server.
        if of_its_own.exists() {
            fs::remove_dir_all(&of_its_own).expect("nobody uses it");
        }
        let other_threads = if options.threads == 1 { 2 } else { 1 };
        let arena = Arena::open(&of_its_own, models, other_threads).await;
        let other = undisturbed(&arena).await;
        let arena = arena.with_threads(options.threads).await;
        let undisturbed = undisturbed(&arena).await;
        println!(
            "undisturbed: {} steps in {:.2} s, with {other_threads} threads in {:.2} s",
            course.total_steps,
            undisturbed.took.as_secs_f64(),
            other.took.as_secs_f64()
        );
        if undisturbed.adapter != other.adapter {
            tally.mismatches.push(format!(
                "{} and {other_threads} threads make different adapters: {:?}, {:?}",
                options.threads, undisturbed.adapter, other.adapter
            ));
        }
        let random = Random::seeded(tally.seed.wrapping_add(tally.kills() << 20));
        Self {
            folder,
            arena,
            course,
            undisturbed,
            random,
            tally,
        }
    }

    /// A job that is struck again and again; what isn't as it has to be.
    async fn disturbed_job(&mut self, kills: u64) -> Vec<String> {
        let mut follow = self.arena.begin().await;
        follow.until(&self.arena.api, |job| !job.trained.is_empty()).await;
        let mut struck: Option<Struck> = None;
        let (mut strikes, mut deaths) = (0, 0);
        while !follow.ended && strikes < STRIKES && self.tally.kills() < kills {
            let at_most = if self.random.below(EARLY_ONE_IN) == 0 {
                EARLY
            } else {
                let before = struck.as_ref().map_or(0, |struck| struck.attempt);
                follow
                    .until(&self.arena.api, |job| {
                        job.trained.range(before + 1..).next().is_some()
                    })
                    .await;
                self.undisturbed.took
            };
            let delay = self.random.below(at_most.as_micros() as u64);
            follow
                .read_for(&self.arena.api, Duration::from_micros(delay))
                .await;
            self.note_recovery(&mut struck, &follow);
            if follow.ended {
                break;
            }
            let strike = Strike::draw(&mut self.random);
            if strike.is_trainers_death() && deaths == TRAINER_DEATHS {
                continue;
            }
            let before = self.tally.kills();
            // Nobody was there to be struck: at another instant, then.
            let Some(fresh) = self.strike(strike, &mut follow).await else {
                continue;
            };
            strikes += 1;
            deaths += u32::from(fresh.strike.is_trainers_death());
            struck = Some(fresh);
            self.tally.save(&self.folder);
            if self.tally.kills() > before && self.tally.kills().is_multiple_of(TOLD_EVERY) {
                self.tell();
            }
        }
        follow.until(&self.arena.api, |_| false).await;
        self.note_recovery(&mut struck, &follow);
        self.verdict(&self.arena, &follow, "a tortured job").await
    }

    fn note_recovery(&mut self, struck: &mut Option<Struck>, follow: &Follow) {
        let again = struck
            .as_ref()
            .and_then(|struck| follow.trained.range(struck.attempt + 1..).next());
        if let (Some((_, at)), Some(struck)) = (again, struck.take_if(|_| again.is_some())) {
            self.tally
                .recovered(struck.strike, at.saturating_duration_since(struck.since));
        }
    }

    /// Strikes now; nothing where the victim isn't there.
    async fn strike(&mut self, strike: Strike, follow: &mut Follow) -> Option<Struck> {
        let mut strike = strike;
        let server = self.arena.server().id();
        let trainer = process_tree::trainer_of(server);
        let held = match (strike, trainer) {
            (Strike::Server | Strike::Asleep, _) => None,
            (Strike::Trainer | Strike::Hung, None) => return None,
            (Strike::Both | Strike::Torn, None) => {
                strike = Strike::Server;
                None
            }
            (_, trainer) => trainer,
        };
        if let Some(trainer) = held {
            process_tree::signal(trainer, Signal::STOP);
            if !process_tree::is_alive(trainer) {
                return None;
            }
        }
        let attempt = phase::attempt(&follow.run_dir);
        let trains = follow.trains();
        let phase = match trainer {
            None if follow.trained.is_empty() => Phase::Starting,
            _ => follow.lookout.look(&self.course, trains),
        };
        let since = match (strike, held) {
            (Strike::Trainer, Some(trainer)) => {
                let since = Instant::now();
                process_tree::signal(trainer, Signal::KILL);
                since
            }
            (Strike::Hung, Some(trainer)) => {
                strike::gone(trainer).await;
                Instant::now()
            }
            (Strike::Asleep, _) => {
                process_tree::signal(server, Signal::STOP);
                let longer = Duration::from_millis(self.random.below(500));
                follow.read_for(&self.arena.api, LEASE + longer).await;
                let since = Instant::now();
                process_tree::signal(server, Signal::CONT);
                since
            }
            (_, held) => {
                self.arena.kill_server().await;
                if held.is_some() {
                    for trainer in process_tree::trainers_in(&follow.run_dir) {
                        strike::kill(trainer).await;
                    }
                }
                if strike == Strike::Torn
                    && let Some(torn) = strike::tear_newest_checkpoint(&follow.run_dir, &mut self.random)
                {
                    println!("{}: {torn}", follow.job.id);
                }
                let since = self.arena.start_server().await;
                follow.reopen(&self.arena.api).await;
                since
            }
        };
        self.tally.count(strike, phase);
        Some(Struck {
            strike,
            since,
            attempt,
        })
    }

    async fn verdict(&self, arena: &Arena, follow: &Follow, what: &str) -> Vec<String> {
        let mut found = verdict::of(&arena.api, follow, &self.course, &self.undisturbed.adapter).await;
        for text in &mut found {
            *text = format!("{what} ({}): {text}", follow.job.id);
        }
        if found.is_empty() {
            let deleted = arena.api.delete(&format!("/api/jobs/{}", follow.job.id)).await;
            if !deleted.status.is_success() {
                found.push(format!("{what} can't be deleted: {}", deleted.body));
            }
        }
        found
    }

    fn note(&mut self, found: Vec<String>) {
        for mismatch in &found {
            println!("MISMATCH {mismatch}");
        }
        self.tally.mismatches.extend(found);
        self.tally.save(&self.folder);
    }

    fn tell(&self) {
        let samples: Vec<f64> = self.tally.recoveries.values().flatten().copied().collect();
        println!(
            "{} kills, {} jobs, {} mismatches; training again after {:.0} ms (median)",
            self.tally.kills(),
            self.tally.jobs,
            self.tally.mismatches.len(),
            tally::quantile(&samples, 0.5)
        );
    }
}

async fn undisturbed(arena: &Arena) -> Undisturbed {
    let start = Instant::now();
    let mut follow = arena.begin().await;
    follow.until(&arena.api, |_| false).await;
    let took = start.elapsed();
    let job = arena.api.job(&follow.job.id).await;
    assert_eq!(job.status, JobStatus::Succeeded, "{:?}", job.failure);
    assert_eq!(job.attempt, 1, "nothing disturbed it");
    Undisturbed {
        adapter: arena.api.adapter(&job).await,
        took,
    }
}
