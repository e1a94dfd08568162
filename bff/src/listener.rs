//! The listener's connections: HTTP/1.1, with an end to those whose requests never become whole.
//!
//! Deliberately not here: TLS, and limits on how many connect; they are the reverse proxy's.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpStream};
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
) {
    // Small messages of a stream leave at once. Where that can't be had they leave a little later.
    let _slower = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().call(request)
    });
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = stopping.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, %error, "a connection broke");
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
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
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
