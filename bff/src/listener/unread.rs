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
use tokio::sync::oneshot::{self, error::TryRecvError};

/// How long a rest is read for. What comes later meets a closed connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Up to so many bytes a rest is read to keep its connection; beyond, the client is told to open another.
const SMALL: u64 = 64 << 10;

/// A request whose body comes back where it is let go of before its end, and where it comes back to. There is nothing to
/// wait for where there is no body.
pub(super) fn watch(request: Request<Incoming>) -> (Request<Body>, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request.map(Body::new), None);
    }
    let (home, returned) = oneshot::channel();
    let comes_unasked = !request.headers().contains_key(EXPECT);
    let request = request.map(|body| {
        let rest = Rest {
            body,
            comes: comes_unasked,
        };
        Body::new(Watched(Some((rest, home))))
    });
    (request, Some(Unread(returned)))
}

/// What is left of a body.
struct Rest {
    body: Incoming,
    /// Its client doesn't wait to be asked for it, or was asked.
    comes: bool,
}

impl Rest {
    fn is_small(&self) -> bool {
        self.comes && self.body.size_hint().upper().is_some_and(|bytes| bytes <= SMALL)
    }

    async fn discard(self) {
        // To read a body whose client waits to be asked for it would ask for it.
        if self.comes {
            discard(self.body, PATIENCE).await;
        }
    }
}

/// What may be left of a body.
pub(super) struct Unread(oneshot::Receiver<Rest>);

impl Unread {
    /// Takes care of the rest, if there is one, and tells in the answer whether the connection ends with it.
    pub(super) fn follow(mut self, answer: &mut Response) {
        let rest = match self.0.try_recv() {
            Ok(rest) => Some(rest),
            // Read to its end.
            Err(TryRecvError::Closed) => return,
            // Somebody has it still, such as the connection to an upstream that has answered early.
            Err(TryRecvError::Empty) => None,
        };
        if !rest.as_ref().is_some_and(Rest::is_small) {
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        tokio::spawn(async move {
            let rest = match rest {
                Some(rest) => Ok(rest),
                None => self.0.await,
            };
            if let Ok(rest) = rest {
                rest.discard().await;
            }
        });
    }
}

async fn discard<B: HttpBody + Unpin>(mut body: B, patience: Duration) {
    let all = async { while let Some(Ok(_)) = body.frame().await {} };
    // Late or whole, it ends here.
    let _late = tokio::time::timeout(patience, all).await;
}

/// A body, and where it goes back to; neither once it has ended.
struct Watched(Option<(Rest, oneshot::Sender<Rest>)>);

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some((rest, _)) = &mut self.0 else {
            return Poll::Ready(None);
        };
        rest.comes = true;
        let frame = ready!(Pin::new(&mut rest.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) || rest.body.is_end_stream() {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), |(rest, _)| rest.body.size_hint())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some((rest, home)) = self.0.take() {
            // Nobody waits for it where the connection is gone.
            let _unheard = home.send(rest);
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
