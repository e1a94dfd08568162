//! The browser application inside the binary: trunk's output, with siblings `NAME.br` compressed beforehand.
//!
//! A file whose name carries a hash is cached for good; index.html is asked for again each time. A navigation to an
//! address of the application's own gets index.html, anything else that isn't there 404.

use crate::problem::ApiError;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use rust_embed::{Embed, EmbeddedFile};
use std::borrow::Cow;

#[derive(Embed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Attune</title></head><body>\
    <h1>Attune runs, without its pages</h1><p>This binary was built without the browser application. In a clone of the \
    repository, <code>cargo xtask run</code> builds both.</p></body></html>";

/// The index page, from whose inline scripts the content security policy is made.
#[must_use]
pub fn index() -> Cow<'static, str> {
    Dist::get(INDEX).map_or(Cow::Borrowed(UNBUILT), |file| {
        String::from_utf8_lossy(&file.data).into_owned().into()
    })
}

/// Whether the browser application is in this binary.
#[must_use]
pub fn is_built() -> bool {
    Dist::get(INDEX).is_some()
}

/// Serves a file of the application, or its index page to a navigation.
pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "nothing here takes this method; the API is under `/api`",
        )
        .into_response();
        refusal
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    let headers = request.headers();
    let path = request.uri().path().trim_start_matches('/');
    if !path.is_empty()
        && path != INDEX
        && !is_sibling(path)
        && let Some(file) = Dist::get(path)
    {
        return answer(path, &file, headers);
    }
    // The front door opens for programs too, which seldom say that they take pages.
    if !path.is_empty() && !accepts_pages(headers) {
        return ApiError::not_found("file").into_response();
    }
    Dist::get(INDEX).map_or_else(unbuilt, |file| answer(INDEX, &file, headers))
}

/// A compressed sibling is served in its original's name only.
fn is_sibling(path: &str) -> bool {
    path.strip_suffix(".br")
        .is_some_and(|original| Dist::get(original).is_some())
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accept.contains("text/html")
}

fn unbuilt() -> Response {
    let mut response = Body::from(UNBUILT).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn answer(path: &str, file: &EmbeddedFile, request: &HeaderMap) -> Response {
    let compressed = accepts_brotli(request)
        .then(|| Dist::get(&format!("{path}.br")))
        .flatten();
    let etag = etag(file, compressed.is_some());
    let mut response = if is_known(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = compressed.as_ref().unwrap_or(file).data.clone();
        let mut response = match body {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        }
        .into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
        if compressed.is_some() {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(if has_hash(path) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn etag(file: &EmbeddedFile, compressed: bool) -> String {
    let hash: String = file.metadata.sha256_hash()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if compressed {
        format!("\"{hash}-br\"")
    } else {
        format!("\"{hash}\"")
    }
}

fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let known = request
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    known
        .split(',')
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == etag || one == "*")
}

fn accepts_brotli(request: &HeaderMap) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("br")
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Trunk writes `NAME-HASH.EXT` and `NAME-HASH_bg.wasm`, the hash being a number of 64 bits in hexadecimal without
/// leading zeros. Twelve digits are enough to tell one from a word.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, rest)) = name.split_once('-') else {
        return false;
    };
    rest.split(['-', '.', '_']).any(|part| {
        (12..=16).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_trunks_hash_are_cached_for_good() {
        assert!(has_hash("frontend-0123456789abcdef.js"));
        assert!(has_hash("frontend-0123456789abcdef_bg.wasm"));
        assert!(
            has_hash("boot-123456789abcdef.js"),
            "a leading zero is not written"
        );
        for plain in [
            "index.html",
            "favicon.svg",
            "a-0123456789a.js",
            "z-0123456789ABCDEF.js",
            "config.json",
        ] {
            assert!(!has_hash(plain), "{plain}");
        }
    }

    #[test]
    fn brotli_is_sent_only_to_who_takes_it() {
        let accepts = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
            accepts_brotli(&headers)
        };
        assert!(accepts("gzip, deflate, br, zstd"));
        assert!(accepts("br;q=0.5"));
        assert!(!accepts("gzip, br;q=0"));
        assert!(!accepts("gzip"));
        assert!(!accepts("brotli"));
    }

    #[test]
    fn an_unchanged_file_is_known_by_its_tag() {
        let known = |text: &'static str| {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(text))]);
            is_known(&headers, "\"ab\"")
        };
        assert!(known("\"ab\"") && known("\"x\", W/\"ab\"") && known("*"));
        assert!(!known("\"abc\"") && !known(""));
    }
}
