//! Reading requests: the key, the query, a JSON body. What the framework refuses is told in the envelope.

use super::error::ApiError;
use crate::{Service, service::keys::Caller};
use axum::{
    body::Bytes,
    extract::{self, FromRequest as _, FromRequestParts, Query, Request},
    http::{
        Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request::Parts,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::{plain, strict_json::Strict};

/// Who calls, by the key in `Authorization`.
pub(crate) struct Authorized(pub(crate) Caller);

impl FromRequestParts<Service> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let header = parts.headers.get(AUTHORIZATION).ok_or_else(ApiError::no_key)?;
        let key = header
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim())
            .ok_or_else(ApiError::no_key)?;
        service
            .subject_for_api_key(key)
            .await?
            .map(Self)
            .ok_or_else(ApiError::wrong_key)
    }
}

/// A part of the path. One that isn't text names nothing that is here.
pub(crate) struct Path(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = extract::Path::from_request_parts(parts, state).await;
        found
            .map(|extract::Path(segment)| Self(segment))
            .map_err(|_| ApiError::no_route(&parts.method, parts.uri.path()))
    }
}

/// Two parts of the path.
pub(crate) struct PathOfTwo(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathOfTwo {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = extract::Path::from_request_parts(parts, state).await;
        found
            .map(|extract::Path((one, other))| Self(one, other))
            .map_err(|_| ApiError::no_route(&parts.method, parts.uri.path()))
    }
}

/// The pairs of a query string, in order.
#[derive(Debug, Default)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Pairs {
    pub(crate) fn of(uri: &Uri) -> Result<Self, ApiError> {
        let Query(pairs) = Query::try_from_uri(uri)
            .map_err(|_| ApiError::param("query", "the query string can't be read: encode it as a form"))?;
        Ok(Self(pairs))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// `limit`, within its bounds.
    pub(crate) fn limit(&self, default: u32, max: u32) -> Result<u32, ApiError> {
        let Some(text) = self.get("limit") else {
            return Ok(default);
        };
        let limit = text.parse::<u32>().ok().filter(|limit| (1..=max).contains(limit));
        limit.ok_or_else(|| {
            ApiError::param("limit", format!("`limit` must be a whole number from 1 to {max}"))
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::of(&parts.uri)
    }
}

/// That an object has no other parameters than these.
pub(super) fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), ApiError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(ApiError::unknown("parameter", unknown)),
    }
}

/// A JSON object and the bytes that it came in.
pub(crate) async fn read_object(request: Request) -> Result<(Map<String, Value>, Bytes), ApiError> {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::bad_body(
            status,
            "send JSON, with the header `Content-Type: application/json`",
        ));
    }
    let bytes = Bytes::from_request(request, &()).await.map_err(|rejection| {
        let message = match rejection.status() {
            axum::http::StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this server takes",
            _ => "the body ended before it was whole: send it again",
        };
        ApiError::bad_body(rejection.status(), message)
    })?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok((object, bytes)),
        Ok(_) => Err(ApiError::bad_body(
            axum::http::StatusCode::BAD_REQUEST,
            "the body must be a JSON object",
        )),
        Err(error) => {
            let message = format!("the body is not valid JSON: {error}");
            Err(ApiError::bad_body(axum::http::StatusCode::BAD_REQUEST, message))
        }
    }
}

/// A value as what is asked for; a refusal names the parameter at fault within it.
pub(super) fn read_as<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Strict(value)).map_err(|error| {
        let (path, finding) = (error.path().to_string(), error.inner().to_string());
        let mut param = match path.as_str() {
            "." => place.to_owned(),
            path => format!("{place}.{path}"),
        };
        let Some(fault) = plain::fault(&finding) else {
            return ApiError::param(&param, format!("`{param}` can't be read: {finding}"));
        };
        // The path ends in an unknown parameter already, and before a missing one.
        if let Some(field) = fault.field.filter(|field| !param.ends_with(&format!(".{field}"))) {
            param = format!("{param}.{field}");
        }
        ApiError::param(&param, format!("`{param}` {}", fault.problem))
    })
}
