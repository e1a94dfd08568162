pub(super) mod examples;
mod kills;
mod memory;
mod preference;
mod reference;
mod refusals;
mod resume;

use super::*;
use crate::testing::{lines, run_dir, spec};
use serde_json::{Value, json};
use shared::run::{RunCommand, StepMetrics};
use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, mpsc::Sender},
};

/// What to do at the metrics line of a step.
#[derive(Clone)]
enum Act {
    Nothing,
    Send(u64, Vec<RunCommand>),
    /// Drop the sender of commands.
    Leave(u64),
    /// Fail every write from that line on.
    Break(u64),
    /// Ask for a pause with something in the way of checkpoints, and once more with the way free.
    Obstruct(u64, PathBuf),
}

/// Reads event lines as an engine would, and acts on them.
struct Reader {
    events: Arc<Mutex<Vec<RunEvent>>>,
    sender: Option<Sender<RunCommand>>,
    act: Act,
    broken: bool,
}

impl Write for Reader {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let event: RunEvent = serde_json::from_slice(buffer).unwrap();
        if let RunEvent::Metrics(StepMetrics { step, .. }) = &event {
            match &self.act {
                Act::Send(at, commands) if at == step => {
                    for command in commands {
                        self.sender.as_ref().unwrap().send(*command).unwrap();
                    }
                }
                Act::Leave(at) if at == step => self.sender = None,
                Act::Break(at) if at == step => self.broken = true,
                Act::Obstruct(at, obstacle) if at == step => {
                    fs::write(obstacle, "in the way").unwrap();
                    self.sender.as_ref().unwrap().send(RunCommand::Pause).unwrap();
                }
                _ => {}
            }
        }
        if let (RunEvent::PauseFailed { .. }, Act::Obstruct(_, obstacle)) = (&event, &self.act) {
            fs::remove_file(obstacle).unwrap();
            self.sender.as_ref().unwrap().send(RunCommand::Pause).unwrap();
        }
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.events.lock().unwrap().push(event);
        Ok(buffer.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn go_with(run_dir: &Path, options: RunOptions, act: Act) -> (u8, Vec<RunEvent>) {
    let (sender, commands) = Commands::channel();
    let events = Arc::new(Mutex::new(Vec::new()));
    let reader = Reader {
        events: Arc::clone(&events),
        sender: Some(sender),
        act,
        broken: false,
    };
    let code = run(run_dir, options, commands, Box::new(reader));
    let events = events.lock().unwrap().clone();
    (code, events)
}

fn go(run_dir: &Path, act: Act) -> (u8, Vec<RunEvent>) {
    go_with(run_dir, RunOptions::default(), act)
}

fn metrics(events: &[RunEvent]) -> Vec<StepMetrics> {
    let metrics = |event: &RunEvent| match event {
        RunEvent::Metrics(metrics) => Some(metrics.clone()),
        _ => None,
    };
    events.iter().filter_map(metrics).collect()
}

fn failure(events: &[RunEvent]) -> (u64, String, String) {
    match events.last() {
        Some(RunEvent::Failed {
            step, code, message, ..
        }) => (*step, code.clone(), message.clone()),
        other => panic!("{other:?} is no failure"),
    }
}

/// All files below a folder with their content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(
                content(&path)
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

fn undisturbed() -> (BTreeMap<String, Vec<u8>>, Vec<StepMetrics>) {
    undisturbed_of(&spec())
}

fn undisturbed_of(spec: &Value) -> (BTreeMap<String, Vec<u8>>, Vec<StepMetrics>) {
    let dir = run_dir(spec);
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE, "{events:?}");
    (result(dir.path()), metrics(&events))
}

/// What must be the same however a run was disturbed.
fn result(run_dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = content(&run_dir.join("adapter"));
    files.extend(
        content(&run_dir.join("checkpoints/step-12"))
            .into_iter()
            .map(|(name, it)| (name + "@12", it)),
    );
    files.insert(
        "metrics.jsonl".to_owned(),
        fs::read(run_dir.join("metrics.jsonl")).unwrap(),
    );
    files
}

#[test]
fn a_run_learns_and_tells_every_step() {
    let dir = run_dir(&spec());
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    let steps = metrics(&events);
    assert_eq!(
        steps.iter().map(|metrics| metrics.step).collect::<Vec<_>>(),
        (1..=12).collect::<Vec<_>>()
    );
    assert!(steps[11].train_loss < steps[0].train_loss);
    assert!(
        steps
            .iter()
            .all(|metrics| metrics.tokens > 0 && metrics.gradient_norm > 0.0)
    );
    assert_eq!(steps[0].learning_rate, 0.0, "warm-up begins at 0");
    let evaluated: Vec<u64> = steps
        .iter()
        .filter(|metrics| metrics.valid_loss.is_some())
        .map(|metrics| metrics.step)
        .collect();
    assert_eq!(evaluated, [6, 12]);
    assert_eq!((steps[5].epoch, steps[11].epoch), (1.0, 2.0));
    // 11 examples of 4 target tokens (three words' worth and the end), twice.
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 12,
            trained_tokens: 88,
            complete: true
        })
    ));
    let so_far: Vec<_> = steps.iter().map(|metrics| metrics.trained_tokens).collect();
    assert_eq!((so_far[0], so_far[11]), (Some(8), Some(88)));
    let told = estimate(&prepare::read_spec(dir.path()).unwrap(), dir.path()).unwrap();
    let expected = RunEvent::Estimate {
        step: 0,
        memory_bytes: told.memory_bytes,
        trained_tokens: 88,
    };
    assert!(events.contains(&expected), "{events:?}");
    assert_eq!(told.target_tokens, 44);
    let kept = crate::checkpoint::steps(dir.path());
    assert!(
        kept.contains(&10) && kept.contains(&12) && kept.len() <= 3,
        "{kept:?}"
    );
    let removed = events
        .iter()
        .filter(|event| matches!(event, RunEvent::CheckpointRemoved { .. }))
        .count();
    assert_eq!(removed + kept.len(), 6);
    assert!(dir.path().join("adapter/adapter_config.json").exists());
}

#[test]
fn merged_weights_are_a_model_of_their_own() {
    let mut merging = spec();
    merging["merge"] = json!(true);
    let dir = run_dir(&merging);
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    let merged = crate::Model::load(&dir.path().join("merged")).unwrap();
    let base = crate::Model::load(&dir.path().join("model")).unwrap();
    assert_ne!(merged.weights, base.weights);
    assert!(dir.path().join("merged/tokenizer.json").exists());
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let (expected, _) = undisturbed();
    let mut three = spec();
    three["threads"] = json!(3);
    let dir = run_dir(&three);
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    assert_eq!(
        content(&dir.path().join("adapter"))["adapter_model.safetensors"],
        expected["adapter_model.safetensors"]
    );
}
