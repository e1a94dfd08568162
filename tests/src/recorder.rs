//! A reverse proxy that keeps every answer that passes: head and body, uncompressed.
//!
//! It does what such a proxy does: `Host` is another's, `Origin` and cookies pass, streams flow.

use crate::install_crypto_provider;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use std::sync::{Arc, Mutex};
use tokio::{net::TcpListener, task::JoinHandle};

/// A recorder whose server isn't known yet, so that the server can be told of it first.
#[derive(Debug)]
pub struct Microphone {
    listener: TcpListener,
}

impl Microphone {
    /// Takes a free port.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { listener }
    }

    /// Where browsers will find it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("an address"))
    }

    /// Begins to pass on, and to record.
    #[must_use]
    pub fn before(self, server: &str) -> Recorder {
        install_crypto_provider();
        let tape = Arc::new(Mutex::new(Vec::new()));
        let passing = Passing {
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client"),
            server: server.to_owned(),
            tape: Arc::clone(&tape),
        };
        let router = Router::new().fallback(pass).with_state(passing);
        let task = tokio::spawn(async move { axum::serve(self.listener, router).await.expect("it serves") });
        Recorder { tape, task }
    }
}

/// A running recorder; ended when dropped.
#[derive(Debug)]
pub struct Recorder {
    tape: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Everything that was answered so far.
    #[must_use]
    pub fn tape(&self) -> Vec<u8> {
        self.tape.lock().expect("not poisoned").clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Passing {
    client: reqwest::Client,
    server: String,
    tape: Arc<Mutex<Vec<u8>>>,
}

async fn pass(State(passing): State<Passing>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    for name in [header::HOST, header::ACCEPT_ENCODING, header::CONNECTION] {
        headers.remove(name);
    }
    let sent = passing
        .client
        .request(parts.method, format!("{}{path}", passing.server))
        .headers(headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await;
    let Ok(answer) = sent else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    let keep =
        |tape: &Mutex<Vec<u8>>, bytes: &[u8]| tape.lock().expect("not poisoned").extend_from_slice(bytes);
    for (name, value) in answer.headers() {
        keep(&passing.tape, format!("{name}: ").as_bytes());
        keep(&passing.tape, value.as_bytes());
        keep(&passing.tape, b"\n");
        if !matches!(*name, header::TRANSFER_ENCODING | header::CONNECTION) {
            response.headers_mut().append(name, value.clone());
        }
    }
    let tape = passing.tape;
    *response.body_mut() = Body::from_stream(answer.bytes_stream().inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            keep(&tape, chunk);
        }
    }));
    response
}
