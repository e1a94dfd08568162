mod reference;

use super::*;
use crate::testing::{lines, run_dir, spec};
use serde_json::{Value, json};
use shared::run::{RunCommand, StepMetrics};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
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
                _ => {}
            }
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
        Some(RunEvent::Failed { step, code, message }) => (*step, code.clone(), message.clone()),
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
    let dir = run_dir(&spec());
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
fn paused_and_resumed_at_any_step_the_result_has_the_same_bytes() {
    let (expected, steps) = undisturbed();
    for at in 1..12 {
        let dir = run_dir(&spec());
        let act = if at % 2 == 0 {
            Act::Leave(at)
        } else {
            Act::Send(at, vec![RunCommand::Pause])
        };
        let (code, events) = go(dir.path(), act);
        assert_eq!(code, exit_code::PAUSED);
        assert!(matches!(events.last(), Some(RunEvent::Paused { step }) if *step == at));
        let (code, events) = go_with(dir.path(), RunOptions { replay_after: at }, Act::Nothing);
        assert_eq!(code, exit_code::DONE);
        assert_eq!(metrics(&events), steps[at as usize..]);
        assert_eq!(result(dir.path()), expected, "paused at {at}");
    }
}

#[test]
fn what_was_lost_after_a_checkpoint_is_done_again_with_the_same_bytes() {
    let (expected, steps) = undisturbed();
    let dir = run_dir(&spec());
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    // As if killed just after step 10's checkpoint: the metrics go on, half a line is torn, a folder is unfinished.
    fs::remove_dir_all(dir.path().join("adapter")).unwrap();
    fs::remove_file(dir.path().join("result.json")).unwrap();
    fs::rename(
        dir.path().join("checkpoints/step-12"),
        dir.path().join("checkpoints/.step-12.tmp"),
    )
    .unwrap();
    let mut log = fs::read(dir.path().join("metrics.jsonl")).unwrap();
    log.truncate(log.len() - 20);
    fs::write(dir.path().join("metrics.jsonl"), log).unwrap();
    let (code, events) = go_with(dir.path(), RunOptions { replay_after: 8 }, Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert_eq!(
        metrics(&events),
        steps[8..],
        "steps 9 and 10 from the log, 11 and 12 trained again"
    );
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn a_broken_checkpoint_is_passed_over_for_the_one_before() {
    let (expected, _) = undisturbed();
    let dir = run_dir(&spec());
    let (code, _) = go(dir.path(), Act::Send(7, vec![RunCommand::Pause]));
    assert_eq!(code, exit_code::PAUSED);
    let path = dir.path().join("checkpoints/step-7/optimizer.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    let warned = events.iter().any(|event| {
        matches!(event, RunEvent::Log { message, .. } if message.contains("step-7") && message.contains("optimizer"))
    });
    assert!(warned, "{events:?}");
    let told: Vec<u64> = metrics(&events).iter().map(|metrics| metrics.step).collect();
    assert_eq!(told, (1..=12).collect::<Vec<_>>());
    assert_eq!(result(dir.path()), expected);
}

#[test]
fn a_finished_run_tells_everything_again_and_changes_nothing() {
    let dir = run_dir(&spec());
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    let before = content(dir.path());
    let (code, events) = go_with(dir.path(), RunOptions { replay_after: 3 }, Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert_eq!(metrics(&events).len(), 9);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, RunEvent::Checkpoint { step: 12, .. }))
    );
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 12,
            complete: true,
            ..
        })
    ));
    assert_eq!(content(dir.path()), before);
}

#[test]
fn stop_makes_what_is_trained_so_far_the_result() {
    let dir = run_dir(&spec());
    let (code, events) = go(dir.path(), Act::Send(5, vec![RunCommand::Stop]));
    assert_eq!(code, exit_code::DONE);
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 5,
            complete: false,
            ..
        })
    ));
    let adapter = fs::read(dir.path().join("adapter/adapter_model.safetensors")).unwrap();
    assert_eq!(
        adapter,
        fs::read(dir.path().join("checkpoints/step-5/adapter_model.safetensors")).unwrap()
    );
    // Killed between the summary and the adapter: the next attempt remembers that it was to stop.
    fs::remove_dir_all(dir.path().join("adapter")).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(code, exit_code::DONE);
    assert!(matches!(
        events.last(),
        Some(RunEvent::Done {
            step: 5,
            complete: false,
            ..
        })
    ));
}

#[test]
fn a_checkpoint_can_be_asked_for_and_a_broken_output_ends_like_a_pause() {
    let dir = run_dir(&spec());
    let (code, events) = go(
        dir.path(),
        Act::Send(3, vec![RunCommand::Checkpoint, RunCommand::Checkpoint]),
    );
    assert_eq!(code, exit_code::DONE);
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, RunEvent::Checkpoint { step: 3, .. }))
            .count(),
        1
    );
    let dir = run_dir(&spec());
    let (code, _) = go(dir.path(), Act::Break(3));
    assert_eq!(code, exit_code::PAUSED);
    assert_eq!(crate::checkpoint::steps(dir.path()), [2, 3]);
}

#[test]
fn a_loss_that_is_no_number_fails_the_run_and_keeps_its_last_checkpoint() {
    let mut ordered = spec();
    ordered["shuffle"] = json!(false);
    ordered["checkpoints"]["every_steps"] = json!(1);
    let dir = run_dir(&ordered);
    // The word "count" is first seen in the fourth example, which is in the second step.
    let folder = dir.path().join("model");
    let mut model = crate::Model::load(&folder).unwrap();
    model.weights[13 * 16] = f32::NAN;
    model.save(&folder, crate::Precision::F32).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    let (step, name, message) = failure(&events);
    assert_eq!(
        (code, name.as_str(), step),
        (exit_code::DIVERGED, "nan_loss", 1),
        "{message}"
    );
    assert!(
        message.contains("step 2") && message.contains("learning rate"),
        "{message}"
    );
    assert!(crate::checkpoint::verify(dir.path(), 1).is_ok());
    assert!(!dir.path().join("adapter").exists());
}

#[test]
fn lines_that_can_not_be_used_are_refused_by_number() {
    let refusal = |text: String| {
        let dir = run_dir(&spec());
        fs::write(dir.path().join("data/train.jsonl"), text).unwrap();
        let (code, events) = go(dir.path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        let (_, name, message) = failure(&events);
        assert_eq!(name, "invalid_training_file");
        message
    };
    let long = json!({"messages": [{"role": "user", "content": "red ".repeat(40)},
                                   {"role": "assistant", "content": "one"}]});
    let message = refusal(format!("{}{long}\n", lines(2)));
    assert!(
        message.contains("line 3") && message.contains("max_sequence_length"),
        "{message}"
    );
    assert!(refusal(format!("{}{{\n", lines(1))).contains("line 2"));
    assert!(refusal(String::new()).contains("empty"));
}

#[test]
fn a_spec_or_model_that_can_not_be_used_is_refused() {
    let refusal = |change: fn(&mut Value)| {
        let mut changed = spec();
        change(&mut changed);
        let dir = run_dir(&changed);
        let (code, events) = go(dir.path(), Act::Nothing);
        assert_eq!(code, exit_code::REFUSED);
        failure(&events).1
    };
    assert_eq!(refusal(|spec| spec["version"] = json!(2)), "invalid_spec");
    assert_eq!(refusal(|spec| spec["epochs"] = json!(0)), "invalid_spec");
    assert_eq!(
        refusal(|spec| spec["gradient_accumulation"] = json!(3)),
        "invalid_spec"
    );
    assert_eq!(refusal(|spec| spec["surprise"] = json!(3)), "invalid_spec");
    assert_eq!(
        refusal(|spec| spec["lora"]["targets"] = json!([])),
        "invalid_spec"
    );
    assert_eq!(
        refusal(|spec| spec["model_path"] = json!("data")),
        "invalid_model"
    );
    assert_eq!(
        refusal(|spec| spec["start_adapter"] = json!("data")),
        "invalid_adapter"
    );
    assert_eq!(
        refusal(|spec| spec["validation_file"] = json!("nothing")),
        "invalid_validation_file"
    );
}

#[test]
fn a_checkpoint_of_other_settings_is_not_resumed() {
    let dir = run_dir(&spec());
    assert_eq!(
        go(dir.path(), Act::Send(3, vec![RunCommand::Pause])).0,
        exit_code::PAUSED
    );
    let mut changed = spec();
    changed["learning_rate"] = json!(0.01);
    fs::write(dir.path().join("spec.json"), changed.to_string()).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!(
        (code, failure(&events).1.as_str()),
        (exit_code::REFUSED, "invalid_spec")
    );
    let mut harmless = spec();
    harmless["threads"] = json!(2);
    fs::write(dir.path().join("spec.json"), harmless.to_string()).unwrap();
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
}

#[test]
fn two_trainers_can_not_share_a_run_directory() {
    let dir = run_dir(&spec());
    let _held = lock(dir.path()).unwrap();
    let (code, events) = go(dir.path(), Act::Nothing);
    assert_eq!((code, failure(&events).1.as_str()), (exit_code::LOCKED, "locked"));
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

/// Not a test by itself: the child process of the two below.
#[test]
#[ignore = "run by other tests as their child"]
#[expect(
    clippy::disallowed_methods,
    reason = "the exit code is what the parent looks at, and a test returns none"
)]
fn child() {
    let run_dir = std::env::var_os("TRAINER_TEST_RUN_DIR").unwrap();
    std::process::exit(i32::from(main(Path::new(&run_dir), RunOptions::default())));
}

/// This test program as a trainer of its own, started by a shell so that limits can be set.
fn child_process(run_dir: &Path, before: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{before} exec \"$0\" run::tests::child --exact --ignored --nocapture"
        ))
        .arg(program)
        .env("TRAINER_TEST_RUN_DIR", run_dir)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_full_disk_fails_the_run_and_leaves_the_last_checkpoint() {
    let dir = run_dir(&spec());
    assert_eq!(
        go(dir.path(), Act::Send(3, vec![RunCommand::Pause])).0,
        exit_code::PAUSED
    );
    // Files may grow to 1024 bytes (or 512-byte blocks): enough for the metrics, not for tensors.
    let mut child = child_process(dir.path(), "trap '' XFSZ; ulimit -f 3;");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(i32::from(exit_code::STORAGE)), "{out}");
    assert!(out.contains("\"code\":\"disk_full\""), "{out}");
    assert!(crate::checkpoint::verify(dir.path(), 3).is_ok());
    let leftovers = fs::read_dir(dir.path().join("checkpoints"))
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.')
        })
        .count();
    assert_eq!(leftovers, 0);
    assert_eq!(go(dir.path(), Act::Nothing).0, exit_code::DONE);
    assert_eq!(result(dir.path()), undisturbed().0);
}

#[test]
fn killed_in_the_midst_of_things_a_run_ends_with_the_same_bytes() {
    let (expected, _) = undisturbed();
    // Each length of output read before the kill is another instant.
    for (attempt, bytes) in [300, 700, 1500, 2500, 3500].into_iter().enumerate() {
        let dir = run_dir(&spec());
        let mut child = child_process(dir.path(), "");
        let mut out = child.stdout.take().unwrap();
        let mut read = vec![0; bytes];
        // The run may be over before so much is written; then the kill comes late, which is an instant, too.
        drop(out.read_exact(&mut read));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(
            go(dir.path(), Act::Nothing).0,
            exit_code::DONE,
            "attempt {attempt}"
        );
        assert_eq!(result(dir.path()), expected, "attempt {attempt}");
    }
}
