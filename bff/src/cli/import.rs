//! `attune import`: takes jobs over from an account of an OpenAI-compatible API, with their records, files and results.
//!
//! A server may be running in the same data folder. Each job is taken whole or not at all, so an import that is stopped, killed
//! or cut off goes on where it was when it is run again.

mod files;
mod jobs;
mod patience;
mod report;
mod take;

use super::Common;
use crate::{
    api::LOCAL_SUBJECT,
    config::RemoteConfig,
    secret::Secret,
    upstream::{UpstreamError, openai::account::Account},
};
use anyhow::Context as _;
use clap::Args;
use engine::import::{ImportFolder, ImportOrigin, taken_before};
use jobs::Plan;
use report::{Progress, Tally};
use reqwest::Url;
use shared::{id::Subject, timestamp::Timestamp};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use take::Taking;
use tokio_util::sync::CancellationToken;

/// Where the key may be instead of in a file.
const KEY_VARIABLE: &str = "ATTUNE_IMPORT_API_KEY";
/// How long an answer may take, and how large it may be: pages are larger than what a console asks for.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 16 << 20;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Take them from an account of an OpenAI-compatible API.
    #[arg(long, required = true)]
    from_openai: bool,
    /// The API's address.
    #[arg(long, value_name = "URL", default_value = "https://api.openai.com/v1")]
    base_url: String,
    /// A file that holds the account's key; else it is taken from the environment variable `ATTUNE_IMPORT_API_KEY`.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Whose they become; the local user's unless told, so that they show in the console.
    #[arg(long, value_name = "SUBJECT")]
    owner: Option<String>,
    /// Only tell what would be taken.
    #[arg(long)]
    dry_run: bool,
    /// Take this job alone, also where it was deleted here; can be given several times.
    #[arg(long = "job", value_name = "ID")]
    jobs: Vec<String>,
    /// Take only jobs that were created on this day (UTC) or later, such as `2026-01-31`.
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<Timestamp>,
    #[command(flatten)]
    common: Common,
}

fn since(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| "give a day, such as `2026-01-31`".to_owned())
}

/// Runs the command.
pub(super) async fn run(import: Import) -> anyhow::Result<ExitCode> {
    let Import {
        from_openai: _,
        base_url,
        api_key_file,
        owner,
        dry_run,
        jobs,
        since,
        common,
    } = import;
    let owner = owner.as_deref().unwrap_or(LOCAL_SUBJECT);
    anyhow::ensure!(!owner.trim().is_empty(), "`--owner` must name somebody");
    let config = super::load(&common.flags(None))?.config;
    let base_url = address(&base_url)?;
    let key = key(api_key_file.as_deref())?;
    let origin = ImportOrigin {
        owner: Subject::new(owner),
        source: base_url.as_str().trim_end_matches('/').to_owned(),
    };
    let account = Account::new(&RemoteConfig {
        base_url,
        api_key: key.clone(),
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TIMEOUT,
        max_answer_bytes: MAX_ANSWER_BYTES,
        cache: Duration::ZERO,
    })?;
    let progress = Progress::start();
    let mut tally = Tally::default();
    let stop = stopped_by_the_user();
    let plan = Plan {
        account: &account,
        wanted: jobs,
        since,
        progress: &progress,
    };
    let outcome = if dry_run {
        let before = taken_before(&config.data_dir, &origin).await?;
        tokio::select! {
            told = plan.tell(&before, &mut tally) => told,
            () = stop.cancelled() => Err(stopped()),
        }
    } else {
        crate::server::make_data_dir(&config)?;
        let settings = crate::server::engine_settings(&config)?;
        let folder = ImportFolder::open(&settings, engine::SystemClock).await?;
        let taking = Taking {
            plan,
            folder: &folder,
            origin,
            key,
            stop,
        };
        let taken = taking.take_all(&mut tally).await;
        folder.close().await;
        taken
    };
    progress.end();
    // Where the account told nothing there is nothing to sum up, and the error stands alone.
    if outcome.is_ok() || tally != Tally::default() {
        tally.print(dry_run)?;
    }
    outcome?;
    Ok(if tally.has_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn address(text: &str) -> anyhow::Result<Url> {
    let mut url =
        crate::config::web_address(text).map_err(|problem| anyhow::anyhow!("`--base-url` {problem}"))?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The account's key. It is no argument: those are everybody's to read.
fn key(file: Option<&std::path::Path>) -> anyhow::Result<Secret> {
    let (key, place) = match file {
        Some(file) => (
            Secret::from_file(file).with_context(|| format!("can't read `{}`", file.display()))?,
            "`--api-key-file`".to_owned(),
        ),
        None => {
            let key = std::env::var(KEY_VARIABLE).ok().filter(|key| !key.is_empty());
            let key = key.with_context(|| {
                format!("the account's key is missing: set `{KEY_VARIABLE}`, or give `--api-key-file FILE`")
            })?;
            (Secret::new(key.trim()), format!("`{KEY_VARIABLE}`"))
        }
    };
    anyhow::ensure!(
        key.fits_a_header(),
        "the key from {place} must be one line of printable characters without spaces"
    );
    Ok(key)
}

/// Cancelled once the user presses Ctrl-C: what is being written is written to its end.
fn stopped_by_the_user() -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    stop
}

fn stopped() -> anyhow::Error {
    anyhow::anyhow!("stopped: run it again to go on")
}

/// Whether a failure concerns all jobs rather than the one that was asked for: nothing more can work.
const fn ends_all(error: &UpstreamError) -> bool {
    matches!(
        error,
        UpstreamError::KeyRejected
            | UpstreamError::Unreachable(_)
            | UpstreamError::Refused { status: 429, .. }
            | UpstreamError::Full { .. }
            | UpstreamError::Internal(_)
    )
}

/// What the API's failure means to whoever runs the command.
fn told(error: &UpstreamError) -> String {
    match error {
        UpstreamError::KeyRejected => "the API does not take the key".to_owned(),
        UpstreamError::Internal(cause) | UpstreamError::Unreachable(cause) => {
            format!("the API can't be reached: {}", report::innermost(cause))
        }
        UpstreamError::InvalidResponse(why) => format!("the API's answer can't be read: {why}")
            .replace("check `upstream.base_url`", "check `--base-url`"),
        other => other.to_string().replace("the upstream", "the API"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_or_an_instant_is_read_and_nothing_else() {
        let day = since("2026-01-31").expect("a day");
        assert_eq!(day.to_rfc3339(), "2026-01-31T00:00:00Z");
        assert!(since("2026-01-31T12:00:00Z").expect("an instant") > day);
        for text in ["", "yesterday", "31.1.2026", "2026-02-31"] {
            assert!(since(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_loses_its_last_slash_and_takes_no_secrets() {
        assert_eq!(
            address("https://API.example.com:443/v1/")
                .expect("an address")
                .as_str(),
            "https://api.example.com/v1"
        );
        for text in [
            "api.example.com",
            "ftp://a/v1",
            "https://me:word@a/v1",
            "https://a/v1?key=b",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
