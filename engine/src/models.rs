//! Base models: the bundled one and the folders of a configured place.

pub(crate) mod bundled;
pub(crate) mod folder;

use shared::model::BaseModel;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A base model and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct FoundModel {
    pub(crate) model: BaseModel,
    pub(crate) path: PathBuf,
}

/// Every model below some places, by identifier; the first place wins where two have the same. A folder is a model
/// if it has a `config.json`; one level of grouping (`organisation/model`) is looked through.
pub(crate) fn find_all(places: &[PathBuf]) -> Vec<FoundModel> {
    let mut found: Vec<FoundModel> = Vec::new();
    for place in places {
        for (id, path) in model_folders(place) {
            if found.iter().any(|known| known.model.id == id) {
                continue;
            }
            match folder::describe(&id, &path) {
                Ok(model) => found.push(FoundModel { model, path }),
                Err(reason) => tracing::warn!(path = %path.display(), reason, "a model folder is left out"),
            }
        }
    }
    found.sort_by(|one, other| one.model.id.cmp(&other.model.id));
    found
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
