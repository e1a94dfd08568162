//! The ways to misbehave.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, Response as HttpResponse},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::io;

/// How it answers what it would otherwise do.
#[derive(Debug, Clone, Default)]
pub enum Mood {
    /// As the contract says.
    #[default]
    Fair,
    /// The key may only read.
    ReadOnly,
    /// Every create is refused for these fields.
    Refusing(Value),
    /// Every change is made, and answered as if it had failed.
    Forgetful,
    /// Every call is answered with this.
    Says(Said),
    /// Every change is answered with this; reading works.
    SaysOfWrites(Said),
    /// No call is ever answered.
    Slow,
}

/// An answer, whatever the call.
#[derive(Debug, Clone)]
pub struct Said {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
    breaks_off: bool,
}

impl Said {
    /// A status without a body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            breaks_off: false,
        }
    }

    /// A status and bytes that are said to be of a type.
    pub fn typed(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut said = Self::status(status).with("content-type", content_type);
        said.body = body.into();
        said
    }

    /// A status and JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::typed(status, "application/json", body.to_string())
    }

    /// A header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    /// The connection breaks where the body should go on.
    #[must_use]
    pub const fn broken_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }
}

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        let body = if self.breaks_off {
            let begun = stream::iter([Ok(Bytes::from(self.body))]);
            // What has begun is on its way before the end comes.
            let end = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("the connection breaks"))
            });
            Body::from_stream(begun.chain(end))
        } else {
            Body::from(self.body)
        };
        let mut answer = HttpResponse::builder().status(self.status);
        for (name, value) in self.headers {
            answer = answer.header(name, value);
        }
        answer.body(body).expect("a whole answer")
    }
}

/// A list of one job in which one field is something else.
fn list_with(field: &str, value: Value) -> Said {
    let mut job = json!({"id": "j-1", "name": "one", "baseModel": "Qwen/QwQ-32B", "epochs": 3, "evaluationEpochs": 1,
        "warmupEpochs": 1, "learningRate": 0.001, "date": "2026-01-02T03:04:05Z", "createdAt": "2026-01-02T03:04:05Z",
        "status": "Running"});
    job[field] = value;
    Said::json(200, &json!({"jobs": [job]}))
}

/// Lists that can't be read, each with what is told about it.
#[must_use]
pub fn malformed_lists() -> Vec<(&'static str, Said, &'static str)> {
    let page = "<!doctype html><title>Gateway</title>";
    vec![
        (
            "a proxy's page",
            Said::typed(200, "text/html", page),
            "`text/html`, not JSON",
        ),
        (
            "a page that is called JSON",
            Said::typed(200, "application/json", page),
            "not JSON",
        ),
        (
            "half of a list",
            Said::typed(200, "application/json", "{\"jobs\":[{\"id\""),
            "not JSON",
        ),
        (
            "a broken connection",
            Said::typed(200, "application/json", "{\"jobs\":[").broken_off(),
            "breaks off",
        ),
        ("nothing", Said::typed(200, "application/json", ""), "not JSON"),
        (
            "no text",
            Said::typed(200, "application/json", b"{\"jobs\":[\"\xff\xfe\"]}".to_vec()),
            "not JSON",
        ),
        ("null", Said::json(200, &Value::Null), "`jobs` is no list"),
        (
            "no list",
            Said::json(200, &json!({"jobs": {"0": 1}})),
            "`jobs` is no list",
        ),
        ("a job without id", list_with("id", Value::Null), "`jobs[0].id`"),
        (
            "an unknown status",
            list_with("status", json!("Sleeping")),
            "`jobs[0].status`",
        ),
        (
            "a negative count",
            list_with("epochs", json!(-1)),
            "`jobs[0].epochs`",
        ),
        (
            "a rate that is none",
            list_with("learningRate", json!("fast")),
            "`jobs[0].learningRate`",
        ),
        (
            "more than 4 MB",
            Said::typed(200, "application/json", " ".repeat((4 << 20) + 1)),
            "larger than 4194304",
        ),
        (
            "a redirect",
            Said::status(302).with("location", "https://elsewhere.example/login"),
            "redirects",
        ),
    ]
}
