//! Datasets: upload, findings by line, statistics and preview.

use crate::{
    id::DatasetId,
    timestamp::Timestamp,
    training_line::{Example, FileCheck, Finding, Message},
};
use serde::{Deserialize, Serialize};
use std::{num::NonZeroU32, ops::RangeInclusive};

/// Where a dataset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DatasetStatus {
    /// Its bytes are still coming.
    Uploading,
    /// Its lines are being read.
    Validating,
    /// A job can use it.
    Ready,
    /// A job can't: see its report.
    Error,
}

/// One dataset: a file with purpose `fine-tune`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dataset {
    /// Names it, here and on /v1.
    pub id: DatasetId,
    /// What its owner called it, 1 to 200 characters.
    pub name: String,
    /// The name of the file that was uploaded.
    pub filename: String,
    /// Size of the file.
    pub bytes: u64,
    /// Where it stands.
    pub status: DatasetStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// Number of examples, once it has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub examples: Option<u64>,
    /// Number of findings that make it unusable, once it has been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// The way to train that its lines are for, once they have been read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<crate::run::Method>,
    /// Number of jobs that name it. While one of them hasn't ended, it can't be deleted.
    #[serde(default)]
    pub used_by: u64,
}

/// The body of `POST /api/datasets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDataset {
    /// What to call it.
    pub name: String,
    /// The file's name.
    pub filename: String,
    /// The file's size, which the upload must match.
    pub bytes: u64,
}

/// The answer of `POST /api/datasets`: where to put the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedDataset {
    /// The dataset, still `uploading`.
    pub dataset: Dataset,
    /// Where to put the bytes.
    pub upload: UploadTarget,
}

/// Where to put a dataset's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadTarget {
    /// Relative to the server's address.
    pub url: String,
    /// Always `PUT`. With `Content-Range: bytes A-B/TOTAL` it goes on where an upload was cut.
    pub method: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// The answer of a `PUT` to an upload's address, and of a `GET` there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadProgress {
    /// Bytes that are safe on the server, from the start of the file.
    pub received: u64,
    /// Bytes that the file has.
    pub bytes: u64,
}

/// `GET /api/datasets`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetList {
    /// All of the subject's.
    pub datasets: Vec<Dataset>,
}

/// `GET /api/datasets/{id}/report`: what reading the file found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetReport {
    /// The format of most lines; absent where none could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<crate::training_line::LineFormat>,
    /// Lines that are not blank.
    pub lines: u64,
    /// Lines that are examples.
    pub examples: u64,
    /// Messages of all examples.
    pub messages: u64,
    /// Examples whose text occurred before.
    pub duplicates: u64,
    /// Findings that make the file unusable, in all.
    pub errors: u64,
    /// Findings worth a look, in all.
    pub warnings: u64,
    /// The first findings, by line; at most 1,000.
    pub findings: Vec<Finding>,
}

/// The query of `GET /api/datasets/{id}/preview`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default)]
pub struct PreviewQuery {
    /// Show the lines around this one, from 1, in place of the first examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    // The document's `int32` would be a number with a sign.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u64>, minimum = 1, maximum = 4_294_967_295_i64))]
    pub line: Option<NonZeroU32>,
}

/// `GET /api/datasets/{id}/preview`: the first examples, or the lines around one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetPreview {
    /// The first examples, at most 20, long contents cut to 2,000 characters. Around a line: that line, four before it and five
    /// after it; one that is no example is a message without a role, as it stands.
    pub examples: Vec<PreviewExample>,
}

impl DatasetPreview {
    /// How many examples are shown at most.
    pub const EXAMPLES: usize = 20;
    /// Characters of a message that are shown.
    const CHARACTERS: usize = 2_000;

    /// The lines that are shown around one.
    #[must_use]
    pub fn around(line: u64) -> RangeInclusive<u64> {
        line.saturating_sub(4).max(1)..=line.saturating_add(5)
    }
}

/// One example of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewExample {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its messages in order; of a preference pair they end in the preferred answer.
    pub messages: Vec<PreviewMessage>,
    /// Of a preference pair, the other answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_preferred: Option<PreviewMessage>,
}

/// One message of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewMessage {
    /// Who speaks.
    pub role: String,
    /// What they say.
    pub content: String,
    /// The message ends in an ellipsis because it is longer than shown.
    #[serde(default)]
    pub cut: bool,
}

/// A text as it is shown, and whether it was cut.
fn shown(text: &str) -> (String, bool) {
    let mut content: String = text.chars().take(DatasetPreview::CHARACTERS).collect();
    let cut = content.len() < text.len();
    if cut {
        content.push('…');
    }
    (content, cut)
}

impl PreviewExample {
    /// A line of a file, whatever it holds.
    #[must_use]
    pub fn of_line(number: u64, line: &[u8]) -> Self {
        if let Some(example) = FileCheck::new().read_line(line) {
            return Self::of(number, &example);
        }
        let (content, cut) = shown(&String::from_utf8_lossy(line));
        let role = String::new();
        Self {
            line: number,
            messages: vec![PreviewMessage { role, content, cut }],
            non_preferred: None,
        }
    }

    /// The line as it stands, of one that is no example.
    #[must_use]
    pub fn raw(&self) -> Option<&str> {
        match self.messages.as_slice() {
            [only] if only.role.is_empty() => Some(&only.content),
            _ => None,
        }
    }

    /// The example that a line is.
    #[must_use]
    pub fn of(line: u64, example: &Example) -> Self {
        let message = |message: &Message| {
            let (content, cut) = shown(&message.content);
            let role = serde_json::to_value(message.role).ok();
            let role = role.and_then(|role| role.as_str().map(str::to_owned));
            PreviewMessage {
                role: role.unwrap_or_default(),
                content,
                cut,
            }
        };
        Self {
            line,
            messages: example.messages.iter().map(message).collect(),
            non_preferred: example.non_preferred.as_ref().map(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_as_an_example_or_as_it_stands() {
        let line = br#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
        let example = PreviewExample::of_line(7, line);
        assert_eq!(
            (example.line, example.messages.len(), example.raw()),
            (7, 2, None)
        );
        let broken = PreviewExample::of_line(8, b"{\"messages\": \xff");
        assert_eq!(broken.raw(), Some("{\"messages\": \u{fffd}"));
        let long = PreviewExample::of_line(9, "x".repeat(3_000).as_bytes());
        assert_eq!(long.raw().map(|raw| raw.chars().count()), Some(2_001));
        assert!(long.messages[0].cut);
    }

    #[test]
    fn the_lines_around_one_begin_with_the_first() {
        assert_eq!(DatasetPreview::around(2), 1..=7);
        assert_eq!(DatasetPreview::around(40), 36..=45);
        assert_eq!(DatasetPreview::around(u64::MAX).end(), &u64::MAX);
    }
}
