//! A double of the trainer for tests, in this crate and in those above it: the test plays its part.

use crate::executor::{Control, Executor, Exit, Launch, Trainer};
use shared::run::{RunCommand, RunEvent, Stage, StepMetrics, exit_code};
use std::{
    fs, io,
    sync::{Arc, atomic::AtomicU64},
};
use tokio::sync::{mpsc, oneshot};

/// A trainer whose part the test plays.
#[derive(Debug)]
pub struct Played {
    /// What the engine started it with.
    pub launch: Launch,
    /// What it tells.
    pub events: mpsc::Sender<RunEvent>,
    /// What it is told.
    pub control: mpsc::UnboundedReceiver<Control>,
    /// The most memory that it had, where the test says so.
    pub peak_memory: Arc<AtomicU64>,
    exit: oneshot::Sender<Exit>,
}

/// Hands every trainer that the engine starts to the test.
#[derive(Debug)]
pub struct PlayedExecutor(mpsc::UnboundedSender<Played>);

impl PlayedExecutor {
    /// The executor, and where its trainers come out.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Played>) {
        let (sender, trainers) = mpsc::unbounded_channel();
        (Self(sender), trainers)
    }
}

impl Executor for PlayedExecutor {
    fn spawn(&self, launch: &Launch) -> io::Result<Trainer> {
        let (event_sender, events) = mpsc::channel(256);
        let (control, control_receiver) = mpsc::unbounded_channel();
        let (exit_sender, exit) = oneshot::channel();
        let peak_memory = Arc::new(AtomicU64::new(0));
        let played = Played {
            launch: launch.clone(),
            peak_memory: Arc::clone(&peak_memory),
            events: event_sender,
            control: control_receiver,
            exit: exit_sender,
        };
        self.0.send(played).map_err(io::Error::other)?;
        Ok(Trainer {
            events,
            control,
            peak_memory,
            exit,
        })
    }
}

impl Played {
    /// Tells something.
    pub async fn say(&self, event: RunEvent) {
        assert!(self.events.send(event).await.is_ok(), "the engine listens");
    }

    /// Begins to train with so many steps done.
    pub async fn train_from(&self, step: u64) {
        self.say(RunEvent::Stage {
            step,
            stage: Stage::Training,
            total_steps: Some(10),
        })
        .await;
    }

    /// Tells what the run takes.
    pub async fn estimate(&self, memory_bytes: u64, trained_tokens: u64) {
        self.say(RunEvent::Estimate {
            step: 0,
            memory_bytes,
            trained_tokens,
        })
        .await;
    }

    /// Does a step.
    pub async fn step(&self, step: u64) {
        self.say(RunEvent::Metrics(metrics(step))).await;
    }

    /// Writes a checkpoint that is one by its name and by its adapter.
    pub async fn checkpoint(&self, step: u64) {
        let path = format!("checkpoints/step-{step}");
        self.write(&format!("{path}/adapter_config.json"));
        self.write(&format!("{path}/adapter_model.safetensors"));
        self.write("metrics.jsonl");
        self.say(RunEvent::Checkpoint {
            step,
            path,
            bytes: 100,
            valid_loss: None,
        })
        .await;
    }

    fn write(&self, path: &str) {
        let path = self.launch.run_dir.join(path);
        let folder = path.parent().map(fs::create_dir_all);
        assert!(folder.is_some_and(|made| made.is_ok()), "{}", path.display());
        assert!(fs::write(&path, [7_u8; 1000]).is_ok(), "{}", path.display());
    }

    /// Ends: standard output closes, then the exit is known.
    pub fn exit(self, exit: Exit) {
        drop(self.events);
        let _ = self.exit.send(exit);
    }

    /// Waits until it is told something.
    pub async fn wait_for(&mut self, wanted: Control) {
        loop {
            let told = self.control.recv().await;
            assert!(told.is_some(), "the engine let go before {wanted:?}");
            if told == Some(wanted) {
                return;
            }
        }
    }

    /// Ends as a trainer that was killed.
    pub async fn exit_when_killed(mut self) {
        self.wait_for(Control::Kill).await;
        self.exit(Exit::Signal(9));
    }

    /// Saves and leaves once it is asked to.
    pub async fn pause_when_asked(mut self, step: u64) {
        self.wait_for(Control::Command(RunCommand::Pause)).await;
        self.checkpoint(step).await;
        self.say(RunEvent::Paused { step }).await;
        self.exit(Exit::Code(i32::from(exit_code::PAUSED)));
    }

    /// Leaves its result and ends well.
    pub async fn finish(self, step: u64) {
        self.end(step, true).await;
    }

    /// Leaves what it has as its result once it is asked to.
    pub async fn stop_when_asked(mut self, step: u64) {
        self.wait_for(Control::Command(RunCommand::Stop)).await;
        self.checkpoint(step).await;
        self.end(step, false).await;
    }

    async fn end(self, step: u64, complete: bool) {
        self.write("adapter/adapter_config.json");
        self.write("adapter/adapter_model.safetensors");
        self.say(RunEvent::Done {
            step,
            trained_tokens: step * 50,
            complete,
        })
        .await;
        self.exit(Exit::Code(i32::from(exit_code::DONE)));
    }
}

/// What a trainer measures at a step: always the same.
#[must_use]
pub fn metrics(step: u64) -> StepMetrics {
    StepMetrics {
        step,
        total_steps: 10,
        epoch: step as f64 / 5.0,
        train_loss: 2.0 / step as f64,
        train_token_accuracy: 0.5,
        learning_rate: 0.001,
        gradient_norm: 1.0,
        tokens: 100,
        trained_tokens: Some(step * 50),
        valid_loss: step.is_multiple_of(5).then_some(1.5),
        valid_token_accuracy: step.is_multiple_of(5).then_some(0.25),
        rewards: None,
        valid_rewards: None,
    }
}
