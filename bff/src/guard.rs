//! The door of `/api`: our header, the origin of changes, and the session; in this order.

use crate::{
    problem::ApiError,
    session::{COOKIE, SessionHash, SessionToken},
    state::AppState,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use shared::{id::Subject, session::Session};
use std::sync::Arc;

/// The header that every request of `/api` carries; a page of another origin can't send it without our leave.
pub const HEADER: HeaderName = HeaderName::from_static("x-attune");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is signed in, for handlers.
#[derive(Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Arc<Session>,
    /// What the store knows it by.
    pub hash: SessionHash,
}

impl SignedIn {
    /// Who asks.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.session.subject
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(signed_out)
    }
}

/// Middleware: our header, and for changes the origin. Covers every path of `/api`, those that don't exist too.
/// Nothing of `/api` is stored by anybody on the way.
pub async fn check_caller(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = match check(&state, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn check(state: &AppState, request: &Request) -> Result<(), ApiError> {
    if request.headers().get(&HEADER).is_none_or(|value| value != "1") {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "missing_header",
            "requests to `/api` carry the header `x-attune: 1`",
        ));
    }
    if is_change(request.method()) && !is_from_here(state, request.headers()) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "cross_origin",
            "this origin may not change anything here; list it in `ATTUNE_ALLOWED_ORIGINS` if it should",
        ));
    }
    Ok(())
}

/// Middleware: a session, or 401. What needs none is outside of it.
pub async fn require_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    match find_session(&state, request.headers()).await {
        Ok(Some(signed_in)) => {
            request.extensions_mut().insert(signed_in);
            next.run(request).await
        }
        Ok(None) => signed_out().into_response(),
        Err(error) => error.into_response(),
    }
}

fn signed_out() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "signed_out",
        "sign in first: open the address that `attune url` prints",
    )
}

/// The session of the request's cookie, if it is good.
pub(crate) async fn find_session(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<SignedIn>, ApiError> {
    let Some(token) = cookie(headers) else {
        return Ok(None);
    };
    let hash = token.hash();
    let session = state.sessions.find(hash).await.map_err(ApiError::internal)?;
    Ok(session.map(|session| SignedIn { session, hash }))
}

fn cookie(headers: &HeaderMap) -> Option<SessionToken> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| SessionToken::received(value))
}

fn is_change(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A listed `Origin`, where there is one, and a `Sec-Fetch-Site` that agrees, where there is one. A caller
/// without both is no browser: nobody can lend it a user's cookie.
fn is_from_here(state: &AppState, headers: &HeaderMap) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .map(|value| value.to_str().unwrap_or(""));
    if origin.is_some_and(|origin| !state.origins.lists(origin)) {
        return false;
    }
    match headers
        .get(SEC_FETCH_SITE)
        .map(|value| value.to_str().unwrap_or(""))
    {
        None | Some("same-origin") => true,
        // The origin is listed, or the check above would have ended this.
        Some("same-site") => origin.is_some(),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests;
