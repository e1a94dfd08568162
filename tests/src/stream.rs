//! A job's live stream, read as a client does: event by event, with the id to resume from.

use futures_util::{Stream, StreamExt};
use shared::event::StreamMessage;
use std::{pin::Pin, time::Duration};
use tokio::time::timeout;

/// Far above the heartbeat's interval.
const PATIENCE: Duration = Duration::from_secs(120);

type Bytes = Pin<Box<dyn Stream<Item = Result<Vec<u8>, reqwest::Error>> + Send>>;

/// An open stream of server-sent events.
pub struct JobStream {
    bytes: Bytes,
    buffer: Vec<u8>,
    /// The id of the last stored message, for `Last-Event-ID`.
    pub last_id: Option<String>,
}

impl JobStream {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        let bytes = response
            .bytes_stream()
            .map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Self {
            bytes: Box::pin(bytes),
            buffer: Vec::new(),
            last_id: None,
        }
    }

    /// The next message; nothing once the stream has ended or broken.
    pub async fn next(&mut self) -> Option<StreamMessage> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(message) = self.read(std::str::from_utf8(&event).expect("the stream is text")) {
                    return Some(message);
                }
            }
            let chunk = timeout(PATIENCE, self.bytes.next())
                .await
                .expect("a live stream is never silent for long");
            self.buffer.extend(chunk?.ok()?);
        }
    }

    /// Reads on until a message satisfies.
    pub async fn find(&mut self, mut wanted: impl FnMut(&StreamMessage) -> bool) -> Option<StreamMessage> {
        while let Some(message) = self.next().await {
            if wanted(&message) {
                return Some(message);
            }
        }
        None
    }

    /// Reads one event; comments and unknown fields are skipped, as the standard says.
    fn read(&mut self, event: &str) -> Option<StreamMessage> {
        let mut data = String::new();
        for line in event.lines() {
            if let Some(id) = line.strip_prefix("id:") {
                self.last_id = Some(id.trim().to_owned());
            } else if let Some(text) = line.strip_prefix("data:") {
                data.push_str(text.strip_prefix(' ').unwrap_or(text));
            }
        }
        (!data.is_empty()).then(|| serde_json::from_str(&data).expect("a message of the stream"))
    }
}
