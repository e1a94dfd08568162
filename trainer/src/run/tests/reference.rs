//! Every step of a whole run against what PyTorch with PEFT recorded (`reference/make_reference.py`).

use super::*;
use crate::{
    Model,
    chat::Tokens,
    checkpoint::State,
    data::Examples,
    lora::Adapter,
    optimizer::AdamW,
    run::{
        estimate::Plan,
        prepare::Prepared,
        training::{End, Training},
    },
    schedule::LearningRate,
};
use serde::Deserialize;
use shared::run::{Method, RunSpec};
use std::path::PathBuf;

#[derive(Deserialize)]
struct Reference {
    settings: Settings,
    examples: Vec<ExampleTokens>,
}

#[derive(Deserialize)]
struct Settings {
    rank: u32,
    alpha: f64,
    learning_rate: f64,
    warmup_steps: u64,
    weight_decay: f64,
    max_gradient_norm: f64,
    batch_size: u32,
    gradient_accumulation: u32,
    epochs: u32,
}

#[derive(Deserialize)]
struct ExampleTokens {
    ids: Vec<u32>,
    counts: Vec<bool>,
}

#[derive(Deserialize)]
struct Step {
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Trains to the end and gives what every step measured.
fn train(prepared: Prepared) -> Vec<StepMetrics> {
    let dir = tempfile::tempdir().unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let (_sender, mut commands) = Commands::channel();
    let reader = Reader {
        events: Arc::clone(&events),
        sender: None,
        act: Act::Nothing,
        broken: false,
    };
    let mut training = Training::new(dir.path(), prepared).unwrap();
    let end = training
        .run(&mut commands, &mut Emitter::new(Box::new(reader)))
        .unwrap();
    assert_eq!(end, End::Finished { complete: true });
    metrics(&events.lock().unwrap())
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs().max(1e-12)
}

fn compare(family: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reference");
    let Reference { settings, examples } = read(&root.join("examples.json"));
    let expected: Vec<Step> = read(&root.join(family).join("steps.json"));
    let folder = root.join(family);
    let spec: RunSpec = serde_json::from_value(json!({
        "version": 1, "base_model": family, "model_path": "", "training_file": "",
        "lora": {"rank": settings.rank, "alpha": settings.alpha,
                 "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]},
        "epochs": settings.epochs, "evaluation_epochs": 0, "warmup": {"epochs": 1},
        "learning_rate": settings.learning_rate, "schedule": "linear", "batch_size": settings.batch_size,
        "gradient_accumulation": settings.gradient_accumulation, "max_gradient_norm": settings.max_gradient_norm,
        "weight_decay": settings.weight_decay, "max_sequence_length": 64, "seed": 0, "shuffle": false,
        "checkpoints": {"every_steps": 0, "keep_last": 1}
    }))
    .unwrap();
    let model = Model::load(&folder).unwrap();
    let adapter = Adapter::load(&folder.join("adapter"), &model, &spec.lora).unwrap();
    let rate = LearningRate {
        peak: settings.learning_rate,
        schedule: spec.schedule,
        warmup_steps: settings.warmup_steps,
        total_steps: expected.len() as u64,
    };
    let prepared = Prepared {
        optimizer: AdamW::new(adapter.parameters()),
        state: State::new(String::new(), 0, rate),
        saved: Vec::new(),
        steps_per_epoch: (examples.len() as u64).div_ceil(u64::from(settings.batch_size)),
        training: Examples::single(
            examples
                .into_iter()
                .map(|ExampleTokens { ids, counts }| Tokens { ids, counts })
                .collect(),
        ),
        validation: Examples::none(),
        plan: Plan {
            rows: 0,
            gradient_checkpointing: false,
            memory_bytes: 0,
        },
        model_folder: folder,
        spec,
        model,
        adapter,
        rate,
    };
    let found = train(prepared);
    assert_eq!(found.len(), expected.len());
    let mut worst = (0.0_f64, 0.0_f64);
    for (found, expected) in found.iter().zip(&expected) {
        worst.0 = worst.0.max(relative(found.train_loss, expected.loss));
        worst.1 = worst.1.max(relative(found.gradient_norm, expected.gradient_norm));
        assert!((found.learning_rate - expected.learning_rate).abs() < 1e-12);
    }
    println!(
        "{family}: loss within {:.1e}, gradient norm within {:.1e}",
        worst.0, worst.1
    );
    assert!(worst.0 < 1e-4, "{family}: a loss is off by {:e}", worst.0);
    assert!(
        worst.1 < 1e-3,
        "{family}: a gradient norm is off by {:e}",
        worst.1
    );
}

#[derive(Deserialize)]
struct PreferenceReference {
    settings: PreferenceSettings,
    pairs: Vec<PairTokens>,
    steps: Vec<PreferenceStep>,
}

#[derive(Deserialize)]
struct PreferenceSettings {
    beta: f64,
    rank: u32,
    alpha: f64,
    learning_rate: f64,
    warmup_steps: u64,
    weight_decay: f64,
    max_gradient_norm: f64,
    batch_size: u32,
    epochs: u32,
}

#[derive(Deserialize)]
struct PairTokens {
    chosen: ExampleTokens,
    rejected: ExampleTokens,
}

#[derive(Deserialize)]
struct PreferenceStep {
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
    chosen: f64,
    rejected: f64,
    accuracy: f64,
}

/// Every step of preference optimisation against what `reference/make_dpo_reference.py` recorded.
#[test]
fn pairs_are_learnt_as_with_pytorch_and_peft() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reference");
    let reference: PreferenceReference = read(&root.join("dpo.json"));
    let PreferenceReference {
        settings,
        pairs,
        steps: expected,
    } = reference;
    assert!(expected.len() >= 20);
    let spec: RunSpec = serde_json::from_value(json!({
        "version": 1, "base_model": "llama", "model_path": "", "training_file": "",
        "method": {"dpo": {"beta": settings.beta}},
        "lora": {"rank": settings.rank, "alpha": settings.alpha,
                 "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]},
        "epochs": settings.epochs, "evaluation_epochs": 1, "warmup": {"epochs": 1},
        "learning_rate": settings.learning_rate, "schedule": "linear", "batch_size": settings.batch_size,
        "gradient_accumulation": 2, "max_gradient_norm": settings.max_gradient_norm,
        "weight_decay": settings.weight_decay, "max_sequence_length": 64, "seed": 0, "shuffle": false,
        "checkpoints": {"every_steps": 0, "keep_last": 1}
    }))
    .unwrap();
    let folder = root.join("llama");
    let model = Model::load(&folder).unwrap();
    let adapter = Adapter::load(&folder.join("adapter"), &model, &spec.lora).unwrap();
    let rate = LearningRate {
        peak: settings.learning_rate,
        schedule: spec.schedule,
        warmup_steps: settings.warmup_steps,
        total_steps: expected.len() as u64,
    };
    let tokens = |ExampleTokens { ids, counts }| Tokens { ids, counts };
    let texts = |pair: PairTokens| vec![tokens(pair.chosen), tokens(pair.rejected)];
    let pairs = Examples::of(pairs.into_iter().map(texts).collect(), Method::Dpo);
    let found = train(Prepared {
        optimizer: AdamW::new(adapter.parameters()),
        state: State::new(String::new(), 0, rate),
        saved: Vec::new(),
        steps_per_epoch: (pairs.len() as u64).div_ceil(u64::from(settings.batch_size)),
        // Validated on the same, whose rewards are then those of the steps to come.
        validation: pairs.clone(),
        training: pairs,
        plan: Plan {
            rows: 4096,
            gradient_checkpointing: true,
            memory_bytes: 0,
        },
        model_folder: folder,
        spec,
        model,
        adapter,
        rate,
    });
    assert_eq!(found.len(), expected.len());
    let mut worst = [0.0_f64; 3];
    for (found, expected) in found.iter().zip(&expected) {
        let rewards = found.rewards.unwrap();
        worst[0] = worst[0].max(relative(found.train_loss, expected.loss));
        worst[1] = worst[1].max(relative(found.gradient_norm, expected.gradient_norm));
        let off = (rewards.chosen - expected.chosen).abs() + (rewards.rejected - expected.rejected).abs();
        worst[2] = worst[2].max(off);
        assert_eq!(rewards.accuracy, expected.accuracy, "step {}", found.step);
        assert!((found.learning_rate - expected.learning_rate).abs() < 1e-12);
        assert_eq!(
            found.valid_rewards.is_some(),
            found.step == expected_last(settings.epochs)
        );
    }
    println!(
        "dpo: loss within {:.1e}, gradient norm within {:.1e}, rewards within {:.1e}",
        worst[0], worst[1], worst[2]
    );
    assert!(worst[0] < 1e-4, "a loss is off by {:e}", worst[0]);
    assert!(worst[1] < 1e-3, "a gradient norm is off by {:e}", worst[1]);
    assert!(worst[2] < 1e-4, "rewards are off by {:e}", worst[2]);
}

/// The step after which the only validation runs.
const fn expected_last(epochs: u32) -> u64 {
    2 * epochs as u64
}

#[test]
fn a_llama_trains_as_with_pytorch_and_peft() {
    compare("llama");
}

#[test]
fn a_qwen2_trains_as_with_pytorch_and_peft() {
    compare("qwen2");
}

#[test]
fn a_qwen3_trains_as_with_pytorch_and_peft() {
    compare("qwen3");
}
