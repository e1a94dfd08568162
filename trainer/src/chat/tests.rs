use super::*;
use serde_json::json;

/// A word-level tokenizer in which every word, space and mark of the tests is a token.
fn tokenizer(template: &str) -> ChatTokenizer {
    let words = [
        "<s>", "<|sys|>", "<|user|>", "<|bot|>", "<|end|>", "\n", " ", "hello", "you", "answer", "two", "be",
        "<think>",
    ];
    let vocab: serde_json::Map<String, serde_json::Value> = words
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), json!(id)))
        .collect();
    let marks: Vec<_> = [0, 1, 2, 3, 4, 12]
        .into_iter()
        .map(|id| {
            json!({"id": id, "content": words[id], "special": id != 12, "single_word": false, "lstrip": false,
                   "rstrip": false, "normalized": false})
        })
        .collect();
    let text = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": marks, "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "Isolated", "invert": false},
        "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": " "}
    });
    ChatTokenizer {
        tokenizer: text.to_string().parse().unwrap(),
        template: ChatTemplate::new(template.to_owned(), "<s>".to_owned(), "<|end|>".to_owned()).unwrap(),
        special: [0, 1, 2, 3, 4].into(),
        vocab_size: 13,
    }
}

const PLAIN: &str = "{{ bos_token }}{% for message in messages %}
{% set mark = {'system': '<|sys|>', 'user': '<|user|>', 'assistant': '<|bot|>'}[message.role] %}
{{ mark + message.content + '<|end|>\n' }}
{%- endfor %}
{% if add_generation_prompt %}<|bot|>{% endif %}";

/// Writes a mark of thinking before the last answer only, as some templates do.
const THINKING: &str = "{% for message in messages %}
{% if message.role == 'assistant' %}
{{ '<|bot|>' + ('<think>' if loop.last else '') + message.content.strip() + '<|end|>\n' }}
{%- else %}
{{ '<|user|>' + message.content + '<|end|>\n' }}
{%- endif %}
{% endfor %}
{% if add_generation_prompt %}<|bot|>{% endif %}";

fn message(role: Role, content: &str) -> Message {
    Message {
        role,
        content: content.to_owned(),
        trained: true,
        tool_calls: None,
    }
}

fn counted(tokenizer: &ChatTokenizer, messages: Vec<Message>) -> String {
    let tokens = tokenizer
        .example(&Example {
            messages,
            non_preferred: None,
            tools: None,
        })
        .unwrap();
    let place = |place: &usize| tokenizer.tokenizer.id_to_token(tokens.ids[*place]).unwrap();
    (0..tokens.ids.len())
        .filter(|place| tokens.counts[*place])
        .map(|at| place(&at))
        .collect::<Vec<_>>()
        .join("")
}

fn dialogue() -> Vec<Message> {
    vec![
        message(Role::System, "be"),
        message(Role::User, "hello you"),
        message(Role::Assistant, "answer you"),
        message(Role::User, "two"),
        message(Role::Assistant, "two answer"),
    ]
}

#[test]
fn answers_and_their_end_marks_count_and_nothing_else() {
    assert_eq!(
        counted(&tokenizer(PLAIN), dialogue()),
        "answer you<|end|>two answer<|end|>"
    );
}

#[test]
fn a_message_that_is_not_trained_is_left_out() {
    let mut messages = dialogue();
    messages[2].trained = false;
    assert_eq!(counted(&tokenizer(PLAIN), messages), "two answer<|end|>");
}

#[test]
fn a_template_that_writes_the_last_answer_otherwise_still_shows_its_boundaries() {
    let messages = dialogue().split_off(1);
    assert_eq!(
        counted(&tokenizer(THINKING), messages),
        "answer you<|end|><think>two answer<|end|>"
    );
}

#[test]
fn the_prompt_ends_where_the_answer_begins() {
    let tokenizer = tokenizer(PLAIN);
    let messages = dialogue();
    let prompt = tokenizer.prompt(&messages[..4], None).unwrap();
    let whole = tokenizer
        .example(&Example {
            messages,
            non_preferred: None,
            tools: None,
        })
        .unwrap();
    assert_eq!(whole.ids[..prompt.len()], prompt);
    assert!(whole.counts[prompt.len()] && !whole.counts[prompt.len() - 1]);
}

#[test]
fn a_template_that_refuses_says_why() {
    let tokenizer = tokenizer("{{ raise_exception('roles must alternate') }}");
    let error = tokenizer
        .example(&Example {
            messages: dialogue(),
            non_preferred: None,
            tools: None,
        })
        .unwrap_err();
    assert!(error.contains("roles must alternate"), "{error}");
}

#[test]
fn tools_are_written_as_python_writes_json() {
    let template = ChatTemplate::new(
        "{{ tools | tojson }}|{{ tools | tojson(indent=2) }}".to_owned(),
        String::new(),
        String::new(),
    );
    let tools = json!([{"name": "é", "n": [1, 2]}]);
    let text = template
        .unwrap()
        .render(&dialogue(), Some(&tools), false)
        .unwrap();
    let (short, long) = text.split_once('|').unwrap();
    assert_eq!(short, r#"[{"n": [1, 2], "name": "é"}]"#);
    assert_eq!(
        long,
        "[\n  {\n    \"n\": [\n      1,\n      2\n    ],\n    \"name\": \"é\"\n  }\n]"
    );
}
