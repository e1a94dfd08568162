//! A preference pair: what was asked, and two answers of which one is preferred.

use super::{
    Example, Finding, LineFormat, Message, ParsedLine, Role,
    message::parse_messages,
    parse::{kind, tell_late_system, tell_unknown, tools},
};
use serde_json::{Map, Value};

/// The keys that make a line a preference pair: today's names, and those of older material.
pub(super) const KEYS: [&str; 4] = [
    "preferred_output",
    "non_preferred_output",
    "preferred_completion",
    "non_preferred_completion",
];

const SHAPE: &str = "write {\"input\": {\"messages\": [...]}, \"preferred_output\": [{\"role\": \"assistant\", \"content\": ...}], \"non_preferred_output\": [{\"role\": \"assistant\", \"content\": ...}]}";

pub(super) fn parse(
    line: u64,
    object: &Map<String, Value>,
    mut warnings: Vec<Finding>,
) -> Result<ParsedLine, Finding> {
    let input = match object.get("input") {
        Some(Value::Object(input)) => input,
        Some(other) => {
            let message = format!("`input` is {}, not an object", kind(other));
            return Err(Finding::error(line, "invalid_input", message, SHAPE));
        }
        None => {
            let message = "the line is a preference pair without `input`";
            return Err(Finding::error(line, "missing_key", message, SHAPE));
        }
    };
    let mut messages = parse_messages(line, "input.messages", input.get("messages"), &mut warnings)?;
    if messages
        .last()
        .is_some_and(|message| message.role == Role::Assistant)
    {
        let message = "`input.messages` ends in an assistant message, so the outputs answer nothing";
        let advice = "end the input with the message that both outputs answer";
        return Err(Finding::error(line, "answered_input", message, advice));
    }
    // Only the two answers are compared.
    for message in &mut messages {
        message.trained = false;
    }
    tell_late_system(line, &messages, &mut warnings);
    let preferred = output(
        line,
        ["preferred_output", "preferred_completion"],
        object,
        &mut warnings,
    )?;
    let names = ["non_preferred_output", "non_preferred_completion"];
    let non_preferred = output(line, names, object, &mut warnings)?;
    if preferred == non_preferred {
        let message = "both outputs are the same, so the pair teaches nothing";
        let advice = "remove the line, or correct one of the outputs";
        warnings.push(Finding::warning(line, "equal_outputs", message, advice));
    }
    let tools = tools(line, input)?;
    let known = ["messages", "tools", "parallel_tool_calls"];
    tell_unknown(line, input, &known, &mut warnings);
    let known = ["input", KEYS[0], KEYS[1], KEYS[2], KEYS[3]];
    tell_unknown(line, object, &known, &mut warnings);
    messages.push(preferred);
    Ok(ParsedLine {
        example: Example {
            messages,
            non_preferred: Some(non_preferred),
            tools,
        },
        format: LineFormat::Preference,
        warnings,
    })
}

/// The one assistant message of an output, under the first of its names that is there.
fn output(
    line: u64,
    names: [&str; 2],
    object: &Map<String, Value>,
    warnings: &mut Vec<Finding>,
) -> Result<Message, Finding> {
    let [name, older] = names;
    let (name, value) = match (object.get(name), object.get(older)) {
        (None, Some(value)) => (older, Some(value)),
        (value, None) => (name, value),
        (Some(_), Some(_)) => {
            let message = format!("`{name}` and `{older}` stand on one line, but they are names of the same");
            return Err(Finding::error(
                line,
                "output_given_twice",
                message,
                "keep one of them",
            ));
        }
    };
    if value.is_none() {
        let message = format!("`{name}` is missing");
        return Err(Finding::error(line, "missing_key", message, SHAPE));
    }
    let mut messages = parse_messages(line, name, value, warnings)?;
    let (Some(answer), true) = (messages.pop(), messages.is_empty()) else {
        let message = format!("`{name}` has more than one message");
        let advice = "give exactly one assistant message; what comes before it belongs into `input.messages`";
        return Err(Finding::error(line, "invalid_output", message, advice));
    };
    let problem = if answer.role != Role::Assistant {
        "is not an assistant message"
    } else if !answer.trained {
        "has weight 0, but both outputs are compared"
    } else if answer.content.trim().is_empty() && answer.tool_calls.is_none() {
        "is empty"
    } else {
        return Ok(answer);
    };
    let advice = "give one assistant message with the answer";
    let message = format!("`{name}[0]` {problem}");
    Err(Finding::error(line, "invalid_output", message, advice))
}

#[cfg(test)]
mod tests {
    use crate::{
        run::Method,
        training_line::{Example, FileCheck, Finding, LineFormat, Message, Role, parse_line},
    };
    use serde_json::{Value, json};

    fn answer(text: &str) -> Value {
        json!([{"role": "assistant", "content": text}])
    }

    fn pair(question: &str) -> Value {
        json!({
            "input": {"messages": [{"role": "user", "content": question}]},
            "preferred_output": answer("good"),
            "non_preferred_output": answer("bad"),
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Value {
        let mut line = pair("q");
        change(&mut line);
        line
    }

    fn read(line: &Value) -> Result<(Example, Vec<String>), Finding> {
        let parsed = parse_line(3, &line.to_string())?;
        assert_eq!(parsed.format, LineFormat::Preference);
        let warnings = parsed.warnings.into_iter().map(|warning| warning.code).collect();
        Ok((parsed.example, warnings))
    }

    fn message(role: Role, content: &str, trained: bool) -> Message {
        Message {
            role,
            content: content.to_owned(),
            trained,
            tool_calls: None,
        }
    }

    #[test]
    fn a_pair_is_a_chat_with_two_answers_of_which_alone_is_learnt() {
        let line = json!({
            "input": {
                "messages": [
                    {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"},
                    {"role": "user", "content": "three"}],
                "tools": [{"type": "function"}], "parallel_tool_calls": true},
            "preferred_output": answer("good"), "non_preferred_output": answer("bad")});
        let (example, warnings) = read(&line).expect("an example");
        assert_eq!(warnings, [""; 0]);
        let history = [
            message(Role::User, "one", false),
            message(Role::Assistant, "two", false),
            message(Role::User, "three", false),
        ];
        assert_eq!(example.messages[..3], history);
        assert_eq!(example.messages[3], message(Role::Assistant, "good", true));
        let other = example.with_non_preferred().expect("the other answer");
        assert_eq!(other.messages[..3], history);
        assert_eq!(other.messages[3], message(Role::Assistant, "bad", true));
        assert_eq!(other.tools, Some(json!([{"type": "function"}])));
        let older = json!({"input": line["input"], "preferred_completion": answer("good"),
                           "non_preferred_completion": answer("bad")});
        assert_eq!(read(&older).expect("an example").0, example);
    }

    #[test]
    fn each_mistake_in_a_pair_has_its_code_and_names_its_place() {
        let cases = [
            (
                with(|line| line["input"] = json!("q")),
                "invalid_input",
                "`input` is a string",
            ),
            (
                json!({"preferred_output": answer("x")}),
                "missing_key",
                "without `input`",
            ),
            (
                with(|line| line["input"] = json!({})),
                "invalid_messages",
                "`input.messages` is missing",
            ),
            (
                with(|line| line["input"]["messages"][0]["role"] = json!("human")),
                "invalid_role",
                "`input.messages[0]`",
            ),
            (
                with(|line| line["input"]["messages"][0]["role"] = json!("assistant")),
                "answered_input",
                "ends in an assistant message",
            ),
            (
                json!({"input": pair("q")["input"], "preferred_output": answer("good")}),
                "missing_key",
                "`non_preferred_output` is missing",
            ),
            (
                with(|line| line["preferred_completion"] = answer("good")),
                "output_given_twice",
                "`preferred_output` and `preferred_completion`",
            ),
            (
                with(|line| line["preferred_output"] = json!([])),
                "invalid_messages",
                "`preferred_output` is empty",
            ),
            (
                with(|line| line["preferred_output"] = json!([answer("a")[0], answer("b")[0]])),
                "invalid_output",
                "more than one",
            ),
            (
                with(|line| line["preferred_output"][0]["role"] = json!("user")),
                "invalid_output",
                "not an assistant",
            ),
            (
                with(|line| line["non_preferred_output"][0]["content"] = json!(" ")),
                "invalid_output",
                "`non_preferred_output[0]` is empty",
            ),
            (
                with(|line| line["preferred_output"][0]["weight"] = json!(0)),
                "invalid_output",
                "weight 0",
            ),
            (
                with(|line| line["input"]["tools"] = json!({})),
                "invalid_tools",
                "`tools`",
            ),
        ];
        for (line, code, words) in cases {
            let finding = read(&line).expect_err("a finding");
            assert_eq!(finding.code, code, "{line}");
            assert!(finding.message.contains(words), "{}", finding.message);
            assert!(!finding.advice.is_empty());
        }
    }

    #[test]
    fn what_is_only_worth_a_look_in_a_pair_is_a_warning() {
        let warnings = |line: &Value| read(line).expect("an example").1;
        assert_eq!(warnings(&pair("q")), [""; 0]);
        assert_eq!(
            warnings(&with(|line| line["non_preferred_output"] = answer("good"))),
            ["equal_outputs"]
        );
        let line = with(|line| {
            line["colour"] = json!(1);
            line["input"]["functions"] = json!([]);
        });
        assert_eq!(warnings(&line), ["unknown_key", "unknown_key"]);
    }

    #[test]
    fn pairs_and_chats_in_one_file_are_told_by_line_and_a_file_of_pairs_knows_its_method() {
        let mut check = FileCheck::new();
        for number in 0..12 {
            check.push_line(pair(&format!("q {number}")).to_string().as_bytes());
        }
        check.push_line(json!({"prompt": "p", "completion": "c"}).to_string().as_bytes());
        check.push_line(pair("q 3").to_string().as_bytes());
        let report = check.finish();
        assert_eq!((report.examples, report.messages, report.errors), (13, 39, 1));
        let told: Vec<_> = report
            .findings
            .iter()
            .map(|finding| (finding.line, finding.code.as_str()))
            .collect();
        assert_eq!(told, [(13, "mixed_methods"), (14, "duplicate")]);
        let format = report.format.expect("a format");
        assert_eq!(format, LineFormat::Preference);
        assert_eq!(format.fault_for(Method::Dpo), None);
        assert!(format.fault_for(Method::Supervised).is_some());
        assert!(LineFormat::Chat.fault_for(Method::Dpo).is_some());
    }

    #[test]
    fn pairs_that_differ_in_the_other_answer_alone_are_no_duplicates() {
        let mut check = FileCheck::new();
        check.push_line(pair("q").to_string().as_bytes());
        let other = with(|line| line["non_preferred_output"] = answer("worse"));
        check.push_line(other.to_string().as_bytes());
        assert_eq!(check.finish().duplicates, 0);
    }
}
