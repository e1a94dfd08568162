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
