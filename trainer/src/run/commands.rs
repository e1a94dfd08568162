//! Commands from the standard input.

use shared::run::RunCommand;
use std::{
    io::BufRead,
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
};

/// What is asked of a run, in order. When all senders are gone, so is whoever asked: that's a pause.
#[derive(Debug)]
pub struct Commands {
    receiver: Receiver<RunCommand>,
    gone: bool,
}

impl Commands {
    /// Commands sent from inside the process.
    #[must_use]
    pub fn channel() -> (Sender<RunCommand>, Self) {
        let (sender, receiver) = channel();
        (
            sender,
            Self {
                receiver,
                gone: false,
            },
        )
    }

    /// Commands from the standard input, one word a line; unknown words are passed over.
    #[must_use]
    pub fn from_stdin() -> Self {
        let (sender, commands) = Self::channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                match RunCommand::parse(&line) {
                    Some(command) => {
                        if sender.send(command).is_err() {
                            break;
                        }
                    }
                    None if line.trim().is_empty() => {}
                    None => super::note(&format!("unknown command `{}`", line.trim().escape_debug())),
                }
            }
        });
        commands
    }

    /// Whoever could ask is gone.
    pub(super) const fn are_gone(&self) -> bool {
        self.gone
    }

    /// The next command that has come in, if any.
    pub(super) fn next(&mut self) -> Option<RunCommand> {
        match self.receiver.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) if self.gone => None,
            Err(TryRecvError::Disconnected) => {
                self.gone = true;
                Some(RunCommand::Pause)
            }
        }
    }
}
