//! `attune webhook`: addresses that are told when a job ends.

use super::Common;
use crate::api::LOCAL_SUBJECT;
use clap::{Args, Subcommand};
use engine::WebhookFolder;
use shared::{
    id::{Subject, WebhookId},
    webhook::{DeliveryStatus, NewWebhook, WebhookEvent},
};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add an address and print its id and its signing secret, once.
    Add(Add),
    /// List the addresses.
    List(Whose),
    /// Remove an address, and what it was to be told.
    Remove(One),
    /// Send an event to an address now, and tell what came of it.
    Test(One),
}

#[derive(Debug, Args)]
pub(super) struct Whose {
    /// Whose; the local user's unless told.
    #[arg(long, value_name = "SUBJECT")]
    owner: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Where the events go, `https://…`.
    #[arg(value_name = "URL")]
    url: String,
    /// One of `fine_tuning.job.succeeded`, `fine_tuning.job.failed`, `fine_tuning.job.cancelled`; can be given several
    /// times, and is all of them unless told.
    #[arg(long = "event", value_name = "EVENT", value_parser = event)]
    events: Vec<WebhookEvent>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// Its id, as `attune webhook list` tells it.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    whose: Whose,
}

fn event(word: &str) -> Result<WebhookEvent, String> {
    WebhookEvent::parse(word).ok_or_else(|| {
        let known = WebhookEvent::ALL.map(WebhookEvent::as_str).join("`, `");
        format!("the events are `{known}`")
    })
}

/// Opens the data folder for somebody. A server may be running in it.
async fn open(whose: Whose) -> anyhow::Result<(WebhookFolder, Subject)> {
    let owner = whose.owner.as_deref().unwrap_or(LOCAL_SUBJECT);
    anyhow::ensure!(!owner.trim().is_empty(), "`--owner` must name somebody");
    let owner = Subject::new(owner);
    let config = super::load(&whose.common.flags(None))?.config;
    crate::server::make_data_dir(&config)?;
    let settings = crate::server::engine_settings(&config)?;
    Ok((WebhookFolder::open(settings, engine::SystemClock).await?, owner))
}

/// Runs one of the commands.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add(add) => {
            let (folder, owner) = open(add.whose).await?;
            let new = NewWebhook {
                url: add.url,
                events: add.events,
            };
            let created = folder.create(&owner, new).await;
            folder.close().await;
            let created = created?;
            super::print(&format!("{}\n{}", created.webhook.id, created.secret))?;
        }
        Command::List(whose) => {
            let (folder, owner) = open(whose).await?;
            let list = folder.list(&owner).await;
            folder.close().await;
            for webhook in list?.webhooks {
                let events: Vec<_> = webhook.events.iter().map(|event| event.as_str()).collect();
                super::print(&format!("{}  {}  {}", webhook.id, webhook.url, events.join(",")))?;
            }
        }
        Command::Remove(one) => {
            let (folder, owner) = open(one.whose).await?;
            let removed = folder.delete(&owner, &WebhookId::new(one.id.as_str())).await;
            folder.close().await;
            removed?;
            super::print(&format!("removed {}", one.id))?;
        }
        Command::Test(one) => {
            let (folder, owner) = open(one.whose).await?;
            let tested = folder.test(&owner, &WebhookId::new(one.id)).await;
            folder.close().await;
            let delivery = tested?;
            if delivery.status != DeliveryStatus::Delivered {
                let reason = delivery.error.unwrap_or_else(|| "it was not taken".to_owned());
                anyhow::bail!("{} was not delivered: {reason}", delivery.event_id);
            }
            super::print(&format!("delivered {}", delivery.event_id))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
