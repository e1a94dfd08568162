//! `cargo xtask bench checkpoints`: what checkpoints cost a run of the bundled model on the example dataset.
//!
//!     bench_checkpoints [ROUNDS]
//!
//! The same run in turn with the engine's checkpoints (twenty over the run at most, at the ends of epochs where there are
//! fewer, and one each half a minute) and with the last one alone. Besides the two times, which the machine makes waver, the
//! checkpoints are timed themselves: from a step's line, after which nothing else is done, to the line that says it is whole.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use shared::run::RunCommand;
use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc::Sender},
    time::{Duration, Instant},
};
use trainer::run::{Commands, RunOptions, run};

const ROUNDS: usize = 3;
const EPOCHS: u32 = 4;
/// 600 examples, 8 a step: the engine's checkpoints come at the ends of epochs.
const STEPS_PER_EPOCH: u32 = 75;
/// How often the engine asks for one besides.
const INTERVAL: Duration = Duration::from_secs(30);
/// Goal: hundredths of the training time.
const GOAL_PERCENT: f64 = 3.0;

/// What a run took.
#[derive(Debug, Default, Clone)]
struct Times {
    /// From the first step's line to the last one's.
    training: Duration,
    /// Each checkpoint but the last step's, which every run has.
    checkpoints: Vec<Duration>,
}

fn main() -> Result<()> {
    let rounds = std::env::args()
        .nth(1)
        .map_or(Ok(ROUNDS), |count| count.parse())?;
    println!(
        "{:<14} {:>12} {:>12} {:>13} {:>14} {:>12}",
        "round", "without s", "with s", "checkpoints", "ms each", "share %"
    );
    let (mut without, mut with, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let bare = measure(0)?;
        let kept = measure(STEPS_PER_EPOCH)?;
        let in_checkpoints: Duration = kept.checkpoints.iter().sum();
        let count = kept.checkpoints.len();
        ensure!(
            bare.checkpoints.is_empty() && count >= EPOCHS as usize - 1,
            "{count} checkpoints"
        );
        println!(
            "{round:<14} {:>12.2} {:>12.2} {count:>13} {:>14.1} {:>12.2}",
            bare.training.as_secs_f64(),
            kept.training.as_secs_f64(),
            in_checkpoints.as_secs_f64() * 1_000.0 / count as f64,
            percent(in_checkpoints, kept.training)
        );
        without.push(bare.training.as_secs_f64());
        with.push(kept.training.as_secs_f64());
        each.push(percent(in_checkpoints, kept.training));
    }
    let (without, with, share) = (median(without), median(with), median(each));
    println!("{:<14} {without:>12.2} {with:>12.2}", "medians");
    println!(
        "with ÷ without {:.3}; in checkpoints {share:.2} % of the training time (goal {GOAL_PERCENT})",
        with / without
    );
    ensure!(share <= GOAL_PERCENT, "the goal is missed");
    Ok(())
}

/// Trains once with a checkpoint every so many steps; with none asked for, none by the clock either.
fn measure(every_steps: u32) -> Result<Times> {
    let folder = tempfile::tempdir()?;
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets");
    let spec = json!({
        "version": 1, "base_model": "attune-tiny", "model_path": assets.join("attune-tiny"),
        "training_file": assets.join("example/training.jsonl"),
        "lora": {"rank": 16, "alpha": 32.0,
                 "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]},
        "epochs": EPOCHS, "evaluation_epochs": 0, "warmup": {"epochs": 0}, "learning_rate": 0.003, "schedule": "linear",
        "batch_size": 8, "max_sequence_length": 1024, "seed": 1,
        "checkpoints": {"every_steps": every_steps, "keep_last": 3}
    });
    fs::write(folder.path().join("spec.json"), spec.to_string())?;
    let (sender, commands) = Commands::channel();
    let watch = Arc::new(Mutex::new(Watch {
        commands: sender,
        by_the_clock: every_steps > 0,
        line: Vec::new(),
        first: None,
        stepped: None,
        asked: None,
        pending: None,
        times: Times::default(),
    }));
    let code = run(
        folder.path(),
        RunOptions::default(),
        commands,
        Box::new(Shared(Arc::clone(&watch))),
    );
    ensure!(code == shared::run::exit_code::DONE, "the run ended with {code}");
    let watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(watch.times.clone())
}

/// Reads the event lines as they come.
#[derive(Debug)]
struct Watch {
    commands: Sender<RunCommand>,
    by_the_clock: bool,
    line: Vec<u8>,
    first: Option<Instant>,
    /// When the last step was told.
    stepped: Option<Instant>,
    /// When a checkpoint was last asked for.
    asked: Option<Instant>,
    /// A checkpoint that counts only once another step has followed.
    pending: Option<Duration>,
    times: Times,
}

impl Watch {
    fn read(&mut self) -> Result<()> {
        let now = Instant::now();
        let line: Value = serde_json::from_slice(&self.line).context("an event line is JSON")?;
        match line["type"].as_str() {
            Some("metrics") => {
                let first = *self.first.get_or_insert(now);
                self.times.checkpoints.extend(self.pending.take());
                self.times.training = now - first;
                self.stepped = Some(now);
                let asked = self.asked.get_or_insert(now);
                if self.by_the_clock && now - *asked >= INTERVAL {
                    *asked = now;
                    self.commands.send(RunCommand::Checkpoint)?;
                }
            }
            Some("checkpoint") => self.pending = self.stepped.map(|stepped| now - stepped),
            _ => {}
        }
        Ok(())
    }
}

struct Shared(Arc<Mutex<Watch>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte == b'\n' {
                watch.read().map_err(io::Error::other)?;
                watch.line.clear();
            } else {
                watch.line.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn percent(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64() * 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
