//! Answers to one prompt at a time, told as they come: a model in memory with its tokenizer, adapters beside it.
//!
//! A pure function of prompt, adapter and parameters, on any number of threads. Deliberately not here: whose turn it is,
//! and where requests come from.

mod sampling;
#[cfg(test)]
mod tests;
mod text;

use crate::{
    Error, Model,
    chat::ChatTokenizer,
    decode::{Buffers, PART, Reading, Sequence},
    lora::Adapter,
    network::Network,
    pretrain::thread_pool,
};
use sampling::Sampler;
use shared::{
    chat::{FinishReason, TokenLogprob},
    inference::{InferParameters, Prompt},
    memory::{AnswerMemory, answering},
};
use std::{ops::ControlFlow, path::Path};
use text::{AnswerText, Told};

/// Tokens of a prompt's end that decide how the text after it is written.
const BEFORE: usize = 4;

/// A model that answers.
#[derive(Debug)]
pub struct Answerer {
    model: Model,
    tokenizer: ChatTokenizer,
    pool: rayon::ThreadPool,
    buffers: Buffers,
    memory: AnswerMemory,
    /// The prompt that was read last.
    known: Option<Known>,
}

/// A prompt that was read, so that the next one that begins alike needn't be.
#[derive(Debug)]
struct Known {
    /// Which adapter it was read with.
    adapter: Option<u64>,
    tokens: Vec<u32>,
    /// Of the tokens alone.
    sequence: Sequence,
    scores: Vec<f32>,
}

/// An adapter, and what tells it from others.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Another number for another adapter.
    pub id: u64,
    /// Its values.
    pub adapter: &'a Adapter,
}

/// What is told on the way to an answer's end.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// The prompt is written and fits; it has so many tokens.
    Started(u32),
    /// Some more of the prompt was read.
    Reading,
    /// Some more of the answer, in whole characters, and its tokens where they were asked for.
    Text(String, Vec<TokenLogprob>),
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Why.
    pub finish_reason: FinishReason,
    /// Its tokens; the mark that ended it isn't counted.
    pub completion_tokens: u32,
}

impl Answerer {
    /// Reads a model's folder, unless `memory_limit` bytes are too little for it.
    ///
    /// # Errors
    /// [`Error::NotEnoughMemoryToAnswer`], [`Error::Threads`], and as [`Model::load`] and [`ChatTokenizer::load`].
    pub fn load(folder: &Path, threads: usize, memory_limit: Option<u64>) -> Result<Self, Error> {
        let pool = thread_pool(threads)?;
        let shape = crate::model::read_shape(folder)?;
        let memory = answering(&shape, PART as u64, pool.current_num_threads() as u64);
        room(memory, 0, memory_limit, 1)?;
        let model = pool.install(|| Model::load(folder))?;
        let tokenizer = ChatTokenizer::load(folder, model.config())?;
        Ok(Self {
            model,
            tokenizer,
            pool,
            buffers: Buffers::default(),
            memory,
            known: None,
        })
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Answers a prompt; nothing where `tell` broke it off.
    ///
    /// # Errors
    /// [`Error::InvalidPrompt`], [`Error::ContextLength`], [`Error::NotEnoughMemoryToAnswer`].
    pub fn answer(
        &mut self,
        adapter: Option<Named<'_>>,
        prompt: &Prompt,
        parameters: &InferParameters,
        memory_limit: Option<u64>,
        tell: &mut (dyn FnMut(Piece) -> ControlFlow<()> + Send),
    ) -> Result<Option<Answered>, Error> {
        let tokens = self.tokens(prompt)?;
        let values = adapter.map_or(0, |named| 4 * named.adapter.parameters() as u64);
        let max_tokens = self.longest_answer(&tokens, parameters, values, memory_limit)?;
        if tell(Piece::Started(tokens.len() as u32)).is_break() {
            return Ok(None);
        }
        let Self {
            model,
            tokenizer,
            pool,
            buffers,
            known,
            ..
        } = self;
        let network = Network {
            model,
            adapter: adapter.map(|named| named.adapter),
            dropout: None,
        };
        pool.install(|| {
            let id = adapter.map(|named| named.id);
            let Some(known) = read(network, buffers, known, id, &tokens, tell) else {
                return Ok(None);
            };
            let after = match prompt {
                Prompt::Messages(_) => &[],
                Prompt::Text(_) => &tokens[tokens.len().saturating_sub(BEFORE)..],
            };
            let answer = Answer {
                network,
                tokenizer,
                parameters,
                max_tokens,
                text: AnswerText::new(tokenizer, &parameters.stop, after),
            };
            let answered = answer.run(&mut known.sequence, known.scores.clone(), buffers, tell);
            known.sequence.truncate(&network.model.config, tokens.len());
            answered
        })
    }

    /// The prompt as the model reads it.
    fn tokens(&self, prompt: &Prompt) -> Result<Vec<u32>, Error> {
        let written = match prompt {
            Prompt::Messages(messages) => self.tokenizer.prompt(messages, None),
            Prompt::Text(text) => self.tokenizer.text_prompt(text),
        };
        let mut tokens = written.map_err(Error::InvalidPrompt)?;
        let config = self.model.config();
        if tokens.is_empty() {
            tokens.extend(config.bos_token_id);
        }
        if tokens.is_empty() {
            return Err(Error::InvalidPrompt(
                "the prompt is empty, and the model has no mark for the beginning of a text".to_owned(),
            ));
        }
        match tokens.iter().find(|token| **token as usize >= config.vocab_size) {
            Some(token) => Err(Error::InvalidPrompt(format!(
                "token {token} of the prompt is beyond the model's vocabulary of {}",
                config.vocab_size
            ))),
            None => Ok(tokens),
        }
    }

    /// How many tokens the answer may have.
    fn longest_answer(
        &self,
        prompt: &[u32],
        parameters: &InferParameters,
        adapter_bytes: u64,
        memory_limit: Option<u64>,
    ) -> Result<u32, Error> {
        let context = self.model.config().max_position_embeddings;
        let left = context.saturating_sub(prompt.len()) as u64;
        let asked = u64::from(parameters.max_tokens);
        if left == 0 || asked > left && !parameters.shorten {
            return Err(Error::ContextLength {
                context,
                prompt: prompt.len(),
                max_tokens: Some(parameters.max_tokens).filter(|_| !parameters.shorten),
            });
        }
        let wanted = prompt.len() as u64 + if parameters.shorten { 1 } else { asked };
        let room = room(self.memory, adapter_bytes, memory_limit, wanted)?;
        let longest = asked.min(left).min(room.saturating_sub(prompt.len() as u64));
        Ok(u32::try_from(longest).unwrap_or(u32::MAX))
    }
}

/// Tokens that there is room for, at least as many as are needed.
fn room(memory: AnswerMemory, adapter_bytes: u64, limit: Option<u64>, needed: u64) -> Result<u64, Error> {
    let Some(limit) = limit else {
        return Ok(u64::MAX);
    };
    let total = memory.total(needed).saturating_add(adapter_bytes);
    if total > limit {
        return Err(Error::NotEnoughMemoryToAnswer {
            needed_mb: total.div_ceil(1_000_000),
            limit_mb: limit / 1_000_000,
        });
    }
    Ok(needed + (limit - total) / memory.token.max(1))
}

/// Reads a prompt, or as much of it as isn't known; nothing where `tell` broke it off.
///
/// What is taken over was read in the same parts as it would be now, so that an answer is the same to the last bit.
fn read<'a>(
    network: Network<'_>,
    buffers: &mut Buffers,
    known: &'a mut Option<Known>,
    adapter: Option<u64>,
    tokens: &[u32],
    tell: &mut (dyn FnMut(Piece) -> ControlFlow<()> + Send),
) -> Option<&'a mut Known> {
    let config = &network.model.config;
    let before = known.take().filter(|known| known.adapter == adapter);
    let mut now = before.unwrap_or_else(|| Known {
        adapter,
        tokens: Vec::new(),
        sequence: Sequence::new(config, 0),
        scores: Vec::new(),
    });
    if now.tokens != tokens {
        let pairs = now.tokens.iter().zip(tokens);
        let alike = pairs.take_while(|(one, other)| one == other).count();
        // The last part is read again in any case: it tells what comes next.
        let whole = alike.min(tokens.len() - 1) / PART * PART;
        now.sequence.truncate(config, whole);
        let mut rest = &tokens[whole..];
        while rest.len() > PART {
            let (part, others) = rest.split_at(PART);
            buffers.read_part(network, &mut now.sequence, part);
            rest = others;
            if tell(Piece::Reading).is_break() {
                return None;
            }
        }
        let reading = Reading {
            sequence: &mut now.sequence,
            tokens: rest,
        };
        now.scores = buffers.read(network, &mut [reading]);
        now.tokens = tokens.to_vec();
    }
    Some(known.insert(now))
}

/// An answer on its way.
struct Answer<'a> {
    network: Network<'a>,
    tokenizer: &'a ChatTokenizer,
    parameters: &'a InferParameters,
    max_tokens: u32,
    text: AnswerText<'a>,
}

impl Answer<'_> {
    fn run(
        mut self,
        sequence: &mut Sequence,
        mut scores: Vec<f32>,
        buffers: &mut Buffers,
        tell: &mut (dyn FnMut(Piece) -> ControlFlow<()> + Send),
    ) -> Result<Option<Answered>, Error> {
        let mut sampler = Sampler::new(self.parameters);
        let mut count = 0;
        let finish_reason = loop {
            if count == self.max_tokens {
                break FinishReason::Length;
            }
            let plain = self.parameters.top_logprobs.map(|_| scores.clone());
            let token = sampler.choose(&mut scores, u64::from(count));
            if self.tokenizer.is_special(token) {
                break FinishReason::Stop;
            }
            count += 1;
            let logprob = plain
                .zip(self.parameters.top_logprobs)
                .map(|(scores, alternatives)| {
                    sampling::logprob(self.tokenizer, &scores, token, alternatives as usize)
                });
            let Told {
                text,
                logprobs,
                stopped,
            } = self.text.push(token, logprob)?;
            // Also without any text: whoever listens is asked after each token whether it goes on.
            if tell(Piece::Text(text, logprobs)).is_break() {
                return Ok(None);
            }
            if stopped {
                return Ok(Some(Answered {
                    finish_reason: FinishReason::Stop,
                    completion_tokens: count,
                }));
            }
            if count < self.max_tokens {
                let reading = Reading {
                    sequence: &mut *sequence,
                    tokens: &[token],
                };
                scores = buffers.read(self.network, &mut [reading]);
            }
        };
        let Told {
            text,
            logprobs,
            stopped,
        } = self.text.finish()?;
        if tell(Piece::Text(text, logprobs)).is_break() {
            return Ok(None);
        }
        Ok(Some(Answered {
            finish_reason: if stopped {
                FinishReason::Stop
            } else {
                finish_reason
            },
            completion_tokens: count,
        }))
    }
}
