//! Offline runs of Weights & Biases, as its own client writes them and `wandb sync` uploads them.
//!
//! A run is one file of records ([`record`], protocol buffers) in blocks with checksums ([`log`], the log format of
//! `LevelDB`). Only what a finished job has is written: its settings, its steps, its end. Nothing is sent from here.
//! Source: the published client, `wandb/proto/wandb_internal.proto` and the files that its version 0.31 writes.

mod log;
mod record;

use log::LogWriter;
use prost::Message as _;
use record::{Item, Kind, Record};
use serde_json::Value;
use shared::{run::StepMetrics, timestamp::Timestamp, wandb::Wandb};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// The oldest client that can read what is written here.
const OLDEST_READER: &str = "0.12.0";

/// What a run is, besides its steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// Names it within its project: a run that is uploaded twice is one.
    pub(crate) id: String,
    pub(crate) wandb: Wandb,
    /// What it is called unless `wandb` tells.
    pub(crate) name: String,
    pub(crate) started_at: Timestamp,
    pub(crate) config: Vec<(&'static str, Value)>,
}

impl Run {
    /// The run's folder, as the client would name it: with the time at which it began, in UTC.
    pub(crate) fn folder(&self) -> String {
        let text = self.started_at.to_rfc3339();
        let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
        let (date, time) = digits.split_at_checked(8).unwrap_or((&digits, ""));
        format!("offline-run-{date}_{time}-{}", self.id)
    }

    /// Its file in that folder.
    pub(crate) fn file(&self) -> String {
        format!("run-{}.wandb", self.id)
    }
}

/// Writes a run: what it is, then each step, then its end.
pub(crate) struct RunWriter<W> {
    log: LogWriter<W>,
    started_at: Timestamp,
    records: i64,
    /// What was measured last, by name.
    newest: BTreeMap<&'static str, String>,
}

impl<W: Write> RunWriter<W> {
    /// Begins a run.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub(crate) fn begin(out: W, run: &Run) -> io::Result<Self> {
        let mut writer = Self {
            log: LogWriter::begin(out)?,
            started_at: run.started_at,
            records: 0,
            newest: BTreeMap::new(),
        };
        let producer = concat!("attune-", env!("CARGO_PKG_VERSION")).to_owned();
        writer.write(Kind::Header(record::Header {
            version_info: Some(record::VersionInfo {
                producer,
                min_consumer: OLDEST_READER.to_owned(),
            }),
        }))?;
        let config = run.config.iter().map(|(name, value)| record::ConfigItem {
            key: (*name).to_owned(),
            value_json: value.to_string(),
        });
        writer.write(Kind::Run(record::Run {
            run_id: run.id.clone(),
            entity: run.wandb.entity.clone().unwrap_or_default(),
            project: run.wandb.project.clone(),
            config: Some(record::Config {
                update: config.collect(),
            }),
            display_name: run.wandb.name.clone().unwrap_or_else(|| run.name.clone()),
            tags: run.wandb.tags.clone(),
            start_time: Some(record::Time {
                seconds: run.started_at.unix_seconds(),
                nanos: i32::try_from(run.started_at.unix_ms().rem_euclid(1000) * 1_000_000).unwrap_or(0),
            }),
        }))?;
        Ok(writer)
    }

    /// Adds a step. What is not a number is left out, as the client has no word for it.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub(crate) fn step(&mut self, recorded_at: Timestamp, metrics: &StepMetrics) -> io::Result<()> {
        let since_ms = recorded_at.unix_ms().saturating_sub(self.started_at.unix_ms());
        let mut items: Vec<(&'static str, String)> = vec![
            ("_step", metrics.step.to_string()),
            ("_timestamp", seconds(recorded_at.unix_ms())),
            ("_runtime", seconds(since_ms.max(0))),
            ("tokens", metrics.tokens.to_string()),
        ];
        items.extend(
            measured(metrics)
                .filter(|(_, value)| value.is_finite())
                .map(|(name, value)| (name, value.to_string())),
        );
        for (name, value) in &items {
            self.newest.insert(name, value.clone());
        }
        let item = items.into_iter().map(Item::from).collect();
        let num = i64::try_from(metrics.step).unwrap_or(i64::MAX);
        self.write(Kind::History(record::History {
            item,
            step: Some(record::Step { num }),
        }))
    }

    /// Ends the run with what was measured last and how it ended, and hands back where it was written to.
    ///
    /// # Errors
    /// Whatever writing fails with.
    pub(crate) fn end(mut self, finished_at: Timestamp, exit_code: i32) -> io::Result<W> {
        let ran_ms = finished_at
            .unix_ms()
            .saturating_sub(self.started_at.unix_ms())
            .max(0);
        let update = std::mem::take(&mut self.newest)
            .into_iter()
            .map(Item::from)
            .collect();
        self.write(Kind::Summary(record::Summary { update }))?;
        self.write(Kind::Exit(record::Exit {
            exit_code,
            runtime: i32::try_from(ran_ms / 1000).unwrap_or(i32::MAX),
        }))?;
        Ok(self.log.into_inner())
    }

    fn write(&mut self, kind: Kind) -> io::Result<()> {
        self.records += 1;
        let record = Record {
            num: self.records,
            kind: Some(kind),
        };
        self.log.write(&record.encode_to_vec())
    }
}

/// Milliseconds as seconds.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// What was measured at a step, under the names that events of /v1 have.
fn measured(metrics: &StepMetrics) -> impl Iterator<Item = (&'static str, f64)> {
    let always = [
        ("epoch", metrics.epoch),
        ("train_loss", metrics.train_loss),
        ("train_mean_token_accuracy", metrics.train_token_accuracy),
        ("learning_rate", metrics.learning_rate),
        ("gradient_norm", metrics.gradient_norm),
    ];
    let validated = [
        ("valid_loss", metrics.valid_loss),
        ("valid_mean_token_accuracy", metrics.valid_token_accuracy),
    ];
    let rewards = metrics.rewards.into_iter().flat_map(|rewards| {
        [
            ("reward_chosen", rewards.chosen),
            ("reward_rejected", rewards.rejected),
            ("reward_margin", rewards.margin),
            ("reward_accuracy", rewards.accuracy),
        ]
    });
    let valid_rewards = metrics.valid_rewards.into_iter().flat_map(|rewards| {
        [
            ("valid_reward_chosen", rewards.chosen),
            ("valid_reward_rejected", rewards.rejected),
            ("valid_reward_margin", rewards.margin),
            ("valid_reward_accuracy", rewards.accuracy),
        ]
    });
    always
        .into_iter()
        .chain(
            validated
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .chain(rewards)
        .chain(valid_rewards)
}

#[cfg(test)]
pub(crate) mod tests;
