//! Somebody's server, which webhooks lead to.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc};

/// Somebody's server that is told.
pub(super) struct Receiver {
    pub(super) url: String,
    /// What it answers next; 200 where nothing is left.
    pub(super) answers: Arc<Mutex<VecDeque<u16>>>,
    pub(super) received: mpsc::UnboundedReceiver<Received>,
}

/// What it was told.
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

type Shared = (Arc<Mutex<VecDeque<u16>>>, mpsc::UnboundedSender<Received>);

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let (told, received) = mpsc::unbounded_channel();
        let router = Router::new().fallback(answer).with_state((answers.clone(), told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            answers,
            received,
        }
    }

    pub(super) async fn next(&mut self) -> Received {
        tokio::time::timeout(Duration::from_secs(20), self.received.recv())
            .await
            .expect("it is told")
            .unwrap()
    }
}

async fn answer(State((answers, told)): State<Shared>, headers: HeaderMap, body: String) -> Response {
    told.send(Received { headers, body }).unwrap();
    let status = answers.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), [(LOCATION, "/elsewhere")]).into_response()
}

impl Received {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The event, whose signature must be right.
    pub(super) fn event(&self, secret: &str) -> Value {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{timestamp}.{}", self.body).as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(self.header("webhook-signature"), signature);
        serde_json::from_str(&self.body).unwrap()
    }
}
