//! The command line of `attune`.

mod doctor;
mod health;
#[cfg(feature = "embedded")]
mod import;
#[cfg(feature = "embedded")]
mod key;
#[cfg(feature = "embedded")]
mod model;
mod url;
#[cfg(feature = "embedded")]
mod webhook;

use crate::{
    api,
    config::{Config, Flags},
    logging, server,
};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
#[cfg(feature = "embedded")]
use std::path::Path;
use std::{path::PathBuf, process::ExitCode};

/// A self-hosted console for model fine-tuning jobs.
#[derive(Debug, Parser)]
#[command(name = "attune", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the console, and with the embedded engine `/v1` and the trainers.
    Serve {
        /// The address to listen on; `127.0.0.1:8080` unless told.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Print the address that signs in.
    Url {
        /// The address that the server listens on, where it is given by a flag there.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Check the configuration and what it points at.
    Doctor {
        /// The address that the server would listen on.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Ask the server on this machine how it is; fails unless it is well.
    Health {
        /// Ask whether it can work: whether its store and its upstream answer.
        #[arg(long)]
        ready: bool,
        /// The address that the server listens on, where it is given by a flag there.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Manage the keys of `/v1`.
    #[cfg(feature = "embedded")]
    #[command(subcommand)]
    Key(key::Command),
    /// Manage base models.
    #[cfg(feature = "embedded")]
    #[command(subcommand)]
    Model(model::Command),
    /// Manage the addresses that are told when a job ends.
    #[cfg(feature = "embedded")]
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Take jobs over from an account elsewhere, with their datasets, records and results.
    #[cfg(feature = "embedded")]
    Import(import::Import),
    /// Make a folder with a model's files ready for training; what `attune model add` starts.
    #[cfg(feature = "embedded")]
    #[command(hide = true)]
    PrepareModel {
        /// The folder.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Reckon what a run would take; what the engine starts.
    #[cfg(feature = "embedded")]
    #[command(hide = true)]
    Estimate {
        /// The run directory.
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
    },
    /// Tell which examples a step is made of; what the engine starts.
    #[cfg(feature = "embedded")]
    #[command(hide = true)]
    Examples {
        /// The run directory.
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// The optimizer step, from 1.
        #[arg(long, value_name = "N")]
        step: u64,
    },
    /// Train one run to its end; what the engine starts.
    #[cfg(feature = "embedded")]
    #[command(hide = true)]
    Train {
        /// The run directory.
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// Tell again what was measured after this step.
        #[arg(long, value_name = "STEP", default_value_t = 0)]
        replay_after: u64,
    },
    /// Answer what comes on standard input; what the engine starts.
    #[cfg(feature = "embedded")]
    #[command(hide = true)]
    Infer {
        /// Worker threads; 0 takes as many as the machine has.
        #[arg(long, value_name = "N", default_value_t = 0)]
        threads: usize,
    },
    /// Print the `OpenAPI` document of `/api`.
    #[command(hide = true)]
    Openapi,
}

/// Flags that most commands take.
#[derive(Debug, Args)]
struct Common {
    /// Where everything is kept; the platform's data folder unless told.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The configuration file; `attune.toml` in the working directory unless told.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Common {
    fn flags(self, listen: Option<String>) -> Flags {
        Flags {
            config: self.config,
            listen,
            data_dir: self.data_dir,
        }
    }
}

/// Runs the command line. The only place that turns an error into text for the terminal.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // The chain on one line; a closed standard error leaves nobody to tell.
            use std::io::Write as _;
            let _ignored = writeln!(std::io::stderr(), "attune: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { listen, common } => {
            let loaded = load(&common.flags(listen))?;
            logging::start(&loaded.config.log)?;
            for warning in &loaded.warnings {
                tracing::warn!("{warning}");
            }
            runtime()?.block_on(server::serve(loaded.config))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Url { listen, common } => url::print(&load(&common.flags(listen))?.config),
        Command::Doctor { listen, common } => runtime()?.block_on(doctor::check(&common.flags(listen))),
        Command::Health {
            ready,
            listen,
            common,
        } => health::check(&load(&common.flags(listen))?.config, ready),
        #[cfg(feature = "embedded")]
        Command::Key(command) => runtime()?.block_on(key::run(command)),
        #[cfg(feature = "embedded")]
        Command::Model(command) => runtime()?.block_on(model::run(command)),
        #[cfg(feature = "embedded")]
        Command::Webhook(command) => runtime()?.block_on(webhook::run(command)),
        #[cfg(feature = "embedded")]
        Command::Import(import) => runtime()?.block_on(import::run(import)),
        #[cfg(feature = "embedded")]
        Command::PrepareModel { folder } => model::prepare(&folder),
        #[cfg(feature = "embedded")]
        Command::Estimate { run_dir } => {
            print(&serde_json::to_string(&trainer::estimate(
                &spec_of(&run_dir)?,
                &run_dir,
            )?)?)?;
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "embedded")]
        Command::Examples { run_dir, step } => {
            let examples = trainer::examples(&spec_of(&run_dir)?, &run_dir, step)?;
            print(&serde_json::to_string(&examples)?)?;
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "embedded")]
        Command::Train {
            run_dir,
            replay_after,
        } => {
            let options = trainer::run::RunOptions { replay_after };
            Ok(ExitCode::from(trainer::run::main(&run_dir, options)))
        }
        #[cfg(feature = "embedded")]
        Command::Infer { threads } => {
            trainer::infer::main(threads);
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi => {
            print(
                &api::document()
                    .to_pretty_json()
                    .context("the document can't be written")?,
            )?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A run directory's specification.
#[cfg(feature = "embedded")]
fn spec_of(run_dir: &Path) -> anyhow::Result<shared::run::RunSpec> {
    let spec = std::fs::read(run_dir.join("spec.json")).context("can't read `spec.json`")?;
    serde_json::from_slice(&spec).context("`spec.json` can't be used")
}

fn load(flags: &Flags) -> anyhow::Result<crate::config::Loaded> {
    Ok(Config::load(flags, &environment())?)
}

/// The environment's variables that are text.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The server's runtime. Two workers answer far more than a machine that also trains should be asked for.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let workers = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .clamp(1, 4);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(32)
        .enable_all()
        .build()
        .context("can't start the runtime")
}

/// One line on standard output.
fn print(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{text}")
}
