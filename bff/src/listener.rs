//! The listener's connections: HTTP/1.1, with an end to those whose requests never become whole.
//!
//! A live answer takes its connection over; see [`live`]. What an answer leaves of its request is read; see [`unread`].
//!
//! Deliberately not here: TLS, and limits on how many connect; they are the reverse proxy's.

pub mod live;
mod unread;

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use live::{Handover, Live};
use std::{io, net::SocketAddr, pin::Pin, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

/// How long to wait after a failure to accept that only others can mend, such as no free file handle.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until told to stop, and then until every open request is answered.
///
/// `header_timeout` is how long a connection may take over the head of a request, and how long it may lie idle between
/// two.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stopping: CancellationToken,
    header_timeout: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(connection(
                    http.clone(),
                    stream,
                    peer,
                    app.clone(),
                    stopping.clone(),
                    connections.clone(),
                ));
            }
            Err(error) if is_the_callers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "can't accept connections for now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    stopping: CancellationToken,
    connections: TaskTracker,
) {
    // Small messages of a stream leave at once. Where that can't be had they leave a little later.
    let _slower = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (mut request, unread) = unread::watch(request);
        request.extensions_mut().insert(ConnectInfo(peer));
        let may_leave = live::is_possible(request.method(), request.version());
        let answer = app.clone().call(request);
        async move {
            let Ok(mut response) = answer.await;
            if may_leave && response.extensions().get::<Live>().is_some() {
                return Err(Handover::new(response));
            }
            if let Some(unread) = unread {
                unread.follow(&mut response);
            }
            Ok(response)
        }
    });
    let mut serving = http.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        outcome = &mut serving => Some(outcome),
        () = stopping.cancelled() => None,
    };
    let outcome = match ended {
        Some(outcome) => outcome,
        None => {
            Pin::new(&mut serving).graceful_shutdown();
            (&mut serving).await
        }
    };
    let Err(error) = outcome else { return };
    let Some(response) = Handover::take(&error) else {
        tracing::debug!(%peer, %error, "a connection broke");
        return;
    };
    let mut stream = serving.into_parts().io.into_inner();
    let (parts, body) = response.into_parts();
    // A task of its own, which is small: this one has the room for all of hyper.
    if stream.write_all(&live::head(&parts)).await.is_ok() {
        connections.spawn(live::send(stream, body));
    }
}

/// The caller left before it was greeted: nothing is wrong here.
fn is_the_callers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
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

    #[tokio::test]
    async fn who_writes_a_large_body_to_its_end_before_reading_gets_the_answer() {
        const BYTES: usize = 32 << 20;
        let (address, _serving) = start(&CancellationToken::new()).await;
        for head in [
            format!("content-length: {BYTES}"),
            "transfer-encoding: chunked".to_owned(),
        ] {
            let mut stream = TcpStream::connect(address).await.expect("connects");
            let head = format!("GET / HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            if head.contains("chunked") {
                let size = format!("{BYTES:x}\r\n");
                stream.write_all(size.as_bytes()).await.expect("sent");
            }
            timeout(PATIENCE, stream.write_all(&vec![b' '; BYTES]))
                .await
                .expect("the server reads")
                .expect("sent");
            if head.contains("chunked") {
                stream.write_all(b"\r\n0\r\n\r\n").await.expect("sent");
            }
            let text = rest(&mut stream).await;
            assert!(
                text.contains("connection: close") && text.ends_with("hello"),
                "{text}"
            );
        }
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
}
