//! Uploads: bytes that arrive for a file, in one go or in pieces, and what has expired.

use super::Service;
use crate::{
    error::{Cause, Error},
    secret,
    store::{
        self, downloads,
        files::{self, FileRow},
        from_sql, jobs,
    },
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use shared::{dataset::DatasetStatus, dataset::UploadProgress, id::Subject};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter},
};
use tokio_util::sync::CancellationToken;

/// How long nobody writes to bytes without a row before they count as left behind.
const ABANDONED: Duration = Duration::from_secs(2 * 60 * 60);

/// Who writes to an upload: the newest request wins, because a cut connection is noticed late. Who puts one together has
/// its turn to the end.
#[derive(Debug, Default)]
pub(crate) struct Writers(Mutex<HashMap<String, Writer>>);

#[derive(Debug, Clone, Default)]
struct Writer {
    replaced: CancellationToken,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Writers {
    /// Tells the writer before to stop; answers this one's signal to stop and the turn to wait for.
    fn replace(&self, id: &str) -> Writer {
        let mut writers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writers.retain(|_, writer| Arc::strong_count(&writer.turn) > 1);
        let turn = match writers.get(id) {
            Some(before) => {
                before.replaced.cancel();
                before.turn.clone()
            }
            None => Arc::default(),
        };
        let writer = Writer {
            replaced: CancellationToken::new(),
            turn,
        };
        writers.insert(id.to_owned(), writer.clone());
        writer
    }

    /// The turn to wait for, of somebody who doesn't take it away from whoever has it.
    pub(crate) fn turn(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut writers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writers.retain(|_, writer| Arc::strong_count(&writer.turn) > 1);
        writers.entry(id.to_owned()).or_default().turn.clone()
    }
}

/// A whole body in the folder of uploads, which goes again unless a row comes to stand for it.
#[derive(Debug)]
pub(crate) struct Staged {
    /// The file's, or the part's.
    pub(crate) id: String,
    /// How many bytes came.
    pub(crate) bytes: u64,
    path: PathBuf,
    kept: bool,
}

impl Staged {
    pub(super) fn new(service: &Service, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            bytes: 0,
            path: service.staged(id),
            kept: false,
        }
    }

    /// A row stands for it.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Not in the background: whoever cut the transfer may have taken the runtime's task along.
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = self.id, "an upload could not be removed");
        }
    }
}

impl Service {
    /// Takes bytes for the upload that `token` stands for, from byte `start` on. `total` is what the sender says the
    /// whole file has. What has arrived stays when the sender goes away: ask [`Service::upload_progress`] and go on
    /// from there. A `start` below what is there writes from there again.
    ///
    /// # Errors
    /// [`Error::LinkExpired`]; [`Error::Range`] where the bytes don't fit; [`Error::Interrupted`] where the sender went away.
    pub async fn write_upload<S, E>(
        &self,
        token: &str,
        start: u64,
        total: Option<u64>,
        body: S,
    ) -> Result<UploadProgress, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Cause>,
    {
        let row = self.find_upload(token).await?;
        let bytes = from_sql(row.bytes);
        // What doesn't fit takes nothing over: whoever writes goes on.
        self.check_range(&row, start, total).await?;
        let writer = self.inner.writers.replace(&row.id);
        let _turn = writer.turn.lock().await;
        // The writer before may have begun anew meanwhile.
        self.check_range(&row, start, total).await?;
        let mut file = self.open_staged(&row.id, start).await?;
        let outcome = copy(body, &mut file, start, bytes, &writer.replaced).await;
        // What has arrived is kept, whatever happened to the rest.
        let kept = async {
            file.flush().await?;
            file.get_ref().sync_data().await
        };
        kept.await
            .map_err(|error| Error::storage("an upload could not be written", error))?;
        Ok(UploadProgress {
            received: outcome?,
            bytes,
        })
    }

    /// Whether bytes from `start` on fit what was announced and what is there.
    async fn check_range(&self, row: &FileRow, start: u64, total: Option<u64>) -> Result<(), Error> {
        let bytes = from_sql(row.bytes);
        let received = self.received(&row.id).await?;
        let message = if total.is_some_and(|total| total != bytes) {
            format!("the upload was announced with {bytes} bytes: send exactly that file")
        } else if start > received {
            format!("{received} bytes are here: go on from there")
        } else {
            return Ok(());
        };
        Err(Error::Range { received, message })
    }

    /// How far the upload is that `token` stands for.
    ///
    /// # Errors
    /// [`Error::LinkExpired`].
    pub async fn upload_progress(&self, token: &str) -> Result<UploadProgress, Error> {
        let row = self.find_upload(token).await?;
        Ok(UploadProgress {
            received: self.received(&row.id).await?,
            bytes: from_sql(row.bytes),
        })
    }

    async fn find_upload(&self, token: &str) -> Result<FileRow, Error> {
        let row = files::find_upload(self.inner.store.read(), &secret::hash(token)).await?;
        let now = self.now().unix_ms();
        row.filter(|row| row.status() == DatasetStatus::Uploading)
            .filter(|row| row.upload_expires_at.is_some_and(|expires_at| expires_at >= now))
            .ok_or(Error::LinkExpired)
    }

    /// Where an upload's bytes gather until they are whole.
    pub(crate) fn staged(&self, id: &str) -> PathBuf {
        self.inner.layout.uploads().join(id)
    }

    /// How many bytes of an upload are there.
    pub(crate) async fn received(&self, id: &str) -> Result<u64, Error> {
        match tokio::fs::metadata(self.staged(id)).await {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::storage("an upload could not be looked at", error)),
        }
    }

    /// Opens an upload's file to write from a byte on; what lay behind it is dropped.
    async fn open_staged(&self, id: &str, start: u64) -> Result<BufWriter<File>, Error> {
        let open = async {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.staged(id))
                .await?;
            // A row will stand for it: so the name must outlive a loss of power as the bytes do.
            File::open(self.inner.layout.uploads()).await?.sync_all().await?;
            file.set_len(start).await?;
            file.seek(std::io::SeekFrom::Start(start)).await?;
            Ok(BufWriter::with_capacity(1 << 18, file))
        };
        open.await
            .map_err(|error: std::io::Error| Error::storage("an upload could not be opened", error))
    }

    /// Writes a body of unknown length to an upload's file, at most so many bytes. What is cut leaves nothing, even where
    /// nobody is left to hear of it.
    pub(crate) async fn stage_body<S, E>(&self, id: &str, limit: u64, body: S) -> Result<Staged, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Cause>,
    {
        let mut staged = Staged::new(self, id);
        let mut file = self.open_staged(id, 0).await?;
        let written = match copy(body, &mut file, 0, limit, &CancellationToken::new()).await {
            Err(Error::Range { .. }) => Err(Error::TooLarge { limit }),
            other => other,
        };
        let kept = async {
            file.flush().await?;
            file.get_ref().sync_data().await
        };
        let kept = kept
            .await
            .map_err(|error| Error::storage("an upload could not be written", error));
        staged.bytes = written?;
        kept?;
        Ok(staged)
    }

    pub(crate) async fn remove_staged(&self, id: &str) {
        if let Err(error) = tokio::fs::remove_file(self.staged(id)).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = id, "an upload could not be removed");
        }
    }

    /// Clears away uploads and files whose time is over, used-up links, and what crashes and deleted jobs left on disk.
    pub(crate) async fn sweep(&self) -> Result<(), Error> {
        let now = self.now();
        for row in files::list_expired(self.inner.store.read(), now).await? {
            match self.delete_file(&Subject::new(&row.owner), &row.id).await {
                // A job still uses it: next time.
                Ok(()) | Err(Error::Conflict { .. } | Error::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.sweep_parts(now).await?;
        self.sweep_deliveries(now).await?;
        let mut transaction = self.inner.store.begin().await?;
        downloads::delete_expired(&mut *transaction, now).await?;
        transaction.commit().await?;
        let list_failed = |error| Error::storage("the run directories could not be listed", error);
        let mut runs = tokio::fs::read_dir(self.inner.layout.runs())
            .await
            .map_err(list_failed)?;
        while let Some(run) = runs.next_entry().await.map_err(list_failed)? {
            let Ok(id) = run.file_name().into_string() else {
                continue;
            };
            // A retry prepares its run before its row is there.
            if is_abandoned(&run).await && !jobs::exists(self.inner.store.read(), &id).await? {
                self.remove_run(&id, None).await;
            }
        }
        let models = self.inner.models.clone();
        tokio::task::spawn_blocking(move || models.sweep())
            .await
            .map_err(|error| Error::storage("clearing away unfinished models was interrupted", error))?;
        self.sweep_unnamed(&self.inner.layout.uploads()).await?;
        self.sweep_unnamed(&self.inner.layout.blobs()).await
    }

    /// Removes bytes that nothing tells of: a server died while they came, or between them and their row. A body that
    /// is still coming has no row either, so only what nobody has written to for a while goes.
    async fn sweep_unnamed(&self, folder: &Path) -> Result<(), Error> {
        let failed = |error| Error::storage("the bytes of files could not be listed", error);
        let mut entries = tokio::fs::read_dir(folder).await.map_err(failed)?;
        while let Some(entry) = entries.next_entry().await.map_err(failed)? {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !is_abandoned(&entry).await || store::names_bytes(self.inner.store.read(), &name).await? {
                continue;
            }
            if let Err(error) = tokio::fs::remove_file(entry.path()).await
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, file = name, "what nothing tells of could not be removed");
            }
        }
        Ok(())
    }
}

/// Whether nobody has written to a file or folder for a while.
async fn is_abandoned(entry: &tokio::fs::DirEntry) -> bool {
    let written = entry.metadata().await.and_then(|metadata| metadata.modified());
    written
        .ok()
        .and_then(|written| written.elapsed().ok())
        .is_some_and(|idle| idle > ABANDONED)
}

/// Writes a body to a file that has `received` bytes and may get `limit`; answers how many it has then.
async fn copy<S, E>(
    body: S,
    file: &mut BufWriter<File>,
    mut received: u64,
    limit: u64,
    replaced: &CancellationToken,
) -> Result<u64, Error>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Cause>,
{
    let mut body = pin!(body);
    loop {
        let chunk = tokio::select! {
            biased;
            () = replaced.cancelled() => return Err(Error::Interrupted("another request took the upload over".into())),
            chunk = body.next() => chunk,
        };
        let Some(chunk) = chunk else { return Ok(received) };
        let chunk = chunk.map_err(|error| Error::Interrupted(error.into()))?;
        if received + chunk.len() as u64 > limit {
            let message = format!("more than the announced {limit} bytes came: send exactly that file");
            return Err(Error::Range { received, message });
        }
        file.write_all(&chunk)
            .await
            .map_err(|error| Error::storage("an upload could not be written", error))?;
        received += chunk.len() as u64;
    }
}
