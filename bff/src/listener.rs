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
mod tests;
