//! Greedy decoding with a cache of keys and values, many prompts at a time: one row a prompt in every product.

use crate::{
    Error, Model,
    lora::Adapter,
    matmul::{Matrix, multiply_parallel},
    model::Group,
    network::{Batch, Keep, Network, Workspace, linear::Scratch},
    ops::{
        attention::{Segment, copy_head, rotate},
        feed_forward, norm,
    },
    pretrain::thread_pool,
    rope::RopeTable,
    simd,
};
use rayon::prelude::*;

/// The most likely continuation of each prompt, at most `max_new` tokens; it ends before the first of the `stop` tokens.
/// An adapter is added to the weights first. A pure function of its arguments, whatever the number of threads (0 takes
/// as many as the machine has).
///
/// # Errors
/// [`Error::InvalidModel`] where a prompt is empty or holds a token beyond the vocabulary, [`Error::Threads`].
pub fn greedy(
    model: &Model,
    adapter: Option<&Adapter>,
    prompts: &[Vec<u32>],
    max_new: usize,
    stop: &[u32],
    threads: usize,
) -> Result<Vec<Vec<u32>>, Error> {
    for prompt in prompts {
        if prompt.is_empty() {
            return Err(Error::InvalidModel(
                "a prompt must hold at least one token".to_owned(),
            ));
        }
        if let Some(token) = prompt
            .iter()
            .find(|token| **token as usize >= model.config.vocab_size)
        {
            let size = model.config.vocab_size;
            return Err(Error::InvalidModel(format!(
                "token {token} is beyond the model's vocabulary of {size}"
            )));
        }
    }
    thread_pool(threads)?.install(|| {
        // Each step reads every weight for a few rows: they are made f32 once.
        let full = match adapter {
            Some(adapter) => Some(adapter.merged(model)),
            None if model.weights.is_full() => None,
            None => Some(model.clone().into_f32()),
        };
        let network = Network::frozen(full.as_ref().unwrap_or(model));
        // Prompts are taken in groups, so that caches of very many don't have to be held at once.
        Ok(prompts
            .chunks(64)
            .flat_map(|group| decode(network, group, max_new, stop))
            .collect())
    })
}

/// One prompt under continuation.
struct Sequence {
    /// `[key_heads, capacity, head_dim]` of each layer.
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
    /// Positions filled.
    len: usize,
    capacity: usize,
    table: RopeTable,
    out: Vec<u32>,
    next: u32,
    done: bool,
}

fn decode(network: Network<'_>, prompts: &[Vec<u32>], max_new: usize, stop: &[u32]) -> Vec<Vec<u32>> {
    let mut workspace = Workspace::default();
    let mut sequences: Vec<Sequence> = prompts
        .iter()
        .map(|prompt| begin(network, prompt, max_new, &mut workspace))
        .collect();
    for _ in 0..max_new {
        for sequence in &mut sequences {
            if !sequence.done {
                if stop.contains(&sequence.next) {
                    sequence.done = true;
                } else {
                    sequence.out.push(sequence.next);
                    sequence.done = sequence.out.len() >= max_new;
                }
            }
        }
        let mut active: Vec<&mut Sequence> = sequences.iter_mut().filter(|sequence| !sequence.done).collect();
        if active.is_empty() {
            break;
        }
        step(network, &mut active);
    }
    sequences.into_iter().map(|sequence| sequence.out).collect()
}

/// Runs a prompt as a whole and takes its keys and values over.
fn begin(network: Network<'_>, prompt: &[u32], max_new: usize, workspace: &mut Workspace) -> Sequence {
    let config = &network.model.config;
    let capacity = prompt.len() + max_new;
    let segment = Segment {
        start: 0,
        len: prompt.len(),
    };
    let batch = Batch {
        tokens: prompt.to_vec(),
        segments: vec![segment],
        ..Batch::default()
    };
    let stream = workspace.forward(network, &batch, Keep::Everything);
    let last = stream[(prompt.len() - 1) * config.hidden_size..].to_vec();
    let take = |inner: &[f32]| {
        let mut out = vec![0.0; capacity * config.key_size()];
        let (from, to) = (prompt.len() * config.head_dim, capacity * config.head_dim);
        for (out, inner) in out.chunks_exact_mut(to).zip(inner.chunks_exact(from)) {
            out[..from].copy_from_slice(inner);
        }
        out
    };
    Sequence {
        keys: workspace
            .layers
            .iter()
            .map(|layer| take(&layer.attention.key))
            .collect(),
        values: workspace
            .layers
            .iter()
            .map(|layer| take(&layer.attention.value))
            .collect(),
        len: prompt.len(),
        capacity,
        table: RopeTable::new(
            &config.rope_scaling,
            config.rope_theta,
            config.head_dim,
            capacity,
            capacity,
        ),
        out: Vec::new(),
        next: best(network, &last)[0],
        done: false,
    }
}

/// One more token of each sequence.
fn step(network: Network<'_>, sequences: &mut [&mut Sequence]) {
    let model = network.model;
    let config = &model.config;
    let (rows, width, eps) = (sequences.len(), config.hidden_size, config.rms_norm_eps);
    let tokens: Vec<u32> = sequences.iter().map(|sequence| sequence.next).collect();
    let mut stream = vec![0.0; rows * width];
    network.embed(&tokens, &mut stream);
    let mut normed = vec![0.0; rows * width];
    let mut product = vec![0.0; rows * width];
    let mut scales = vec![0.0; rows];
    let mut qkv = vec![0.0; rows * (config.query_size() + 2 * config.key_size())];
    let mut attended = vec![0.0; rows * config.query_size()];
    let mut gate_up = vec![0.0; rows * 2 * config.intermediate_size];
    let mut active = vec![0.0; rows * config.intermediate_size];
    let mut scratch = Scratch::default();
    for (index, layout) in model.layout.layers.iter().enumerate() {
        norm::forward(
            &stream,
            network.vector(&layout.attention_norm),
            eps,
            &mut normed,
            &mut scales,
        );
        network
            .linear(index, Group::Attention)
            .forward(&normed, &mut qkv, &mut scratch);
        sequences
            .par_iter_mut()
            .zip(qkv.par_chunks_mut(config.query_size() + 2 * config.key_size()))
            .zip(attended.par_chunks_mut(config.query_size()))
            .for_each(|((sequence, qkv), attended)| attend(network, index, sequence, qkv, attended));
        network
            .linear(index, Group::Output)
            .forward(&attended, &mut product, &mut scratch);
        let sum = stream.clone();
        let weight = network.vector(&layout.mlp_norm);
        norm::add_forward(
            (&sum, &product),
            weight,
            eps,
            &mut stream,
            &mut normed,
            &mut scales,
        );
        network
            .linear(index, Group::GateUp)
            .forward(&normed, &mut gate_up, &mut scratch);
        feed_forward::forward(&gate_up, config.intermediate_size, &mut active);
        network
            .linear(index, Group::Down)
            .forward(&active, &mut product, &mut scratch);
        let sum = stream.clone();
        norm::add(&sum, &product, &mut stream);
    }
    for (sequence, next) in sequences.iter_mut().zip(best(network, &stream)) {
        sequence.len += 1;
        sequence.next = next;
    }
}

/// Attention of one new row over everything before it.
fn attend(
    network: Network<'_>,
    layer: usize,
    sequence: &mut Sequence,
    qkv: &mut [f32],
    attended: &mut [f32],
) {
    let config = &network.model.config;
    let (head_dim, len) = (config.head_dim, sequence.len + 1);
    let norms = network.head_norms(layer);
    let (cos, sin) = sequence.table.at(sequence.len);
    let (query, key_value) = qkv.split_at_mut(config.query_size());
    let (key, value) = key_value.split_at_mut(config.key_size());
    let scale = 1.0 / (head_dim as f32).sqrt();
    simd::widest(
        #[inline(always)]
        || {
            let mut head = vec![0.0; head_dim];
            let mut scores = vec![0.0; len];
            for (index, (key, value)) in key
                .chunks_exact(head_dim)
                .zip(value.chunks_exact(head_dim))
                .enumerate()
            {
                let keys =
                    &mut sequence.keys[layer][index * sequence.capacity * head_dim..][..len * head_dim];
                let values =
                    &mut sequence.values[layer][index * sequence.capacity * head_dim..][..len * head_dim];
                copy_head(key, norms.map(|norms| (norms.key, norms.eps)), &mut head);
                rotate(&mut head, cos, sin, 1.0);
                keys[(len - 1) * head_dim..].copy_from_slice(&head);
                values[(len - 1) * head_dim..].copy_from_slice(value);
                let group = config.group_size() * head_dim;
                let queries = query[index * group..][..group].chunks_exact(head_dim);
                for (query, out) in queries.zip(attended[index * group..][..group].chunks_exact_mut(head_dim))
                {
                    copy_head(query, norms.map(|norms| (norms.query, norms.eps)), &mut head);
                    rotate(&mut head, cos, sin, 1.0);
                    for (score, key) in scores.iter_mut().zip(keys.chunks_exact(head_dim)) {
                        *score = simd::dot(&head, key) * scale;
                    }
                    let largest = simd::maximum(&scores);
                    let share = 1.0 / simd::exp_shifted(&mut scores, largest);
                    out.fill(0.0);
                    for (score, value) in scores.iter().zip(values.chunks_exact(head_dim)) {
                        for (out, value) in out.iter_mut().zip(value) {
                            *out += score * share * value;
                        }
                    }
                }
            }
        },
    );
}

/// The most likely next token of each row of the residual stream after the last layer; the first of equals.
fn best(network: Network<'_>, stream: &[f32]) -> Vec<u32> {
    let scores = scores(network, stream);
    scores
        .chunks_exact(network.model.config.vocab_size)
        .map(|scores| {
            let largest = simd::maximum(scores);
            scores.iter().position(|score| *score == largest).unwrap_or(0) as u32
        })
        .collect()
}

/// Scores over the vocabulary of each row.
fn scores(network: Network<'_>, stream: &[f32]) -> Vec<f32> {
    let model = network.model;
    let (width, vocabulary) = (model.config.hidden_size, model.config.vocab_size);
    let rows = stream.len() / width;
    let (mut normed, mut scales) = (vec![0.0; stream.len()], vec![0.0; rows]);
    let weight = network.vector(&model.layout.final_norm);
    norm::forward(
        stream,
        weight,
        model.config.rms_norm_eps,
        &mut normed,
        &mut scales,
    );
    let mut scores = vec![0.0; rows * vocabulary];
    let mut scratch = Vec::new();
    let head = network.matrix(&model.layout.head).in_f32(&mut scratch);
    let head = Matrix::new(head, vocabulary, width).transposed();
    multiply_parallel(&mut scores, Matrix::new(&normed, rows, width), head, 1.0, false);
    scores
}

/// Scores over the vocabulary `[tokens, vocabulary]` after each token of a text, for comparison with other programs.
///
/// # Errors
/// [`Error::InvalidModel`] where a token is beyond the vocabulary.
pub fn logits(model: &Model, adapter: Option<&Adapter>, tokens: &[u32]) -> Result<Vec<f32>, Error> {
    if let Some(token) = tokens
        .iter()
        .find(|token| **token as usize >= model.config.vocab_size)
    {
        return Err(Error::InvalidModel(format!(
            "token {token} is beyond the model's vocabulary"
        )));
    }
    let network = Network {
        model,
        adapter,
        dropout: None,
    };
    let segment = Segment {
        start: 0,
        len: tokens.len(),
    };
    let batch = Batch {
        tokens: tokens.to_vec(),
        segments: vec![segment],
        ..Batch::default()
    };
    let mut workspace = Workspace::default();
    Ok(scores(network, workspace.forward(network, &batch, Keep::Nothing)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tiny_model;
    use shared::run::{LoraSpec, Projection};

    /// Decoding without any cache: the whole text again for every token.
    fn slowly(model: &Model, adapter: Option<&Adapter>, prompt: &[u32], count: usize) -> Vec<u32> {
        let mut text = prompt.to_vec();
        for _ in 0..count {
            let logits = logits(model, adapter, &text).unwrap();
            let last = &logits[logits.len() - 48..];
            let largest = last.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            text.push(last.iter().position(|score| *score == largest).unwrap() as u32);
        }
        text.split_off(prompt.len())
    }

    #[test]
    fn decoding_with_a_cache_gives_what_decoding_without_gives() {
        for family in ["llama", "qwen2", "qwen3"] {
            let model = tiny_model(family, 6);
            let spec = LoraSpec {
                rank: 2,
                alpha: 4.0,
                dropout: 0.0,
                targets: Projection::ALL.to_vec(),
            };
            let mut adapter = Adapter::random(&model, &spec, 1).unwrap();
            adapter.values.iter_mut().for_each(|value| *value += 0.05);
            let prompts = [vec![1, 2, 3], vec![9], vec![4, 4, 8, 15, 16, 23, 42]];
            let found = greedy(&model, Some(&adapter), &prompts, 12, &[], 2).unwrap();
            for (prompt, found) in prompts.iter().zip(&found) {
                assert_eq!(*found, slowly(&model, Some(&adapter), prompt, 12), "{family}");
            }
            let stop = found[0][3];
            let stopped = greedy(&model, Some(&adapter), &prompts[..1], 12, &[stop], 1).unwrap();
            let expected: Vec<u32> = found[0]
                .iter()
                .copied()
                .take_while(|token| *token != stop)
                .collect();
            assert_eq!(stopped[0], expected);
        }
    }

    #[test]
    fn an_empty_prompt_or_an_unknown_token_is_refused() {
        let model = tiny_model("llama", 6);
        assert!(greedy(&model, None, &[Vec::new()], 3, &[], 1).is_err());
        assert!(greedy(&model, None, &[vec![48]], 3, &[], 1).is_err());
    }
}
