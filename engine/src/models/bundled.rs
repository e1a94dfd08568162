//! The base model that ships inside the binary: unpacked into the data folder when it is absent there or another
//! version lies there. The example dataset lives here too.

use crate::secret::hex;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// The identifier of the bundled base model.
pub(crate) const BUNDLED_MODEL: &str = "attune-tiny";

/// Tells which version was unpacked.
const STAMP: &str = ".bundle";

#[derive(RustEmbed)]
#[folder = "assets/attune-tiny"]
#[allow_missing = true]
struct ModelFiles;

#[derive(RustEmbed)]
#[folder = "assets/example"]
#[allow_missing = true]
struct ExampleFiles;

/// The files of the example dataset that this build carries: which example, what to call it, its file's name.
pub(crate) const EXAMPLES: [(&str, &str, &str); 2] = [
    ("training", "Example: training", "training.jsonl"),
    ("validation", "Example: validation", "validation.jsonl"),
];

/// The bytes of one file of the example dataset.
pub(crate) fn example(filename: &str) -> Option<Vec<u8>> {
    ExampleFiles::get(filename).map(|file| file.data.into_owned())
}

/// One hash over the names and hashes of all files, which the build has computed: the files themselves are not touched.
fn digest() -> Option<String> {
    let mut names: Vec<_> = ModelFiles::iter().collect();
    names.sort();
    let mut hasher = Sha256::new();
    for name in &names {
        hasher.update(name.as_bytes());
        hasher.update(ModelFiles::get(name)?.metadata.sha256_hash());
    }
    (!names.is_empty()).then(|| hex(&hasher.finalize()))
}

/// Unpacks the bundled model below a folder unless this very version lies there. Written beside and renamed, so a
/// crash leaves the old one or the new one.
pub(crate) fn unpack(models: &Path) -> io::Result<()> {
    let Some(digest) = digest() else { return Ok(()) };
    let target = models.join(BUNDLED_MODEL);
    if fs::read_to_string(target.join(STAMP)).is_ok_and(|stamp| stamp == digest) {
        return Ok(());
    }
    let fresh = models.join(format!(".{BUNDLED_MODEL}.new"));
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    for name in ModelFiles::iter() {
        let Some(file) = ModelFiles::get(&name) else {
            continue;
        };
        let path = fresh.join(name.as_ref());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut output = File::create(path)?;
        output.write_all(&file.data)?;
        output.sync_all()?;
    }
    fs::write(fresh.join(STAMP), digest)?;
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    fs::rename(fresh, target)
}
