//! An answer's text as it grows: whole characters, held back while they may be the beginning of what ends the answer.

use crate::{Error, chat::ChatTokenizer};
use shared::chat::TokenLogprob;
use std::collections::VecDeque;

/// No character is longer in tokens: of what is held for longer, all but its end is whole or never will be.
const LONGEST_CHARACTER: usize = 4;

/// The text of one answer.
pub(super) struct AnswerText<'a> {
    tokenizer: &'a ChatTokenizer,
    stops: &'a [String],
    ids: Vec<u32>,
    /// Tokens from here to `read` are decoded again with what follows: some tokenizers write a token by what is before it.
    before: usize,
    /// Tokens whose text is in `held`, or told.
    read: usize,
    /// Bytes of the text behind `read` that are, too: their tokens go on into a character that isn't whole.
    ahead: usize,
    /// Not told yet.
    held: String,
    /// Bytes told.
    told: usize,
    /// Tokens to be told with their text, and the byte at which that begins.
    waiting: VecDeque<(usize, TokenLogprob)>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) logprobs: Vec<TokenLogprob>,
    /// A text came that ends the answer; it isn't told.
    pub(super) stopped: bool,
}

impl<'a> AnswerText<'a> {
    /// An answer that goes on after these tokens; none where it stands by itself.
    pub(super) fn new(tokenizer: &'a ChatTokenizer, stops: &'a [String], after: &[u32]) -> Self {
        Self {
            tokenizer,
            stops,
            ids: after.to_vec(),
            before: 0,
            read: after.len(),
            ahead: 0,
            held: String::new(),
            told: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Adds a token and gives what can be told by now.
    pub(super) fn push(&mut self, id: u32, logprob: Option<TokenLogprob>) -> Result<Told, Error> {
        let start = self.told + self.held.len();
        self.waiting.extend(logprob.map(|logprob| (start, logprob)));
        self.ids.push(id);
        self.decode(false)?;
        Ok(self.tell(false))
    }

    /// Gives all that is left.
    pub(super) fn finish(mut self) -> Result<Told, Error> {
        self.decode(true)?;
        Ok(self.tell(true))
    }

    /// Moves the text of new tokens into `held`, where it ends with a character or has to.
    fn decode(&mut self, all: bool) -> Result<(), Error> {
        if self.read == self.ids.len() {
            return Ok(());
        }
        let before = self.tokenizer.decode(&self.ids[self.before..self.read])?;
        let text = self.tokenizer.decode(&self.ids[self.before..])?;
        // Bytes that end in no character can make those before them none: then the new ones stand by themselves.
        let new = match text.strip_prefix(&before) {
            Some(new) => new.to_owned(),
            None => self.tokenizer.decode(&self.ids[self.read..])?,
        };
        let Some(begun) = new.strip_suffix(char::REPLACEMENT_CHARACTER).filter(|_| !all) else {
            self.held.push_str(new.get(self.ahead..).unwrap_or_default());
            self.ahead = 0;
            self.before = self.read;
            self.read = self.ids.len();
            return Ok(());
        };
        // Each of these tokens may end within a character. The last one may become whole, the others are what they are.
        if self.ids.len() - self.read >= LONGEST_CHARACTER
            && let Some(more) = begun.get(self.ahead..)
        {
            self.held.push_str(more);
            self.ahead = begun.len();
        }
        Ok(())
    }

    fn tell(&mut self, all: bool) -> Told {
        let first = self
            .stops
            .iter()
            .filter_map(|stop| self.held.find(stop.as_str()))
            .min();
        let end = match first {
            Some(place) => place,
            None if all => self.held.len(),
            None => self.held.len() - self.longest_beginning(),
        };
        let text: String = self.held.drain(..end).collect();
        self.told += text.len();
        let mut logprobs = Vec::new();
        if !text.is_empty() || all {
            let is_last = all && first.is_none();
            while let Some((start, _)) = self.waiting.front()
                && (is_last || *start < self.told)
            {
                logprobs.extend(self.waiting.pop_front().map(|(_, logprob)| logprob));
            }
        }
        Told {
            text,
            logprobs,
            stopped: first.is_some(),
        }
    }

    /// Bytes at the end of what is held that may be the beginning of a text that ends the answer.
    fn longest_beginning(&self) -> usize {
        let beginning = |stop: &String| {
            let longest = stop.len().saturating_sub(1).min(self.held.len());
            (1..=longest)
                .rev()
                .find(|length| stop.is_char_boundary(*length) && self.held.ends_with(&stop[..*length]))
                .unwrap_or(0)
        };
        self.stops.iter().map(beginning).max().unwrap_or(0)
    }
}
