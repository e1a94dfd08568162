//! The shape of the bundled base model and the course of its pretraining.

use crate::{
    reading,
    tokenizer::{END_ID, VOCABULARY},
};
use anyhow::Result;
use shared::run::Schedule;
use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};
use trainer::{
    Model,
    chat::ChatTokenizer,
    config::{Family, ModelConfig},
    pretrain::{PretrainCheckpoint, PretrainOptions, Sequence, pretrain},
    rope::RopeScaling,
    schedule::LearningRate,
};

/// Longest sequence in tokens that the model's configuration promises.
pub(crate) const CONTEXT_LENGTH: usize = 1_024;

/// One stage of pretraining.
pub(crate) struct Stage {
    /// The number of its first reading task.
    pub(crate) first_example: u64,
    pub(crate) steps: u64,
    pub(crate) peak_learning_rate: f64,
}

/// Reading tasks in one optimizer step.
pub(crate) const EXAMPLES_A_STEP: u64 = 24;

/// First all reading tasks, then twice with the weight on topics.
pub(crate) const STAGES: [Stage; 3] = [
    Stage {
        first_example: 0,
        steps: 3_500,
        peak_learning_rate: 2.5e-3,
    },
    Stage {
        first_example: reading::TOPICS_FROM,
        steps: 2_000,
        peak_learning_rate: 2e-3,
    },
    Stage {
        first_example: reading::TOPICS_FROM + 48_000,
        steps: 2_500,
        peak_learning_rate: 2e-3,
    },
];

/// A small Llama: 2 million parameters.
pub(crate) fn config() -> ModelConfig {
    ModelConfig {
        family: Family::Llama,
        vocab_size: VOCABULARY,
        hidden_size: 192,
        intermediate_size: 512,
        num_hidden_layers: 4,
        num_attention_heads: 6,
        num_key_value_heads: 6,
        head_dim: 32,
        max_position_embeddings: CONTEXT_LENGTH,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000.0,
        rope_scaling: RopeScaling::Default,
        tie_word_embeddings: true,
        qkv_bias: false,
        output_bias: false,
        mlp_bias: false,
        bos_token_id: None,
        eos_token_ids: vec![END_ID],
    }
}

/// Pretrains from random weights, or goes on from the state in `state`. Gives the model and the mean loss over about
/// the last 100 steps; none where nothing was left to do.
pub(crate) fn make(seed: u64, tokenizer: &ChatTokenizer, state: &Path) -> Result<(Model, Option<f64>)> {
    let mut model = Model::random(config(), seed)?;
    let mut loss = None;
    for (index, stage) in STAGES.iter().enumerate() {
        let state = state.join(format!("stage-{}", index + 1));
        std::fs::create_dir_all(state.parent().unwrap_or(&state))?;
        (model, loss) = train(model, stage, seed, tokenizer, state)?;
    }
    Ok((model, loss))
}

fn train(
    start: Model,
    stage: &Stage,
    seed: u64,
    tokenizer: &ChatTokenizer,
    state: PathBuf,
) -> Result<(Model, Option<f64>)> {
    let options = PretrainOptions {
        learning_rate: LearningRate {
            peak: stage.peak_learning_rate,
            schedule: Schedule::Cosine,
            warmup_steps: 100,
            total_steps: stage.steps,
        },
        weight_decay: 0.01,
        max_gradient_norm: 1.0,
        threads: 0,
        checkpoint: Some(PretrainCheckpoint {
            folder: state,
            every_steps: 250,
        }),
    };
    let sequences = |step: u64| -> Vec<Sequence> {
        let first = stage.first_example + step * EXAMPLES_A_STEP;
        (first..first + EXAMPLES_A_STEP)
            .filter_map(|number| sequence(tokenizer, seed, number))
            .collect()
    };
    let begun = Instant::now();
    let (mut tokens, mut smooth) = (0, None);
    let model = pretrain(start, &options, sequences, |done, _| {
        tokens += done.tokens;
        // A mean that forgets, so that one hard step doesn't make the figure.
        let loss = smooth.map_or(done.loss, |smooth: f64| smooth * 0.99 + done.loss * 0.01);
        smooth = Some(loss);
        if done.step.is_multiple_of(50) || done.step == stage.steps {
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "step {}/{} · loss {loss:.4} · accuracy {:.3} · {seconds:.0} s · {:.0} tokens/s",
                done.step,
                stage.steps,
                done.token_accuracy,
                tokens as f64 / seconds
            );
        }
        ControlFlow::Continue(())
    })?;
    Ok((model, smooth))
}

fn sequence(tokenizer: &ChatTokenizer, seed: u64, number: u64) -> Option<Sequence> {
    let tokens = tokenizer.example(&reading::example(seed, number)).ok()?;
    Some(Sequence {
        tokens: tokens.ids,
        counts: tokens.counts,
    })
}
