//! A job's files: what they are, and their bytes onto the disk.

use super::{
    patience::patiently,
    report::{reason, shown, size},
    take::{Failed, Taking},
};
use crate::upstream::{Answer, Reading, UpstreamError};
use engine::import::{ArrivingFile, ImportFile, NewFileOfImport, TakenBefore};
use memchr::memmem;
use shared::{dataset::Dataset, timestamp::Timestamp};
use std::time::{Duration, Instant};

/// Bytes a second that a file comes with at the least; below that it is given up.
const SLOWEST: u64 = 8 << 10;
/// How long it may take besides.
const GRACE: Duration = Duration::from_secs(60);

/// Bytes after which it is told again how many have come.
const TOLD_EVERY: u64 = 1 << 20;

/// Why bytes aren't to be had though all else works: gone, or not given out.
fn is_refusal(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::NotFound(_) | UpstreamError::Invalid { .. } => true,
        UpstreamError::Refused { status, .. } => *status != 429,
        _ => false,
    }
}

/// What a file is; nothing where the API doesn't say.
pub(super) async fn look_at(taking: &super::Plan<'_>, id: &str) -> Answer<Option<Dataset>> {
    match patiently(taking.progress, async || taking.account.file(id).await).await {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_refusal(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Taking<'_> {
    /// A dataset that a job names, and what there is to know of it.
    pub(super) async fn dataset(
        &self,
        id: &str,
        before: &TakenBefore,
        at: Timestamp,
    ) -> Result<(ImportFile, Option<String>), Failed> {
        let known = before.files.get(id);
        if let Some(known) = known.filter(|known| known.kept) {
            return Ok((ImportFile::Here(known.local_id.clone()), None));
        }
        let file = look_at(&self.plan, id).await?;
        let filename = file
            .as_ref()
            .map_or_else(|| id.to_owned(), |file| file.filename.clone());
        self.plan.progress.tells(&shown(&filename));
        let announced = file.as_ref().map_or(0, |file| file.bytes);
        let (content, note) = match self.content(id, &filename, announced).await {
            Ok(content) => {
                let odd = announced > 0 && announced != content.bytes();
                let note = format!(
                    "its file `{}` came with {} rather than the {} that are told",
                    shown(&filename),
                    size(content.bytes()),
                    size(announced)
                );
                (Some(content), odd.then_some(note))
            }
            Err(Failed::Upstream(error)) if is_refusal(&error) => {
                let why = match &error {
                    UpstreamError::NotFound(_) => "is gone there".to_owned(),
                    other => format!("isn't given out: {}", reason(&super::told(other))),
                };
                (None, Some(format!("its file `{}` {why}", shown(&filename))))
            }
            Err(Failed::Local(engine::Error::TooLarge { limit })) => {
                let note = format!("its file `{}` is larger than {}", shown(&filename), size(limit));
                (None, Some(note))
            }
            Err(Failed::Untrusted(why)) => (None, Some(format!("its file `{}` {why}", shown(&filename)))),
            Err(other) => return Err(other),
        };
        if let (None, Some(known)) = (&content, known) {
            return Ok((ImportFile::Here(known.local_id.clone()), note));
        }
        let new = NewFileOfImport {
            upstream_id: id.to_owned(),
            filename,
            created_at: file.map_or(at, |file| file.created_at),
            content,
        };
        Ok((ImportFile::New(new), note))
    }

    /// A job's result file, in plain text, and its content; nothing where it is gone or isn't given out.
    pub(super) async fn results(
        &self,
        id: &str,
        at: Timestamp,
    ) -> Result<Result<(NewFileOfImport, Vec<u8>), String>, Failed> {
        let plan = &self.plan;
        let table = match patiently(plan.progress, async || plan.account.results(id).await).await {
            Ok(table) => table,
            Err(UpstreamError::NotFound(_)) => return Ok(Err("its result file is gone there".to_owned())),
            Err(error) if is_refusal(&error) || matches!(error, UpstreamError::InvalidResponse(_)) => {
                let why = reason(&super::told(&error));
                return Ok(Err(format!("its result file can't be had: {why}")));
            }
            Err(error) => return Err(error.into()),
        };
        let mut content = self.folder.begin_file()?;
        match content.write(&table) {
            Err(engine::Error::TooLarge { limit }) => {
                return Ok(Err(format!("its result file is larger than {}", size(limit))));
            }
            written => written?,
        }
        content.finish()?;
        let new = NewFileOfImport {
            upstream_id: id.to_owned(),
            filename: "step_metrics.csv".to_owned(),
            created_at: at,
            content: Some(content),
        };
        Ok(Ok((new, table)))
    }

    /// A file's bytes, on the disk.
    async fn content(&self, id: &str, filename: &str, announced: u64) -> Result<ArrivingFile, Failed> {
        let plan = &self.plan;
        let mut file = self.folder.begin_file()?;
        let mut stopped: Option<Failed> = None;
        let read = patiently(plan.progress, async || {
            let begun = Instant::now();
            let mut watch = KeyWatch::new(self.key.expose().as_bytes());
            let mut told = 0;
            if let Err(error) = file.begin_anew() {
                stopped = Some(error.into());
                return Ok(());
            }
            plan.account
                .content(id, |piece| {
                    let slow = begun.elapsed() > GRACE + Duration::from_secs(file.bytes() / SLOWEST);
                    let outcome = if watch.finds_in(piece) {
                        Err(Failed::Untrusted("repeats the key: it isn't kept".to_owned()))
                    } else if slow {
                        Err(Failed::Untrusted("comes too slowly".to_owned()))
                    } else {
                        file.write(piece).map_err(Failed::from)
                    };
                    if file.bytes() >= told + TOLD_EVERY {
                        told = file.bytes();
                        let of = format!("{}  {} of {}", shown(filename), size(told), size(announced));
                        plan.progress.tells(&of);
                    }
                    match outcome {
                        Ok(()) => Reading::More,
                        Err(error) => {
                            stopped = Some(error);
                            Reading::Enough
                        }
                    }
                })
                .await
        });
        read.await?;
        if let Some(failed) = stopped {
            return Err(failed);
        }
        file.finish()?;
        Ok(file)
    }
}

/// Looks for the key in what comes, also where a piece ends within it.
struct KeyWatch<'a> {
    key: &'a [u8],
    tail: Vec<u8>,
}

impl<'a> KeyWatch<'a> {
    const fn new(key: &'a [u8]) -> Self {
        Self {
            key,
            tail: Vec::new(),
        }
    }

    fn finds_in(&mut self, piece: &[u8]) -> bool {
        let overlap = self.key.len().saturating_sub(1);
        self.tail.extend_from_slice(&piece[..piece.len().min(overlap)]);
        let found = memmem::find(&self.tail, self.key).is_some() || memmem::find(piece, self.key).is_some();
        if piece.len() >= overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&piece[piece.len() - overlap..]);
        } else {
            let surplus = self.tail.len().saturating_sub(overlap);
            self.tail.drain(..surplus);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_however_it_is_cut() {
        let text = b"before sk-secret after";
        for size in 1..=text.len() {
            let mut watch = KeyWatch::new(b"sk-secret");
            let found = text.chunks(size).any(|piece| watch.finds_in(piece));
            assert!(found, "{size}");
        }
        for size in 1..=8 {
            let mut watch = KeyWatch::new(b"sk-secret");
            let innocent = b"sk-secre sk-secre tsk-s ecret";
            assert!(
                !innocent.chunks(size).any(|piece| watch.finds_in(piece)),
                "{size}"
            );
        }
    }
}
