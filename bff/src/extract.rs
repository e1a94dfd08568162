//! Extractors whose refusals are problem details, and the JSON of answers.

use crate::problem::ApiError;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use shared::{plain, strict_json::Strict};
use std::collections::BTreeMap;

/// A JSON body, of a request or of an answer.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(&request) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the body as JSON, with `content-type: application/json`",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| refuse_bytes(&rejection))?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(Strict(&mut reader))
            .map_err(|error| refuse_value(&error.path().to_string(), error.inner()))?;
        reader.end().map_err(|error| refuse_value("", &error))?;
        Ok(Self(value))
    }
}

/// A body that is no JSON, or not what is asked for: in words that whoever sent it knows.
fn refuse_value(path: &str, error: &serde_json::Error) -> ApiError {
    let refusal = |detail: String| ApiError::new(StatusCode::BAD_REQUEST, "invalid_body", detail);
    if !error.is_data() {
        return refusal(format!("the body is not valid JSON: {error}"));
    }
    let (field, problem) = located(path, &error.to_string());
    if field.is_empty() {
        return refusal(format!("the body {problem}"));
    }
    refusal(format!("`{field}` {problem}")).with_fields(BTreeMap::from([(field, problem)]))
}

/// The whole name of the field at fault, which is empty where it is the body itself, and what is wrong with it.
fn located(path: &str, finding: &str) -> (String, String) {
    let mut names: Vec<&str> = Some(path)
        .filter(|path| !matches!(*path, "" | "."))
        .into_iter()
        .collect();
    let Some(fault) = plain::fault(finding) else {
        let reason = finding.split(" at line ").next().unwrap_or(finding);
        return (names.concat(), format!("can't be read: {reason}"));
    };
    // The path ends in an unknown field already, and before a missing one.
    let ends_in = |field: &str| path == field || path.ends_with(&format!(".{field}"));
    names.extend(fault.field.as_deref().filter(|field| !ends_in(field)));
    (names.join("."), fault.problem)
}

/// Written into a vector: a list is some five hundred small pieces, each of which axum's own growing buffer takes more
/// steps to append.
impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let kind = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, kind)], body).into_response()
            }
            Err(error) => ApiError::internal(error).into_response(),
        }
    }
}

/// The JSON of an answer that is written already.
pub struct Written(pub Bytes);

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, kind)], self.0).into_response()
    }
}

fn is_json(request: &Request) -> bool {
    let Some(value) = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    value
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case("application/json")
}

/// A body that could not be read whole.
pub(crate) fn refuse_bytes(rejection: &BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is larger than this server takes",
        ),
        status => ApiError::new(
            status,
            "invalid_body",
            "the body ended before it was whole; send it again",
        ),
    }
}

/// The query of the address.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| {
                // `…: limit: invalid digit found in string`
                let text = rejection.body_text();
                let finding = text
                    .split_once("string: ")
                    .map_or(text.as_str(), |(_, finding)| finding);
                let (field, problem) = match finding.split_once(": ") {
                    Some((field, finding)) if !field.contains([' ', '`']) => located(field, finding),
                    _ => located("", finding),
                };
                let detail = match field.as_str() {
                    "" => format!("the query {problem}"),
                    field => format!("`{field}` {problem}"),
                };
                ApiError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
            })
    }
}

/// The values in the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| ApiError::not_found("page"))
    }
}
