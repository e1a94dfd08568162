//! `/api/uploads/{token}`: the bytes of a dataset, resumable by range.

use crate::{extract::Path, guard::SignedIn, problem::ApiError, state::AppState, upstream::UploadRange};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use shared::{dataset::UploadProgress, problem::Problem};
use std::io;

/// Tells how much of an upload is safe.
#[utoipa::path(get, path = "/uploads/{token}", tag = "datasets",
    params(("token" = String, Path, description = "From the answer that created the dataset")),
    responses(
        (status = 200, description = "How much is safe", body = UploadProgress),
        (status = 404, description = "The address has expired or never was", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_upload(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(token): Path<String>,
) -> Result<Json<UploadProgress>, ApiError> {
    Ok(Json(
        state
            .upstream
            .upload_progress(signed_in.subject(), &token)
            .await?,
    ))
}

/// Writes bytes; with `Content-Range: bytes A-B/TOTAL` from where an upload was cut.
#[utoipa::path(put, path = "/uploads/{token}", tag = "datasets",
    params(
        ("token" = String, Path, description = "From the answer that created the dataset"),
        ("Content-Range" = Option<String>, Header, description = "`bytes A-B/TOTAL`; without it the whole file"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "How much is safe now", body = UploadProgress),
        (status = 404, description = "The address has expired or never was", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The range does not begin where the upload stands", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn write_upload(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(token): Path<String>,
    request: Request,
) -> Result<Json<UploadProgress>, ApiError> {
    let range = content_range(request.headers())?;
    let limit = state.upload_bytes;
    let mut taken = 0_u64;
    let content = request
        .into_body()
        .into_data_stream()
        .map_err(io::Error::other)
        .map(move |chunk| {
            let chunk = chunk?;
            taken = taken.saturating_add(chunk.len() as u64);
            if taken > limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "the upload is larger than this server takes",
                ));
            }
            Ok(chunk)
        })
        .boxed();
    Ok(Json(
        state
            .upstream
            .write_upload(signed_in.subject(), &token, range, content)
            .await?,
    ))
}

/// `bytes A-B/TOTAL` or `bytes A-B/*`.
fn content_range(headers: &HeaderMap) -> Result<Option<UploadRange>, ApiError> {
    let Some(value) = headers.get(header::CONTENT_RANGE) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(parse_range)
        .map(Some)
        .ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_range",
                "`Content-Range` is written `bytes A-B/TOTAL`, with A ≤ B < TOTAL",
            )
        })
}

fn parse_range(text: &str) -> Option<UploadRange> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.trim().split_once('-')?;
    let (start, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        number => Some(number.parse::<u64>().ok()?),
    };
    (start <= last && total.is_none_or(|total| last < total)).then_some(UploadRange { start, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_not() {
        assert_eq!(
            parse_range("bytes 5-9/10"),
            Some(UploadRange {
                start: 5,
                total: Some(10)
            })
        );
        assert_eq!(
            parse_range("bytes 5-9/*"),
            Some(UploadRange {
                start: 5,
                total: None
            })
        );
        for nonsense in [
            "",
            "bytes",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes -1-2/3",
            "5-9/10",
            "bytes a-b/c",
        ] {
            assert_eq!(parse_range(nonsense), None, "{nonsense}");
        }
    }
}
