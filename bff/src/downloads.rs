//! `/downloads/{token}`: links that a POST made, each good for one use; and answers that are saved, not shown.

use crate::{extract::Path, headers::SANDBOX, problem::ApiError, state::AppState, upstream::Download};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// Opens a link. It needs no session: its token is the permission, and it works once.
pub async fn open_download(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, ApiError> {
    attachment(state.upstream.open_download(&token).await?)
}

/// HEAD would use the link up and bring nothing.
pub async fn refuse_head() -> Response {
    let mut refusal = ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "a link works once, so it can't be tried: take it with GET",
    )
    .into_response();
    refusal
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("GET"));
    refusal
}

/// A file that the browser saves and never shows.
pub(crate) fn attachment(download: Download) -> Result<Response, ApiError> {
    let mut response = Body::from_stream(download.content).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(&download.content_type).map_err(ApiError::internal)?,
    );
    let disposition = format!("attachment; filename=\"{}\"", plain_name(&download.filename));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).map_err(ApiError::internal)?,
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    if let Some(bytes) = download.bytes {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    Ok(response)
}

/// A file name that needs no quoting anywhere.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => character,
            _ => '_',
        })
        .take(120)
        .collect();
    let plain = plain.trim_start_matches('.');
    if plain.is_empty() {
        "download".to_owned()
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn a_file_name_can_not_break_out_of_its_header_or_folder() {
        assert_eq!(plain_name("my-job.zip"), "my-job.zip");
        assert_eq!(
            plain_name("a\"; evil=\"\r\nset-cookie: x"),
            "a___evil____set-cookie__x"
        );
        assert_eq!(plain_name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(plain_name(""), "download");
    }
}
