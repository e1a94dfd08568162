//! The shape of the bundled base model and the course of its pretraining.

use crate::{
    reading,
    tokenizer::{self, END_ID, VOCABULARY},
};
use anyhow::Result;
use shared::run::Schedule;
use std::{ops::ControlFlow, path::Path};
use tokenizers::Tokenizer;
use trainer::{
    Model,
    config::{Family, ModelConfig},
    pretrain::{PretrainCheckpoint, PretrainOptions, Sequence, pretrain},
    rope::RopeScaling,
    schedule::LearningRate,
};

/// Longest sequence in tokens that the model's configuration promises.
pub(crate) const CONTEXT_LENGTH: usize = 1_024;

/// How long and how fast to pretrain.
pub(crate) struct Course {
    pub(crate) steps: u64,
    pub(crate) examples_a_step: u64,
    pub(crate) peak_learning_rate: f64,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

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

/// Pretrains from random weights, or goes on from the state in `state`. Gives the model and the mean loss over the
/// last 100 steps.
pub(crate) fn make(course: &Course, tokenizer: &Tokenizer, state: &Path) -> Result<(Model, f64)> {
    let options = PretrainOptions {
        learning_rate: LearningRate {
            peak: course.peak_learning_rate,
            schedule: Schedule::Cosine,
            warmup_steps: 100,
            total_steps: course.steps,
        },
        weight_decay: 0.01,
        max_gradient_norm: 1.0,
        threads: course.threads,
        checkpoint: Some(PretrainCheckpoint {
            folder: state.to_path_buf(),
            every_steps: 250,
        }),
    };
    let start = Model::random(config(), course.seed)?;
    let count = course.examples_a_step;
    let sequences = |step: u64| {
        (0..count)
            .filter_map(|index| sequence(tokenizer, course.seed, step * count + index).ok())
            .collect::<Vec<Sequence>>()
    };
    let begun = std::time::Instant::now();
    let (mut tokens, mut smooth) = (0, f64::NAN);
    let model = pretrain(start, &options, sequences, |done, _| {
        tokens += done.tokens;
        // A mean that forgets, so that one hard step doesn't make the figure.
        smooth = if smooth.is_nan() {
            done.loss
        } else {
            smooth * 0.99 + done.loss * 0.01
        };
        if done.step.is_multiple_of(50) || done.step == course.steps {
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "step {}/{} · loss {smooth:.4} · accuracy {:.3} · {:.0} s · {:.0} tokens/s",
                done.step,
                course.steps,
                done.token_accuracy,
                seconds,
                tokens as f64 / seconds
            );
        }
        ControlFlow::Continue(())
    })?;
    Ok((model, smooth))
}

fn sequence(tokenizer: &Tokenizer, seed: u64, number: u64) -> Result<Sequence> {
    let (tokens, counts) = tokenizer::render(tokenizer, &reading::example(seed, number))?;
    Ok(Sequence { tokens, counts })
}
