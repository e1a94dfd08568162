//! `attune key`: the keys of `/v1`.

use super::Common;
use crate::api::LOCAL_SUBJECT;
use clap::{Args, Subcommand};
use shared::id::Subject;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key and print it, once.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What to call it.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Whose it is; the local user's unless told, so that jobs made with it show in the console.
    #[arg(long, value_name = "SUBJECT")]
    owner: Option<String>,
    /// It may administer.
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    common: Common,
}

/// Runs one of the commands. A server may be running in the same data folder.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Create(create) = command;
    let name = create.name.trim();
    anyhow::ensure!(
        !name.is_empty() && name.chars().count() <= 100,
        "`--name` takes 1 to 100 characters"
    );
    let owner = create.owner.as_deref().unwrap_or(LOCAL_SUBJECT);
    anyhow::ensure!(!owner.trim().is_empty(), "`--owner` must name somebody");
    let config = super::load(&create.common.flags(None))?.config;
    crate::server::make_data_dir(&config)?;
    let owner = Subject::new(owner);
    let key =
        engine::create_api_key_in(&config.data_dir, &engine::SystemClock, name, &owner, create.admin).await?;
    super::print(&key.secret)?;
    Ok(ExitCode::SUCCESS)
}
