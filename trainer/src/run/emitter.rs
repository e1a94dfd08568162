//! Event lines.

use shared::{
    event::Level,
    run::{RunEvent, Stage},
};
use std::io::Write;

/// Writes event lines and remembers whether anybody still reads them.
pub(super) struct Emitter {
    out: Box<dyn Write + Send>,
    broken: bool,
    step: u64,
}

impl Emitter {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self {
            out,
            broken: false,
            step: 0,
        }
    }

    /// The newest step that was told.
    pub(super) const fn step(&self) -> u64 {
        self.step
    }

    /// Sets the step that events of the surroundings belong to.
    pub(super) const fn set_step(&mut self, step: u64) {
        self.step = step;
    }

    /// Whether the reader is gone.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn emit(&mut self, event: &RunEvent) {
        match serde_json::to_string(event) {
            Ok(line) => self.emit_line(&line),
            Err(error) => super::note(&format!("an event could not be written as JSON: {error}")),
        }
    }

    pub(super) fn emit_line(&mut self, line: &str) {
        if self.broken {
            return;
        }
        let attempt = self
            .out
            .write_all(format!("{line}\n").as_bytes())
            .and_then(|()| self.out.flush());
        if let Err(error) = attempt {
            super::note(&format!("nobody reads the event lines any more: {error}"));
            self.broken = true;
        }
    }

    pub(super) fn stage(&mut self, stage: Stage, total_steps: Option<u64>) {
        self.emit(&RunEvent::Stage {
            step: self.step,
            stage,
            total_steps,
        });
    }

    /// Tells that the work goes on, between two lines that are far apart.
    pub(super) fn beat(&mut self) {
        self.emit(&RunEvent::Heartbeat { step: self.step });
    }

    pub(super) fn log(&mut self, level: Level, message: String) {
        super::note(&message);
        self.emit(&RunEvent::Log {
            step: self.step,
            level,
            message,
        });
    }
}
