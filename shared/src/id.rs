//! Identifiers as types of their own, so that a dataset's id can't be passed where a job's belongs.
//!
//! An upstream's id is opaque: nothing here parses it, and whoever puts one into an address encodes it as
//! one path segment (see [`encode_segment`]).

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an identifier as it came.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }
    };
}

id!(
    /// A fine-tuning job (`ftjob-…` on the embedded engine).
    JobId
);
id!(
    /// A dataset, which is a file with purpose `fine-tune` (`file-…` on the embedded engine).
    DatasetId
);
id!(
    /// One entry of a job's event log (`ftevent-…`).
    EventId
);
id!(
    /// A saved state of a job (`ftckpt_…`).
    CheckpointId
);
id!(
    /// What a finished job made (`art-…`).
    ArtifactId
);
id!(
    /// An address that is told when a job ends (`wh-…`).
    WebhookId
);
id!(
    /// A key of `/v1` (`key-…`); not its secret.
    ApiKeyId
);
id!(
    /// Who owns a row: the local user, or a user of an identity provider.
    Subject
);

/// Encodes an opaque identifier as exactly one path segment: everything but letters, digits, `-`, `_`, `~` and
/// inner dots becomes `%XX`.
#[must_use]
pub fn encode_segment(id: &str) -> String {
    let only_dots = id.bytes().all(|byte| byte == b'.');
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'.' if !only_dots => encoded.push('.'),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                encoded.push('%');
                encoded.push(char::from(HEX[usize::from(byte >> 4)]));
                encoded.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(segment: &str) -> Vec<u8> {
        let mut bytes = segment.bytes();
        let mut decoded = Vec::new();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                decoded.push(u8::from_str_radix(&hex, 16).expect("two hexadecimal digits"));
            } else {
                decoded.push(byte);
            }
        }
        decoded
    }

    #[test]
    fn an_id_is_one_segment_whatever_it_holds() {
        assert_eq!(encode_segment("ftjob-Ab_9~"), "ftjob-Ab_9~");
        assert_eq!(encode_segment("../a b?c#d"), "..%2Fa%20b%3Fc%23d");
        assert_eq!(encode_segment(".."), "%2E%2E");
        assert_eq!(encode_segment("v1.2"), "v1.2");
    }

    #[test]
    fn ids_are_plain_strings_on_the_wire() {
        assert_eq!(
            serde_json::to_string(&JobId::new("a")).ok().as_deref(),
            Some("\"a\"")
        );
        assert_eq!(
            serde_json::from_str::<DatasetId>("\"b\"").ok(),
            Some(DatasetId::from("b"))
        );
        assert!(serde_json::from_str::<EventId>("1").is_err());
    }

    proptest! {
        #[test]
        fn encoding_loses_nothing_and_leaves_no_separator(id in any::<String>()) {
            let segment = encode_segment(&id);
            prop_assert!(!segment.contains(['/', '?', '#', '\\']) && segment != "." && segment != "..");
            prop_assert_eq!(decode(&segment), id.as_bytes());
        }
    }
}
