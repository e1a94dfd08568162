//! `/api/session`.

use super::{ApiError, read, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::session::{Session, SignIn};

const PATH: &str = "/api/session";

/// Who is signed in; 401 for nobody.
#[must_use]
pub fn session() -> Query<Session> {
    Query::new(PATH, Resource::Session)
}

/// Signs in with the local token.
///
/// # Errors
/// 401 where the token is wrong.
pub(crate) async fn sign_in(token: &str) -> Result<Session, ApiError> {
    let body = write(&SignIn {
        token: token.to_owned(),
    });
    read(&send(Method::POST, PATH, body, &[], None).await?.text)
}

/// Ends the session at the server.
///
/// # Errors
/// Where the server can't be reached.
pub(crate) async fn sign_out() -> Result<(), ApiError> {
    send(Method::DELETE, PATH, None, &[], None).await.map(drop)
}
