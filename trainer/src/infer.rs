//! The decoding child process, `attune infer`: requests come in on standard input, answers go out on standard output, one
//! JSON object a line (`shared::inference`). One request is answered at a time, in the order in which they came.
//!
//! One base model is in memory; what is asked of its adapters shares the weights. At the end of the input, and where nobody
//! reads the output, it leaves.

mod inbox;
mod loaded;
#[cfg(test)]
mod tests;

pub use inbox::Inbox;

use crate::{
    Error,
    complete::{Answered, Piece},
};
use loaded::Loaded;
use shared::inference::{InferEvent, InferRequest};
use std::{io::Write, ops::ControlFlow};

/// Answers what comes on standard input until that ends.
pub fn main(threads: usize) {
    run(Inbox::from_stdin(), Box::new(std::io::stdout()), threads);
}

/// The same with requests from anywhere and answers to anywhere; 0 threads takes as many as the machine has.
pub fn run(mut inbox: Inbox, out: Box<dyn Write + Send>, threads: usize) {
    let mut out = Outbox { out, broken: false };
    let mut loaded = Loaded::new(threads);
    while !out.broken
        && let Some(request) = inbox.next()
    {
        let id = request.id;
        let event = match answer(&mut loaded, &request, &mut inbox, &mut out) {
            Ok(Some(answered)) => InferEvent::Done {
                id,
                finish_reason: answered.finish_reason,
                completion_tokens: answered.completion_tokens,
            },
            Ok(None) => InferEvent::Cancelled { id },
            Err(error) => InferEvent::Failed {
                id,
                code: error.code().to_owned(),
                message: error.to_string(),
            },
        };
        out.tell(&event);
    }
}

fn answer(
    loaded: &mut Loaded,
    request: &InferRequest,
    inbox: &mut Inbox,
    out: &mut Outbox,
) -> Result<Option<Answered>, Error> {
    let id = request.id;
    if inbox.is_unwanted(id) {
        return Ok(None);
    }
    let (answerer, adapter) = loaded.find(request)?;
    answerer.answer(
        adapter,
        &request.prompt,
        &request.parameters,
        request.memory_limit_bytes,
        &mut |piece| {
            let event = match piece {
                Piece::Started(prompt_tokens) => Some(InferEvent::Started { id, prompt_tokens }),
                Piece::Reading => Some(InferEvent::Reading { id }),
                Piece::Text(text, logprobs) if text.is_empty() && logprobs.is_empty() => None,
                Piece::Text(text, logprobs) => Some(InferEvent::Text { id, text, logprobs }),
            };
            if let Some(event) = event {
                out.tell(&event);
            }
            if out.broken || inbox.is_unwanted(id) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )
}

/// Writes lines, and remembers whether anybody still reads them.
struct Outbox {
    out: Box<dyn Write + Send>,
    broken: bool,
}

impl Outbox {
    fn tell(&mut self, event: &InferEvent) {
        let written = serde_json::to_string(event)
            .map_err(std::io::Error::from)
            .and_then(|line| self.out.write_all(format!("{line}\n").as_bytes()))
            .and_then(|()| self.out.flush());
        self.broken |= written.is_err();
    }
}
