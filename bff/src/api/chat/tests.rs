use crate::{
    test_app::TestApp,
    upstream::{Answer, ChatStream, Figures, Upstream, UpstreamError},
};
use async_trait::async_trait;
use axum::http::Method;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use shared::{
    capabilities::Capabilities,
    chat::{ChatDone, ChatEvent, ChatModelList, ChatRequest, ChatText, FinishReason},
    id::{JobId, Subject},
    job::{Created, Job, JobList, JobQuery, NewJob},
    model::ModelList,
};
use std::sync::Arc;

/// An upstream that answers with what it was asked, a word at a time, or breaks off.
struct Echo;

#[async_trait]
impl Upstream for Echo {
    async fn capabilities(&self) -> Capabilities {
        Capabilities::engine()
    }
    async fn ping(&self) -> Answer<()> {
        Ok(())
    }
    async fn figures(&self) -> Answer<Figures> {
        Ok(Figures::default())
    }
    async fn list_jobs(&self, _: &Subject, _: &JobQuery) -> Answer<JobList> {
        Err(UpstreamError::Unsupported)
    }
    async fn find_job(&self, _: &Subject, _: &JobId) -> Answer<Job> {
        Err(UpstreamError::Unsupported)
    }
    async fn create_job(&self, _: &Subject, _: NewJob, _: Option<&str>) -> Answer<Created> {
        Err(UpstreamError::Unsupported)
    }
    async fn delete_job(&self, _: &Subject, _: &JobId) -> Answer<()> {
        Err(UpstreamError::Unsupported)
    }
    async fn list_models(&self, _: &Subject) -> Answer<ModelList> {
        Err(UpstreamError::Unsupported)
    }
    async fn list_chat_models(&self, _: &Subject) -> Answer<ChatModelList> {
        Ok(ChatModelList { models: Vec::new() })
    }
    async fn chat(&self, subject: &Subject, request: ChatRequest) -> Answer<ChatStream> {
        let said = &request.messages[request.messages.len() - 1].content;
        let text = |text: &str| {
            Ok(ChatEvent::Text(ChatText {
                text: text.to_owned(),
                logprobs: Vec::new(),
            }))
        };
        let mut events = vec![text(subject.as_str())];
        events.extend(said.split(' ').map(text));
        events.push(if request.model == "breaks" {
            Err(UpstreamError::Refused {
                status: 503,
                code: "inference_failed",
                detail: "it died".to_owned(),
                retry_after: None,
            })
        } else {
            Ok(ChatEvent::Done(ChatDone {
                finish_reason: FinishReason::Stop,
                prompt_tokens: 3,
                completion_tokens: 2,
                first_token_ms: 5,
                duration_ms: 9,
            }))
        });
        Ok(stream::iter(events).boxed())
    }
}

fn asking(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "two\nlines here"}]})
}

#[tokio::test]
async fn an_answer_is_a_stream_of_events_that_nobody_compresses_or_stores() {
    let app = TestApp::over(Arc::new(Echo));
    let user = app.user().await;
    let request = user.request(Method::POST, "/api/chat").json(&asking("m"));
    let answer = request.header("accept-encoding", "br, gzip").send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(
        (answer.header("content-encoding"), answer.header("cache-control")),
        ("", "no-store")
    );
    let text = answer.text();
    let events: Vec<&str> = text.trim_end().split("\n\n").collect();
    assert_eq!(
        events,
        [
            "event: text\ndata: {\"text\":\"local\"}",
            "event: text\ndata: {\"text\":\"two\\nlines\"}",
            "event: text\ndata: {\"text\":\"here\"}",
            "event: done\ndata: {\"finish_reason\":\"stop\",\"prompt_tokens\":3,\"completion_tokens\":2,\
             \"first_token_ms\":5,\"duration_ms\":9}",
        ]
    );
}

#[tokio::test]
async fn a_failure_on_the_way_is_the_last_event_with_problem_details() {
    let app = TestApp::over(Arc::new(Echo));
    let answer = app.user().await.post("/api/chat", &asking("breaks")).await;
    let text = answer.text();
    let (_, data) = text.split_once("event: error\ndata: ").expect("an error");
    let problem: Value = serde_json::from_str(data.trim_end()).expect("JSON");
    assert_eq!(
        (&problem["status"], &problem["code"]),
        (&json!(503), &json!("inference_failed"))
    );
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn values_at_fault_are_named_before_anything_is_asked() {
    let app = TestApp::over(Arc::new(Echo));
    let user = app.user().await;
    for (field, value) in [
        ("messages", json!([])),
        ("temperature", json!(2.1)),
        ("top_p", json!(0)),
        ("stop", json!(["a", "b", "c", "d", "e"])),
        ("top_logprobs", json!(21)),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(-1)),
        ("temperature", json!("warm")),
        ("messages", json!([{"role": "tool", "content": "x"}])),
    ] {
        let mut body = asking("m");
        body[field] = value.clone();
        let answer = user.post("/api/chat", &body).await;
        assert_eq!(answer.status, 400, "{field} {value}");
        let fields = answer.json()["fields"].clone();
        let names = fields.as_object().expect("fields");
        assert!(
            names.keys().any(|name| name.starts_with(field)),
            "{value}: {fields}"
        );
    }
    let mut unknown = asking("m");
    unknown["tools"] = json!([]);
    assert_eq!(user.post("/api/chat", &unknown).await.status, 400);
}

#[tokio::test]
async fn an_upstream_without_chat_says_so() {
    let (app, _server) = TestApp::with_job_training_api().await;
    let user = app.user().await;
    let answer = user.post("/api/chat", &asking("m")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "not_supported")
    );
    assert_eq!(user.get("/api/chat/models").await.code(), "not_supported");
    assert_eq!(user.get("/api/capabilities").await.json()["chat"], false);
}
