//! The whole router in a test, and the people who use it: nobody (`anon`), the local user, and a second user.

use crate::{
    clock::Clock,
    config::RemoteConfig,
    headers::SecurityHeaders,
    metrics::Metrics,
    origin::Origins,
    probes::{MetricsDoor, Readiness},
    router,
    secret::Secret,
    session::{COOKIE, Sessions},
    sign_in::GuessLimit,
    state::{AppState, Shared},
    upstream::{Upstream, job_training_api::JobTrainingApi},
};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use shared::{id::Subject, timestamp::Timestamp};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use wiremock::MockServer;

/// The sign-in token of every test.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The upstream's key of every test.
pub(crate) const KEY: &str = "key-that-nobody-may-see";
/// What the listener of every test is bound to.
pub(crate) const LISTENER: &str = "127.0.0.1:8080";
/// The origin of a page that may use `/api`, beside our own.
pub(crate) const ALLOWED: &str = "https://app.attune.example";
/// The public address of every test.
pub(crate) const PUBLIC: &str = "https://api.attune.example";

/// The router with what it needs.
pub(crate) struct TestApp {
    pub(crate) state: AppState,
    /// The time of everything here.
    pub(crate) clock: Clock,
    router: Router,
}

impl TestApp {
    /// Over any upstream.
    pub(crate) fn over(upstream: Arc<dyn Upstream>) -> Self {
        Self::new(upstream, MetricsDoor::Open, true)
    }

    fn new(upstream: Arc<dyn Upstream>, metrics_door: MetricsDoor, browser_metrics: bool) -> Self {
        let clock = Clock::manual(Timestamp::from_unix_ms(1_800_000_000_000));
        let listener: SocketAddr = LISTENER.parse().expect("an address");
        let public = PUBLIC.parse().expect("an address");
        let state = AppState::new(Shared {
            upstream,
            sessions: Sessions::in_memory(clock.clone()),
            local_token: Secret::new(TOKEN),
            guesses: GuessLimit::new(clock.clone()),
            origins: Origins::new(listener, Some(&public), &[ALLOWED.to_owned()]),
            metrics: Metrics::new(browser_metrics),
            metrics_door,
            readiness: Readiness::default(),
            clock: clock.clone(),
            stopping: CancellationToken::new(),
            price: None,
            upload_bytes: 1_000,
            body_bytes: 2_000,
        });
        // Stands in for the engine's surface, and shows what a panic becomes.
        let v1 = Router::new().route("/panic", axum::routing::get(panics));
        let router = router::router(&state, SecurityHeaders::new("", false), Some(v1));
        Self { state, clock, router }
    }

    /// Over a Job Training API that answers as the test says.
    pub(crate) async fn with_job_training_api() -> (Self, MockServer) {
        let server = MockServer::start().await;
        (Self::over(Arc::new(job_training_api(&server))), server)
    }

    /// The same, with another rule for who may read `/metrics`.
    pub(crate) async fn with_metrics_door(door: MetricsDoor) -> (Self, MockServer) {
        let server = MockServer::start().await;
        (Self::new(Arc::new(job_training_api(&server)), door, true), server)
    }

    /// Of an operator who doesn't want to know how quick pages are.
    pub(crate) async fn without_browser_reports() -> (Self, MockServer) {
        let server = MockServer::start().await;
        let upstream = Arc::new(job_training_api(&server));
        (Self::new(upstream, MetricsDoor::Open, false), server)
    }

    /// Nobody: no cookie.
    pub(crate) fn anon(&self) -> Persona<'_> {
        Persona {
            app: self,
            cookie: None,
        }
    }

    /// The local user, signed in.
    pub(crate) async fn user(&self) -> Persona<'_> {
        self.signed_in("local").await
    }

    /// Somebody, signed in.
    pub(crate) async fn signed_in(&self, subject: &str) -> Persona<'_> {
        let (token, _) = self
            .state
            .sessions
            .begin(Subject::from(subject), "local")
            .await
            .expect("memory takes a session");
        Persona {
            app: self,
            cookie: Some(format!("{COOKIE}={}", token.expose())),
        }
    }
}

async fn panics() {
    panic!("a bug");
}

/// A client for a Job Training API in the test.
pub(crate) fn job_training_api(server: &MockServer) -> JobTrainingApi {
    JobTrainingApi::new(&remote(&format!("{}/api", server.uri()))).expect("a client")
}

/// How to reach it, with time-outs that suit a test.
pub(crate) fn remote(base_url: &str) -> RemoteConfig {
    // Some other test may have installed it before.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    RemoteConfig {
        base_url: base_url.parse().expect("an address"),
        api_key: Secret::new(KEY),
        connect_timeout: Duration::from_millis(500),
        timeout: Duration::from_millis(1_500),
        max_answer_bytes: 64 * 1024,
        // Longer than any test, so that none is decided by how busy the machine is.
        cache: Duration::from_secs(60),
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct Persona<'app> {
    app: &'app TestApp,
    cookie: Option<String>,
}

impl Persona<'_> {
    /// A request with our header and the persona's cookie.
    pub(crate) fn request(&self, method: Method, path: &str) -> Asking<'_> {
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .header("x-attune", "1");
        if let Some(cookie) = &self.cookie {
            builder = builder.header(header::COOKIE, cookie);
        }
        Asking {
            app: self.app,
            request: builder.body(Body::empty()).expect("a request"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }
}

/// A request in the making.
pub(crate) struct Asking<'app> {
    app: &'app TestApp,
    request: Request<Body>,
}

impl Asking<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .insert(name, value.parse().expect("a header's value"));
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// From another machine than the listener's.
    pub(crate) fn from(mut self, peer: &str) -> Self {
        let peer: SocketAddr = peer.parse().expect("an address");
        self.request.extensions_mut().insert(ConnectInfo(peer));
        self
    }

    pub(crate) async fn respond(self) -> Response {
        self.app
            .router
            .clone()
            .oneshot(self.request)
            .await
            .expect("the router never fails")
    }

    pub(crate) async fn send(self) -> Answer {
        let (parts, body) = self.respond().await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_vec(),
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    /// Status and body for a snapshot, the request's id hidden.
    pub(crate) fn shown(&self) -> String {
        if self.body.is_empty() {
            return self.status.to_string();
        }
        let mut body = self.json();
        if let Some(id) = body.get_mut("request_id") {
            assert_eq!(
                id.as_str(),
                Some(self.header("x-request-id")),
                "body and header name the same request"
            );
            *id = Value::from("…");
        }
        // So that a snapshot tells what is said, not in which order.
        body.sort_all_objects();
        format!("{}\n{body:#}", self.status)
    }

    /// The cookie of `Set-Cookie`, ready to be sent back.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie")
            .split(';')
            .next()
            .unwrap_or("")
            .to_owned()
    }
}
