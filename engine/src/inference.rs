//! Answers of base models, tuned models and checkpoints, by a child process that decodes (`attune infer`).
//!
//! The child is started when somebody asks, and ended when nobody has for a while. One request is answered at a time, in
//! the order in which they came, and only so many may wait. A child that dies takes the answer under way with it, which
//! is told, and nothing else: the next request starts another. Whoever goes away is noticed at once, and what was being
//! decoded for them is given up.

mod child;
mod figures;
mod models;
mod turn;

use crate::{Error, Service, executor::child::Limits, secret};
pub use figures::DecodingFigures;
pub(crate) use models::checkpoint_name;

use child::Child;
use figures::Figures;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use shared::{
    chat::{FinishReason, TokenLogprob},
    id::Subject,
    inference::{InferParameters, Prompt},
};
use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

/// How models answer.
#[derive(Debug, Clone)]
pub struct InferenceConfig {
    /// The program that decodes: takes `--threads N`, and speaks the lines of `shared::inference`.
    pub command: Vec<String>,
    /// Threads of it; 0 takes half of the machine's cores.
    pub threads: u32,
    /// What else it may take of the machine.
    pub limits: Limits,
    /// How long it stays when nobody asks.
    pub idle: Duration,
    /// Requests that may wait for their turn.
    pub longest_queue: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            threads: 0,
            limits: Limits {
                memory_bytes: None,
                niceness: 10,
            },
            idle: Duration::from_secs(300),
            longest_queue: 16,
        }
    }
}

/// What is to be answered, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletionRequest {
    /// A base model's identifier, a tuned model's name, or a checkpoint's.
    pub model: String,
    /// What the model reads.
    pub prompt: Prompt,
    /// How it answers; `choice` is set for each answer.
    pub parameters: InferParameters,
    /// How many answers, one after the other; at least 1.
    pub choices: u32,
}

/// An answer on its way. Dropping it gives it up.
pub struct Completion {
    /// Tokens of the prompt as the model reads it.
    pub prompt_tokens: u32,
    /// Changes when the same request may be answered otherwise: with another version, or other files of the model.
    pub fingerprint: String,
    /// What comes, to its end; an error is the last.
    pub pieces: BoxStream<'static, Result<Piece, Error>>,
}

/// What comes of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Some more of it, in whole characters.
    Text {
        /// Which of the answers.
        choice: u32,
        /// What comes next.
        text: String,
        /// Its tokens, where they were asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// One is whole.
    Done {
        /// Which of the answers.
        choice: u32,
        /// Why it ended.
        finish_reason: FinishReason,
        /// Its tokens.
        completion_tokens: u32,
    },
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Inference {
    /// Those that wait, the one whose turn it is, and those whose answer hasn't been read to its end.
    pub(crate) places: Arc<Semaphore>,
    /// Whose turn it is.
    turn: Semaphore,
    child: Mutex<Option<Arc<Child>>>,
    /// When the last turn ended.
    used: std::sync::Mutex<Instant>,
    /// Names the next request to the child.
    next: AtomicU64,
    /// What is counted of it.
    pub(crate) figures: Figures,
}

impl Inference {
    pub(crate) fn new(config: &InferenceConfig) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.longest_queue + 1)),
            turn: Semaphore::new(1),
            child: Mutex::default(),
            used: std::sync::Mutex::new(Instant::now()),
            next: AtomicU64::new(1),
            figures: Figures::default(),
        }
    }

    /// Notes that a turn has ended.
    fn note_use(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last_use(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the child go: it sees the end of its input and leaves.
    pub(crate) async fn end(&self) {
        drop(self.child.lock().await.take());
    }

    fn fresh_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl Service {
    /// Answers a request; waits until its turn has come, the model is there and the prompt fits.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::Busy`] where too many wait; [`Error::Unanswerable`] where the prompt is at fault;
    /// [`Error::Unavailable`] where the model can't answer now. The same may come after the start, as the last piece.
    pub async fn complete(&self, subject: &Subject, request: CompletionRequest) -> Result<Completion, Error> {
        let inference = &self.inner.inference;
        let count = |error: &Error| inference.figures.now().end(Err(error));
        let model = self.answering_model(subject, &request.model).await;
        let model = model.inspect_err(count)?;
        let fingerprint = model.fingerprint.clone();
        let place = Arc::clone(&inference.places)
            .try_acquire_owned()
            .map_err(|_| Error::Busy { retry_after: 5 })
            .inspect_err(count)?;
        // Until the answer is read as well: what nobody reads lies in memory.
        let place = Arc::new(place);
        let held = Arc::clone(&place);
        let (teller, mut told) = mpsc::unbounded_channel();
        let service = self.clone();
        self.inner.tasks.spawn(async move {
            service.take_turn(&model, request, &teller).await;
            drop(held);
        });
        match told.recv().await {
            Some(Ok(turn::Told::Started(prompt_tokens))) => Ok(Completion {
                prompt_tokens,
                fingerprint,
                pieces: unfold((told, place), next_piece).boxed(),
            }),
            Some(Err(error)) => Err(error),
            // It always tells one of the two, unless the server goes down.
            Some(Ok(turn::Told::Piece(_))) | None => Err(Error::Stopping),
        }
    }
}

/// One of the places; free once both the turn and the reader have let go of it.
type Place = Arc<OwnedSemaphorePermit>;

type Told = mpsc::UnboundedReceiver<Result<turn::Told, Error>>;

async fn next_piece((mut told, place): (Told, Place)) -> Option<(Result<Piece, Error>, (Told, Place))> {
    loop {
        let piece = match told.recv().await? {
            Ok(turn::Told::Started(_)) => continue,
            Ok(turn::Told::Piece(piece)) => Ok(piece),
            Err(error) => Err(error),
        };
        return Some((piece, (told, place)));
    }
}

/// Names what decides an answer besides the request.
fn fingerprint(parts: &[&str]) -> String {
    let digest = secret::hash(&format!("{} {}", env!("CARGO_PKG_VERSION"), parts.join("\n")));
    format!("fp_{}", digest.get(..12).unwrap_or(&digest))
}

#[cfg(test)]
mod tests;
