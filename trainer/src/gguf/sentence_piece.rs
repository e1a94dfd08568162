//! `SentencePiece` models of the Llama 2 kind as `tokenizer.json`: pairs of tokens are joined, the best-scored result
//! first, and what has no token is spelt in bytes.
//!
//! A file has no merges. They follow from the scores: every way to cut a token into two others is a merge, and its rank
//! is that of the token.

use super::{GgufFile, tokenizer::Vocabulary, value::missing};
use crate::Error;
use serde_json::{Value, json};
use std::cmp::Reverse;

/// What `SentencePiece` writes for a space.
const SPACE: &str = "\u{2581}";

/// The parts of `tokenizer.json` that differ from those of other models; `vocab` is left empty.
pub(super) fn tokenizer(
    file: &GgufFile,
    vocabulary: &Vocabulary<'_>,
    unknown: Option<&str>,
) -> Result<Value, Error> {
    let metadata = &file.metadata;
    let scores = metadata
        .floats("tokenizer.ggml.scores")?
        .filter(|scores| scores.len() == vocabulary.tokens.len())
        .ok_or_else(|| missing("tokenizer.ggml.scores"))?;
    let prefix = metadata.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let mut normalizers = vec![json!({"type": "Replace", "pattern": {"String": " "}, "content": SPACE})];
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": SPACE}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        normalizers.insert(0, json!({"type": "Prepend", "prepend": SPACE}));
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let merges: Vec<Value> = merges(vocabulary, scores)
        .into_iter()
        .map(|(left, right)| json!([left, right]))
        .collect();
    Ok(json!({
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": {}, "merges": merges
        }
    }))
}

fn merges<'a>(vocabulary: &Vocabulary<'a>, scores: &[f32]) -> Vec<(&'a str, &'a str)> {
    let normal = |part: &str| {
        let id = *vocabulary.ids.get(part)?;
        vocabulary.is_normal(id as usize).then_some(id)
    };
    let mut found = Vec::new();
    for (id, token) in vocabulary.tokens.iter().enumerate() {
        if !vocabulary.is_normal(id) {
            continue;
        }
        for (cut, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(cut);
            if let (Some(first), Some(second)) = (normal(left), normal(right)) {
                found.push((scores[id], left, right, first, second));
            }
        }
    }
    // Of cuts of one rank the longer left part goes first, then the longer right one, then those of earlier tokens.
    found.sort_by(|left, right| {
        let lengths = |cut: &(f32, &str, &str, u32, u32)| {
            (
                Reverse((cut.1.chars().count(), cut.2.chars().count())),
                cut.3,
                cut.4,
            )
        };
        right
            .0
            .total_cmp(&left.0)
            .then_with(|| lengths(left).cmp(&lengths(right)))
    });
    found
        .into_iter()
        .map(|(_, left, right, _, _)| (left, right))
        .collect()
}
