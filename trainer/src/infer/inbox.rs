//! Requests as they come in, and which of them nobody wants any more.

use shared::inference::{InferCommand, InferRequest};
use std::{
    collections::VecDeque,
    io::{BufRead, Write as _},
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
};

/// What is asked, in order.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<InferCommand>,
    waiting: VecDeque<InferRequest>,
    /// Cancelled, and not yet seen to be.
    cancelled: Vec<u64>,
    gone: bool,
}

impl Inbox {
    /// Requests from inside the process.
    #[must_use]
    pub fn channel() -> (Sender<InferCommand>, Self) {
        let (sender, receiver) = channel();
        (
            sender,
            Self {
                receiver,
                waiting: VecDeque::new(),
                cancelled: Vec::new(),
                gone: false,
            },
        )
    }

    /// Requests from standard input; a line that is none is passed over.
    #[must_use]
    pub fn from_stdin() -> Self {
        let (sender, inbox) = Self::channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                match serde_json::from_str(&line) {
                    Ok(command) => {
                        if sender.send(command).is_err() {
                            break;
                        }
                    }
                    // What was asked stays out of the log.
                    Err(_) => drop(writeln!(
                        std::io::stderr(),
                        "a line that is no request is passed over"
                    )),
                }
            }
        });
        inbox
    }

    /// The next request, waited for; nothing once whoever asks is gone.
    pub(super) fn next(&mut self) -> Option<InferRequest> {
        // What was said of requests that have ended.
        self.cancelled
            .retain(|id| self.waiting.iter().any(|request| request.id == *id));
        loop {
            self.look();
            if self.gone {
                return None;
            }
            if let Some(request) = self.waiting.pop_front() {
                return Some(request);
            }
            match self.receiver.recv() {
                Ok(command) => self.take(command),
                Err(_) => self.gone = true,
            }
        }
    }

    /// Whether nobody waits for the answer to a request any more.
    pub(super) fn is_unwanted(&mut self, id: u64) -> bool {
        self.look();
        self.gone || self.cancelled.contains(&id)
    }

    fn look(&mut self) {
        loop {
            match self.receiver.try_recv() {
                Ok(command) => self.take(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.gone = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, command: InferCommand) {
        match command {
            InferCommand::Complete(request) => self.waiting.push_back(*request),
            InferCommand::Cancel { id } => self.cancelled.push(id),
        }
    }
}
