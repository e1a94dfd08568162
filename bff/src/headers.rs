//! Headers that every answer carries, and the content security policy.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The headers, made once at start.
#[derive(Clone)]
pub struct SecurityHeaders(Arc<[(HeaderName, HeaderValue)]>);

/// For answers that are saved and never shown: whatever they hold, it can run nothing.
pub const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

impl SecurityHeaders {
    /// The headers for an index page, whose inline scripts are allowed by their hashes.
    #[must_use]
    pub fn new(index: &str, encrypted: bool) -> Self {
        let mut headers = vec![
            (header::CONTENT_SECURITY_POLICY, policy(index)),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-site"),
            ),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ),
        ];
        if encrypted {
            headers.push((
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000"),
            ));
        }
        Self(headers.into())
    }

    /// Adds the headers where the answer hasn't its own.
    pub(crate) fn add(&self, answer: &mut HeaderMap) {
        answer.reserve(self.0.len());
        for (name, value) in self.0.iter() {
            answer.entry(name).or_insert_with(|| value.clone());
        }
    }
}

fn policy(index: &str) -> HeaderValue {
    let mut scripts = String::from("'self' 'wasm-unsafe-eval'");
    for script in inline_scripts(index) {
        scripts.push_str(" 'sha256-");
        scripts.push_str(&BASE64_STANDARD.encode(Sha256::digest(script.as_bytes())));
        scripts.push('\'');
    }
    let policy = format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; script-src {scripts}; \
         style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'"
    );
    // Base64 and literals: always a header's value. The strictest policy stands in for what can't happen.
    HeaderValue::from_str(&policy).unwrap_or(SANDBOX)
}

/// The contents of every `<script>` without `src`.
fn inline_scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find("<script") {
        let tag = &rest[start..];
        let Some(tag_end) = tag.find('>') else { break };
        let content = &tag[tag_end + 1..];
        let Some(end) = content.find("</script") else {
            break;
        };
        let attributes = &tag[..tag_end];
        if !attributes.contains(" src=") {
            scripts.push(&content[..end]);
        }
        rest = &content[end..];
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "<html><head><script src=\"/a.js\"></script>\n<script type=\"module\">\nimport init from '/a.js';\n</script>\
                         <script nonce=\"\">2</script></head></html>";

    #[test]
    fn only_inline_scripts_are_found_with_their_exact_text() {
        assert_eq!(inline_scripts(INDEX), ["\nimport init from '/a.js';\n", "2"]);
    }

    #[test]
    fn the_policy_allows_each_inline_script_by_its_hash_and_nothing_else_inline() {
        let policy = policy("<script>alert(1)</script>");
        let policy = policy.to_str().expect("text");
        // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
        insta::assert_snapshot!(policy, @"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; script-src 'self' 'wasm-unsafe-eval' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn an_unfinished_page_is_no_trouble() {
        assert_eq!(inline_scripts("<script"), Vec::<&str>::new());
        assert_eq!(inline_scripts("<script>alert(1)"), Vec::<&str>::new());
    }
}
