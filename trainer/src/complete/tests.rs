use super::{text::AnswerText, *};
use crate::testing::write_model;
use proptest::{collection::vec, prelude::*, sample::select};
use shared::{
    run::{LoraSpec, Projection},
    training_line::{Message, Role},
};
use std::fs;

fn answerer() -> Answerer {
    answerer_on(2)
}

/// One that reckons on so many threads.
fn answerer_on(threads: usize) -> Answerer {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    Answerer::load(folder.path(), threads, None).unwrap()
}

fn prompt(content: &str) -> Prompt {
    Prompt::Messages(vec![Message {
        role: Role::User,
        content: content.to_owned(),
        trained: true,
        tool_calls: None,
    }])
}

fn warm() -> InferParameters {
    InferParameters {
        max_tokens: 12,
        temperature: 1.0,
        seed: 5,
        ..InferParameters::default()
    }
}

/// The whole text, its pieces' tokens, and how it ended.
fn answer(
    answerer: &mut Answerer,
    prompt: &Prompt,
    parameters: &InferParameters,
) -> (String, Vec<TokenLogprob>, Answered) {
    let (mut text, mut tokens) = (String::new(), Vec::new());
    let answered = answerer
        .answer(None, prompt, parameters, None, &mut |piece| {
            if let Piece::Text(more, logprobs) = piece {
                text.push_str(&more);
                tokens.extend(logprobs);
            }
            ControlFlow::Continue(())
        })
        .unwrap()
        .unwrap();
    (text, tokens, answered)
}

#[test]
fn the_same_seed_gives_the_same_text_whatever_was_read_before() {
    let mut one = answerer();
    let question = prompt("say red");
    let first = answer(&mut one, &question, &warm());
    assert!(!first.0.is_empty());
    let long = prompt(&"say blue ".repeat(100));
    let long_first = answer(&mut one, &long, &warm());
    assert_eq!(answer(&mut one, &question, &warm()).0, first.0);
    // The same beginning, then something else: what is known of it is taken over.
    let other_end = prompt(&("say blue ".repeat(99) + "count red "));
    let taken_over = answer(&mut one, &other_end, &warm());
    let mut fresh = answerer();
    assert_eq!(answer(&mut fresh, &other_end, &warm()).0, taken_over.0);
    assert_eq!(answer(&mut fresh, &long, &warm()).0, long_first.0);
    let seeds: std::collections::HashSet<String> = (0..5)
        .map(|seed| answer(&mut one, &question, &InferParameters { seed, ..warm() }).0)
        .collect();
    assert!(seeds.len() > 1, "another seed, another text: {seeds:?}");
}

#[test]
fn any_number_of_threads_gives_the_same_text_and_the_same_probabilities() {
    let parameters = InferParameters {
        top_logprobs: Some(5),
        ..warm()
    };
    let prompts = [prompt("say red"), prompt(&"say blue ".repeat(100))];
    let on = |threads: usize| {
        let mut answerer = answerer_on(threads);
        prompts
            .each_ref()
            .map(|prompt| answer(&mut answerer, prompt, &parameters))
    };
    let one = on(1);
    for threads in [2, 3] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
}

#[test]
fn an_answer_ends_with_its_mark_its_length_or_a_text() {
    let mut answerer = answerer();
    let question = prompt("say red");
    let ends: Vec<Answered> = (0..40)
        .map(|seed| answer(&mut answerer, &question, &InferParameters { seed, ..warm() }).2)
        .collect();
    let of = |reason| ends.iter().filter(move |end| end.finish_reason == reason);
    assert!(of(FinishReason::Length).all(|end| end.completion_tokens == 12));
    assert!(of(FinishReason::Stop).all(|end| end.completion_tokens < 12));
    assert!(
        of(FinishReason::Stop).count() > 0 && of(FinishReason::Length).count() > 0,
        "{ends:?}"
    );

    let whole = (0..40)
        .map(|seed| InferParameters { seed, ..warm() })
        .find(|parameters| answer(&mut answerer, &question, parameters).0.len() > 12)
        .unwrap();
    let text = answer(&mut answerer, &question, &whole).0;
    // A piece from the middle, which spans tokens.
    let stop = text[4..10].to_owned();
    let stopping = InferParameters {
        stop: vec!["never said".to_owned(), stop.clone()],
        ..whole
    };
    let (stopped, _, end) = answer(&mut answerer, &question, &stopping);
    assert_eq!(stopped, text[..text.find(&stop).unwrap()]);
    assert_eq!(end.finish_reason, FinishReason::Stop);
}

#[test]
fn probabilities_of_all_tokens_are_told_and_agree() {
    let mut answerer = answerer();
    let parameters = InferParameters {
        top_logprobs: Some(20),
        ..warm()
    };
    let (text, tokens, end) = answer(&mut answerer, &prompt("say red"), &parameters);
    assert_eq!(tokens.len(), end.completion_tokens as usize);
    assert_eq!(
        answer(&mut answerer, &prompt("say red"), &warm()).0,
        text,
        "telling changes nothing"
    );
    for token in &tokens {
        assert_eq!(token.top_logprobs.len(), 20);
        assert!(
            token
                .top_logprobs
                .is_sorted_by(|one, other| one.logprob >= other.logprob)
        );
        let sum: f64 = token.top_logprobs.iter().map(|other| other.logprob.exp()).sum();
        assert!(token.chosen.logprob <= 0.0 && sum <= 1.0 + 1e-6);
    }
    let none = InferParameters {
        top_logprobs: Some(0),
        ..warm()
    };
    let (_, tokens, _) = answer(&mut answerer, &prompt("say red"), &none);
    assert!(tokens.iter().all(|token| token.top_logprobs.is_empty()) && !tokens.is_empty());
}

#[test]
fn an_adapter_beside_the_weights_answers_as_one_within_them() {
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path());
    let mut beside = Answerer::load(folder.path(), 1, None).unwrap();
    let spec = LoraSpec {
        rank: 2,
        alpha: 4.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
    };
    let mut adapter = Adapter::random(beside.model(), &spec, 1).unwrap();
    adapter.values.iter_mut().for_each(|value| *value += 0.05);
    adapter
        .merged(beside.model())
        .save(folder.path(), crate::Precision::F32)
        .unwrap();
    let mut within = Answerer::load(folder.path(), 1, None).unwrap();
    let cold = InferParameters {
        max_tokens: 30,
        ..InferParameters::default()
    };
    let expected = answer(&mut within, &prompt("say red"), &cold).0;
    let named = Named {
        id: 1,
        adapter: &adapter,
    };
    let mut found = String::new();
    let mut tell = |piece| {
        if let Piece::Text(text, _) = piece {
            found.push_str(&text);
        }
        ControlFlow::Continue(())
    };
    beside
        .answer(Some(named), &prompt("say red"), &cold, None, &mut tell)
        .unwrap();
    assert_eq!(found, expected);
    // The same prompt without the adapter isn't taken for it.
    assert_ne!(answer(&mut beside, &prompt("say red"), &cold).0, expected);
}

#[test]
fn what_is_longer_than_the_context_or_the_memory_is_refused_with_the_figures() {
    let mut answerer = answerer();
    answerer.model.config.max_position_embeddings = 20;
    let length = answerer.tokens(&prompt("say red")).unwrap().len() as u32;
    let mut ask = |max_tokens: u32, shorten: bool, limit: Option<u64>| {
        let parameters = InferParameters {
            max_tokens,
            shorten,
            ..warm()
        };
        answerer.answer(None, &prompt("say red"), &parameters, limit, &mut |_| {
            ControlFlow::Continue(())
        })
    };
    assert!(ask(20 - length, false, None).is_ok());
    let error = ask(21 - length, false, None).unwrap_err();
    assert_eq!(error.code(), "context_length_exceeded");
    assert!(error.to_string().contains("at most 20 tokens"), "{error}");
    let shortened = ask(1000, true, None).unwrap().unwrap();
    assert!(shortened.completion_tokens <= 20 - length);
    assert_eq!(ask(5, false, Some(1)).unwrap_err().code(), "not_enough_memory");

    let mut tell = |_| ControlFlow::Continue(());
    let too_long = prompt(&"say red ".repeat(20));
    let error = answerer
        .answer(None, &too_long, &warm(), None, &mut tell)
        .unwrap_err();
    assert_eq!(error.code(), "context_length_exceeded");
    let empty = Prompt::Text(String::new());
    let error = answerer
        .answer(None, &empty, &warm(), None, &mut tell)
        .unwrap_err();
    assert_eq!(error.code(), "invalid_prompt");
}

#[test]
fn an_answer_is_broken_off_at_the_next_token_or_the_next_part_of_the_prompt() {
    let mut answerer = answerer();
    let mut pieces = 0;
    let mut ask = |prompt: &Prompt, last: usize| {
        pieces = 0;
        let answered = answerer.answer(None, prompt, &warm(), None, &mut |_| {
            pieces += 1;
            if pieces == last {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!(answered.unwrap(), None);
        pieces
    };
    assert_eq!(ask(&prompt("say red"), 3), 3);
    assert_eq!(ask(&prompt(&"say red ".repeat(500)), 4), 4);
}

/// A byte-level tokenizer: every byte is a token.
fn bytes_tokenizer(folder: &Path) -> ChatTokenizer {
    let letters = (0..0x200)
        .filter_map(char::from_u32)
        .filter(|letter| matches!(u32::from(*letter), 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0x143));
    let vocab: serde_json::Map<String, serde_json::Value> = letters
        .zip(0..)
        .map(|(letter, id)| (letter.to_string(), serde_json::json!(id)))
        .collect();
    let tokenizer = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": []}
    });
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    fs::write(folder.join("chat_template.jinja"), "{{ messages[0].content }}").unwrap();
    let config = crate::testing::tiny_model("llama", 1).config;
    ChatTokenizer::load(folder, &config).unwrap()
}

fn pieces(tokenizer: &ChatTokenizer, said: &str, stops: &[&str]) -> (Vec<String>, bool) {
    let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
    let mut text = AnswerText::new(tokenizer, &stops, &[]);
    let mut pieces = Vec::new();
    for id in tokenizer.text_prompt(said).unwrap() {
        let told = text.push(id, None).unwrap();
        pieces.push(told.text);
        if told.stopped {
            return (pieces, true);
        }
    }
    let told = text.finish().unwrap();
    pieces.push(told.text);
    (pieces, told.stopped)
}

#[test]
fn text_comes_in_whole_characters() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = bytes_tokenizer(folder.path());
    let said = "aé🙂\u{fffd}z";
    let (told, _) = pieces(&tokenizer, said, &[]);
    assert_eq!(told.concat(), said);
    assert_eq!(told[..7], ["a", "", "é", "", "", "", "🙂"]);
    // The beginning of a character at the end becomes the replacement character.
    let mut text = AnswerText::new(&tokenizer, &[], &[]);
    let ids = tokenizer.text_prompt("é").unwrap();
    assert_eq!(text.push(ids[0], None).unwrap().text, "");
    assert_eq!(text.finish().unwrap().text, "\u{fffd}");
    assert_eq!(tokenizer.token_bytes(ids[0]), Some(vec![0xC3]));
}

proptest! {
    /// Also of bytes that are no characters, wherever the tokens end.
    #[test]
    fn nothing_of_the_text_is_lost(
        said in vec(select(vec![0x61, 0x80, 0x9F, 0x82, 0x99, 0xC3, 0xA9, 0xE4, 0xF0]), 0..24)
    ) {
        thread_local!(static BYTES: (tempfile::TempDir, ChatTokenizer) = {
            let folder = tempfile::tempdir().unwrap();
            let tokenizer = bytes_tokenizer(folder.path());
            (folder, tokenizer)
        });
        BYTES.with(|(_, tokenizer)| {
            let mut text = AnswerText::new(tokenizer, &[], &[]);
            let mut told = String::new();
            for byte in &said {
                let id = (0..0x100).find(|id| tokenizer.token_bytes(*id) == Some(vec![*byte])).unwrap();
                told += &text.push(id, None).unwrap().text;
            }
            told += &text.finish().unwrap().text;
            assert_eq!(told, String::from_utf8_lossy(&said));
        });
    }
}

#[test]
fn what_may_become_an_end_is_held_and_told_when_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = bytes_tokenizer(folder.path());
    let (told, stopped) = pieces(&tokenizer, "abENxENDy", &["END"]);
    assert_eq!(told, ["a", "b", "", "", "ENx", "", "", ""]);
    assert!(stopped);
    // At the end of the answer, what was held is told.
    let (told, stopped) = pieces(&tokenizer, "abEN", &["END", "zz"]);
    assert_eq!((told.concat().as_str(), stopped), ("abEN", false));
    // The first of several; one that is the beginning of another.
    let (told, stopped) = pieces(&tokenizer, "one two three", &["two three", "tw", "e t"]);
    assert_eq!((told.concat().as_str(), stopped), ("on", true));
}
