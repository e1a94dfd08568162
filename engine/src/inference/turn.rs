//! One request's turn, from the queue to its end.

use super::{
    CompletionRequest, Piece,
    child::{Asked, Child},
    figures::Pace,
    models::AnsweringModel,
};
use crate::{Error, Service, models::available_memory};
use shared::inference::{InferEvent, InferParameters, InferRequest};
use std::{
    io,
    sync::{Arc, Weak},
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

/// What a turn tells.
pub(super) enum Told {
    /// The prompt has so many tokens, and an answer comes.
    Started(u32),
    Piece(Piece),
}

type Teller = UnboundedSender<Result<Told, Error>>;

impl Service {
    /// Waits for the turn and answers, unless whoever asked goes away or the server goes down.
    pub(super) async fn take_turn(
        &self,
        model: &AnsweringModel,
        request: CompletionRequest,
        teller: &Teller,
    ) {
        let inference = &self.inner.inference;
        let asked = Instant::now();
        let answering = async {
            let Ok(_turn) = inference.turn.acquire().await else {
                return Err(Error::Stopping);
            };
            let waited = asked.elapsed().as_secs_f64();
            inference.figures.now().queue_seconds.record(waited);
            let answered = self.answer(model, &request, asked, teller).await;
            inference.note_use();
            answered
        };
        let ended = tokio::select! {
            answered = answering => answered,
            () = teller.closed() => {
                inference.note_use();
                // Counted as what the end of the server cuts off; nobody is there to be told.
                Err(Error::Stopping)
            }
            () = self.inner.stopping.cancelled() => Err(Error::Stopping),
        };
        inference.figures.now().end(ended.as_ref().copied());
        if let Err(error) = ended {
            // Whoever asked may have gone meanwhile.
            let _gone = teller.send(Err(error));
        }
    }

    async fn answer(
        &self,
        model: &AnsweringModel,
        request: &CompletionRequest,
        came: Instant,
        teller: &Teller,
    ) -> Result<(), Error> {
        for choice in 0..request.choices {
            let child = self.decoding_child().await?;
            let parameters = InferParameters {
                choice,
                ..request.parameters.clone()
            };
            let asked = child.ask(InferRequest {
                id: self.inner.inference.fresh_id(),
                model: model.base.display().to_string(),
                adapter: model
                    .adapter
                    .as_ref()
                    .map(|held| held.path().display().to_string()),
                prompt: request.prompt.clone(),
                parameters,
                memory_limit_bytes: self.memory_for(&child).await,
            });
            let came = (choice == 0).then_some(came);
            self.follow(model, choice, came, &child, asked, teller).await?;
        }
        Ok(())
    }

    async fn follow(
        &self,
        model: &AnsweringModel,
        choice: u32,
        came: Option<Instant>,
        child: &Child,
        mut asked: Asked,
        teller: &Teller,
    ) -> Result<(), Error> {
        let longest = self.inner.config.longest_silence;
        let mut pace = Pace::new(&self.inner.inference.figures);
        loop {
            let Ok(event) = tokio::time::timeout(longest, asked.next()).await else {
                child.kill();
                return Err(died("stood still and was ended"));
            };
            let told = match event {
                None => return Err(died("died")),
                Some(InferEvent::Started { prompt_tokens, .. }) => Told::Started(prompt_tokens),
                Some(InferEvent::Reading { .. }) => continue,
                Some(InferEvent::Text { text, logprobs, .. }) => {
                    pace.text(came);
                    Told::Piece(Piece::Text {
                        choice,
                        text,
                        logprobs,
                    })
                }
                Some(InferEvent::Done {
                    finish_reason,
                    completion_tokens,
                    ..
                }) => {
                    pace.done(completion_tokens);
                    let done = Piece::Done {
                        choice,
                        finish_reason,
                        completion_tokens,
                    };
                    let _gone = teller.send(Ok(Told::Piece(done)));
                    return Ok(());
                }
                Some(InferEvent::Failed { code, message, .. }) => return Err(model.failure(&code, message)),
                // Only ever as we asked, and then nobody is here any more.
                Some(InferEvent::Cancelled { .. }) => return Err(died("gave the answer up")),
            };
            let _gone = teller.send(Ok(told));
        }
    }

    /// The child that lives, else a new one.
    async fn decoding_child(&self) -> Result<Arc<Child>, Error> {
        let mut child = self.inner.inference.child.lock().await;
        if let Some(living) = child.as_ref().filter(|child| child.is_alive()) {
            return Ok(Arc::clone(living));
        }
        let config = &self.inner.config.inference;
        let started =
            Child::start(config, &self.inner.layout.inference_log()).map_err(|error: io::Error| {
                tracing::error!(%error, "the decoding process could not be started");
                Error::Unavailable {
                    code: "inference_unavailable",
                    message: "the process that answers could not be started: the server's log tells why"
                        .to_owned(),
                }
            })?;
        let started = Arc::new(started);
        {
            let mut figures = self.inner.inference.figures.now();
            figures.starts += 1;
            // One that has left in peace isn't there any more.
            figures.restarts += u64::from(child.is_some());
        }
        *child = Some(Arc::clone(&started));
        let (service, idle) = (self.clone(), Arc::downgrade(&started));
        self.inner
            .tasks
            .spawn(async move { service.dismiss_when_idle(&idle).await });
        Ok(started)
    }

    /// What the child may take: its share as a trainer has one, and no more than is left on this machine now.
    async fn memory_for(&self, child: &Child) -> Option<u64> {
        let config = &self.inner.config;
        let share = config.inference.limits.memory_bytes.or(config.memory_bytes);
        let process = child.process();
        let left = tokio::task::spawn_blocking(move || available_memory(process)).await;
        [share, left.ok().flatten()].into_iter().flatten().min()
    }

    /// Lets a child go once nobody has asked for a while.
    async fn dismiss_when_idle(&self, child: &Weak<Child>) {
        let inference = &self.inner.inference;
        loop {
            let due = inference.last_use() + self.inner.config.inference.idle;
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = self.inner.stopping.cancelled() => return,
            }
            // Nobody's answer is under way then.
            let Ok(_turn) = inference.turn.acquire().await else {
                return;
            };
            let mut current = inference.child.lock().await;
            if !current
                .as_ref()
                .is_some_and(|current| std::ptr::eq(child.as_ptr(), Arc::as_ptr(current)))
            {
                return;
            }
            if inference.last_use() + self.inner.config.inference.idle <= Instant::now() {
                *current = None;
                return;
            }
        }
    }
}

fn died(what: &str) -> Error {
    Error::Unavailable {
        code: "inference_failed",
        message: format!("the process that answers {what}: try again"),
    }
}
