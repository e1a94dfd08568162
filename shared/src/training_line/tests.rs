use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn code(line: &Value) -> String {
    parse_line(3, &line.to_string()).expect_err("a finding").code
}

fn warnings(line: &Value) -> Vec<String> {
    let parsed = parse_line(3, &line.to_string()).expect("an example");
    parsed.warnings.into_iter().map(|warning| warning.code).collect()
}

fn chat(user: &str, assistant: &str) -> Value {
    json!({"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]})
}

#[test]
fn the_three_formats_give_the_same_example() {
    let turns = chat("hi", "hello")["messages"].clone();
    let lines = [
        (chat("hi", "hello"), LineFormat::Chat),
        (
            json!({"conversation_id": "c1", "turns": turns}),
            LineFormat::Conversation,
        ),
        (
            json!({"prompt": "hi", "completion": "hello"}),
            LineFormat::PromptCompletion,
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]},
                {"role": "assistant", "content": "hello", "weight": 1}]}),
            LineFormat::Chat,
        ),
    ];
    let expected = parse_line(1, &lines[0].0.to_string())
        .expect("an example")
        .example;
    for (line, format) in lines {
        let parsed = parse_line(1, &line.to_string()).expect("an example");
        assert_eq!(
            (parsed.example, parsed.format),
            (expected.clone(), format),
            "{line}"
        );
        assert_eq!(parsed.warnings, []);
    }
}

#[test]
fn weights_and_tool_calls_are_kept() {
    let line = json!({"messages": [
        {"role": "system", "content": "s"}, {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a", "weight": 0}, {"role": "user", "content": "v"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function"}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"}, {"role": "assistant", "content": "b"}],
        "tools": [{"type": "function"}]});
    let example = parse_line(1, &line.to_string()).expect("an example").example;
    let trained: Vec<bool> = example.messages.iter().map(|message| message.trained).collect();
    assert_eq!(trained, [true, true, false, true, true, true, true]);
    assert_eq!(
        example.messages[4].tool_calls,
        Some(json!([{"id": "1", "type": "function"}]))
    );
    assert_eq!(example.messages[4].content, "");
    assert_eq!(example.tools, Some(json!([{"type": "function"}])));
}

#[test]
fn each_mistake_has_its_code() {
    let one = |message: Value| json!({"messages": [message]});
    let cases = [
        (json!([1]), "not_an_object"),
        (json!({}), "unknown_format"),
        (json!({"text": "x"}), "unsupported_format"),
        (json!({"conversations": []}), "unsupported_format"),
        (json!({"messages": []}), "invalid_messages"),
        (json!({"messages": "x"}), "invalid_messages"),
        (json!({"messages": ["x"]}), "invalid_messages"),
        (
            json!({"turns": chat("a", "b")["messages"]}),
            "missing_conversation_id",
        ),
        (
            json!({"conversation_id": null, "turns": []}),
            "invalid_conversation_id",
        ),
        (json!({"conversation_id": "c"}), "invalid_messages"),
        (json!({"prompt": "x"}), "missing_key"),
        (json!({"prompt": "x", "completion": 1}), "invalid_content"),
        (json!({"prompt": "x", "completion": ""}), "empty_answer"),
        (one(json!({"content": "x"})), "missing_role"),
        (one(json!({"role": 1, "content": "x"})), "invalid_role"),
        (one(json!({"role": "human", "content": "x"})), "invalid_role"),
        (one(json!({"role": "user"})), "missing_content"),
        (
            one(json!({"role": "assistant", "content": null})),
            "missing_content",
        ),
        (
            one(json!({"role": "user", "content": null, "tool_calls": [{}]})),
            "invalid_tool_calls",
        ),
        (
            one(json!({"role": "assistant", "content": "x", "tool_calls": "y"})),
            "invalid_tool_calls",
        ),
        (one(json!({"role": "assistant", "content": 1})), "invalid_content"),
        (
            one(json!({"role": "assistant", "content": [{"type": "image_url"}]})),
            "unsupported_content",
        ),
        (
            one(json!({"role": "assistant", "content": [{"type": "text"}]})),
            "invalid_content",
        ),
        (
            one(json!({"role": "assistant", "content": "x", "weight": 0.5})),
            "invalid_weight",
        ),
        (
            one(json!({"role": "assistant", "content": "x", "weight": "1"})),
            "invalid_weight",
        ),
        (
            one(json!({"role": "assistant", "content": "x", "weight": 0})),
            "nothing_to_learn",
        ),
        (
            one(json!({"role": "assistant", "content": "x", "function_call": {}})),
            "function_call",
        ),
        (one(json!({"role": "assistant", "content": " "})), "empty_answer"),
        (
            one(json!({"role": "user", "content": "x"})),
            "no_assistant_message",
        ),
        (
            json!({"messages": chat("a", "b")["messages"], "tools": {}}),
            "invalid_tools",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(code(&line), expected, "{line}");
    }
}

#[test]
fn an_alias_of_a_role_is_told_with_the_right_word() {
    for (alias, word) in [
        ("human", "user"),
        ("gpt", "assistant"),
        ("Assistant", "assistant"),
        ("function", "tool"),
    ] {
        let line = json!({"messages": [{"role": alias, "content": "x"}]});
        let finding = parse_line(1, &line.to_string()).expect_err("a finding");
        assert_eq!(finding.advice, format!("write `{word}` instead"));
    }
}

#[test]
fn what_is_only_worth_a_look_is_a_warning() {
    let mut line = chat("hi", "hello");
    line["colour"] = json!("red");
    line["messages"][0]["mood"] = json!("good");
    line["messages"][0]["weight"] = json!(1);
    assert_eq!(
        warnings(&line),
        ["weight_without_effect", "unknown_key", "unknown_key"]
    );
    assert_eq!(warnings(&chat("", "hello")), ["empty_content"]);
    let line =
        json!({"messages": [{"role": "assistant", "content": "x"}, {"role": "system", "content": "y"}]});
    assert_eq!(warnings(&line), ["trailing_message", "system_not_first"]);
}

#[test]
fn broken_json_is_told_with_its_column() {
    let finding = parse_line(7, r#"{"é": 1 "b": 2}"#).expect_err("a finding");
    assert_eq!((finding.line, finding.code.as_str()), (7, "invalid_json"));
    assert!(finding.message.contains("at column 9:"), "{}", finding.message);
    let finding = parse_line(7, r#"{"messages": ["#).expect_err("a finding");
    assert!(finding.message.contains("ends too early"), "{}", finding.message);
    assert!(
        parse_line(7, &"[".repeat(100_000)).is_err(),
        "deep nesting is refused, not followed"
    );
}

#[test]
fn a_file_is_counted_and_its_findings_name_lines() {
    let mut check = FileCheck::new();
    let mut bom = vec![0xef, 0xbb, 0xbf];
    bom.extend(chat("q 0", "a").to_string().bytes());
    check.push_line(&bom);
    check.push_line(b"  \r");
    for number in 1..12 {
        check.push_line(format!("{}\r", chat(&format!("q {number}"), "a")).as_bytes());
    }
    check.push_line(chat("q 3", "a").to_string().as_bytes());
    check.push_line(b"{\"messages\": \xff}");
    check.push_line(b"{");
    check.push_line(json!({"prompt": "p", "completion": "c"}).to_string().as_bytes());
    check.push_line(&vec![b'x'; MAX_LINE_BYTES + 1]);
    let report = check.finish();
    let told: Vec<(u64, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.line, finding.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (0, "mixed_formats"),
            (1, "byte_order_mark"),
            (14, "duplicate"),
            (15, "invalid_utf8"),
            (16, "invalid_json"),
            (18, "line_too_long")
        ]
    );
    assert_eq!((report.lines, report.examples, report.messages), (17, 14, 28));
    assert_eq!((report.errors, report.warnings, report.duplicates), (3, 3, 1));
    assert_eq!(report.format, Some(LineFormat::Chat));
}

#[test]
fn an_empty_or_too_small_file_is_told_on_line_0() {
    let mut check = FileCheck::new();
    check.push_line(b"");
    let report = check.finish();
    assert_eq!(
        (report.findings[0].line, report.findings[0].code.as_str()),
        (0, "empty_file")
    );
    let mut check = FileCheck::new();
    for number in 0..MIN_EXAMPLES - 1 {
        check.push_line(chat(&number.to_string(), "a").to_string().as_bytes());
    }
    let report = check.finish();
    assert_eq!(
        (report.findings[0].code.as_str(), report.errors),
        ("too_few_examples", 1)
    );
    assert_eq!(
        report.findings[0].message,
        "the file has 9 usable examples, but at least 10 are needed"
    );
}

#[test]
fn findings_are_capped_but_counted_and_errors_come_first() {
    let mut check = FileCheck::new();
    for number in 0..5_000 {
        let mut line = chat(&number.to_string(), "a");
        line["extra"] = json!(1);
        check.push_line(line.to_string().as_bytes());
    }
    check.push_line(b"broken");
    let report = check.finish();
    assert_eq!(
        (report.errors, report.warnings, report.findings.len()),
        (1, 5_000, 1_000)
    );
    assert_eq!(
        report.findings.last().map(|finding| finding.code.as_str()),
        Some("invalid_json")
    );
}

#[test]
fn a_million_lines_are_read() {
    let mut check = FileCheck::new();
    for number in 0..1_000_000 {
        check.push_line(format!(r#"{{"prompt":"{number}","completion":"a"}}"#).as_bytes());
    }
    let report = check.finish();
    assert_eq!(
        (report.examples, report.errors, report.duplicates),
        (1_000_000, 0, 0)
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("messages"),
        Just("turns"),
        Just("conversation_id"),
        Just("prompt"),
        Just("completion"),
        Just("role"),
        Just("content"),
        Just("weight"),
        Just("tool_calls"),
        Just("tools"),
        Just("user"),
        Just("assistant"),
        Just("type"),
        Just("text"),
        Just("input"),
        Just("preferred_output"),
        Just("non_preferred_completion"),
        Just("système"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((word.clone(), inner), 0..5).prop_map(|pairs| {
                Value::Object(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_judged(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let mut check = FileCheck::new();
        lines.iter().for_each(|line| check.push_line(line));
        let report = check.finish();
        prop_assert!(report.errors > 0, "fewer than ten examples");
        prop_assert!(report.examples <= report.lines && report.lines <= lines.len() as u64);
    }

    #[test]
    fn any_json_is_an_example_to_learn_from_or_a_finding(value in any_json()) {
        match parse_line(1, &value.to_string()) {
            Ok(parsed) => {
                prop_assert!(parsed.example.messages.iter().any(|message| message.role == Role::Assistant && message.trained));
                prop_assert!(parsed.warnings.iter().all(|finding| finding.severity == Severity::Warning));
            }
            Err(finding) => prop_assert!(finding.severity == Severity::Error && !finding.advice.is_empty()),
        }
    }

    #[test]
    fn a_chat_is_read_as_it_was_written(contents in proptest::collection::vec("\\PC*[a-z]", 1..6)) {
        let messages: Vec<Value> = contents
            .iter()
            .enumerate()
            .map(|(index, content)| json!({"role": if index % 2 == 0 { "assistant" } else { "user" }, "content": content}))
            .collect();
        let parsed = parse_line(2, &json!({ "messages": messages }).to_string()).expect("an example");
        let read: Vec<String> = parsed.example.messages.into_iter().map(|message| message.content).collect();
        prop_assert_eq!(read, contents);
    }
}
