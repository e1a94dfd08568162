//! A job's offline run for Weights & Biases, made from what is stored whenever somebody takes it: so it needs no place of
//! its own, can't be torn by a crash, and has each step once, however often training was taken up again.

use super::{
    Service,
    downloads::{Download, zip_held},
};
use crate::{
    error::Error,
    store::{
        downloads::Target,
        jobs::JobRow,
        steps::{self, StepRow},
    },
    wandb::{Run, RunWriter},
};
use serde_json::{Value, json};
use shared::{
    id::{JobId, Subject},
    model::DownloadLink,
    run::Warmup,
    status::JobStatus,
    timestamp::Timestamp,
    wandb::Wandb,
};
use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::Path,
};
use tokio::sync::mpsc;

/// Steps that are read at a time.
const PAGE: i64 = 1000;

impl Service {
    /// Makes a link to a job's run that works once, for one minute.
    ///
    /// # Errors
    /// As [`Service::wandb_run`].
    pub async fn create_wandb_download(&self, subject: &Subject, id: &JobId) -> Result<DownloadLink, Error> {
        self.find_ended_run(subject, id).await?;
        self.link(subject, &Target::WandbRun(id.clone())).await
    }

    /// A zip of a job's run in its folder, to be unpacked and handed to `wandb sync`.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where the job asked for none; [`Error::Conflict`] while the job hasn't ended.
    pub async fn wandb_run(&self, subject: &Subject, id: &JobId) -> Result<Download, Error> {
        let (row, wandb) = self.find_ended_run(subject, id).await?;
        let scratch = tempfile::tempdir_in(self.inner.layout.held()).map_err(storage)?;
        let run = run_of(&row, wandb);
        let (id_there, name) = (run.id.clone(), format!("{}/{}", run.folder(), run.file()));
        let (pages, written) = {
            let path = scratch.path().join(&name);
            let finished_at = Timestamp::from_unix_ms(row.finished_at.unwrap_or(row.created_at));
            let exit_code = i32::from(row.status() != JobStatus::Succeeded);
            let (pages, told) = mpsc::channel(1);
            let write = move || write(&path, &run, told, finished_at, exit_code);
            (pages, tokio::task::spawn_blocking(write))
        };
        let mut after = 0;
        loop {
            let read = self.inner.store.read();
            let page = steps::list_after_step(read, subject, id, after, PAGE).await?;
            let Some(last) = page.last().map(|row| row.step) else {
                break;
            };
            after = last;
            if pages.send(page).await.is_err() {
                // It could not be written, which the other side tells.
                break;
            }
        }
        drop(pages);
        written
            .await
            .map_err(|error| Error::storage("writing a run was interrupted", error))?
            .map_err(storage)?;
        zip_held(scratch, vec![name], format!("{id_there}-wandb.zip")).await
    }

    async fn find_ended_run(&self, subject: &Subject, id: &JobId) -> Result<(JobRow, Wandb), Error> {
        let row = self.find_job_row(subject, id).await?;
        let wandb = row.wandb().ok_or(Error::NotFound("run for Weights & Biases"))?;
        if !row.status().is_terminal() {
            let message = "the run is written when the job has ended: wait for it";
            return Err(Error::conflict("job_not_ended", message));
        }
        Ok((row, wandb))
    }
}

fn storage(error: io::Error) -> Error {
    Error::storage("a run for Weights & Biases could not be written", error)
}

/// Writes a run's file with the steps that come.
fn write(
    path: &Path,
    run: &Run,
    mut pages: mpsc::Receiver<Vec<StepRow>>,
    finished_at: Timestamp,
    exit_code: i32,
) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir)?;
    let mut writer = RunWriter::begin(BufWriter::new(File::create(path)?), run)?;
    while let Some(page) = pages.blocking_recv() {
        for row in page {
            let recorded_at = Timestamp::from_unix_ms(row.recorded_at);
            writer.step(recorded_at, &row.to_metrics())?;
        }
    }
    writer.end(finished_at, exit_code)?.into_inner()?;
    Ok(())
}

fn run_of(row: &JobRow, wandb: Wandb) -> Run {
    Run {
        id: row.short_id().to_owned(),
        wandb,
        name: row.id.clone(),
        started_at: Timestamp::from_unix_ms(row.started_at.unwrap_or(row.created_at)),
        config: config(row),
    }
}

/// What decided the result, by the names of /v1.
fn config(row: &JobRow) -> Vec<(&'static str, Value)> {
    let mut config = vec![
        ("job_id", json!(row.id)),
        ("model", json!(row.base_model)),
        ("training_file", json!(row.training_file)),
        ("validation_file", json!(row.validation_file)),
        ("fine_tuned_model", json!(row.fine_tuned_model)),
        ("trained_tokens", json!(row.trained_tokens)),
    ];
    let Some(parameters) = row.parameters() else {
        return config;
    };
    let warmup = match parameters.warmup {
        Warmup::Epochs(epochs) => ("warmup_epochs", json!(epochs)),
        Warmup::Ratio(ratio) => ("warmup_ratio", json!(ratio)),
    };
    config.extend([
        ("method", json!(parameters.method.method())),
        ("beta", json!(parameters.method.beta())),
        ("n_epochs", json!(parameters.epochs)),
        ("evaluation_epochs", json!(parameters.evaluation_epochs)),
        warmup,
        ("learning_rate", json!(parameters.learning_rate)),
        (
            "learning_rate_multiplier",
            json!(parameters.learning_rate_multiplier),
        ),
        ("schedule", json!(parameters.schedule)),
        ("batch_size", json!(parameters.batch_size)),
        ("gradient_accumulation", json!(parameters.gradient_accumulation)),
        ("lora", json!(parameters.lora)),
        ("max_sequence_length", json!(parameters.max_sequence_length)),
        ("seed", json!(parameters.seed)),
    ]);
    config.retain(|(_, value)| !value.is_null());
    config
}
