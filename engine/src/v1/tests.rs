//! /v1 as its callers meet it: through the router.

mod actions;
mod completions;
mod document;
mod envelope;
mod files;
mod jobs;
mod lists;
mod models;
mod record;
mod uploads;
mod wandb;

use crate::testing::{TestEngine, alice, lines};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use shared::id::Subject;
use tower::ServiceExt as _;

/// Somebody with a key.
struct Client {
    engine: TestEngine,
    router: Router,
    key: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// The error in the envelope, which must be whole.
    fn error(&self) -> Value {
        let body = self.json();
        let error = body["error"].as_object().unwrap();
        let keys: Vec<_> = error.keys().map(String::as_str).collect();
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert!(
            ["message", "type", "param", "code"]
                .iter()
                .all(|key| keys.contains(key)),
            "{keys:?}"
        );
        body["error"].clone()
    }

    fn refused(&self, param: &str) {
        assert_eq!(
            self.status,
            StatusCode::BAD_REQUEST,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        assert_eq!(self.error()["param"], param);
    }
}

impl Client {
    async fn start() -> Self {
        Self::of(TestEngine::start().await).await
    }

    /// With a key of their own, whatever happened to the engine before.
    async fn of(engine: TestEngine) -> Self {
        let key = engine
            .service
            .create_api_key("test", &alice(), false)
            .await
            .unwrap()
            .secret;
        let router = Router::new().nest("/v1", super::router(engine.service.clone()));
        Self { engine, router, key }
    }

    /// Goes on with another key.
    async fn become_somebody(&mut self, owner: &Subject, admin: bool) {
        let made = self.engine.service.create_api_key("other", owner, admin).await;
        self.key = made.unwrap().secret;
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap())
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form whose parts are name, file name, content.
    async fn form(&self, parts: &[(&str, Option<&str>, &str)]) -> Answer {
        self.form_to("/v1/files", parts).await
    }

    async fn form_to(&self, path: &str, parts: &[(&str, Option<&str>, &str)]) -> Answer {
        let mut body = String::new();
        for (name, filename, content) in parts {
            let filename = filename
                .map(|name| format!("; filename=\"{name}\""))
                .unwrap_or_default();
            body.push_str(&format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n{content}\r\n"
            ));
        }
        body.push_str("--edge--\r\n");
        let request = self
            .request(Method::POST, path)
            .header("content-type", "multipart/form-data; boundary=edge");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Uploads a training file of so many lines.
    async fn training_file(&self, count: usize) -> String {
        let answer = self
            .form(&[
                ("purpose", None, "fine-tune"),
                ("file", Some("training.jsonl"), &lines(count)),
            ])
            .await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{}",
            String::from_utf8_lossy(&answer.bytes)
        );
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}
