//! Answers that go on for as long as somebody reads.
//!
//! hyper keeps two buffers of 8 KiB for each connection, and more for a next request, for as long as a connection is
//! open: that is most of what a live stream would hold. So a connection that such an answer is given on leaves hyper before
//! the answer's head is written, serves that one body, message by message, and ends. Nothing is buffered here: of a
//! reader who doesn't read, one message is held, which all readers share.

use axum::{body::Body, response::Response};
use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, Method, StatusCode, Version, body::Frame, http::response::Parts};
use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// Marks an answer, among its extensions, as one that goes on for as long as somebody reads. It brings its own `date`.
#[derive(Debug, Clone, Copy)]
pub struct Live;

/// Whether the answers to a request can leave hyper: chunks are HTTP/1.1's, and to `HEAD` there is no body.
pub(super) fn is_possible(method: &Method, version: Version) -> bool {
    *method == Method::GET && version == Version::HTTP_11
}

/// An answer on its way out of hyper, as an error of the service: at that, hyper writes nothing and ends.
pub(super) struct Handover(Mutex<Option<Response>>);

impl Handover {
    pub(super) const fn new(response: Response) -> Self {
        Self(Mutex::new(Some(response)))
    }

    /// The answer that hyper ended for, if that was why it ended.
    pub(super) fn take(error: &hyper::Error) -> Option<Response> {
        let handover = error.source()?.downcast_ref::<Self>()?;
        handover.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Handover")
    }
}

impl fmt::Display for Handover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is given to a live answer")
    }
}

impl Error for Handover {}

/// An answer's head as it travels.
pub(super) fn head(parts: &Parts) -> Vec<u8> {
    let mut head = Vec::with_capacity(1_024);
    write_status(&mut head, parts.status);
    write_headers(&mut head, &parts.headers);
    head.extend_from_slice(b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    head
}

fn write_status(head: &mut Vec<u8>, status: StatusCode) {
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
}

fn write_headers(head: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
}

/// Writes the body as it comes, until it ends or the reader has gone.
pub(super) async fn send(mut stream: TcpStream, mut body: Body) {
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = gone(&stream) => return,
        };
        let sent = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) if data.is_empty() => Ok(()),
            Some(Ok(Ok(data))) => write_chunk(&mut stream, data).await,
            // Trailers; nobody sends any.
            Some(Ok(Err(_))) => Ok(()),
            // Cut off without a last chunk, so that it can't be taken for whole.
            Some(Err(_)) => return,
            None => {
                // Whoever has gone already doesn't miss it.
                let _gone = stream.write_all(b"0\r\n\r\n").await;
                let _gone = stream.shutdown().await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn write_chunk(stream: &mut TcpStream, data: Bytes) -> std::io::Result<()> {
    let length = format!("{:x}\r\n", data.len());
    let mut chunk = length.as_bytes().chain(data).chain(&b"\r\n"[..]);
    stream.write_all_buf(&mut chunk).await
}

/// Waits until the other side has closed, or sends a request behind one whose answer has no end: nobody reads that.
async fn gone(stream: &TcpStream) {
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut [0]) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => return,
        }
    }
}
