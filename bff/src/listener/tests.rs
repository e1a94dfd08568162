//! Connections as clients make them, byte by byte.

use super::*;
use axum::{body::Body, routing::get};
use futures_util::{StreamExt as _, stream};
use tokio::{
    io::AsyncReadExt as _,
    time::{Instant, timeout},
};

const HEADER_TIMEOUT: Duration = Duration::from_millis(200);
/// Far above what the tests wait for.
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(stopping: &CancellationToken) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().route("/", get(|| async { "hello" }));
    let serving = tokio::spawn(serve(listener, app, stopping.clone(), HEADER_TIMEOUT));
    (address, serving)
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text))
        .await
        .expect("the server ends the connection")
        .expect("bytes");
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn a_head_that_never_becomes_whole_ends_its_connection() {
    let (address, _serving) = start(&CancellationToken::new()).await;
    let mut slow = TcpStream::connect(address).await.expect("connects");
    let begun = Instant::now();
    let drip = async {
        // One byte at a time, as those do who want to hold many connections for little.
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "
            .iter()
            .chain(&[b'a'; 10_000])
        {
            if slow.write_all(&[*byte]).await.is_err() {
                return;
            }
            pace.tick().await;
        }
        panic!("10,000 bytes of a header were taken");
    };
    timeout(PATIENCE, drip).await.expect("the server ends it");
    assert!(begun.elapsed() >= HEADER_TIMEOUT);
}

#[tokio::test]
async fn a_whole_request_is_answered_and_its_idle_connection_is_ended() {
    let (address, _serving) = start(&CancellationToken::new()).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let text = rest(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with("hello"),
        "{text}"
    );
}

/// The next answer, whose body is `hello`.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("hello") {
        let mut part = [0; 1_024];
        let read = timeout(PATIENCE, stream.read(&mut part))
            .await
            .expect("the server answers")
            .expect("bytes");
        assert!(read > 0, "the server closed after {text:?}");
        text.push_str(std::str::from_utf8(&part[..read]).expect("text"));
    }
    text
}

#[tokio::test]
async fn a_small_body_that_comes_after_its_answer_leaves_the_connection_to_the_next_request() {
    let (address, _serving) = start(&CancellationToken::new()).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n")
        .await
        .expect("sent");
    let first = answer(&mut stream).await;
    assert!(!first.contains("connection: close"), "{first}");
    stream
        .write_all(b"{}GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    answer(&mut stream).await;
}

/// More than the sockets' buffers hold.
const LARGE: usize = 16 << 20;

/// Writes a large body to its end, in one chunk or plainly, and answers what came by then.
async fn write_large(stream: &mut TcpStream, in_a_chunk: bool) -> String {
    let (before, after) = if in_a_chunk {
        (format!("{LARGE:x}\r\n"), "\r\n0\r\n\r\n")
    } else {
        (String::new(), "")
    };
    for part in [before.as_bytes(), &vec![b' '; LARGE], after.as_bytes()] {
        timeout(PATIENCE, stream.write_all(part))
            .await
            .expect("the server reads")
            .expect("sent");
    }
    rest(stream).await
}

#[tokio::test]
async fn who_writes_a_large_body_to_its_end_before_reading_gets_the_answer() {
    let (address, _serving) = start(&CancellationToken::new()).await;
    let plain = format!("content-length: {LARGE}");
    for (head, in_a_chunk) in [(plain.as_str(), false), ("transfer-encoding: chunked", true)] {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let text = write_large(&mut stream, in_a_chunk).await;
        assert!(
            text.contains("connection: close") && text.ends_with("hello"),
            "{text}"
        );
    }
}

/// A server of one route, to which a body of [`LARGE`] bytes is on its way; the head may say more.
async fn sending<H, T>(handler: H, more: &str) -> TcpStream
where
    H: axum::handler::Handler<T, ()>,
    T: 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().route("/", axum::routing::post(handler));
    tokio::spawn(serve(listener, app, CancellationToken::new(), HEADER_TIMEOUT));
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{more}content-length: {LARGE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test]
async fn a_body_that_was_asked_for_is_read_though_it_is_refused_in_mid_way() {
    let handler = async |body: Body| {
        let begun = body.into_data_stream().next().await;
        assert!(begun.is_some_and(|part| part.is_ok()));
        "hello"
    };
    let mut stream = sending(handler, "expect: 100-continue\r\n").await;
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("it is asked for");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let text = write_large(&mut stream, false).await;
    assert!(text.ends_with("hello"), "{text}");
}

#[tokio::test]
async fn a_body_that_is_let_go_of_after_its_answer_is_read() {
    let (keep, mut kept) = tokio::sync::mpsc::unbounded_channel();
    let handler = async move |body: Body| {
        keep.send(body).expect("it is kept");
        "hello"
    };
    let mut stream = sending(handler, "").await;
    let body = kept.recv().await.expect("the body");
    stream.peek(&mut [0]).await.expect("the answer");
    drop(body);
    let text = write_large(&mut stream, false).await;
    assert!(
        text.contains("connection: close") && text.ends_with("hello"),
        "{text}"
    );
}

#[tokio::test]
async fn who_waits_to_be_asked_for_a_body_that_nobody_wants_is_not_asked() {
    let (address, _serving) = start(&CancellationToken::new()).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        .await
        .expect("sent");
    let text = rest(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(
        text.contains("connection: close") && text.ends_with("hello"),
        "{text}"
    );
}

/// A live answer of so many messages, which then waits for ever or ends.
fn live_answer(messages: usize, ends: bool) -> axum::response::Response {
    let told = stream::iter(
        (0..messages).map(|number| Ok::<_, std::convert::Infallible>(format!("message {number}\n"))),
    );
    let body = if ends {
        Body::from_stream(told)
    } else {
        Body::from_stream(told.chain(stream::pending()))
    };
    let mut response = axum::response::Response::new(body);
    response.extensions_mut().insert(Live);
    let name = axum::http::HeaderName::from_static("content-security-policy");
    response
        .headers_mut()
        .insert(name, axum::http::HeaderValue::from_static("default-src 'none'"));
    response
}

async fn start_live(stopping: &CancellationToken) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new()
        .route("/ends", get(|| async { live_answer(2, true) }))
        .route("/stays", get(|| async { live_answer(2, false) }));
    let serving = tokio::spawn(serve(listener, app, stopping.clone(), HEADER_TIMEOUT));
    (address, serving)
}

#[tokio::test]
async fn a_live_answer_is_chunks_to_who_knows_them_and_a_plain_body_to_the_others() {
    let (address, _serving) = start_live(&CancellationToken::new()).await;
    for (version, expected) in [
        (
            "HTTP/1.1",
            "\r\ntransfer-encoding: chunked\r\n\r\na\r\nmessage 0\n\r\na\r\nmessage 1\n\r\n0\r\n\r\n",
        ),
        ("HTTP/1.0", "\r\n\r\nmessage 0\nmessage 1\n"),
    ] {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!("GET /ends {version}\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let text = rest(&mut stream).await;
        assert!(text.starts_with(&format!("{version} 200 OK\r\n")), "{text}");
        assert!(text.ends_with(expected), "{text}");
        let policy = "\r\ncontent-security-policy: default-src 'none'\r\n";
        assert_eq!(text.matches(policy).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_live_answer_ends_when_its_reader_has_gone() {
    let stopping = CancellationToken::new();
    let (address, serving) = start_live(&stopping).await;
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream
        .write_all(b"GET /stays HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut seen = String::new();
    while !seen.contains("message 1") {
        let mut part = [0; 1_024];
        let read = stream.read(&mut part).await.expect("bytes");
        seen.push_str(std::str::from_utf8(&part[..read]).expect("text"));
    }
    drop(stream);
    stopping.cancel();
    timeout(PATIENCE, serving)
        .await
        .expect("nothing is left to wait for")
        .expect("in good order");
}

#[tokio::test]
async fn told_to_stop_it_answers_what_is_open_and_ends() {
    let stopping = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let told = stopping.clone();
    let handler = || async move {
        told.cancel();
        tokio::task::yield_now().await;
        "the last answer"
    };
    let app = Router::new().route("/", get(handler));
    let serving = tokio::spawn(serve(listener, app, stopping.clone(), PATIENCE));
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    assert!(rest(&mut stream).await.ends_with("the last answer"));
    timeout(PATIENCE, serving)
        .await
        .expect("it ends")
        .expect("in good order");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}
