//! One file of the Hub: fetched over as many connections as it takes, and compared with what was announced.

use super::{AddError, FRUITLESS, Hash, Hub, HubFile, Repository};
use futures_util::StreamExt as _;
use reqwest::{Response, StatusCode, Url, header};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{
    io::{self, Read as _},
    path::Path,
};
use tokio::{fs, io::AsyncWriteExt as _};

impl Hub<'_> {
    /// Brings a file to `target`, from where an earlier try ended; `told` hears how many bytes of it are there.
    pub(crate) async fn fetch(
        &self,
        repository: &Repository,
        commit: &str,
        file: &HubFile,
        target: &Path,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<(), AddError> {
        let (owner, name) = repository.id.split_once('/').unwrap_or_default();
        let url = self.address(&[owner, name, "resolve", commit, &file.name])?;
        let mut fruitless = 0;
        loop {
            let there = match fs::metadata(target).await {
                Ok(known) => known.len(),
                Err(_) => 0,
            };
            told(there.min(file.bytes));
            if there == file.bytes {
                break;
            }
            if there > file.bytes {
                fs::remove_file(target).await.map_err(AddError::files(target))?;
                continue;
            }
            let cut = match self.append(&url, repository, there, file, target, told).await {
                Ok(()) => None,
                Err(error @ AddError::Unreachable { .. }) => Some(error),
                Err(error) => return Err(error),
            };
            let now = fs::metadata(target).await.map_or(0, |known| known.len());
            fruitless = if now > there { 0 } else { fruitless + 1 };
            if fruitless >= FRUITLESS {
                return Err(cut.unwrap_or_else(|| self.odd(format!("ends `{}` before its end", file.name))));
            }
            if let Some(error) = cut {
                tracing::info!(%error, file = file.name, there = now, "a transfer was cut and goes on");
            }
            if now < file.bytes {
                tokio::time::sleep(self.config.retry_delay * (1 << fruitless.min(5))).await;
            }
        }
        check(file, target).await
    }

    /// Appends what one connection brings.
    async fn append(
        &self,
        url: &Url,
        repository: &Repository,
        there: u64,
        file: &HubFile,
        target: &Path,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<(), AddError> {
        let start = (there > 0).then_some(there);
        let answer = self.ask(url.clone(), start, repository).await?;
        let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT && starts_at(&answer, there);
        if there > 0 && !goes_on || answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // It gives the whole, or another part: from the start.
            fs::remove_file(target).await.map_err(AddError::files(target))?;
            if answer.status() != StatusCode::OK {
                return Ok(());
            }
        }
        let mut out = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(target)
            .await
            .map_err(AddError::files(target))?;
        let mut at = if goes_on { there } else { 0 };
        let mut pieces = answer.bytes_stream();
        let mut ended = Ok(());
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    ended = Err(self.unreachable(error));
                    break;
                }
            };
            at += piece.len() as u64;
            if at > file.bytes {
                let problem = format!("it is longer than the {} bytes announced", file.bytes);
                drop(out);
                return Err(damaged(file, target, problem).await);
            }
            out.write_all(&piece).await.map_err(AddError::files(target))?;
            told(at);
        }
        out.sync_all().await.map_err(AddError::files(target))?;
        ended
    }
}

/// Whether a partial answer begins where it was asked to.
fn starts_at(answer: &Response, start: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE);
    range
        .and_then(|range| range.to_str().ok())
        .is_some_and(|range| range.starts_with(&format!("bytes {start}-")))
}

/// Compares a whole file with what was announced.
async fn check(file: &HubFile, target: &Path) -> Result<(), AddError> {
    let (hash, bytes, path) = (file.hash.clone(), file.bytes, target.to_owned());
    let found = tokio::task::spawn_blocking(move || hash.of(&path, bytes))
        .await
        .map_err(|error| AddError::Tool(error.to_string()))?
        .map_err(AddError::files(target))?;
    let (Hash::Sha256(announced) | Hash::GitBlob(announced)) = &file.hash;
    if found.eq_ignore_ascii_case(announced) {
        return Ok(());
    }
    Err(damaged(file, target, "its hash differs".to_owned()).await)
}

async fn damaged(file: &HubFile, target: &Path, problem: String) -> AddError {
    // What stays would be taken for a beginning.
    drop(fs::remove_file(target).await);
    AddError::Damaged {
        file: file.name.clone(),
        problem,
    }
}

impl Hash {
    /// The same hash of a file's content, in hexadecimal.
    fn of(&self, path: &Path, bytes: u64) -> io::Result<String> {
        match self {
            Self::Sha256(_) => digest(Sha256::new(), path),
            Self::GitBlob(_) => digest(Sha1::new_with_prefix(format!("blob {bytes}\0")), path),
        }
    }
}

fn digest<D: sha2::Digest>(mut hasher: D, path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crate::secret::hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}
