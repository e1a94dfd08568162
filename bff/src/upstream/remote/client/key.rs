//! Our key in what an upstream says: nobody behind here gets to see it.

use memchr::{memchr, memmem};

/// An answer with our key hidden wherever it is repeated ("the key … is unknown").
pub(super) fn without_key(body: Vec<u8>, key: &[u8]) -> Vec<u8> {
    let finder = memmem::Finder::new(key);
    let Some(first) = finder.find(&body) else {
        return body;
    };
    tracing::warn!("the upstream repeats its key in an answer; it is hidden");
    let mut hidden = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    let mut next = Some(first);
    while let Some(position) = next {
        hidden.extend_from_slice(&rest[..position]);
        hidden.extend_from_slice(b"[hidden]");
        rest = &rest[position + key.len()..];
        next = finder.find(rest);
    }
    hidden.extend_from_slice(rest);
    hidden
}

/// The body with JSON's escapes undone, for a search alone; empty where it has none.
fn unescaped(body: &[u8]) -> Vec<u8> {
    if memchr(b'\\', body).is_none() {
        return Vec::new();
    }
    let mut plain = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        let unit = after
            .get(..4)
            .filter(|_| letter == b'u')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match unit {
            Some(unit) => {
                rest = &after[4..];
                // A key is ASCII: a half of a surrogate pair is no part of it.
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => plain.push(letter),
        }
    }
    plain
}

/// Whether an answer repeats our key in JSON's escapes.
pub(super) fn repeats_key(body: &[u8], key: &[u8]) -> bool {
    memmem::find(&unescaped(body), key).is_some()
}

#[cfg(test)]
mod tests {
    use super::{repeats_key, without_key};

    #[test]
    fn a_key_that_is_repeated_is_hidden_each_time_and_nothing_else_changes() {
        let hidden = |text: &str| {
            let bytes = without_key(text.as_bytes().to_vec(), b"the-key");
            String::from_utf8(bytes).expect("text")
        };
        assert_eq!(
            hidden(r#"{"error":"the-key, the-key? the-ke"}"#),
            r#"{"error":"[hidden], [hidden]? the-ke"}"#
        );
        assert_eq!(hidden("the-key"), "[hidden]");
        assert_eq!(hidden("no key"), "no key");
    }

    #[test]
    fn a_key_in_jsons_escapes_is_found() {
        let found = |body: &str| repeats_key(body.as_bytes(), b"ab+c/d");
        for body in [
            r#"{"error":"ab+c\/d"}"#,
            r#"{"error":"x ab\u002bc/d"}"#,
            r#"{"error":"\u0061\u0062\u002Bc\/d y"}"#,
        ] {
            assert!(found(body), "{body}");
        }
        for body in [r#"{"error":"a\nb"}"#, r#"{"error":"ab\u00"#, "\\", "ab\\u"] {
            assert!(!found(body), "{body}");
        }
    }
}
