//! What the static host sends beside the files: the headers that the server sends with its own page (a test compares
//! them), with the server's origin among the places that the page may ask.

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Names and values, in the order of the server's.
pub(super) type Headers = Vec<(&'static str, String)>;

/// The headers of a page.
///
/// # Errors
/// The page has no inline script, so it isn't trunk's.
pub(super) fn of(index: &str, api_url: &str) -> Result<Headers> {
    let script = inline_script(index).context("index.html has no inline script")?;
    let hash = base64(&Sha256::digest(script.as_bytes()));
    let connect = if api_url.is_empty() {
        "'self'".to_owned()
    } else {
        format!("'self' {api_url}")
    };
    let policy = format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
         script-src 'self' 'wasm-unsafe-eval' 'sha256-{hash}'; style-src 'self'; img-src 'self' data: blob:; \
         connect-src {connect}; manifest-src 'self'"
    );
    let fixed = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-site"),
        (
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    let mut headers = vec![("Content-Security-Policy", policy)];
    headers.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    Ok(headers)
}

/// For `/etc/nginx/conf.d/`.
pub(super) fn nginx(headers: &Headers, path: &str) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        // Writing to a String can't fail.
        let _infallible = writeln!(lines, "        add_header {name} \"{value}\" always;");
    }
    let bare = if path.is_empty() {
        String::new()
    } else {
        format!("    location = {path} {{ return 301 {path}/; }}\n")
    };
    format!(
        "# Made by `cargo xtask dist` for this build of the page: the policy names its script by hash.\n\
         # Put the content of page/ into /srv/attune{path}, and set name and TLS as everywhere.\n\
         map $uri $attune_cache {{\n    default \"no-cache\";\n    \
         \"~-[0-9a-f]{{12,16}}(_bg)?[.]\" \"public, max-age=31536000, immutable\";\n}}\n\
         server {{\n    listen 80;\n    server_name app.example.com;\n    include mime.types;\n    gzip on;\n    gzip_types *;\n\n{bare}    \
         location {path}/ {{\n        root /srv/attune;\n        try_files $uri {path}/index.html;\n        \
         add_header Cache-Control $attune_cache always;\n{lines}    }}\n}}\n"
    )
}

/// A site of Caddy's.
pub(super) fn caddy(headers: &Headers, path: &str) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        let _infallible = writeln!(lines, "\t\t\t{name} \"{value}\"");
    }
    let bare = if path.is_empty() {
        String::new()
    } else {
        format!("\tredir {path} {path}/\n")
    };
    format!(
        "# Made by `cargo xtask dist` for this build of the page: the policy names its script by hash.\n\
         # Put the content of page/ into /srv/attune{path}.\n\
         app.example.com {{\n{bare}\thandle_path {path}/* {{\n\t\troot * /srv/attune{path}\n\t\theader {{\n{lines}\t\t}}\n\
         \t\t@hashed {{\n\t\t\tfile\n\t\t\tpath_regexp -[0-9a-f]{{12,16}}(_bg)?[.]\n\t\t}}\n\
         \t\t@others not {{\n\t\t\tfile\n\t\t\tpath_regexp -[0-9a-f]{{12,16}}(_bg)?[.]\n\t\t}}\n\
         \t\theader @others Cache-Control no-cache\n\
         \t\theader @hashed Cache-Control \"public, max-age=31536000, immutable\"\n\
         \t\ttry_files {{path}} /index.html\n\t\tfile_server {{\n\t\t\tprecompressed br\n\t\t}}\n\t}}\n}}\n"
    )
}

/// The text of the one script that is in the page itself.
fn inline_script(index: &str) -> Option<&str> {
    let mut rest = index;
    loop {
        let (_, tag) = rest.split_once("<script")?;
        let (attributes, content) = tag.split_once('>')?;
        let (script, after) = content.split_once("</script")?;
        if !attributes.contains(" src=") {
            return Some(script);
        }
        rest = after;
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = 0_u32;
        for position in 0..3 {
            bits = bits << 8 | u32::from(group.get(position).copied().unwrap_or(0));
        }
        for position in 0..4_usize {
            let letter = LETTERS[(bits >> (18 - 6 * position) & 63) as usize];
            text.push(if position <= group.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_inline_script_by_its_hash() {
        let index = "<script src=/boot.js></script><script type=module>alert(1)</script>";
        let headers = of(index, "").unwrap();
        // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert!(
            headers[0]
                .1
                .contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='")
        );
        assert!(headers[0].1.contains("connect-src 'self';"));
        assert!(of("<script src=/boot.js></script>", "").is_err());
    }

    /// Caddy matches before `try_files` sends index.html for what isn't there; nginx looks at what it sends.
    #[test]
    fn caddy_lets_only_files_that_are_there_be_kept() {
        let text = caddy(&Headers::new(), "");
        for matcher in ["@hashed {", "@others not {"] {
            let (_, after) = text.split_once(matcher).unwrap();
            let (conditions, _) = after.split_once('}').unwrap();
            let mut conditions = conditions.split_whitespace();
            assert_eq!(
                (conditions.next(), conditions.next()),
                (Some("file"), Some("path_regexp"))
            );
        }
    }

    #[test]
    fn base64_pads_what_is_no_multiple_of_three() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
