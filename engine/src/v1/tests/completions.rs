//! Answers of models on /v1: what is taken, what is refused, and in which shapes they come.

use super::{Answer, Client};
use crate::testing::TestEngine;
use serde_json::{Value, json};
use std::fs;

/// Says what it was asked to do as its answer, in two pieces.
const CHILD: &str = r#"
say() { printf '{"type":"%s","id":%s%s}\n' "$1" "$id" "$2"; }
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%[!0-9]*}
  parameters=${line#*\"parameters\":}; parameters=${parameters%\}}
  case "$line" in
    *too_long*) say failed ',"code":"context_length_exceeded","message":"too long"'; continue ;;
  esac
  say started ',"prompt_tokens":3'
  quoted=$(printf '%s' "${parameters%,\"memory*}" | sed 's/"/\\"/g')
  token='{"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-1.5,"bytes":[98]}]}'
  case "$line" in
    *'"top_logprobs":1'*) say text ",\"text\":\"a\",\"logprobs\":[$token]"; say text ",\"text\":\"a\",\"logprobs\":[$token]" ;;
    *'break off'*) say text ',"text":"a"'; exit 1 ;;
    *) say text ",\"text\":\"$quoted\""; say text ',"text":"!"' ;;
  esac
  say done ',"finish_reason":"length","completion_tokens":2'
done
"#;

async fn start() -> Client {
    let engine = TestEngine::start_with(|config| {
        let script = config.data_dir.parent().unwrap().join("child.sh");
        fs::write(&script, CHILD).unwrap();
        config.inference.command = vec!["/bin/sh".to_owned(), script.display().to_string()];
    })
    .await;
    Client::of(engine).await
}

fn chat(change: Value) -> Value {
    with(
        json!({"model": "tiny", "messages": [{"role": "user", "content": "hello"}]}),
        change,
    )
}

fn completion(change: Value) -> Value {
    with(json!({"model": "tiny", "prompt": "hello"}), change)
}

fn with(mut body: Value, change: Value) -> Value {
    let Value::Object(changes) = change else {
        panic!("an object")
    };
    for (name, value) in changes {
        body[name] = value;
    }
    body
}

/// What the child was told, which is what it said.
fn parameters(answer: &Answer, text: &str) -> Value {
    let said = answer
        .json()
        .pointer(text)
        .unwrap()
        .as_str()
        .unwrap()
        .trim_end_matches('!')
        .to_owned();
    serde_json::from_str(&said).unwrap()
}

/// The data of a stream's events, and whether it ended as it should.
fn events(answer: &Answer) -> (Vec<Value>, bool) {
    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    let mut data: Vec<&str> = text
        .split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").unwrap())
        .collect();
    let ended = data.last() == Some(&"[DONE]");
    if ended {
        data.pop();
    }
    (
        data.into_iter()
            .map(|data| serde_json::from_str(data).unwrap())
            .collect(),
        ended,
    )
}

#[tokio::test]
async fn a_chat_is_answered_whole_in_openais_shape() {
    let client = start().await;
    let answer = client
        .post(
            "/v1/chat/completions",
            &chat(json!({"seed": 7, "max_tokens": 5, "stop": "x"})),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    let body = answer.json();
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(
        (&body["object"], &body["model"]),
        (&json!("chat.completion"), &json!("tiny"))
    );
    assert!(body["system_fingerprint"].as_str().unwrap().starts_with("fp_"));
    assert_eq!(
        body["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5})
    );
    let choice = &body["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["logprobs"]),
        (&json!("length"), &Value::Null)
    );
    assert_eq!(choice["message"]["role"], "assistant");
    let told = parameters(&answer, "/choices/0/message/content");
    assert_eq!(
        (&told["seed"], &told["max_tokens"], &told["stop"]),
        (&json!(7), &json!(5), &json!(["x"]))
    );
    assert_eq!(
        (&told["temperature"], &told["shorten"]),
        (&json!(1.0), &json!(false))
    );
}

#[tokio::test]
async fn a_streamed_chat_begins_with_its_role_and_ends_with_its_usage() {
    let client = start().await;
    let body = chat(json!({"stream": true, "stream_options": {"include_usage": true}, "n": 2}));
    let answer = client.post("/v1/chat/completions", &body).await;
    let (events, ended) = events(&answer);
    assert!(ended);
    assert!(
        events
            .iter()
            .all(|event| event["object"] == "chat.completion.chunk" && event["id"] == events[0]["id"])
    );
    let deltas: Vec<(&Value, &Value)> = events[..events.len() - 1]
        .iter()
        .map(|event| (&event["choices"][0]["index"], &event["choices"][0]["delta"]))
        .collect();
    assert_eq!(deltas[0].1["role"], "assistant");
    assert_eq!(deltas.len(), 2 + 2 * 3);
    assert!(
        deltas[2..5].iter().all(|(index, _)| *index == 0) && deltas[5..].iter().all(|(index, _)| *index == 1)
    );
    assert_eq!(events[4]["choices"][0]["finish_reason"], "length");
    let last = events.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 4);
    assert!(
        events[..events.len() - 1]
            .iter()
            .all(|event| event["usage"].is_null())
    );
}

#[tokio::test]
async fn texts_and_probabilities_have_their_older_form_on_completions() {
    let client = start().await;
    let answer = client
        .post("/v1/completions", &completion(json!({"logprobs": 1})))
        .await;
    let body = answer.json();
    assert_eq!(
        (&body["object"], &body["choices"][0]["text"]),
        (&json!("text_completion"), &json!("aa"))
    );
    assert_eq!(
        body["choices"][0]["logprobs"],
        json!({"tokens": ["a", "a"], "token_logprobs": [-0.5, -0.5],
               "top_logprobs": [{"b": -1.5}, {"b": -1.5}], "text_offset": [0, 1]})
    );
    let answer = client
        .post(
            "/v1/completions",
            &completion(json!({"logprobs": 1, "stream": true})),
        )
        .await;
    let (streamed, ended) = events(&answer);
    assert!(ended && streamed.iter().all(|event| event["object"] == "text_completion"));
    assert_eq!(streamed[1]["choices"][0]["logprobs"]["text_offset"], json!([1]));
    let answer = client
        .post("/v1/completions", &completion(json!({"prompt": ["hello"]})))
        .await;
    let told = parameters(&answer, "/choices/0/text");
    assert_eq!(
        (&told["max_tokens"], &told["shorten"]),
        (&json!(16), &json!(true))
    );

    let asked = chat(json!({"logprobs": true, "top_logprobs": 1}));
    let answer = client.post("/v1/chat/completions", &asked).await;
    let content = &answer.json()["choices"][0]["logprobs"]["content"];
    assert_eq!(
        (&content[0]["token"], &content[0]["bytes"]),
        (&json!("a"), &json!([97]))
    );
    assert_eq!(content[1]["top_logprobs"][0]["token"], "b");
}

#[tokio::test]
async fn every_parameter_is_taken_to_its_bounds_and_refused_beyond_by_name() {
    let client = start().await;
    let five = ["a", "b", "c", "d", "e"];
    let (fits, long) = ("x".repeat(1024), "x".repeat(1025));
    let parts =
        json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]);
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]);
    for (path, param, good, bad) in [
        ("chat", "temperature", json!(2), json!(2.01)),
        ("chat", "temperature", json!(0), json!(-0.01)),
        ("chat", "top_p", json!(1), json!(1.01)),
        ("chat", "top_p", json!(0.01), json!(0)),
        ("chat", "top_k", json!(0), json!(-1)),
        ("chat", "n", json!(8), json!(9)),
        ("chat", "n", json!(1), json!(0)),
        ("chat", "max_tokens", json!(1), json!(0)),
        ("chat", "max_completion_tokens", json!(1), json!(0)),
        ("chat", "frequency_penalty", json!(-2), json!(-2.1)),
        ("chat", "presence_penalty", json!(2), json!(2.1)),
        ("chat", "stop", json!(five[..4]), json!(five)),
        ("chat", "stop", json!(fits), json!(long)),
        ("chat", "stop", json!([]), json!([""])),
        ("chat", "stop", Value::Null, json!([1])),
        ("chat", "seed", json!(i64::MIN), json!(1.5)),
        ("chat", "logprobs", json!(true), json!(1)),
        ("chat", "top_logprobs", json!(0), json!(1)),
        ("chat", "stream", json!(false), json!("yes")),
        (
            "chat",
            "stream_options",
            Value::Null,
            json!({"include_usage": true}),
        ),
        ("chat", "tools", json!([]), json!([{"type": "function"}])),
        ("chat", "tool_choice", json!("none"), json!("auto")),
        ("chat", "functions", Value::Null, json!([{}])),
        (
            "chat",
            "response_format",
            json!({"type": "text"}),
            json!({"type": "json_object"}),
        ),
        ("chat", "modalities", json!(["text"]), json!(["text", "audio"])),
        ("chat", "logit_bias", json!({}), json!({"5": 1})),
        ("chat", "audio", Value::Null, json!({})),
        ("chat", "user", json!("somebody"), json!("somebody")),
        ("chat", "unheard_of", Value::Null, json!(1)),
        ("chat", "messages", parts, json!([])),
        ("chat", "model", json!("tiny"), json!(5)),
        ("text", "logprobs", json!(5), json!(6)),
        ("text", "echo", json!(false), json!(true)),
        ("text", "best_of", json!(1), json!(2)),
        ("text", "suffix", Value::Null, json!("x")),
        ("text", "prompt", json!("x"), json!(["a", "b"])),
        ("text", "prompt", json!(["x"]), json!([1, 2])),
    ] {
        let (path, body): (_, fn(Value) -> Value) = match path {
            "chat" => ("/v1/chat/completions", chat),
            _ => ("/v1/completions", completion),
        };
        let answer = client.post(path, &body(json!({ param: good.clone() }))).await;
        assert_eq!(
            answer.status,
            200,
            "{param} {good}: {}",
            String::from_utf8_lossy(&answer.bytes)
        );
        if good != bad {
            client
                .post(path, &body(json!({ param: bad })))
                .await
                .refused(param);
        }
    }
    let refused = client
        .post("/v1/chat/completions", &chat(json!({"messages": image})))
        .await;
    refused.refused("messages[0].content[0]");
    let tool = json!([{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]);
    let refused = client
        .post("/v1/chat/completions", &chat(json!({"messages": tool})))
        .await;
    refused.refused("messages[1].role");
    let twenty = json!({"logprobs": true, "top_logprobs": 20});
    assert_eq!(
        client.post("/v1/chat/completions", &chat(twenty)).await.status,
        200
    );
    let more = json!({"logprobs": true, "top_logprobs": 21});
    client
        .post("/v1/chat/completions", &chat(more))
        .await
        .refused("top_logprobs");
    let options = json!({"stream": true, "stream_options": {"include_usage": 1}});
    client
        .post("/v1/chat/completions", &chat(options))
        .await
        .refused("stream_options");
}

#[tokio::test]
async fn what_can_not_be_answered_is_told_in_the_envelope() {
    let client = start().await;
    let answer = client
        .post(
            "/v1/chat/completions",
            &chat(json!({"model": "ft:tiny:attune::nobody"})),
        )
        .await;
    assert_eq!(answer.status, 404);
    let error = answer.error();
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("model_not_found"), &json!("model"))
    );
    let answer = client
        .post("/v1/completions", &completion(json!({"prompt": "too_long"})))
        .await;
    answer.refused("prompt");
    assert_eq!(answer.error()["code"], "context_length_exceeded");
    let answer = client
        .post("/v1/completions", &completion(json!({"prompt": "break off"})))
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.error()["code"]),
        (503, &json!("inference_failed"))
    );
    let streamed = completion(json!({"prompt": "break off", "stream": true}));
    let (events, ended) = events(&client.post("/v1/completions", &streamed).await);
    assert!(!ended, "an answer that broke off isn't taken for whole");
    let error = &events.last().unwrap()["error"];
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("server_error"), &json!("inference_failed"))
    );
}

#[tokio::test]
async fn too_many_that_wait_are_asked_to_come_again() {
    let client = start().await;
    let places = std::sync::Arc::clone(&client.engine.service.inner.inference.places);
    let _all = places.try_acquire_many(17).unwrap();
    let answer = client.post("/v1/chat/completions", &chat(json!({}))).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "5");
    assert_eq!(answer.error()["code"], "too_many_requests");
}
