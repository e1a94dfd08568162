//! The tokenizer: byte-level BPE trained on the pretraining text alone, digits in pairs, and a chat template with
//! one special token for each role and one that ends a turn.

use crate::reading;
use anyhow::{Result, anyhow};
use std::path::Path;
use tokenizers::{
    AddedToken, DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper,
    SplitDelimiterBehavior, Tokenizer, TokenizerImpl,
    models::bpe::{BPE, BpeTrainerBuilder},
    pre_tokenizers::{
        byte_level::ByteLevel,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};

/// Number of tokens, special ones included.
pub(crate) const VOCABULARY: usize = 1_024;

/// Special tokens in the order of their ids.
pub(crate) const SPECIAL: [&str; 6] = [
    "<|pad|>",
    "<|end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|tool|>",
];

/// Ids in [`SPECIAL`].
pub(crate) const PAD_ID: u32 = 0;
/// Ends every message.
pub(crate) const END_ID: u32 = 1;

const CHAT_TEMPLATE: &str = "{%- if tools %}<|system|>{{ tools | tojson }}<|end|>{% endif -%}\
{%- for message in messages -%}\
{%- if message.role == 'developer' -%}<|system|>{%- else -%}<|{{ message.role }}|>{%- endif -%}\
{{- message.content or '' -}}\
{%- if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif -%}\
<|end|>\
{%- endfor -%}\
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}";

/// Trains on the first `examples` examples of pretraining and writes `tokenizer.json`, `tokenizer_config.json`,
/// `special_tokens_map.json` and `chat_template.jinja` into `folder`.
pub(crate) fn write(folder: &Path, seed: u64, examples: u64) -> Result<()> {
    let texts = (0..examples).flat_map(|number| {
        reading::example(seed, number)
            .messages
            .into_iter()
            .map(|message| message.content)
    });
    let mut tokenizer = train(texts).map_err(|error| anyhow!("training the tokenizer: {error}"))?;
    let specials: Vec<AddedToken> = SPECIAL
        .iter()
        .map(|token| AddedToken::from(*token, true))
        .collect();
    tokenizer.add_special_tokens(&specials);
    tokenizer
        .save(folder.join("tokenizer.json"), true)
        .map_err(|error| anyhow!("writing `tokenizer.json`: {error}"))?;
    let config = serde_json::json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": false,
        "add_prefix_space": false,
        "bos_token": null,
        "clean_up_tokenization_spaces": false,
        "eos_token": SPECIAL[END_ID as usize],
        "pad_token": SPECIAL[PAD_ID as usize],
        "unk_token": null,
        "model_max_length": crate::model::CONTEXT_LENGTH,
        "chat_template": CHAT_TEMPLATE,
    });
    crate::write_json(&folder.join("tokenizer_config.json"), &config)
}

type Untrained =
    TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

fn train(texts: impl Iterator<Item = String> + Send) -> tokenizers::Result<Tokenizer> {
    let bytes = ByteLevel::new(false, true, true);
    let mut trainer = BpeTrainerBuilder::new()
        .show_progress(false)
        .vocab_size(VOCABULARY)
        .min_frequency(2)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(
            SPECIAL
                .iter()
                .map(|token| AddedToken::from(*token, true))
                .collect(),
        )
        .build();
    let mut tokenizer: Untrained = TokenizerImpl::new(BPE::default());
    // Digits in pairs from the left: a number is few tokens, and a pair seldom occurs twice in a message, which makes
    // it easy to copy.
    let pairs = Split::new(
        SplitPattern::Regex(r"\p{N}{1,2}".to_owned()),
        SplitDelimiterBehavior::Isolated,
        false,
    )?;
    let before: Vec<PreTokenizerWrapper> = vec![pairs.into(), bytes.into()];
    tokenizer.with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(before))));
    tokenizer.with_decoder(Some(DecoderWrapper::ByteLevel(bytes)));
    tokenizer.train(&mut trainer, texts)?;
    let model = ModelWrapper::BPE(tokenizer.get_model().clone());
    let mut whole = Tokenizer::new(model);
    whole.with_pre_tokenizer(tokenizer.get_pre_tokenizer().cloned());
    whole.with_decoder(tokenizer.get_decoder().cloned());
    Ok(whole)
}
