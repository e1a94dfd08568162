//! What is in memory: one base model, and the adapters on it that were asked for last.

use crate::{
    Error,
    complete::{Answerer, Named},
    lora::{Adapter, TENSORS},
};
use shared::inference::InferRequest;
use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Adapters that stay in memory.
const ADAPTERS: usize = 4;

/// Tells a file from whatever else had, has or will have its name: device, number, size, and when it was written.
type Stamp = (u64, u64, u64, i64, i64);

/// See the module.
pub(super) struct Loaded {
    threads: usize,
    base: Option<Base>,
    /// Names the next adapter.
    next: u64,
}

struct Base {
    folder: PathBuf,
    stamps: Vec<Option<Stamp>>,
    answerer: Answerer,
    /// The one that was asked for last stands last.
    adapters: Vec<(Stamp, u64, Adapter)>,
}

impl Loaded {
    pub(super) const fn new(threads: usize) -> Self {
        Self {
            threads,
            base: None,
            next: 0,
        }
    }

    /// The model that a request asks for, and its adapter.
    pub(super) fn find(
        &mut self,
        request: &InferRequest,
    ) -> Result<(&mut Answerer, Option<Named<'_>>), Error> {
        let folder = Path::new(&request.model);
        let stamps = [
            "config.json",
            "model.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
        ]
        .map(|name| stamp(&folder.join(name)).ok())
        .to_vec();
        let is_there = self
            .base
            .as_ref()
            .is_some_and(|base| base.folder == folder && base.stamps == stamps);
        let base = match self.base.take().filter(|_| is_there) {
            Some(base) => self.base.insert(base),
            // The one before is gone by now: there needn't be room for both.
            None => {
                let answerer = Answerer::load(folder, self.threads, request.memory_limit_bytes)?;
                self.base.insert(Base {
                    folder: folder.to_owned(),
                    stamps,
                    answerer,
                    adapters: Vec::new(),
                })
            }
        };
        let Some(folder) = &request.adapter else {
            return Ok((&mut base.answerer, None));
        };
        let path = Path::new(folder).join(TENSORS);
        let stamp = stamp(&path).map_err(Error::read(&path))?;
        if let Some(place) = base.adapters.iter().position(|(known, ..)| *known == stamp) {
            base.adapters[place..].rotate_left(1);
        } else {
            let adapter = Adapter::open(Path::new(folder), base.answerer.model())?;
            if base.adapters.len() == ADAPTERS {
                base.adapters.remove(0);
            }
            base.adapters.push((stamp, self.next, adapter));
            self.next += 1;
        }
        let Base {
            answerer, adapters, ..
        } = base;
        let adapter = adapters.last().map(|(_, id, adapter)| Named { id: *id, adapter });
        Ok((answerer, adapter))
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let data = fs::metadata(path)?;
    Ok((
        data.dev(),
        data.ino(),
        data.len(),
        data.mtime(),
        data.mtime_nsec(),
    ))
}
