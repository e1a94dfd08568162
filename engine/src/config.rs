//! What the engine is told when it starts.

use crate::{executor::child::Limits, inference::InferenceConfig, models::HubConfig};
use std::path::PathBuf;

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct Config {
    /// Holds everything that the engine keeps: database, blobs, runs, the bundled model.
    pub data_dir: PathBuf,
    /// Further base models: each folder in it with a `config.json` is one.
    pub models_dir: Option<PathBuf>,
    /// How many trainers work at once.
    pub max_running: usize,
    /// Worker threads of a trainer; 0 takes as many as the machine has.
    pub threads: u32,
    /// How many of a run's newest checkpoints stay, besides the one with the lowest validation loss; 0 keeps all.
    pub keep_checkpoints: u32,
    /// Largest file in bytes that is taken.
    pub max_file_bytes: u64,
    /// How long `shutdown` waits for trainers to write their checkpoints.
    pub shutdown_grace: std::time::Duration,
    /// How often a running trainer is asked for a checkpoint.
    pub checkpoint_interval: std::time::Duration,
    /// How long a trainer may tell nothing before it is taken for dead and started again.
    pub longest_silence: std::time::Duration,
    /// How often a job at work is looked at for alerts that no step brings about.
    pub alert_interval: std::time::Duration,
    /// How long a job stays this server's unless prolonged, which is done six times in that time.
    pub lease: std::time::Duration,
    /// How long the second restart in a row of a trainer that gets nowhere waits, and the second try of what storage
    /// refused; doubled from one to the next.
    pub restart_delay: std::time::Duration,
    /// The program that makes a folder with a model's files ready for training: takes the folder, prints a
    /// `shared::model::PreparedModel`.
    pub prepare_model: Vec<String>,
    /// The program that reckons what a run takes: reads a `RunSpec`, prints a `RunEstimate`.
    pub estimate_run: Vec<String>,
    /// The program that tells which examples a step was made of: takes `--step N`, reads a `RunSpec`, prints a `StepExamples`.
    pub step_examples: Vec<String>,
    /// What those three may take of the machine.
    pub tool_limits: Limits,
    /// How models answer.
    pub inference: InferenceConfig,
    /// Where base models can be fetched from.
    pub hub: HubConfig,
    /// Memory that a trainer may take, where that is known.
    pub memory_bytes: Option<u64>,
    /// How webhooks are told.
    pub webhooks: WebhookConfig,
}

/// How webhooks are told.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Hosts, as webhooks' addresses spell them, that may lie in a private network and be reached without encryption.
    pub private_hosts: Vec<String>,
    /// How long the second try of a delivery waits; three times as long from one to the next.
    pub retry_delay: std::time::Duration,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            private_hosts: Vec::new(),
            retry_delay: std::time::Duration::from_secs(5),
        }
    }
}

impl Config {
    /// How many of the machine's cores a trainer computes on.
    #[must_use]
    pub fn trainer_cores(&self) -> u32 {
        let cores = std::thread::available_parallelism()
            .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX));
        match self.threads {
            0 => cores,
            threads => threads.min(cores),
        }
    }

    /// The defaults for a data folder.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            models_dir: None,
            max_running: 1,
            threads: 0,
            keep_checkpoints: 3,
            max_file_bytes: 8 << 30,
            shutdown_grace: std::time::Duration::from_secs(20),
            checkpoint_interval: std::time::Duration::from_secs(30),
            longest_silence: std::time::Duration::from_secs(600),
            alert_interval: std::time::Duration::from_secs(60),
            lease: std::time::Duration::from_secs(30),
            restart_delay: std::time::Duration::from_secs(1),
            prepare_model: Vec::new(),
            estimate_run: Vec::new(),
            step_examples: Vec::new(),
            tool_limits: Limits::default(),
            inference: InferenceConfig::default(),
            hub: HubConfig::default(),
            memory_bytes: None,
            webhooks: WebhookConfig::default(),
        }
    }
}
