//! Greedy decoding with a cache of keys and values, many prompts at a time: one row a prompt in every product.

use crate::{
    Error, Model,
    decode::{Buffers, PART, Reading, Sequence, scores},
    lora::Adapter,
    network::{Batch, Keep, Network, Workspace},
    ops::attention::Segment,
    pretrain::thread_pool,
    simd,
};

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
struct Prompt {
    sequence: Sequence,
    out: Vec<u32>,
    next: u32,
    done: bool,
}

fn decode(network: Network<'_>, prompts: &[Vec<u32>], max_new: usize, stop: &[u32]) -> Vec<Vec<u32>> {
    let mut buffers = Buffers::default();
    let mut prompts: Vec<Prompt> = prompts
        .iter()
        .map(|prompt| begin(network, prompt, max_new, &mut buffers))
        .collect();
    for _ in 0..max_new {
        for prompt in &mut prompts {
            if !prompt.done {
                if stop.contains(&prompt.next) {
                    prompt.done = true;
                } else {
                    prompt.out.push(prompt.next);
                    prompt.done = prompt.out.len() >= max_new;
                }
            }
        }
        let mut active: Vec<&mut Prompt> = prompts.iter_mut().filter(|prompt| !prompt.done).collect();
        if active.is_empty() {
            break;
        }
        let mut readings: Vec<Reading<'_>> = active
            .iter_mut()
            .map(|prompt| {
                let Prompt { sequence, next, .. } = &mut **prompt;
                Reading {
                    sequence,
                    tokens: std::slice::from_ref(next),
                }
            })
            .collect();
        let scores = buffers.read(network, &mut readings);
        for (prompt, scores) in active
            .iter_mut()
            .zip(scores.chunks_exact(network.model.config.vocab_size))
        {
            prompt.next = best(scores);
        }
    }
    prompts.into_iter().map(|prompt| prompt.out).collect()
}

fn begin(network: Network<'_>, prompt: &[u32], max_new: usize, buffers: &mut Buffers) -> Prompt {
    let mut sequence = Sequence::new(&network.model.config, prompt.len() + max_new);
    let (before, last) = prompt.split_at((prompt.len() - 1) / PART * PART);
    for part in before.chunks(PART) {
        buffers.read_part(network, &mut sequence, part);
    }
    let reading = Reading {
        sequence: &mut sequence,
        tokens: last,
    };
    let next = best(&buffers.read(network, &mut [reading]));
    Prompt {
        sequence,
        out: Vec::new(),
        next,
        done: false,
    }
}

/// The most likely token; the first of equals.
pub(crate) fn best(scores: &[f32]) -> u32 {
    let largest = simd::maximum(scores);
    scores.iter().position(|score| *score == largest).unwrap_or(0) as u32
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
