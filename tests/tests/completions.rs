//! Models answer, through `/v1` and `/api`: base models, tuned ones, and the checkpoints of a job that still trains.
#![expect(clippy::expect_used, reason = "what fails here is the test")]

use futures_util::{StreamExt as _, stream::BoxStream};
use reqwest::{Method, Response, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};
use shared::{
    chat::{ChatModelKind, ChatModelList},
    id::JobId,
    status::JobStatus,
};
use std::{fs, path::Path, time::Duration};
use tests::{
    api::Api,
    clients,
    process_tree::{self, decoder_of},
    server::{Server, Setup},
};
use tokio::time::{interval, timeout};

/// Far above what any of it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The bundled model's files, as a model whose answers never end.
fn endless_model(models: &Path) {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/assets/attune-tiny");
    let folder = models.join("endless");
    fs::create_dir_all(&folder).expect("a folder");
    for file in ["model.safetensors", "tokenizer_config.json"] {
        fs::copy(bundled.join(file), folder.join(file)).expect("copied");
    }
    let read = |file: &str| -> Value {
        serde_json::from_slice(&fs::read(bundled.join(file)).expect("a file")).expect("JSON")
    };
    let mut config = read("config.json");
    config["max_position_embeddings"] = json!(10_000_000);
    config["eos_token_id"] = Value::Null;
    fs::write(folder.join("config.json"), config.to_string()).expect("written");
    let mut tokenizer = read("tokenizer.json");
    for token in tokenizer["added_tokens"].as_array_mut().expect("a list") {
        token["special"] = json!(false);
    }
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).expect("written");
}

async fn with_endless_model() -> (Server, Api) {
    let setup = Setup::new();
    let models = setup.scratch().join("models");
    endless_model(&models);
    let server = setup
        .with("ATTUNE_MODELS_DIR", models.to_str().expect("text"))
        .start()
        .await;
    let api = Api::signed_in(&server).await;
    (server, api)
}

fn asking(model: &str, max_tokens: Option<u32>) -> Value {
    json!({"model": model, "max_tokens": max_tokens, "messages": [{"role": "user", "content": "Who are you?"}]})
}

async fn chat(api: &Api, body: &Value) -> Response {
    let request = api.request(Method::POST, "/api/chat").json(body);
    timeout(PATIENCE, request.send())
        .await
        .expect("in time")
        .expect("the server answers")
}

/// The events of a whole stream: their names and data.
async fn events(response: Response) -> Vec<(String, Value)> {
    assert_eq!(response.status(), StatusCode::OK);
    let text = timeout(PATIENCE, response.text())
        .await
        .expect("it ends")
        .expect("text");
    text.split_terminator("\n\n")
        .filter(|event| !event.starts_with(':'))
        .map(|event| {
            let (name, data) = event.split_once("\ndata: ").expect("an event");
            let name = name.strip_prefix("event: ").expect("a name").to_owned();
            (name, serde_json::from_str(data).expect("JSON"))
        })
        .collect()
}

/// Waits until something that was trained is saved.
async fn checkpoint(api: &Api, id: &JobId) {
    let mut ticks = interval(Duration::from_millis(100));
    let waiting = async {
        while api
            .checkpoints(id)
            .await
            .first()
            .is_none_or(|newest| newest.step == 0)
        {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("a checkpoint");
}

#[tokio::test]
async fn base_tuned_and_half_trained_models_answer_the_openai_sdk_while_training_goes_on() {
    // All are kept: a script takes its time to start, and a checkpoint that is gone is no model.
    let setup = Setup::new()
        .with("ATTUNE_ENGINE__CHECKPOINT_MS", "1000")
        .with("ATTUNE_ENGINE__KEEP_CHECKPOINTS", "0");
    let server = setup.start().await;
    let made = server.setup.run(&["key", "create", "--name", "sdk"]).await;
    let output = String::from_utf8(made.stdout).expect("text");
    let key = output.split_whitespace().last().expect("a key").to_owned();
    let api = Api::signed_in(&server).await;
    let short = api.create_job(&api.new_job("short", 40, 3).await).await;
    let short = api.ended(&short.id).await;
    let long = api.create_job(&api.new_job("long", 800, 50).await).await;
    checkpoint(&api, &long.id).await;

    let list: ChatModelList = api.get("/api/chat/models").await.expect(200);
    let kinds: Vec<ChatModelKind> = list.models.iter().map(|model| model.kind).collect();
    assert!(
        kinds.is_sorted_by_key(|kind| *kind != ChatModelKind::Base),
        "{kinds:?}"
    );
    let of_long = |model: &&shared::chat::ChatModel| model.job_id.as_ref() == Some(&long.id);
    let checkpoint = list.models.iter().find(of_long).expect("its checkpoint");
    assert_eq!(checkpoint.kind, ChatModelKind::Checkpoint);
    let tuned = short.fine_tuned_model.expect("a name");
    assert!(
        list.models
            .iter()
            .any(|model| model.id == tuned && model.name == "short")
    );

    let address = format!("{}/v1", server.address);
    let base = &list.models[0].id;
    let said = clients::run(
        "completions_client.py",
        &[&address, &key, base, &tuned, &checkpoint.id],
    )
    .await;
    assert!(said.contains("3 models answered"), "{said}");
    assert_eq!(
        api.job(&long.id).await.status,
        JobStatus::Running,
        "it still trains"
    );

    let streamed = events(chat(&api, &asking(&checkpoint.id, Some(5))).await).await;
    assert_eq!(streamed.last().map(|(name, _)| name.as_str()), Some("done"));
    assert_eq!(
        api.job(&long.id).await.status,
        JobStatus::Running,
        "it still trains"
    );
    api.post(&format!("/api/jobs/{}/cancel", long.id), &json!({}))
        .await;
}

#[tokio::test]
async fn the_playground_is_told_an_answer_piece_by_piece_and_what_it_took() {
    let server = Server::new().await;
    let api = Api::signed_in(&server).await;
    let base = api.base_model().await.id;
    let mut body = asking(&base, Some(12));
    body["top_logprobs"] = json!(2);
    let told = events(chat(&api, &body).await).await;
    let (last, texts) = told.split_last().expect("events");
    assert!(texts.iter().all(|(name, _)| name == "text"), "{told:?}");
    let tokens: usize = texts
        .iter()
        .map(|(_, data)| data["logprobs"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(last.0, "done");
    assert_eq!(last.1["completion_tokens"], tokens);
    assert!(last.1["first_token_ms"].as_u64() <= last.1["duration_ms"].as_u64());
    assert!(last.1["prompt_tokens"].as_u64() > Some(0));
    let again = events(chat(&api, &body).await).await;
    let text = |events: &[(String, Value)]| {
        let texts = events.iter().filter_map(|(_, data)| data["text"].as_str());
        texts.collect::<String>()
    };
    assert_eq!(text(&again), text(&told));

    let problem = api.post("/api/chat", &asking("nobody", None)).await.problem(404);
    assert_eq!(problem.code, "model_not_found");
    let problem = api
        .post("/api/chat", &asking(&base, Some(10_000_000)))
        .await
        .problem(400);
    assert_eq!(problem.code, "context_length_exceeded");
    let problem = Api::anonymous(&server)
        .post("/api/chat", &asking(&base, None))
        .await
        .problem(401);
    assert_eq!(problem.code, "signed_out");
}

/// Asks for an answer without an end and waits until it has begun.
async fn begun(api: &Api) -> BoxStream<'static, reqwest::Result<Vec<u8>>> {
    let response = chat(api, &asking("endless", Some(100_000))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response
        .bytes_stream()
        .map(|more| more.map(|bytes| bytes.to_vec()))
        .boxed();
    let first = timeout(PATIENCE, body.next()).await.expect("in time");
    first.expect("more").expect("bytes");
    body
}

#[tokio::test]
async fn a_decoder_that_is_killed_in_the_midst_of_an_answer_is_told_and_comes_back() {
    let (server, api) = with_endless_model().await;
    let mut body = begun(&api).await;
    let decoder = decoder_of(server.id()).expect("it decodes");
    process_tree::signal(decoder, Signal::KILL);
    let mut rest = Vec::new();
    let reading = async {
        while let Some(Ok(more)) = body.next().await {
            rest.extend(more);
        }
    };
    timeout(PATIENCE, reading).await.expect("it ends");
    let rest = String::from_utf8(rest).expect("text");
    let (_, problem) = rest.rsplit_once("event: error\ndata: ").expect("an error");
    let problem: Value = serde_json::from_str(problem.trim_end()).expect("JSON");
    assert_eq!(
        (&problem["status"], &problem["code"]),
        (&json!(503), &json!("inference_failed"))
    );
    let told = events(chat(&api, &asking("endless", Some(3))).await).await;
    assert_eq!(
        told.last().map(|(_, data)| data["finish_reason"].clone()),
        Some(json!("length"))
    );
    let other = decoder_of(server.id()).expect("it lives");
    assert_ne!(other, decoder);
}

#[tokio::test]
async fn a_decoder_whose_reader_has_gone_stops_at_once_and_stays_for_the_next() {
    let (server, api) = with_endless_model().await;
    let body = begun(&api).await;
    let decoder = decoder_of(server.id()).expect("it decodes");
    drop(body);
    // Whoever asks next is behind it in the queue.
    let told = events(chat(&api, &asking("endless", Some(3))).await).await;
    assert_eq!(told.last().map(|(name, _)| name.as_str()), Some("done"));
    assert_eq!(
        decoder_of(server.id()),
        Some(decoder),
        "it was cancelled, not killed"
    );
    // It rests: its processor time stands still.
    let mut ticks = interval(Duration::from_millis(200));
    let mut before = None;
    let resting = async {
        loop {
            ticks.tick().await;
            let now = processor_ticks(decoder);
            if before == Some(now) {
                return;
            }
            before = Some(now);
        }
    };
    timeout(PATIENCE, resting).await.expect("it rests");
}

/// What a process has used of processors so far, in the kernel's ticks.
fn processor_ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it lives");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum()
}

#[tokio::test]
async fn a_server_that_is_killed_takes_its_decoder_along() {
    let (server, api) = with_endless_model().await;
    let _body = begun(&api).await;
    let decoder = decoder_of(server.id()).expect("it decodes");
    let _setup = server.kill().await;
    let mut ticks = interval(Duration::from_millis(50));
    let leaving = async {
        while process_tree::is_alive(decoder) {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, leaving).await.expect("it leaves");
}
