//! What finished jobs made, and links to download it.

use super::Service;
use crate::{
    error::Error,
    secret,
    store::{
        artifacts,
        downloads::{self, Target},
    },
};
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, poll_fn},
};
use shared::{
    id::{ArtifactId, JobId, Subject},
    model::{Artifact, ArtifactList, DownloadLink},
};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// How long a link works.
pub(super) const LINK_MS: i64 = 60 * 1000;

/// The folder of the result in a run directory.
pub(crate) const ADAPTER: &str = "adapter";

/// A zip on its way.
pub struct Download {
    /// What to call the file.
    pub filename: String,
    /// Its exact size.
    pub bytes: u64,
    /// Its content; an error in mid-way means that the file on the other side is worthless.
    pub content: BoxStream<'static, io::Result<Bytes>>,
}

impl Service {
    /// All of the subject's artifacts, newest first.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_artifacts(&self, subject: &Subject) -> Result<ArtifactList, Error> {
        let rows = artifacts::list(self.inner.store.read(), subject).await?;
        Ok(ArtifactList {
            artifacts: rows.iter().map(artifacts::ArtifactRow::to_artifact).collect(),
        })
    }

    /// One artifact of the subject's.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_artifact(&self, subject: &Subject, id: &ArtifactId) -> Result<Artifact, Error> {
        let row = artifacts::find(self.inner.store.read(), subject, id.as_str()).await?;
        row.map(|row| row.to_artifact())
            .ok_or(Error::NotFound("artifact"))
    }

    /// Makes a link to an artifact's zip that works once, for one minute.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn create_download(&self, subject: &Subject, id: &ArtifactId) -> Result<DownloadLink, Error> {
        self.find_artifact(subject, id).await?;
        let token = secret::new_secret("dl-")?;
        let expires_at = self.now().plus_ms(LINK_MS);
        let mut transaction = self.inner.store.begin().await?;
        downloads::insert(
            &mut transaction,
            &secret::hash(&token),
            subject,
            &Target::Artifact(id.to_string()),
            expires_at,
        )
        .await?;
        transaction.commit().await?;
        Ok(DownloadLink {
            url: format!("/downloads/{token}"),
            expires_at,
        })
    }

    /// Uses a link up and opens what it leads to: a zip, nothing compressed, of the adapter's folder or of a run for Weights &
    /// Biases.
    ///
    /// # Errors
    /// [`Error::LinkExpired`]; [`Error::NotFound`] where the job was deleted meanwhile.
    pub async fn open_download(&self, token: &str) -> Result<Download, Error> {
        let mut transaction = self.inner.store.begin().await?;
        let taken = downloads::take(&mut transaction, &secret::hash(token), self.now()).await?;
        transaction.commit().await?;
        let (owner, target) = taken.ok_or(Error::LinkExpired)?;
        let owner = Subject::new(owner);
        let artifact = match target {
            Target::Artifact(id) => self.find_artifact(&owner, &ArtifactId::new(id)).await?,
            Target::WandbRun(id) => return self.wandb_run(&owner, &JobId::new(id)).await,
        };
        let folder = self.inner.layout.run(artifact.job_id.as_str()).join(ADAPTER);
        let names: Vec<String> = artifact.files.iter().map(|file| file.name.clone()).collect();
        let sizes: u64 = artifact.files.iter().map(|file| file.bytes).sum();
        let filename = format!(
            "{}.zip",
            artifact.name.replace(|it: char| !it.is_ascii_alphanumeric(), "-")
        );
        zip_folder(folder, names, sizes, filename, None).await
    }
}

/// A zip of files of a folder that have so many bytes together. `scratch` is removed when the last of it is sent.
pub(super) async fn zip_folder(
    folder: PathBuf,
    names: Vec<String>,
    sizes: u64,
    filename: String,
    scratch: Option<TempDir>,
) -> Result<Download, Error> {
    let frame = {
        let names = names.clone();
        tokio::task::spawn_blocking(move || frame_bytes(&names))
            .await
            .map_err(|error| Error::storage("a download was interrupted", error))?
            .map_err(|error| Error::storage("a download could not be measured", error))?
    };
    Ok(Download {
        filename,
        bytes: frame + sizes,
        content: zip_stream(folder, names, scratch),
    })
}

/// The size of a zip of these names besides the files' own bytes. Entries are streamed: a data descriptor follows each.
fn frame_bytes(names: &[String]) -> io::Result<u64> {
    let mut writer = ZipWriter::new_stream(Count(0));
    for name in names {
        writer.start_file(name, options()).map_err(io::Error::other)?;
    }
    Ok(writer.finish().map_err(io::Error::other)?.into_inner().0)
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stored, with 64-bit sizes throughout, so that the frame's size doesn't depend on the content's.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true)
}

fn zip_stream(
    folder: PathBuf,
    names: Vec<String>,
    scratch: Option<TempDir>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, mut receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write_zip(&folder, &names, &sender) {
            // The reader may have gone, which is what the error says then.
            let _ = sender.blocking_send(Err(error));
        }
        drop(scratch);
    });
    poll_fn(move |context| receiver.poll_recv(context)).boxed()
}

fn write_zip(folder: &Path, names: &[String], sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let pipe = io::BufWriter::with_capacity(1 << 16, Pipe(sender.clone()));
    let mut writer = ZipWriter::new_stream(pipe);
    for name in names {
        writer.start_file(name, options()).map_err(io::Error::other)?;
        io::copy(&mut File::open(folder.join(name))?, &mut writer)?;
    }
    writer.finish().map_err(io::Error::other)?.into_inner().flush()
}

/// Sends what is written to the download's reader.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
