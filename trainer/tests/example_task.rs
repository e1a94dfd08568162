//! The real thing: the bundled base model, the example dataset and the defaults that the wizard proposes, through the
//! trainer as it runs in production. Before training almost no validation answer is right, after it most are.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use serde::Deserialize;
use shared::{
    model::JobDefaults,
    run::{
        CheckpointSpec, GradientCheckpointing, MethodSpec, RunSpec, SPEC_VERSION, Schedule, Warmup, exit_code,
    },
    training_line::{Example, parse_line},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use trainer::{
    Model,
    chat::ChatTokenizer,
    generate,
    lora::Adapter,
    run::{Commands, RunOptions, run},
};

#[derive(Deserialize)]
struct Attune {
    defaults: JobDefaults,
}

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets")
}

/// The run that the wizard's defaults make of the example dataset.
fn spec(model: &Path, example: &Path) -> RunSpec {
    let attune = fs::read(model.join("attune.json")).unwrap();
    let defaults = serde_json::from_slice::<Attune>(&attune).unwrap().defaults;
    let file = |name: &str| example.join(name).to_str().unwrap().to_owned();
    RunSpec {
        version: SPEC_VERSION,
        base_model: "attune-tiny".to_owned(),
        model_path: model.to_str().unwrap().to_owned(),
        training_file: file("training.jsonl"),
        validation_file: Some(file("validation.jsonl")),
        start_adapter: None,
        method: MethodSpec::Supervised,
        lora: defaults.lora,
        epochs: defaults.epochs,
        evaluation_epochs: defaults.evaluation_epochs,
        warmup: Warmup::Epochs(defaults.warmup_epochs),
        learning_rate: defaults.learning_rate,
        schedule: Schedule::default(),
        batch_size: defaults.batch_size,
        gradient_accumulation: 1,
        max_gradient_norm: 1.0,
        weight_decay: 0.0,
        max_sequence_length: 1024,
        seed: 0,
        shuffle: true,
        checkpoints: CheckpointSpec {
            every_steps: 0,
            keep_last: 1,
        },
        threads: 0,
        merge: false,
        gradient_checkpointing: GradientCheckpointing::default(),
        memory_limit_bytes: None,
    }
}

/// The share of examples whose answer the model gives character by character.
fn exact_match(
    model: &Model,
    adapter: Option<&Adapter>,
    tokenizer: &ChatTokenizer,
    examples: &[Example],
) -> f64 {
    let prompts: Vec<Vec<u32>> = examples
        .iter()
        .map(|example| {
            let (_, before) = example.messages.split_last().unwrap();
            tokenizer.prompt(before, None).unwrap()
        })
        .collect();
    let stop = &model.config().eos_token_ids;
    let answers = generate::greedy(model, adapter, &prompts, 64, stop, 0).unwrap();
    let right = answers
        .iter()
        .zip(examples)
        .filter(|(answer, example)| {
            tokenizer.decode(answer).unwrap() == example.messages.last().unwrap().content
        })
        .count();
    right as f64 / examples.len() as f64
}

#[test]
fn the_example_job_teaches_the_bundled_model_the_task() {
    let (folder, example) = (assets().join("attune-tiny"), assets().join("example"));
    let model = Model::load(&folder).unwrap();
    let tokenizer = ChatTokenizer::load(&folder, model.config()).unwrap();
    let validation: Vec<Example> = fs::read_to_string(example.join("validation.jsonl"))
        .unwrap()
        .lines()
        .zip(1..)
        .map(|(line, number)| parse_line(number, line).unwrap().example)
        .collect();
    assert!(validation.len() >= 60);

    let before = exact_match(&model, None, &tokenizer, &validation);
    let run_dir = tempfile::tempdir().unwrap();
    let spec = spec(&folder, &example);
    fs::write(
        run_dir.path().join("spec.json"),
        serde_json::to_vec(&spec).unwrap(),
    )
    .unwrap();
    let begun = Instant::now();
    // The sender stays alive: a run whose commands have gone pauses.
    let (_sender, commands) = Commands::channel();
    let code = run(
        run_dir.path(),
        RunOptions::default(),
        commands,
        Box::new(io::sink()),
    );
    let took = begun.elapsed();
    assert_eq!(code, exit_code::DONE);
    let adapter = Adapter::load(&run_dir.path().join("adapter"), &model, &spec.lora).unwrap();
    let after = exact_match(&model, Some(&adapter), &tokenizer, &validation);

    println!(
        "exact match before {before:.3}, after {after:.3}; the job took {:.1} s",
        took.as_secs_f64()
    );
    assert!(before < 0.1, "{before} of the answers are right before training");
    // Another kind of processor sums in another order, which moves this by a few of the eighty.
    assert!(
        after >= 0.75,
        "only {after} of the answers are right after training"
    );
    assert!(took <= Duration::from_secs(240), "the job took {took:?}");
}
