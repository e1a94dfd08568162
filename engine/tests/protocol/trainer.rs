//! A trainer: `trainer/src/run.rs` and `run/*`, `checkpoint.rs`, and "Event lines", "Commands" and "Resuming and replay"
//! of docs/RUNS.md.

use crate::{
    Model,
    actions::TrainerStep,
    bugs::Bug,
    disk::{Content, Disk, cut_log},
    state::{State, Wish},
};

/// A line on a trainer's standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Training(u8),
    Metrics(u8),
    Checkpoint(u8),
    PauseFailed,
    Paused(u8),
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exit {
    Done,
    Paused,
    Locked,
    Refused,
    Killed,
}

/// What follows a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Then {
    Train,
    Leave,
    Finish,
}

/// Where a trainer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    Starting,
    Training,
    /// The temporary folder is written and flushed: its name is next, then the flush of the folder above.
    Naming(Then),
    FlushingName(Then),
    /// `result.json`, the adapter's name, the flush of the folder above.
    WritingResult {
        complete: bool,
    },
    NamingResult,
    FlushingResult,
    Left(Exit),
}

impl Doing {
    /// It writes into the run directory.
    pub(crate) const fn writes(self) -> bool {
        !matches!(self, Self::Starting | Self::Left(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Trainer {
    pub(crate) doing: Doing,
    pub(crate) step: u8,
    pub(crate) replay_after: u8,
    /// Standard input, and whether it has ended.
    pub(crate) told: Vec<Wish>,
    pub(crate) input_ended: bool,
    /// Standard output that wasn't taken yet; nothing comes into it once nobody reads.
    pub(crate) lines: Vec<Line>,
    pub(crate) heard: bool,
}

impl Trainer {
    pub(crate) fn start(replay_after: u8) -> Self {
        Self {
            doing: Doing::Starting,
            step: 0,
            replay_after,
            told: Vec::new(),
            input_ended: false,
            lines: Vec::new(),
            heard: true,
        }
    }

    pub(crate) fn say(&mut self, line: Line) {
        if self.heard {
            self.lines.push(line);
        }
    }

    /// Nobody takes its lines any more.
    pub(crate) fn deafen(&mut self) {
        self.heard = false;
        self.lines.clear();
    }

    pub(crate) const fn has_left(&self) -> bool {
        matches!(self.doing, Doing::Left(_))
    }
}

impl Model {
    /// Whether nobody holds a job's `run.lock`: `flock` is given back with the process, however it ends.
    pub(crate) fn lock_is_free(&self, state: &State, job: u8) -> bool {
        let mut holders = state
            .trainers()
            .filter(|(of, trainer)| *of == job && trainer.doing.writes());
        self.bug == Some(Bug::LockNotTaken) || holders.next().is_none()
    }

    pub(crate) fn trainer_steps(&self, state: &State, trainer: &Trainer, mut may: impl FnMut(TrainerStep)) {
        if trainer.has_left() {
            return;
        }
        let trains = trainer.doing == Doing::Training && trainer.step < self.bounds.steps;
        // Its output is a pipe that fills up: "beyond that the trainer waits".
        let ahead = trainer
            .lines
            .iter()
            .filter(|line| matches!(line, Line::Metrics(_)))
            .count();
        if !trains || ahead < usize::from(self.bounds.lead) {
            may(TrainerStep::Go);
        }
        if trains && (!trainer.told.is_empty() || trainer.input_ended) {
            may(TrainerStep::Obey);
        }
        if state.left.faults > 0 {
            may(TrainerStep::Die);
            if trains {
                may(TrainerStep::Refuse);
                // Such a pause is only survived where somebody is there to hear it.
                if trainer.told.first() == Some(&Wish::Pause) && trainer.heard {
                    may(TrainerStep::FailToPause);
                }
            }
        }
    }

    /// One step; `lock_is_free` tells of the run's lock before it.
    pub(crate) fn trainer_step(
        &self,
        state: &mut State,
        job: u8,
        trainer: &mut Trainer,
        step: TrainerStep,
        lock_is_free: bool,
    ) {
        let disk = &mut state.jobs[usize::from(job)].disk;
        match step {
            TrainerStep::Go => self.go(disk, trainer, lock_is_free),
            // Between two steps; what was said before the end of the input goes first.
            TrainerStep::Obey => {
                let command = match trainer.told.is_empty() {
                    true => Wish::Pause,
                    false => trainer.told.remove(0),
                };
                let then = match command {
                    Wish::Pause => Then::Leave,
                    Wish::Stop => Then::Finish,
                };
                self.save(disk, trainer, then);
            }
            TrainerStep::FailToPause => {
                state.left.faults -= 1;
                trainer.told.remove(0);
                trainer.say(Line::PauseFailed);
            }
            TrainerStep::Die => {
                state.left.faults -= 1;
                trainer.doing = Doing::Left(Exit::Killed);
            }
            TrainerStep::Refuse => {
                state.left.faults -= 1;
                trainer.doing = Doing::Left(Exit::Refused);
            }
        }
    }

    fn go(&self, disk: &mut Disk, trainer: &mut Trainer, lock_is_free: bool) {
        match trainer.doing {
            Doing::Starting if !lock_is_free => {
                trainer.doing = Doing::Left(Exit::Locked);
            }
            Doing::Starting => self.resume(disk, trainer),
            Doing::Training if trainer.step < self.bounds.steps => {
                trainer.step += 1;
                disk.log.add(trainer.step);
                trainer.say(Line::Metrics(trainer.step));
                let every = self.bounds.every;
                let is_last = trainer.step == self.bounds.steps;
                if is_last || every > 0 && trainer.step.is_multiple_of(every) {
                    self.save(disk, trainer, Then::Train);
                }
            }
            Doing::Training => trainer.doing = Doing::WritingResult { complete: true },
            // `PendingFolder::commit`: the name, then the flush of the folder above, and only then is it told.
            Doing::Naming(then) => {
                disk.checkpoint(trainer.step).named = true;
                trainer.doing = Doing::FlushingName(then);
            }
            Doing::FlushingName(then) => {
                disk.checkpoint(trainer.step).name_flushed = self.bug != Some(Bug::FolderNotFlushed);
                trainer.say(Line::Checkpoint(trainer.step));
                self.go_on(trainer, then);
            }
            // `finish::finish`: the adapter's files are flushed, then `result.json` is replaced whole.
            Doing::WritingResult { complete } => {
                disk.result = Some((trainer.step, complete));
                disk.adapter.content = Content::Flushed;
                trainer.doing = Doing::NamingResult;
            }
            Doing::NamingResult => {
                disk.adapter.named = true;
                trainer.doing = Doing::FlushingResult;
                if self.bug == Some(Bug::DoneBeforeFlush) {
                    trainer.say(Line::Done);
                    trainer.doing = Doing::Left(Exit::Done);
                }
            }
            Doing::FlushingResult => {
                disk.adapter.name_flushed = true;
                trainer.say(Line::Done);
                trainer.doing = Doing::Left(Exit::Done);
            }
            Doing::Left(_) => {}
        }
    }

    /// `finish::replay` and `resume::find`: tells again what the engine may have missed, and goes on from the newest
    /// whole checkpoint.
    fn resume(&self, disk: &mut Disk, trainer: &mut Trainer) {
        // Whoever wrote what is found may have been killed before it flushed the name.
        if self.bug != Some(Bug::FoundNotFlushed) {
            for folder in disk.checkpoints.iter_mut().chain([&mut disk.adapter]) {
                folder.name_flushed |= folder.named;
            }
        }
        let replay = |disk: &Disk, trainer: &mut Trainer| {
            for step in disk.log.after(trainer.replay_after) {
                if self.bug != Some(Bug::NothingReplayed) {
                    trainer.say(Line::Metrics(step));
                }
            }
            for step in disk.whole_checkpoints() {
                trainer.say(Line::Checkpoint(step));
            }
        };
        if disk.result.is_some() && disk.adapter.is_whole() {
            replay(disk, trainer);
            trainer.say(Line::Done);
            trainer.doing = Doing::Left(Exit::Done);
            return;
        }
        let newest = disk.whole_checkpoints().last().unwrap_or(0);
        cut_log(disk, newest);
        trainer.step = newest;
        replay(disk, trainer);
        trainer.say(Line::Training(newest));
        // `was_stopped_at`: it was killed while it saved what `stop` had asked for.
        trainer.doing = match disk.result {
            Some((step, false)) if step == newest => Doing::WritingResult { complete: false },
            _ => Doing::Training,
        };
    }

    /// `Training::checkpoint`: none where this step has one; else its files and the metrics up to it are flushed under a
    /// temporary name.
    fn save(&self, disk: &mut Disk, trainer: &mut Trainer, then: Then) {
        if disk.has_whole(trainer.step) {
            return self.go_on(trainer, then);
        }
        let folder = self.write_folder(disk);
        *disk.checkpoint(trainer.step) = folder;
        if self.bug != Some(Bug::MetricsNotFlushed) {
            disk.log_flushed = disk.log;
        }
        trainer.doing = Doing::Naming(then);
    }

    fn go_on(&self, trainer: &mut Trainer, then: Then) {
        trainer.doing = match then {
            Then::Train => Doing::Training,
            Then::Finish => Doing::WritingResult { complete: false },
            Then::Leave => {
                trainer.say(Line::Paused(trainer.step));
                Doing::Left(Exit::Paused)
            }
        };
    }
}
