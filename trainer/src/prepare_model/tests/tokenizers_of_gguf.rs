//! Tokenizers that are rebuilt from a file's vocabulary.

use super::*;

fn tokenizer(change: impl FnOnce(&mut Writer)) -> (tempfile::TempDir, Tokenizer) {
    let config: ModelConfig = config("llama", "");
    let mut writer = model(&config, &tensors(&config, true), TensorType::F16);
    change(&mut writer);
    let (folder, facts) = prepare(&writer);
    facts.unwrap();
    let tokenizer = Tokenizer::from_file(folder.path().join("tokenizer.json")).unwrap();
    (folder, tokenizer)
}

fn pieces(tokenizer: &Tokenizer, text: &str, special: bool) -> Vec<String> {
    tokenizer.encode(text, special).unwrap().get_tokens().to_vec()
}

fn settings(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("tokenizer_config.json")).unwrap()).unwrap()
}

#[test]
fn byte_level_merges_marks_and_the_template_come_over() {
    let (folder, tokenizer) = tokenizer(|_| {});
    assert_eq!(
        pieces(&tokenizer, "<|user|>Hello ab<|end|>", true),
        ["<|user|>", "Hello", "Ġ", "a", "b", "<|end|>"]
    );
    let encoding = tokenizer.encode("Hello <|end|>", false).unwrap();
    assert_eq!(encoding.get_ids(), [10, 4, 3]);
    assert_eq!(tokenizer.decode(encoding.get_ids(), true).unwrap(), "Hello ");
    assert_eq!(
        tokenizer.token_to_id("[PAD47]"),
        None,
        "unused tokens are no tokens"
    );
    let settings = settings(folder.path());
    assert_eq!(settings["chat_template"], TEMPLATE);
    assert_eq!(
        (&settings["bos_token"], &settings["eos_token"]),
        (&json!("<s>"), &json!("<|end|>"))
    );
}

#[test]
fn each_family_splits_digits_in_its_own_way() {
    // Without merges across them, how text is split shows only in the merge of two digits.
    let pairs = |pre: &str| {
        let (_, tokenizer) = tokenizer(|writer| {
            writer.text("tokenizer.ggml.pre", pre);
            let tokens = [
                "<s>", "<|user|>", "<|bot|>", "<|end|>", "1", "11", "111", "1111", "H", "e", "l", "o",
            ];
            let mut kinds = vec![1; tokens.len()];
            kinds[..4].fill(3);
            writer.texts("tokenizer.ggml.tokens", &tokens);
            writer.integers("tokenizer.ggml.token_type", &kinds);
            writer.texts("tokenizer.ggml.merges", &["1 1", "11 1", "11 11"]);
        });
        pieces(&tokenizer, "1111", false)
    };
    assert_eq!(pairs("smollm"), ["1", "1", "1", "1"]);
    assert_eq!(pairs("qwen2"), ["1", "1", "1", "1"]);
    assert_eq!(pairs("llama-bpe"), ["111", "1"]);
    assert_eq!(pairs("gpt-2"), ["1111"]);
    assert_eq!(pairs("default"), ["1111"]);
}

#[test]
fn a_text_begins_with_a_mark_where_the_file_says_so() {
    let (folder, with) = tokenizer(|writer| writer.flag("tokenizer.ggml.add_bos_token", true));
    assert_eq!(pieces(&with, "Hello", true), ["<s>", "Hello"]);
    assert_eq!(pieces(&with, "Hello", false), ["Hello"]);
    assert_eq!(settings(folder.path())["add_bos_token"], true);
    let (_folder, llama) = tokenizer(|writer| writer.text("tokenizer.ggml.pre", "llama-bpe"));
    assert_eq!(pieces(&llama, "Hello", true), ["<s>", "Hello"]);
    let (folder, without) = tokenizer(|writer| writer.flag("tokenizer.ggml.add_bos_token", false));
    assert_eq!(pieces(&without, "Hello", true), ["Hello"]);
    assert_eq!(settings(folder.path())["add_bos_token"], false);
}

#[test]
fn a_sentence_piece_model_joins_by_score_and_spells_the_unknown_in_bytes() {
    let (folder, tokenizer) = tokenizer(|writer| {
        let tokens = [
            "<unk>", "<|user|>", "<|bot|>", "</s>", "<0xC3>", "<0xA9>", "▁", "a", "b", "c", "ab", "bc", "▁a",
            "▁ab", "H", "e", "l", "o",
        ];
        // `bc` is better than `ab`, so that `abc` is `a` and `bc`.
        let scores = [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.0, -9.0, -9.0, -9.0, -2.0, -1.0, -4.0, -3.0, -9.0, -9.0, -9.0,
            -9.0,
        ];
        let kinds = [2, 3, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        writer.text("tokenizer.ggml.model", "llama");
        writer.remove("tokenizer.ggml.pre");
        writer.remove("tokenizer.ggml.merges");
        writer.texts("tokenizer.ggml.tokens", &tokens);
        writer.floats("tokenizer.ggml.scores", &scores);
        writer.integers("tokenizer.ggml.token_type", &kinds);
        writer.number("tokenizer.ggml.bos_token_id", 1);
        writer.number("tokenizer.ggml.unknown_token_id", 0);
        writer.text("tokenizer.chat_template", &TEMPLATE.replace("<|end|>", "</s>"));
    });
    assert_eq!(pieces(&tokenizer, "abc", false), ["▁a", "bc"]);
    assert_eq!(pieces(&tokenizer, "ab", false), ["▁ab"]);
    assert_eq!(
        pieces(&tokenizer, "b é</s>", true),
        ["<|user|>", "▁", "b", "▁", "<0xC3>", "<0xA9>", "</s>"]
    );
    let ids = tokenizer.encode("b é", false).unwrap().get_ids().to_vec();
    assert_eq!(tokenizer.decode(&ids, true).unwrap(), "b é");
    assert_eq!(settings(folder.path())["unk_token"], "<unk>");
}

#[test]
fn a_tokenizer_that_is_not_known_or_does_not_fit_is_refused() {
    for (what, change) in [
        (
            "kind `bert`",
            (|writer| writer.text("tokenizer.ggml.model", "bert")) as fn(&mut Writer),
        ),
        ("`tekken`", |writer| writer.text("tokenizer.ggml.pre", "tekken")),
        ("`tokenizer.ggml.pre` is missing", |writer| {
            writer.remove("tokenizer.ggml.pre");
        }),
        ("doesn't fit its tokens", |writer| {
            writer.texts("tokenizer.ggml.merges", &["H e", "q #"]);
        }),
        ("don't belong together", |writer| {
            writer.integers("tokenizer.ggml.token_type", &[1; 40]);
        }),
        ("are the same", |writer| {
            writer.texts("tokenizer.ggml.tokens", &["a"; 4]);
            writer.integers("tokenizer.ggml.token_type", &[1; 4]);
        }),
        ("scores", |writer| writer.text("tokenizer.ggml.model", "llama")),
        ("2000 bytes long", |writer| {
            let long = "x".repeat(2000);
            writer.texts("tokenizer.ggml.tokens", &["a", "b", "c", "d", &long]);
            writer.integers("tokenizer.ggml.token_type", &[1; 5]);
        }),
        ("no chat template", |writer| {
            writer.remove("tokenizer.chat_template");
        }),
    ] {
        let error = refusal(change);
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
}
