//! `metrics.jsonl`: every metrics line of the run, so that those which a dead engine never read can be told again.

use crate::{Error, storage};
use shared::run::RunEvent;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// The log, open for the lines to come.
#[derive(Debug)]
pub(super) struct MetricsLog {
    path: PathBuf,
    file: File,
}

fn path(run_dir: &Path) -> PathBuf {
    run_dir.join("metrics.jsonl")
}

/// All whole lines with their steps, each step once.
pub(super) fn read(run_dir: &Path) -> Vec<(u64, String)> {
    let text = fs::read(path(run_dir)).unwrap_or_default();
    let mut lines: Vec<(u64, String)> = String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| match serde_json::from_str(line) {
            Ok(RunEvent::Metrics(metrics)) => Some((metrics.step, line.to_owned())),
            _ => None,
        })
        .collect();
    lines.sort_by_key(|(step, _)| *step);
    lines.dedup_by_key(|(step, _)| *step);
    lines
}

/// Cuts the log to the steps up to this one and gives its lines.
pub(super) fn truncate(run_dir: &Path, step: u64) -> Result<Vec<(u64, String)>, Error> {
    let mut lines = read(run_dir);
    lines.retain(|(at, _)| *at <= step);
    let text: String = lines.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
    storage::replace_file(&path(run_dir), text.as_bytes())?;
    Ok(lines)
}

impl MetricsLog {
    pub(super) fn open(run_dir: &Path) -> Result<Self, Error> {
        let path = path(run_dir);
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::write(&path))?;
        Ok(Self { path, file })
    }

    pub(super) fn append(&mut self, line: &str) -> Result<(), Error> {
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(Error::write(&self.path))
    }

    /// Waits until all lines are on disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(Error::write(&self.path))
    }
}
