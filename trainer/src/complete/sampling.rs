//! Which token comes next, and how likely it was.

use crate::{
    chat::ChatTokenizer,
    generate::best,
    random::{Purpose, Stream},
};
use shared::{
    chat::{TokenLogprob, TopLogprob},
    inference::InferParameters,
};
use std::collections::HashMap;

/// Draws the tokens of one answer; a pure function of parameters and scores.
pub(super) struct Sampler<'a> {
    parameters: &'a InferParameters,
    stream: Stream,
    /// How often the answer has each token, where that matters.
    counts: HashMap<u32, u32>,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(parameters: &'a InferParameters) -> Self {
        let path = [u64::from(parameters.choice)];
        Self {
            parameters,
            stream: Stream::new(parameters.seed, Purpose::Sampling, &path),
            counts: HashMap::new(),
        }
    }

    /// The token at a place of the answer. Uses the scores up.
    pub(super) fn choose(&mut self, scores: &mut [f32], place: u64) -> u32 {
        let parameters = self.parameters;
        for (token, count) in &self.counts {
            let penalty = parameters.frequency_penalty * f64::from(*count) + parameters.presence_penalty;
            scores[*token as usize] -= penalty as f32;
        }
        let token = if parameters.temperature > 0.0 {
            self.draw(scores, place)
        } else {
            best(scores)
        };
        if parameters.frequency_penalty != 0.0 || parameters.presence_penalty != 0.0 {
            *self.counts.entry(token).or_insert(0) += 1;
        }
        token
    }

    fn draw(&self, scores: &[f32], place: u64) -> u32 {
        let parameters = self.parameters;
        let largest = f64::from(scores.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        // Each token's share of the likeliest one's.
        let weights = scores
            .iter()
            .map(|score| ((f64::from(*score) - largest) / parameters.temperature).exp());
        let mut candidates: Vec<(f64, u32)> = weights.zip(0..).collect();
        let total: f64 = candidates.iter().map(|(weight, _)| weight).sum();
        if parameters.top_p < 1.0 {
            // Below this all together are too little to be among the likeliest: they needn't be put in order.
            let least = (1.0 - parameters.top_p) * total / candidates.len() as f64;
            candidates.retain(|(weight, _)| *weight >= least);
        }
        if parameters.top_p < 1.0 || parameters.top_k > 0 {
            // Equals stay in the order of their numbers.
            candidates.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
            if parameters.top_k > 0 {
                candidates.truncate(parameters.top_k as usize);
            }
            let mut sum = 0.0;
            let enough = candidates.iter().position(|(weight, _)| {
                sum += weight;
                sum >= parameters.top_p * total
            });
            if let Some(last) = enough {
                candidates.truncate(last + 1);
            }
        }
        let kept: f64 = candidates.iter().map(|(weight, _)| weight).sum();
        let mut left = self.stream.uniform(place) * kept;
        for (weight, token) in &candidates {
            left -= weight;
            if left < 0.0 {
                return *token;
            }
        }
        // Scores that are no numbers, or the rounding of the very last.
        candidates.last().map_or(0, |(_, token)| *token)
    }
}

/// What is told of a token: its probability among these scores, and the `count` likeliest.
pub(super) fn logprob(tokenizer: &ChatTokenizer, scores: &[f32], token: u32, count: usize) -> TokenLogprob {
    let largest = f64::from(scores.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = scores
        .iter()
        .map(|score| (f64::from(*score) - largest).exp())
        .sum();
    let log_sum = largest + sum.ln();
    let tell = |token: u32| TopLogprob {
        token: tokenizer.token_text(token),
        logprob: f64::from(scores[token as usize]) - log_sum,
        bytes: tokenizer.token_bytes(token),
    };
    let mut likeliest: Vec<u32> = Vec::with_capacity(count + 1);
    for (id, score) in (0..).zip(scores) {
        let place = likeliest.partition_point(|other| scores[*other as usize] >= *score);
        if place < count {
            likeliest.insert(place, id);
            likeliest.truncate(count);
        }
    }
    TokenLogprob {
        chosen: tell(token),
        top_logprobs: likeliest.into_iter().map(tell).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> InferParameters {
        InferParameters {
            temperature: 1.0,
            seed: 11,
            ..InferParameters::default()
        }
    }

    /// How often each of the tokens is drawn in a thousand places.
    fn drawn(parameters: &InferParameters, scores: &[f32]) -> Vec<u32> {
        let mut sampler = Sampler::new(parameters);
        let mut counts = vec![0; scores.len()];
        for place in 0..1000 {
            counts[sampler.choose(&mut scores.to_vec(), place) as usize] += 1;
        }
        counts
    }

    #[test]
    fn tokens_are_drawn_by_their_probabilities() {
        let scores = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
        let counts = drawn(&parameters(), &scores);
        for (count, expected) in counts.iter().zip([500, 300, 200]) {
            assert!(count.abs_diff(expected) < 60, "{counts:?}");
        }
        let cold = InferParameters {
            temperature: 0.0,
            ..parameters()
        };
        assert_eq!(drawn(&cold, &scores), [1000, 0, 0]);
        let warm = InferParameters {
            temperature: 2.0,
            ..parameters()
        };
        let counts = drawn(&warm, &scores);
        let shares: Vec<f64> = [0.5_f64, 0.3, 0.2].iter().map(|share| share.sqrt()).collect();
        let expected = (1000.0 * shares[2] / shares.iter().sum::<f64>()) as u32;
        assert!(counts[2].abs_diff(expected) < 60, "{counts:?} {expected}");
    }

    #[test]
    fn only_the_likeliest_are_drawn_where_that_is_asked_for() {
        let scores = [0.1_f32.ln(), 0.5_f32.ln(), 0.15_f32.ln(), 0.25_f32.ln()];
        let limited = |change: fn(&mut InferParameters)| {
            let mut parameters = parameters();
            change(&mut parameters);
            let counts = drawn(&parameters, &scores);
            (0..4).filter(|token| counts[*token] > 0).collect::<Vec<_>>()
        };
        assert_eq!(limited(|parameters| parameters.top_p = 0.49), [1]);
        assert_eq!(limited(|parameters| parameters.top_p = 0.74), [1, 3]);
        assert_eq!(limited(|parameters| parameters.top_p = 0.76), [1, 2, 3]);
        assert_eq!(limited(|parameters| parameters.top_k = 2), [1, 3]);
        assert_eq!(limited(|_| {}), [0, 1, 2, 3]);
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_choice_another() {
        let scores = vec![0.0_f32; 50];
        let draw = |parameters: &InferParameters| {
            let mut sampler = Sampler::new(parameters);
            (0..20)
                .map(|place| sampler.choose(&mut scores.clone(), place))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(&parameters()), draw(&parameters()));
        let other = InferParameters {
            choice: 1,
            ..parameters()
        };
        assert_ne!(draw(&parameters()), draw(&other));
    }

    #[test]
    fn penalties_fall_on_what_the_answer_has() {
        let parameters = InferParameters {
            temperature: 0.0,
            frequency_penalty: 0.4,
            presence_penalty: 0.25,
            ..parameters()
        };
        let mut sampler = Sampler::new(&parameters);
        let tokens: Vec<u32> = (0..5)
            .map(|place| sampler.choose(&mut [1.0, 0.5, 0.0], place))
            .collect();
        // 1.0, then 0.35 and 0.5, then 0.35 and -0.15, then -0.05, -0.15 and 0.0, then -0.05, -0.15 and -0.65.
        assert_eq!(tokens, [0, 1, 0, 2, 0]);
    }
}
