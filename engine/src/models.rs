//! Base models: which lie where, adding further ones and removing them. Works with a server and without.

pub(crate) mod add;
pub(crate) mod bundled;
pub(crate) mod catalogue;
mod error;
pub(crate) mod folder;
pub(crate) mod hub;
mod memory;
mod pending;
pub(crate) mod source;

pub use add::{Progress, Told};
pub use error::AddError;
pub use hub::{DEFAULT_ENDPOINT, HubConfig};
pub(crate) use memory::available_memory;
pub use memory::memory_for_training;
pub(crate) use pending::Leaving;
pub use source::Source;

use crate::{config::Config, executor::child::Limits};
use shared::{
    model::{BaseModel, ModelList},
    timestamp::Timestamp,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long what a cut transfer left waits for the next try.
const KEEP_BEGINNINGS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The base models of a machine.
#[derive(Debug, Clone)]
pub struct Models {
    /// Where models lie; the first place wins where two have the same identifier.
    places: Vec<PathBuf>,
    /// Where further ones are put.
    folder: PathBuf,
    /// The program that makes a folder ready; takes the folder, prints a `PreparedModel`.
    tool: Vec<String>,
    tool_limits: Limits,
    hub: HubConfig,
    /// What a trainer may take, where that is known.
    memory_bytes: Option<u64>,
}

/// A base model and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct FoundModel {
    pub(crate) model: BaseModel,
    pub(crate) path: PathBuf,
    /// The folder of models that it is in.
    place: PathBuf,
}

impl FoundModel {
    /// When its files came, as far as the file system tells.
    pub(crate) async fn created_at(&self) -> Timestamp {
        let changed = tokio::fs::metadata(self.path.join("config.json"))
            .await
            .and_then(|data| data.modified());
        let since = changed
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let milliseconds = since.and_then(|since| i64::try_from(since.as_millis()).ok());
        Timestamp::from_unix_ms(milliseconds.unwrap_or(0))
    }

    /// Whether it is known beforehand that it can't be trained here.
    pub(crate) fn is_untrainable(&self) -> bool {
        let installed = self.model.installed.as_ref();
        installed.is_some_and(|installed| installed.obstacle.is_some())
    }
}

impl Models {
    /// Those that a server with this configuration has.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let own = config.data_dir.join("models");
        let folder = config.models_dir.clone().unwrap_or_else(|| own.clone());
        let mut places = vec![own];
        places.extend(config.models_dir.clone());
        Self {
            places,
            folder,
            tool: config.prepare_model.clone(),
            tool_limits: config.tool_limits,
            hub: config.hub.clone(),
            memory_bytes: config.memory_bytes,
        }
    }

    /// Unpacks the bundled model into the data folder unless it lies there.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn unpack(&self) -> std::io::Result<()> {
        match self.places.first() {
            Some(own) => bundled::unpack(own),
            None => Ok(()),
        }
    }

    /// Every model, by identifier. A folder is a model if it has a `config.json`; one level of grouping
    /// (`organisation/model`) is looked through.
    pub(crate) fn find_all(&self) -> Vec<FoundModel> {
        let mut found: Vec<FoundModel> = Vec::new();
        for place in &self.places {
            for (id, path) in model_folders(place) {
                if found.iter().any(|known| known.model.id == id) {
                    continue;
                }
                match folder::describe(&id, &path, self.memory_bytes) {
                    Ok(model) => found.push(FoundModel {
                        model,
                        path,
                        place: place.clone(),
                    }),
                    Err(reason) => {
                        tracing::warn!(path = %path.display(), reason, "a model folder is left out");
                    }
                }
            }
        }
        found.sort_by(|one, other| one.model.id.cmp(&other.model.id));
        found
    }

    /// How many models [`Self::find_all`] finds. It is asked every few seconds, so it reads no more than decides that.
    pub(crate) fn count(&self) -> u64 {
        let folders = self.places.iter().flat_map(|place| model_folders(place));
        let readable = folders.filter(|(_, path)| folder::is_model(path));
        let names: BTreeSet<String> = readable.map(|(id, _)| id).collect();
        names.len() as u64
    }

    /// One model.
    pub(crate) fn find(&self, id: &str) -> Option<FoundModel> {
        self.find_all().into_iter().find(|found| found.model.id == id)
    }

    /// What there is and what could be had.
    #[must_use]
    pub fn list(&self) -> ModelList {
        let models: Vec<BaseModel> = self.find_all().into_iter().map(|found| found.model).collect();
        ModelList {
            catalogue: catalogue::entries()
                .filter(|entry| !models.iter().any(|model| model.id == entry.id))
                .collect(),
            models,
            additions: Vec::new(),
            memory_bytes: self.memory_bytes,
        }
    }

    /// Whether a model that was found a moment ago is still there.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.places
            .iter()
            .any(|place| place.join(id).join("config.json").is_file())
    }

    /// Prepares a model to go; the caller sees to it that nothing
    /// needs it.
    ///
    /// # Errors
    /// [`AddError::Unknown`], [`AddError::NotAdded`], [`AddError::Files`].
    pub(crate) fn leaving(&self, id: &str) -> Result<Leaving, AddError> {
        let found = self.find(id).ok_or_else(|| AddError::Unknown(id.to_owned()))?;
        if !found
            .model
            .installed
            .as_ref()
            .is_some_and(|installed| installed.removable)
        {
            return Err(AddError::NotAdded(id.to_owned()));
        }
        Leaving::prepare(&found.place, id)
    }

    /// What cut transfers and ended processes left: identifier and whence it came.
    pub(crate) fn left_behind(&self) -> Vec<(String, String)> {
        pending::left_behind(&self.folder)
    }

    /// Removes what is left of a model that was being added.
    pub(crate) fn discard_left(&self, id: &str) {
        pending::discard_left(&self.folder, id);
    }

    /// Removes what was begun long ago and never ended, and what is left of models that were removed.
    pub(crate) fn sweep(&self) {
        pending::sweep(&self.folder, KEEP_BEGINNINGS);
        for place in &self.places {
            pending::finish_removals(place);
        }
    }
}

fn model_folders(place: &Path) -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    for (name, path) in subfolders(place) {
        if path.join("config.json").is_file() {
            folders.push((name, path));
        } else {
            for (inner, path) in subfolders(&path) {
                if path.join("config.json").is_file() {
                    folders.push((format!("{name}/{inner}"), path));
                }
            }
        }
    }
    folders
}

/// The visible folders in a folder, links to folders among them.
fn subfolders(place: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(place) else {
        return Vec::new();
    };
    let named = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        (!name.starts_with('.') && entry.path().is_dir()).then(|| (name, entry.path()))
    };
    entries.flatten().filter_map(named).collect()
}
