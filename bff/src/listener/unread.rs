//! What is left of a request's body once its answer stands.
//!
//! A request may be answered before its body was read: it has no key, is too large, is of a kind that isn't taken.
//! hyper then takes what has arrived by that instant and closes the connection on the rest. Whoever writes all before
//! reading loses the answer to a reset; whoever wasn't told of the end loses the next request on that connection.
//! So the rest is read and thrown away here, beside the answer on its way, for a while.

use axum::{
    body::{Body, HttpBody},
    http::{
        HeaderValue,
        header::{CONNECTION, EXPECT},
    },
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{
    Request,
    body::{Frame, Incoming, SizeHint},
};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::oneshot;

/// How long a rest is read for. What comes later meets a closed connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Up to so many bytes a rest is read to keep its connection; beyond, the client is told to open another.
const SMALL: u64 = 64 << 10;

/// A request whose body comes back where its handler lets go of it before the end, and where it comes back to. There is
/// nothing to wait for where there is no body.
pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let (home, returned) = oneshot::channel();
    let is_awaited = !request.headers().contains_key(EXPECT);
    let request = request.map(|body| {
        Body::new(Watched {
            body: Some(body),
            home: Some(home),
        })
    });
    (request, Some(Unread { returned, is_awaited }))
}

/// What may be left of a body.
pub(super) struct Unread {
    returned: oneshot::Receiver<Incoming>,
    /// It comes without being asked for.
    is_awaited: bool,
}

impl Unread {
    /// Takes care of the rest, if there is one, and tells in the answer whether the connection ends with it.
    pub(super) fn follow(mut self, answer: &mut Response) {
        let Ok(body) = self.returned.try_recv() else {
            return;
        };
        if !self.is_awaited || body.size_hint().upper().is_none_or(|bytes| bytes > SMALL) {
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // To read a body whose client waits to be asked for it would ask for it.
        if self.is_awaited {
            tokio::spawn(discard(body, PATIENCE));
        }
    }
}

async fn discard<B: HttpBody + Unpin>(mut body: B, patience: Duration) {
    let all = async { while let Some(Ok(_)) = body.frame().await {} };
    // Late or whole, it ends here.
    let _late = tokio::time::timeout(patience, all).await;
}

struct Watched {
    body: Option<Incoming>,
    /// Nobody waits there once the body has ended.
    home: Option<oneshot::Sender<Incoming>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Some(home)) = (left, self.home.take()) {
            // Its answer was given before, or its connection is gone.
            let _unheard = home.send(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn a_rest_that_never_ends_is_let_go() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, hyper::Error>>());
        let patience = Duration::from_millis(10);
        tokio::time::timeout(Duration::from_secs(20), discard(endless, patience))
            .await
            .expect("it is let go");
    }
}
