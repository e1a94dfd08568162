//! From a chat to tokens, and which of them the loss counts: of each trained assistant message its content and the
//! token that ends its turn.
//!
//! Where a message lies is found by rendering the chat template piece by piece: what stands before the answer is the
//! rendering of the messages before it with the prompt to answer. Nothing is known of any particular template.

mod template;
mod token;

use crate::{Error, config::ModelConfig};
use shared::training_line::{Example, Message, Role};
use std::{collections::HashSet, ops::Range, path::Path};
use template::ChatTemplate;
use tokenizers::Tokenizer;

/// A model's tokenizer and chat template.
#[derive(Debug)]
pub struct ChatTokenizer {
    tokenizer: Tokenizer,
    template: ChatTemplate,
    /// Tokens that are marks rather than text.
    special: HashSet<u32>,
    vocab_size: usize,
}

/// A chat as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The tokens.
    pub ids: Vec<u32>,
    /// For each whether the loss counts it.
    pub counts: Vec<bool>,
}

impl Tokens {
    /// How many tokens the loss counts; the first of a text never does.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.counts.iter().skip(1).filter(|counts| **counts).count()
    }
}

impl ChatTokenizer {
    /// Loads `tokenizer.json` and the chat template (`chat_template.jinja` or that of `tokenizer_config.json`).
    ///
    /// # Errors
    /// [`Error::InvalidTokenizer`], [`Error::InvalidChatTemplate`].
    pub fn load(folder: &Path, config: &ModelConfig) -> Result<Self, Error> {
        let path = folder.join("tokenizer.json");
        let refuse = |message: String| Error::InvalidTokenizer(format!("`{}`: {message}", path.display()));
        if !path.exists() {
            return Err(refuse(
                "the file is missing; the model's folder needs a fast tokenizer".to_owned(),
            ));
        }
        let mut tokenizer = Tokenizer::from_file(&path).map_err(|error| refuse(error.to_string()))?;
        tokenizer
            .with_truncation(None)
            .map_err(|error| refuse(error.to_string()))?;
        tokenizer.with_padding(None);
        let special = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, _)| id)
            .chain(config.eos_token_ids.iter().copied())
            .collect();
        let template = ChatTemplate::load(folder)?;
        Ok(Self {
            tokenizer,
            template,
            special,
            vocab_size: config.vocab_size,
        })
    }

    /// The tokens of an example and which of them count.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the example.
    pub fn example(&self, example: &Example) -> Result<Tokens, String> {
        let text = self
            .template
            .render(&example.messages, example.tools.as_ref(), false)?;
        let regions = self.regions(&text, example)?;
        let encoding = self
            .tokenizer
            .encode(text.as_str(), false)
            .map_err(|error| format!("the text can't be tokenised: {error}"))?;
        let ids = encoding.get_ids().to_vec();
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.vocab_size) {
            return Err(format!(
                "token {id} is beyond the model's vocabulary of {}",
                self.vocab_size
            ));
        }
        let mut counts = vec![false; ids.len()];
        for region in regions {
            self.mark(&ids, encoding.get_offsets(), region, &mut counts);
        }
        Ok(Tokens { ids, counts })
    }

    /// The tokens that a model is given to answer these messages.
    ///
    /// # Errors
    /// A sentence that says what is wrong with them.
    pub fn prompt(
        &self,
        messages: &[Message],
        tools: Option<&serde_json::Value>,
    ) -> Result<Vec<u32>, String> {
        self.encode(&self.template.render(messages, tools, true)?, false)
    }

    /// The tokens of a text that a model is to go on with, the mark of its beginning included where the tokenizer has one.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn text_prompt(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode(text, true)
    }

    fn encode(&self, text: &str, add_marks: bool) -> Result<Vec<u32>, String> {
        let encoding = self
            .tokenizer
            .encode(text, add_marks)
            .map_err(|error| format!("the text can't be tokenised: {error}"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of tokens, marks left out.
    ///
    /// # Errors
    /// [`Error::InvalidTokenizer`].
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer
            .decode(ids, true)
            .map_err(|error| Error::InvalidTokenizer(error.to_string()))
    }

    /// Tokens that are marks rather than text; an answer ends with one of them.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.special.contains(&id)
    }

    /// Counts the tokens of a region up to the mark that ends the turn (what the template puts after it isn't learnt).
    fn mark(&self, ids: &[u32], offsets: &[(usize, usize)], region: Range<usize>, counts: &mut [bool]) {
        let inside: Vec<usize> = (0..ids.len())
            .filter(|place| {
                let (start, end) = offsets[*place];
                (end > region.start || start >= region.start && end >= region.start) && start < region.end
            })
            .collect();
        let last = inside
            .iter()
            .rposition(|place| self.special.contains(&ids[*place]));
        let count = last.map_or(inside.len(), |last| last + 1);
        for place in &inside[..count] {
            counts[*place] = true;
        }
    }

    /// Where the trained assistant messages lie in the whole text, in bytes, marks at their end included.
    fn regions(&self, text: &str, example: &Example) -> Result<Vec<Range<usize>>, String> {
        let messages = &example.messages;
        let tools = example.tools.as_ref();
        let mut regions: Vec<Range<usize>> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            if message.role != Role::Assistant || !message.trained {
                continue;
            }
            let prompt = self
                .template
                .render(&messages[..index], tools, true)
                .unwrap_or_default();
            let start = if !prompt.is_empty() && text.starts_with(&prompt) {
                prompt.len()
            } else {
                // A template whose prompt to answer isn't how it writes answers: look for the content itself.
                let from = regions.last().map_or(0, |region| region.end);
                let content = message.content.trim();
                let found = text[from..].find(content).filter(|_| !content.is_empty());
                from + found.ok_or_else(|| {
                    format!(
                        "the chat template doesn't show where message {} begins; its content was changed",
                        index + 1
                    )
                })?
            };
            let end = if index + 1 == messages.len() {
                text.len()
            } else {
                self.end_of_turn(text, start, example, index)?
            };
            regions.push(start..end);
        }
        Ok(regions)
    }

    /// Where the text of the message after `index` begins.
    fn end_of_turn(
        &self,
        text: &str,
        start: usize,
        example: &Example,
        index: usize,
    ) -> Result<usize, String> {
        let upto = self
            .template
            .render(&example.messages[..=index], example.tools.as_ref(), false)?;
        if upto.len() > start && text.starts_with(&upto) {
            return Ok(upto.len());
        }
        // A template that writes an earlier answer otherwise than the last one: its content, then all that both share.
        let content = example.messages[index].content.trim();
        let content_end = text[start..]
            .find(content)
            .map(|found| start + found + content.len())
            .ok_or_else(|| {
                format!(
                    "the chat template leaves the content of message {} out",
                    index + 1
                )
            })?;
        let tail = upto
            .rfind(content)
            .map_or("", |found| &upto[found + content.len()..]);
        let shared = tail
            .char_indices()
            .map(|(place, letter)| place + letter.len_utf8())
            .take_while(|length| text[content_end..].starts_with(&tail[..*length]))
            .last();
        Ok(content_end + shared.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
