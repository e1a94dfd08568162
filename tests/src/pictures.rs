//! Pictures of the views, kept in `tests/pictures/`, and what has changed since they were taken.
//!
//! A picture is kept at a quarter of its size, and what is compared are means of small areas: it tells where ink and
//! colour are, and nothing of the shapes of letters, so that another version of the browser draws the same picture.

mod difference;
mod reduced;

pub use difference::Difference;
pub use reduced::Reduced;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// Set by `cargo xtask pictures`: what is seen is kept instead of compared.
const UPDATE: &str = "ATTUNE_UPDATE_PICTURES";

/// The pictures that were taken before, and those that are taken now.
#[derive(Debug)]
pub struct Album {
    kept: PathBuf,
    failed: PathBuf,
    updates: bool,
    seen: BTreeSet<String>,
    faults: Vec<String>,
}

impl Default for Album {
    fn default() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let failed = package.join("../target/pictures");
        // What an earlier run left would be taken for this one's.
        let _ = fs::remove_dir_all(&failed);
        Self {
            kept: package.join("pictures"),
            failed,
            updates: env::var_os(UPDATE).is_some_and(|value| value == "1"),
            seen: BTreeSet::new(),
            faults: Vec::new(),
        }
    }
}

impl Album {
    /// The repository's album.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares a picture, as the browser took it, with the one that is kept under this name; or keeps it.
    pub fn add(&mut self, name: &str, taken: &[u8]) {
        assert!(
            self.seen.insert(name.to_owned()),
            "two pictures are called {name}"
        );
        let now = Reduced::of(taken);
        let file = self.kept.join(format!("{name}.png"));
        let before = fs::read(&file).ok().map(|bytes| Reduced::read(&bytes));
        let difference = before.as_ref().map(|before| Difference::between(before, &now));
        let same = difference.as_ref().is_some_and(Difference::is_nothing);
        fs::create_dir_all(&self.failed).expect("a folder for pictures");
        let keep = |kind: &str, bytes: &[u8]| {
            fs::write(self.failed.join(format!("{name}-{kind}.png")), bytes).expect("a picture");
        };
        if self.updates || !same {
            // Whoever keeps new pictures should look at them.
            keep("actual", taken);
        }
        if self.updates && !same {
            fs::create_dir_all(&self.kept).expect("a folder for pictures");
            fs::write(file, now.write()).expect("a picture");
        }
        if self.updates || same {
            return;
        }
        let fault = match (&before, &difference) {
            (Some(before), Some(difference)) => {
                keep("expected", &before.write());
                keep("difference", &difference.picture(&now).write());
                difference.to_string()
            }
            _ => "is new".to_owned(),
        };
        self.faults.push(format!("{name}: {fault}"));
    }

    /// Fails where a picture differs from what is kept, or where nobody takes one any more that is kept.
    pub fn close(mut self) {
        for entry in fs::read_dir(&self.kept).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(name) = name
                .strip_suffix(".png")
                .filter(|name| !self.seen.contains(*name))
            else {
                continue;
            };
            if self.updates {
                fs::remove_file(entry.path()).expect("a picture that nobody takes");
            } else {
                self.faults.push(format!("{name}: nobody takes it any more"));
            }
        }
        assert!(
            self.faults.is_empty(),
            "{} of {} pictures differ from `tests/pictures`:\n{}\nlook at them in {}; where they are as they should be, \
             `cargo xtask pictures` keeps them",
            self.faults.len(),
            self.seen.len(),
            self.faults.join("\n"),
            self.failed.display()
        );
    }
}
