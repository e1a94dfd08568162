//! Links to download what jobs made, each as a zip: results, the adapters of checkpoints, runs for Weights & Biases.
//!
//! The files of a download get a second name in `held/` until it has ended, so that neither the retention of checkpoints
//! nor somebody who deletes the model takes them away in mid-way.

use super::{Service, artifacts::ADAPTER, held, job_retry::ADAPTER_FILES};
use crate::{
    error::Error,
    secret,
    store::{
        checkpoints,
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
    model::DownloadLink,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// How long a link works.
const LINK_MS: i64 = 60 * 1000;

/// A zip on its way.
pub struct Download {
    /// What to call the file.
    pub filename: String,
    /// Its exact size.
    pub bytes: u64,
    /// Its content; an error in mid-way means that the file on the other side is worthless.
    pub content: BoxStream<'static, io::Result<Bytes>>,
}

/// What a link leads to, as it lies on the disk.
struct Source {
    title: String,
    folder: PathBuf,
    names: Vec<String>,
    /// What it is called where it isn't there any more.
    kind: &'static str,
}

impl Service {
    /// Makes a link to an artifact's zip that works once, for one minute.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn create_download(&self, subject: &Subject, id: &ArtifactId) -> Result<DownloadLink, Error> {
        self.find_artifact(subject, id).await?;
        self.link(subject, &Target::Artifact(id.clone())).await
    }

    /// Makes a link to the zip of a checkpoint's adapter that works once, for one minute; while the job runs, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] of the job, or of a checkpoint that isn't kept.
    pub async fn create_checkpoint_download(
        &self,
        subject: &Subject,
        id: &JobId,
        step: u64,
    ) -> Result<DownloadLink, Error> {
        self.find_job_row(subject, id).await?;
        if !checkpoints::is_kept(self.inner.store.read(), id.as_str(), step).await? {
            return Err(Error::NotFound(CHECKPOINT));
        }
        self.link(subject, &Target::Checkpoint(id.clone(), step)).await
    }

    pub(super) async fn link(&self, subject: &Subject, target: &Target) -> Result<DownloadLink, Error> {
        let token = secret::new_secret("dl-")?;
        let expires_at = self.now().plus_ms(LINK_MS);
        let mut transaction = self.inner.store.begin().await?;
        downloads::insert(
            &mut transaction,
            &secret::hash(&token),
            subject,
            target,
            expires_at,
        )
        .await?;
        transaction.commit().await?;
        Ok(DownloadLink {
            url: format!("/downloads/{token}"),
            expires_at,
        })
    }

    /// Uses a link up and opens what it leads to: a zip, nothing compressed, of an adapter's files or of a run for Weights &
    /// Biases.
    ///
    /// # Errors
    /// [`Error::LinkExpired`]; [`Error::NotFound`] where the job was deleted, or the checkpoint removed, meanwhile.
    pub async fn open_download(&self, token: &str) -> Result<Download, Error> {
        let mut transaction = self.inner.store.begin().await?;
        let taken = downloads::take(&mut transaction, &secret::hash(token), self.now()).await?;
        transaction.commit().await?;
        let (owner, target) = taken.ok_or(Error::LinkExpired)?;
        let source = match target {
            Target::Artifact(id) => self.artifact_source(&owner, &id).await?,
            Target::Checkpoint(job, step) => self.checkpoint_source(&owner, &job, step).await?,
            Target::WandbRun(job) => return self.wandb_run(&owner, &job).await,
        };
        let Source {
            title,
            folder,
            names,
            kind,
        } = source;
        let scratch = self.inner.layout.held();
        let held = {
            let names = names.clone();
            tokio::task::spawn_blocking(move || held::hold(&scratch, &folder, &names))
                .await
                .map_err(|error| Error::storage("a download was interrupted", error))?
        };
        match held {
            // Removed in this moment: by its trainer, or with its job.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound(kind)),
            Err(error) => Err(Error::storage("a download could not be opened", error)),
            Ok(held) => zip_held(held, names, format!("{title}.zip")).await,
        }
    }

    async fn artifact_source(&self, owner: &Subject, id: &ArtifactId) -> Result<Source, Error> {
        let artifact = self.find_artifact(owner, id).await?;
        Ok(Source {
            title: plain(&artifact.name),
            folder: self.inner.layout.run(artifact.job_id.as_str()).join(ADAPTER),
            names: artifact.files.into_iter().map(|file| file.name).collect(),
            kind: "artifact",
        })
    }

    async fn checkpoint_source(&self, owner: &Subject, job: &JobId, step: u64) -> Result<Source, Error> {
        let row = self.find_job_row(owner, job).await?;
        let run = self.inner.layout.run(job.as_str());
        Ok(Source {
            title: format!("{}-step-{step}", plain(&row.name)),
            folder: run.join(format!("checkpoints/step-{step}")),
            names: ADAPTER_FILES.map(str::to_owned).to_vec(),
            kind: CHECKPOINT,
        })
    }
}

/// A name as every system takes it for a file's.
fn plain(name: &str) -> String {
    name.replace(|it: char| !it.is_ascii_alphanumeric(), "-")
}

/// A zip of files of a folder of its own, which goes when the last of it is sent or nobody reads any more.
pub(super) async fn zip_held(held: TempDir, names: Vec<String>, filename: String) -> Result<Download, Error> {
    let measured = tokio::task::spawn_blocking(move || {
        let mut bytes = frame_bytes(&names)?;
        for name in &names {
            bytes += fs::metadata(held.path().join(name))?.len();
        }
        Ok::<_, io::Error>((held, names, bytes))
    });
    let (held, names, bytes) = measured
        .await
        .map_err(|error| Error::storage("a download was interrupted", error))?
        .map_err(|error| Error::storage("a download could not be measured", error))?;
    Ok(Download {
        filename,
        bytes,
        content: zip_stream(held, names),
    })
}

/// What a checkpoint is called that isn't there.
const CHECKPOINT: &str = "checkpoint: it was removed, as older ones are while a job trains";

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

/// The zip of held files, which stay until it is written or nobody reads any more.
fn zip_stream(held: TempDir, names: Vec<String>) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, mut receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write_zip(held.path(), &names, &sender) {
            // The reader may have gone, which is what the error says then.
            let _ = sender.blocking_send(Err(error));
        }
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
