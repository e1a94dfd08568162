//! The records of a run, as far as they are written here. Numbers and names are those of the client's
//! `wandb_internal.proto`; a field that isn't here has its default there.

use prost::{Message, Oneof};

/// One entry of a run's file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Record {
    /// Counts the records from 1.
    #[prost(int64, tag = "1")]
    pub(super) num: i64,
    #[prost(oneof = "Kind", tags = "2, 3, 17, 18, 21")]
    pub(super) kind: Option<Kind>,
}

/// What an entry tells.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Kind {
    /// What was measured at a step.
    #[prost(message, tag = "2")]
    History(History),
    /// What was measured last.
    #[prost(message, tag = "3")]
    Summary(Summary),
    /// What the run is.
    #[prost(message, tag = "17")]
    Run(Run),
    /// How it ended.
    #[prost(message, tag = "18")]
    Exit(Exit),
    /// Who wrote this.
    #[prost(message, tag = "21")]
    Header(Header),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Header {
    #[prost(message, optional, tag = "1")]
    pub(super) version_info: Option<VersionInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct VersionInfo {
    #[prost(string, tag = "1")]
    pub(super) producer: String,
    /// The oldest client that may read it.
    #[prost(string, tag = "2")]
    pub(super) min_consumer: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Run {
    #[prost(string, tag = "1")]
    pub(super) run_id: String,
    #[prost(string, tag = "2")]
    pub(super) entity: String,
    #[prost(string, tag = "3")]
    pub(super) project: String,
    #[prost(message, optional, tag = "4")]
    pub(super) config: Option<Config>,
    #[prost(string, tag = "8")]
    pub(super) display_name: String,
    #[prost(string, repeated, tag = "10")]
    pub(super) tags: Vec<String>,
    #[prost(message, optional, tag = "17")]
    pub(super) start_time: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Config {
    #[prost(message, repeated, tag = "1")]
    pub(super) update: Vec<ConfigItem>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigItem {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "16")]
    pub(super) value_json: String,
}

/// An instant, as all protocol buffers have it.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct History {
    #[prost(message, repeated, tag = "1")]
    pub(super) item: Vec<Item>,
    #[prost(message, optional, tag = "2")]
    pub(super) step: Option<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Step {
    #[prost(int64, tag = "1")]
    pub(super) num: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) update: Vec<Item>,
}

/// A value by its name; the same in history and summary.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Item {
    /// Its path, which has one part here. The client itself writes names so.
    #[prost(string, repeated, tag = "2")]
    pub(super) nested_key: Vec<String>,
    #[prost(string, tag = "16")]
    pub(super) value_json: String,
}

impl From<(&'static str, String)> for Item {
    fn from((name, value_json): (&'static str, String)) -> Self {
        Self {
            nested_key: vec![name.to_owned()],
            value_json,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Exit {
    #[prost(int32, tag = "1")]
    pub(super) exit_code: i32,
    /// Seconds.
    #[prost(int32, tag = "2")]
    pub(super) runtime: i32,
}
