//! `attune key`: the keys of `/v1`.

use super::Common;
use crate::api::LOCAL_SUBJECT;
use clap::{Args, Subcommand};
use engine::{ApiKeyFolder, OwnedKey};
use shared::{id::Subject, timestamp::Timestamp};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key and print it, once.
    Create(Create),
    /// List everybody's keys: id, name, whose, when made, when used last. The keys themselves are not kept.
    List(Common),
    /// Remove a key: from then on it is refused.
    Remove(Remove),
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

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Its id, as `attune key list` tells it, or its name where no other key has the same.
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    common: Common,
}

/// Opens the data folder. A server may be running in it.
async fn open(common: Common) -> anyhow::Result<ApiKeyFolder> {
    let config = super::load(&common.flags(None))?.config;
    crate::server::make_data_dir(&config)?;
    Ok(ApiKeyFolder::open(&config.data_dir, engine::SystemClock).await?)
}

/// Runs one of the commands.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => {
            let owner = create.owner.as_deref().unwrap_or(LOCAL_SUBJECT);
            anyhow::ensure!(!owner.trim().is_empty(), "`--owner` must name somebody");
            let folder = open(create.common).await?;
            let created = folder
                .create(&create.name, &Subject::new(owner), create.admin)
                .await;
            folder.close().await;
            super::print(&created?.secret)?;
        }
        Command::List(common) => {
            let folder = open(common).await?;
            let keys = folder.list().await;
            folder.close().await;
            super::print(&table(&keys?))?;
        }
        Command::Remove(remove) => {
            let folder = open(remove.common).await?;
            let removed = remove_key(&folder, &remove.key).await;
            folder.close().await;
            super::print(&removed?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove_key(folder: &ApiKeyFolder, word: &str) -> anyhow::Result<String> {
    let keys = folder.list().await?;
    let found = find(&keys, word)?;
    folder.delete(&found.owner, &found.key.id).await?;
    Ok(format!(
        "removed {} ({}): it is refused from now on",
        found.key.id, found.key.name
    ))
}

/// The key with an id, or the only one with a name.
fn find<'a>(keys: &'a [OwnedKey], word: &str) -> anyhow::Result<&'a OwnedKey> {
    if let Some(found) = keys.iter().find(|known| known.key.id.as_str() == word) {
        return Ok(found);
    }
    let named: Vec<_> = keys.iter().filter(|known| known.key.name == word).collect();
    match named[..] {
        [] => anyhow::bail!("there is no key `{word}`: see `attune key list`"),
        [found] => Ok(found),
        _ => {
            let ids: Vec<_> = named.iter().map(|known| known.key.id.as_str()).collect();
            anyhow::bail!(
                "{} keys are named `{word}`: name one by its id, `{}`",
                ids.len(),
                ids.join("` or `")
            )
        }
    }
}

/// The keys in columns as wide as what stands in them.
fn table(keys: &[OwnedKey]) -> String {
    if keys.is_empty() {
        return "there is no key yet: `attune key create --name NAME` makes one".to_owned();
    }
    let head = ["ID", "NAME", "OWNER", "MADE", "LAST USED", "MAY"].map(str::to_owned);
    let rows: Vec<[String; 6]> = [head].into_iter().chain(keys.iter().map(row)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let line = |row: &[String; 6]| {
        let cells = row.iter().enumerate();
        let padded = cells.map(|(column, cell)| format!("{cell:0$}", width(column)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(owned: &OwnedKey) -> [String; 6] {
    let key = &owned.key;
    let may = if key.admin { "administer" } else { "use" };
    [
        key.id.to_string(),
        key.name.clone(),
        owned.owner.to_string(),
        to_the_second(key.created_at),
        key.last_used_at.map_or_else(|| "never".to_owned(), to_the_second),
        may.to_owned(),
    ]
}

fn to_the_second(at: Timestamp) -> String {
    Timestamp::from_unix_ms(at.unix_seconds() * 1_000).to_rfc3339()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{api_key::ApiKey, id::ApiKeyId};

    fn key(id: &str, name: &str, used_ms: Option<i64>) -> OwnedKey {
        OwnedKey {
            owner: Subject::new("local"),
            key: ApiKey {
                id: ApiKeyId::new(id),
                name: name.to_owned(),
                admin: name == "boss",
                created_at: Timestamp::from_unix_ms(1_700_000_000_123),
                last_used_at: used_ms.map(Timestamp::from_unix_ms),
            },
        }
    }

    #[test]
    fn a_key_is_named_by_its_id_or_by_a_name_of_its_own() {
        let keys = [
            key("key-a", "notebook", None),
            key("key-b", "ci", None),
            key("key-c", "ci", None),
            key("key-d", "key-a", None),
        ];
        let found = |word| find(&keys, word).map(|found| found.key.id.to_string());
        assert_eq!(found("notebook").expect("one"), "key-a");
        assert_eq!(found("key-c").expect("one"), "key-c");
        assert_eq!(found("key-a").expect("the id comes first"), "key-a");
        let two = found("ci").expect_err("which?").to_string();
        assert_eq!(
            two,
            "2 keys are named `ci`: name one by its id, `key-b` or `key-c`"
        );
        let none = found("CI").expect_err("none").to_string();
        assert_eq!(none, "there is no key `CI`: see `attune key list`");
    }

    #[test]
    fn the_table_tells_of_each_key_what_is_known_and_no_secret() {
        let keys = [
            key("key-a", "notebook", None),
            key("key-bb", "boss", Some(1_700_000_059_999)),
        ];
        assert_eq!(
            table(&keys),
            "ID      NAME      OWNER  MADE                  LAST USED             MAY\n\
             key-a   notebook  local  2023-11-14T22:13:20Z  never                 use\n\
             key-bb  boss      local  2023-11-14T22:13:20Z  2023-11-14T22:14:19Z  administer"
        );
        assert!(table(&[]).contains("attune key create"));
    }
}
