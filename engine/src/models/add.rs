//! Adding a base model: its files come, are made ready for training by a child process, and become a model at once.

use super::{
    AddError, Models,
    hub::{Hub, HubFile, Revision},
    pending::Pending,
    source::{Repository, Source},
};
use crate::executor::tool;
use serde_json::{Value, json};
use shared::model::{AdditionStage, ModelFacts, PreparedModel};
use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};
use tokio::sync::watch;

/// Converting gigabytes takes minutes; what takes longer hangs, as a chat template may.
const LONGEST_PREPARATION: Duration = Duration::from_secs(30 * 60);

/// Room on the disk that a download leaves for everything else.
const RESERVE: u64 = 256 << 20;

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// What is being done.
    pub stage: AdditionStage,
    /// Bytes that have arrived.
    pub done: u64,
    /// Bytes in all, once they are known.
    pub total: Option<u64>,
}

/// Tells how far the work is.
pub type Told = watch::Sender<Progress>;

impl Models {
    /// Adds a model under an identifier. Dropped in mid-way, it leaves what the next try can go on from.
    ///
    /// # Errors
    /// See [`AddError`]; whatever it is, no half of a model is left.
    pub async fn add(&self, source: &Source, id: &str, told: &Told) -> Result<ModelFacts, AddError> {
        let (models, name, whence) = (self.clone(), id.to_owned(), source.clone());
        let pending = blocking(move || {
            if models.find(&name).is_some() {
                return Err(AddError::Exists(name));
            }
            let pending = Pending::open(&models.folder, &name, &whence.to_string())?;
            // Only a download goes on from what is there: a file on this machine may be another by now.
            if !matches!(whence, Source::Hub(_)) {
                pending.start_over()?;
            }
            Ok(pending)
        })
        .await?;
        told.send_modify(|progress| progress.stage = AdditionStage::Fetching);
        let filled = self.fill(source, &pending, told).await;
        let source = source.to_string();
        blocking(move || {
            let committed = filled.and_then(|(facts, licence)| {
                let licence = facts.licence.clone().or(licence);
                note(&pending.files(), &source, licence.as_deref())?;
                pending.commit()?;
                Ok(facts)
            });
            if !committed.as_ref().is_err_and(AddError::keeps_what_arrived) {
                pending.discard();
            }
            committed
        })
        .await
    }

    async fn fill(
        &self,
        source: &Source,
        pending: &Pending,
        told: &Told,
    ) -> Result<(ModelFacts, Option<String>), AddError> {
        let licence = match source {
            Source::Hub(repository) => self.fetch(repository, pending, told).await?,
            Source::Folder(folder) => {
                let files = wanted_in(folder)?;
                copy(files, pending, told.clone()).await?;
                None
            }
            Source::File(path) => {
                copy(vec![path.clone()], pending, told.clone()).await?;
                None
            }
        };
        told.send_modify(|progress| progress.stage = AdditionStage::Preparing);
        let facts = self.prepare(&pending.files()).await?;
        Ok((facts, licence))
    }

    /// Brings a repository's files; gives its licence.
    async fn fetch(
        &self,
        repository: &Repository,
        pending: &Pending,
        told: &Told,
    ) -> Result<Option<String>, AddError> {
        let hub = Hub::new(&self.hub)?;
        let revision = hub.revision(repository).await?;
        let files = wanted_of(repository, &revision)?;
        // A branch may have moved on since an earlier try.
        pending.keep_only_what_came_from(&format!("{repository} {}", revision.commit))?;
        let total = files
            .iter()
            .fold(0_u64, |total, file| total.saturating_add(file.bytes));
        let folder = pending.files();
        let there: u64 = files
            .iter()
            .filter_map(|file| fs::metadata(folder.join(&file.name)).ok())
            .map(|known| known.len())
            .sum();
        pending.ensure_space(total.saturating_sub(there).saturating_add(RESERVE))?;
        let mut before = 0;
        for file in &files {
            let tell = |done: u64| {
                told.send_modify(|progress| {
                    progress.done = before + done;
                    progress.total = Some(total);
                });
            };
            hub.fetch(
                repository,
                &revision.commit,
                file,
                &folder.join(&file.name),
                &tell,
            )
            .await?;
            before += file.bytes;
            if file.name == "config.json" {
                self.refuse_early(&folder.join(&file.name))?;
            }
        }
        Ok(revision.licence)
    }

    /// What the configuration alone tells needs no gigabytes to be found out.
    fn refuse_early(&self, config: &Path) -> Result<(), AddError> {
        match super::folder::obstacle(config.parent().unwrap_or(config), self.memory_bytes) {
            Some(obstacle) => Err(super::folder::refusal(obstacle)),
            None => Ok(()),
        }
    }

    /// Lets the tool make the files ready, and ask whether they can be trained.
    async fn prepare(&self, folder: &Path) -> Result<ModelFacts, AddError> {
        let output = tool::ask(&self.tool, folder, self.tool_limits, LONGEST_PREPARATION)
            .await
            .map_err(|error| AddError::Tool(error.to_string()))?;
        match serde_json::from_slice(&output.stdout) {
            Ok(PreparedModel::Ready(facts)) => match super::folder::obstacle(folder, self.memory_bytes) {
                Some(obstacle) => Err(super::folder::refusal(obstacle)),
                None => Ok(facts),
            },
            Ok(PreparedModel::Refused { code, message }) => Err(AddError::Refused { code, message }),
            Err(_) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last = said.lines().last().unwrap_or("it said nothing");
                Err(AddError::Tool(format!("{} ({last})", output.status)))
            }
        }
    }
}

/// Keeps where a model came from, and its licence, in what the folder says to Attune alone.
fn note(folder: &Path, source: &str, licence: Option<&str>) -> Result<(), AddError> {
    let path = folder.join("attune.json");
    let mut known: Value = fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_else(|| json!({}));
    if let Some(known) = known.as_object_mut() {
        known.insert("source".to_owned(), source.into());
        if let Some(licence) = licence
            && !known.contains_key("license")
        {
            known.entry("licence").or_insert_with(|| licence.into());
        }
    }
    fs::write(&path, known.to_string()).map_err(AddError::files(&path))
}

/// Whether a file of this name belongs to a model that can be trained.
fn is_wanted(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
        "chat_template.json",
        "README.md",
        "attune.json",
    ];
    let is_plain = !name.contains(['/', '\\', '\0']);
    is_plain
        && (NAMES.contains(&name)
            || name.starts_with("LICENSE")
            || name == "model.safetensors"
            || name == "model.safetensors.index.json"
            || name.starts_with("model-") && name.ends_with(".safetensors"))
}

/// The files of a repository that are fetched: the configuration first, for what it tells, the weights last.
fn wanted_of(repository: &Repository, revision: &Revision) -> Result<Vec<HubFile>, AddError> {
    let files = &revision.files;
    let has = |name: &str| files.iter().any(|file| file.name == name);
    let refused = |code: &str, message: String| {
        Err(AddError::Refused {
            code: code.to_owned(),
            message,
        })
    };
    if !has("config.json") {
        return refused(
            "invalid_model",
            format!(
                "`{repository}` has no `config.json`: choose a repository with the model in Hugging Face format"
            ),
        );
    }
    if !has("model.safetensors") && !has("model.safetensors.index.json") {
        return refused(
            "unsupported_format",
            format!(
                "`{repository}` has no `model.safetensors`: choose a repository with weights in that format"
            ),
        );
    }
    // Where both are there, the shards say the same again.
    let single = has("model.safetensors");
    let mut wanted: Vec<HubFile> = files
        .iter()
        .filter(|file| is_wanted(&file.name) && file.name != "attune.json" && file.bytes > 0)
        .filter(|file| {
            !single || !file.name.starts_with("model-") && file.name != "model.safetensors.index.json"
        })
        .cloned()
        .collect();
    wanted.sort_by_key(|file| (file.name != "config.json", file.bytes));
    Ok(wanted)
}

/// The files of a local folder that are copied.
fn wanted_in(folder: &Path) -> Result<Vec<std::path::PathBuf>, AddError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(AddError::files(folder))? {
        let path = entry.map_err(AddError::files(folder))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file() && is_wanted(&name) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(AddError::Refused {
            code: "invalid_model".to_owned(),
            message: format!(
                "`{}` holds no model: give a folder with `config.json` and `model.safetensors`",
                folder.display()
            ),
        });
    }
    Ok(files)
}

/// Copies files of this machine.
async fn copy(files: Vec<std::path::PathBuf>, pending: &Pending, told: Told) -> Result<(), AddError> {
    let mut total = 0;
    for path in &files {
        total += fs::metadata(path).map_err(AddError::files(path))?.len();
    }
    pending.ensure_space(total)?;
    told.send_modify(|progress| progress.total = Some(total));
    let folder = pending.files();
    blocking(move || {
        for path in &files {
            let target = folder.join(path.file_name().unwrap_or_default());
            copy_file(path, &target, &told)?;
        }
        Ok(())
    })
    .await
}

fn copy_file(from: &Path, to: &Path, told: &Told) -> Result<(), AddError> {
    let mut source = File::open(from).map_err(AddError::files(from))?;
    let mut target = File::create(to).map_err(AddError::files(to))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(AddError::files(from)(error)),
        };
        target.write_all(&buffer[..count]).map_err(AddError::files(to))?;
        if told.is_closed() {
            return Err(AddError::Stopped);
        }
        told.send_modify(|progress| progress.done += count as u64);
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AddError> + Send + 'static,
) -> Result<T, AddError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| AddError::Tool(error.to_string()))?
}
