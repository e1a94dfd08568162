//! `/api/session`: sign in, see who is signed in, sign out.

use crate::{
    extract::Json,
    guard::{self, SignedIn},
    problem::ApiError,
    request::PeerAddress,
    session::{ABSOLUTE_MS, COOKIE},
    state::AppState,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    id::Subject,
    problem::Problem,
    session::{Session, SignIn},
};
use std::sync::Arc;

/// The subject of whoever has the local token.
pub(crate) const LOCAL_SUBJECT: &str = "local";

/// Tells who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", responses(
    (status = 200, description = "Who is signed in", body = Session),
    (status = 401, description = "Nobody", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn find_session(signed_in: SignedIn) -> axum::Json<Arc<Session>> {
    axum::Json(signed_in.session)
}

/// Signs in with the local token. An older session of the same browser ends.
#[utoipa::path(post, path = "/session", tag = "session", request_body = SignIn, responses(
    (status = 200, description = "Signed in; the session's cookie is set", body = Session),
    (status = 401, description = "The token is wrong", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong tokens", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_session(
    State(state): State<AppState>,
    PeerAddress(peer): PeerAddress,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, ApiError> {
    if let Some(seconds) = state.guesses.wait_seconds(peer) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "too many wrong tokens came from this address; wait a little",
        )
        .with_retry_after(Some(seconds)));
    }
    if !state.local_token.matches(body.token.trim()) {
        state.guesses.count(peer);
        tracing::warn!(%peer, "sign-in refused");
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_token",
            "this is not the sign-in token; open the address that `attune url` prints",
        ));
    }
    if let Some(old) = guard::find_session(&state, &headers).await? {
        state.sessions.end(old.hash).await.map_err(ApiError::internal)?;
    }
    let (token, session) = state
        .sessions
        .begin(Subject::from(LOCAL_SUBJECT), "local")
        .await
        .map_err(ApiError::internal)?;
    tracing::info!(%peer, subject = session.subject.as_str(), "signed in");
    with_cookie(
        token.expose(),
        ABSOLUTE_MS / 1000,
        axum::Json(session).into_response(),
    )
}

/// Signs out: the session ends for every tab, and its cookie never works again.
#[utoipa::path(delete, path = "/session", tag = "session", responses(
    (status = 204, description = "Signed out"),
))]
pub(super) async fn delete_session(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Response, ApiError> {
    state
        .sessions
        .end(signed_in.hash)
        .await
        .map_err(ApiError::internal)?;
    with_cookie("", 0, StatusCode::NO_CONTENT.into_response())
}

fn with_cookie(value: &str, max_age: i64, mut response: Response) -> Result<Response, ApiError> {
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=Strict");
    let mut cookie = HeaderValue::from_str(&cookie).map_err(ApiError::internal)?;
    cookie.set_sensitive(true);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

#[cfg(test)]
mod tests;
