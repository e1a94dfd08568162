//! Reads JSON into the shared types and writes it, small in code.
//!
//! A text becomes a [`tree`] once, and each type is read from it by a [`record`] of its fields, a fraction of what serde's
//! derived readers weigh. Every type reads as `serde_json` reads it, but for two that no answer of `/api` needs: an unknown
//! field is never refused, and a field that stands twice is taken as it stands first.

pub mod record;
mod records;
pub mod tree;
mod write;

use record::FromTree;
use std::fmt;
pub use tree::{Tree, parse};
pub use write::write;

/// Why a text could not be read, or a value not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Unreadable {
    #[cold]
    fn expected(wanted: &str, tree: &Tree<'_>, name: &str) -> Self {
        let found = match tree {
            Tree::Null => "nothing",
            Tree::Bool(_) => "true or false",
            Tree::Number(text) => text,
            Tree::Text(text) => text,
            Tree::List(_) => "a list",
            Tree::Object(_) => "an object",
        };
        Self(format!("expected {wanted} in `{name}`, found {found}"))
    }

    #[cold]
    fn missing(name: &str) -> Self {
        Self(format!("there is no `{name}`"))
    }
}

impl serde::ser::Error for Unreadable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a text.
///
/// # Errors
/// Where it is no JSON, or not of this type.
pub fn read<T: FromTree>(text: &str) -> Result<T, Unreadable> {
    record::read(&parse(text)?, None)
}

/// Reads one field of an object.
///
/// # Errors
/// As [`read`], and where there is no such field.
pub fn read_field<T: FromTree>(text: &str, field: &str) -> Result<T, Unreadable> {
    record::read(&parse(text)?, Some(field))
}

#[cfg(test)]
mod tests {
    use super::read;
    use shared::{
        capabilities::Capabilities,
        dataset::{CreatedDataset, DatasetPreview, DatasetReport},
        event::{CheckpointList, EventList},
        job::JobList,
        metrics::Metrics,
        model::{ArtifactList, ModelList},
        problem::Problem,
        session::Session,
        step_examples::StepExamples,
    };

    fn as_serde_reads<T: serde::de::DeserializeOwned + super::FromTree + PartialEq + std::fmt::Debug>(
        text: &str,
    ) {
        let expected: T = serde_json::from_str(text).expect("serde_json reads it");
        assert_eq!(read::<T>(text), Ok(expected));
    }

    #[test]
    fn every_kind_of_answer_reads_as_with_serde_json() {
        as_serde_reads::<Capabilities>(
            &serde_json::to_string(&Capabilities::engine()).expect("it is written"),
        );
        as_serde_reads::<Metrics>(
            r#"{"from":1,"to":3,"curves":[{"series":"train_loss","total_points":3,"steps":[1,2,3],"values":[1,null,0.5]}]}"#,
        );
        as_serde_reads::<Metrics>(
            r#"{"from":1,"to":3,"curves":[],"times":{"steps":[1,3],"elapsed_ms":[0,1500]}}"#,
        );
        as_serde_reads::<JobList>(
            r#"{"jobs":[{"id":"a","name":"n","base_model":"m","status":"running","created_at":"2026-11-21T12:00:00Z",
            "learning_rate":2e-4,"unknown":[{"x":1}],"hyperparameters":{"method":"supervised","batch_size":8,
            "gradient_accumulation":1,"schedule":"linear","lora":{"rank":16,"alpha":32,"targets":["q_proj"]},
            "max_sequence_length":256,"seed":18446744073709551615},"progress":{"stage":"training","step":1,
            "total_steps":2,"epoch":0}}],"summary":{"running":1,"queued":0,"paused":0,"completed":0,"failed":0,
            "cancelled":0,"total":1},"next_cursor":null,"outlook":{"next_starts_in_ms":7,"trained_tokens_in_month":8}}"#,
        );
        as_serde_reads::<DatasetReport>(
            r#"{"format":"chat","lines":1,"examples":1,"messages":2,"duplicates":0,"errors":1,"warnings":0,
            "findings":[{"line":0,"severity":"error","code":"c","message":"m","advice":"a"}]}"#,
        );
        as_serde_reads::<ModelList>(r#"{"models":[{"id":"m","display_name":"M"}]}"#);
        as_serde_reads::<Problem>(
            r#"{"title":"t","status":400,"code":"c","fields":{"a":"b"},"field_codes":{"e":{"code":"x","params":{"min":"1"}}}}"#,
        );
        as_serde_reads::<ArtifactList>(
            r#"{"artifacts":[{"id":"a","job_id":"j","name":"n","fine_tuned_model":"f","base_model":"m","created_at":"2026-11-21T12:00:00.5+01:00",
            "bytes":9007199254740993,"files":[{"name":"x\u00fc","bytes":1,"sha256":""}]}]}"#,
        );
        as_serde_reads::<EventList>(
            r#"{"events":[{"id":"e","created_at":"2026-11-21T12:00:00Z","level":"warn","message":"m"}],"next_cursor":"c"}"#,
        );
        as_serde_reads::<CheckpointList>(
            r#"{"checkpoints":[{"id":"c","step":1,"created_at":"2026-11-21T12:00:00Z","bytes":2,"valid_loss":null,"train_loss":1e-3}]}"#,
        );
        as_serde_reads::<DatasetPreview>(
            r#"{"examples":[{"line":1,"messages":[{"role":"user","content":"c"},{"role":"user","content":"c","cut":true}]}]}"#,
        );
        as_serde_reads::<StepExamples>(
            r#"{"step":7,"epoch":2,"total_steps":9,"examples":[{"example":{"line":1,"messages":[{"role":"user","content":"c"}],
            "non_preferred":{"role":"assistant","content":"d"}},"tokens":3,"target_tokens":1},{"example":{"line":4,"messages":[]}}]}"#,
        );
        as_serde_reads::<CreatedDataset>(
            r#"{"dataset":{"id":"d","name":"n","filename":"f","bytes":1,"status":"ready","created_at":"2026-11-21T12:00:00Z",
            "examples":1,"used_by":2},"upload":{"url":"u","method":"PUT","expires_at":"2026-11-21T12:00:00Z"}}"#,
        );
        as_serde_reads::<Session>(r#"{"subject":"local","provider":"local"}"#);
    }

    #[test]
    fn what_is_not_of_the_type_says_what_was_expected() {
        let error = |text: &str| read::<Metrics>(text).expect_err("it is refused").to_string();
        assert!(error("{").contains("byte 1"));
        assert!(
            error(r#"{"from":"one"}"#).contains("whole number"),
            "{}",
            error(r#"{"from":"one"}"#)
        );
        assert!(error("[]").contains("an object"));
        assert!(error("{}").contains("from"));
    }
}
