//! Preference optimisation for real: the bundled base model learns from pairs made of the example task, in which one answer
//! fits the message and the other is another message's. Pairs that it never saw show what it learnt.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use serde_json::{Value, json};
use shared::{
    model::JobDefaults,
    run::{RunEvent, StepMetrics, exit_code},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use trainer::run::{Commands, RunOptions, run};

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets")
}

/// The first pairs that the chats of an example file make: to each message its own answer is preferred to that of the
/// message before.
fn pairs(file: &str, count: usize) -> String {
    let chats: Vec<Value> = fs::read_to_string(assets().join("example").join(file))
        .unwrap()
        .lines()
        .take(count)
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["messages"].take())
        .collect();
    let before = chats.iter().cycle().skip(count - 1);
    let pair = |(messages, other): (&Value, &Value)| {
        let pair = json!({
            "input": {"messages": messages.as_array().unwrap()[..2]},
            "preferred_output": [messages[2]],
            "non_preferred_output": [other[2]],
        });
        format!("{pair}\n")
    };
    chats.iter().zip(before).map(pair).collect()
}

/// Keeps what the run tells.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn steps(kept: &Kept) -> Vec<StepMetrics> {
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let read = |line| match serde_json::from_str(line).unwrap() {
        RunEvent::Metrics(metrics) => Some(metrics),
        _ => None,
    };
    text.lines().filter_map(read).collect()
}

#[test]
fn pairs_of_the_example_task_teach_the_bundled_model_which_answer_is_right() {
    let model = assets().join("attune-tiny");
    let attune: Value = serde_json::from_slice(&fs::read(model.join("attune.json")).unwrap()).unwrap();
    let defaults: JobDefaults = serde_json::from_value(attune["defaults"].clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("data")).unwrap();
    fs::write(
        dir.path().join("data/training.jsonl"),
        pairs("training.jsonl", 240),
    )
    .unwrap();
    fs::write(
        dir.path().join("data/validation.jsonl"),
        pairs("validation.jsonl", 80),
    )
    .unwrap();
    let spec = json!({
        "version": 1, "base_model": "attune-tiny", "model_path": model, "training_file": "data/training.jsonl",
        "validation_file": "data/validation.jsonl", "method": {"dpo": {"beta": 0.1}}, "lora": defaults.lora,
        "epochs": 2, "evaluation_epochs": 2, "warmup": {"ratio": 0.1}, "learning_rate": defaults.learning_rate / 3.0,
        "schedule": "linear", "batch_size": defaults.batch_size, "max_sequence_length": 1024, "seed": 0,
        "checkpoints": {"every_steps": 0, "keep_last": 1}
    });
    fs::write(dir.path().join("spec.json"), spec.to_string()).unwrap();
    let kept = Kept::default();
    // The sender stays alive: a run whose commands have gone pauses.
    let (_sender, commands) = Commands::channel();
    let code = run(
        dir.path(),
        RunOptions::default(),
        commands,
        Box::new(kept.clone()),
    );
    assert_eq!(code, exit_code::DONE);

    let steps = steps(&kept);
    let valid: Vec<_> = steps
        .iter()
        .filter_map(|step| Some((step.step, step.valid_loss?, step.valid_rewards?)))
        .collect();
    for (step, loss, rewards) in &valid {
        println!(
            "step {step}: held-out loss {loss:.3}, margin {:.3}, accuracy {:.3}, chosen {:.3}, rejected {:.3}",
            rewards.margin, rewards.accuracy, rewards.chosen, rewards.rejected
        );
    }
    assert_eq!(valid.len(), 2);
    let first = &steps[0];
    assert!(
        (first.train_loss - std::f64::consts::LN_2).abs() < 1e-6,
        "{first:?}"
    );
    let margins: Vec<f64> = valid.iter().map(|(_, _, rewards)| rewards.margin).collect();
    assert!(margins.is_sorted() && margins[0] > 0.0, "{margins:?}");
    // Another kind of processor sums in another order, which moves these a little.
    let (_, loss, last) = valid[1];
    assert!(last.accuracy >= 0.85, "{last:?}");
    assert!(last.chosen > last.rejected && last.margin > 0.8, "{last:?}");
    assert!(loss < 0.45, "{loss}");
}
