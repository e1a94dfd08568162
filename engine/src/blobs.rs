//! The bytes of files, in an object store: a local folder for now.
//!
//! A blob is written once and never changed, so a run may share it by hard link.

use crate::error::Error;
use futures_util::StreamExt as _;
use object_store::{
    GetResultPayload, ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path as Key,
};
use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::Path,
    sync::Arc,
};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// How much is copied at a time.
const CHUNK: usize = 1 << 20;

/// The store of blobs.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
}

fn failed(context: &'static str) -> impl Fn(object_store::Error) -> Error {
    move |source| Error::storage(context, source)
}

impl Blobs {
    /// Blobs in a folder that exists.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, object_store::Error> {
        Ok(Self {
            store: Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true)),
        })
    }

    /// Copies a local file into the store under a name; a blob is there whole or not at all.
    pub(crate) async fn put_file(&self, name: &str, source: &Path) -> Result<(), Error> {
        let read_failed = |error| Error::storage("an upload could not be read", error);
        let mut file = tokio::fs::File::open(source).await.map_err(read_failed)?;
        let key = Key::from(name);
        let mut upload = self
            .store
            .put_multipart(&key)
            .await
            .map_err(failed("a blob could not be created"))?;
        loop {
            let mut part = Vec::with_capacity(CHUNK);
            let mut limited = (&mut file).take(CHUNK as u64);
            let count = limited.read_to_end(&mut part).await.map_err(read_failed)?;
            if count == 0 {
                break;
            }
            if let Err(error) = upload.put_part(part.into()).await {
                // Nothing more can be done about the part that was written.
                let _ = upload.abort().await;
                return Err(failed("a blob could not be written")(error));
            }
        }
        upload
            .complete()
            .await
            .map_err(failed("a blob could not be completed"))?;
        Ok(())
    }

    /// Stores bytes under a name.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.store
            .put(&Key::from(name), bytes.into())
            .await
            .map_err(failed("a blob could not be written"))?;
        Ok(())
    }

    /// A blob as a stream of bytes, whole or a range of it.
    pub(crate) async fn stream(
        &self,
        name: &str,
        range: Option<Range<u64>>,
    ) -> Result<futures_util::stream::BoxStream<'static, Result<bytes::Bytes, Error>>, Error> {
        let options = object_store::GetOptions {
            range: range.map(Into::into),
            ..Default::default()
        };
        let found = self
            .store
            .get_opts(&Key::from(name), options)
            .await
            .map_err(|error| match error {
                object_store::Error::NotFound { .. } => Error::NotFound("file"),
                other => failed("a blob could not be opened")(other),
            })?;
        Ok(found
            .into_stream()
            .map(|chunk| chunk.map_err(failed("a blob could not be read")))
            .boxed())
    }

    /// A blob as a blocking reader, to be used on a blocking thread.
    pub(crate) async fn reader(&self, name: &str) -> Result<Box<dyn Read + Send>, Error> {
        let found = self
            .store
            .get(&Key::from(name))
            .await
            .map_err(failed("a blob could not be opened"))?;
        Ok(match found.payload {
            GetResultPayload::File(file, _) => Box::new(file),
            GetResultPayload::Stream(stream) => {
                let bytes = stream.map(|chunk| chunk.map_err(io::Error::other));
                Box::new(SyncIoBridge::new(StreamReader::new(bytes)))
            }
        })
    }

    /// Brings a blob to a place on the local disk: by hard link where it lies on the same one, else as a copy.
    pub(crate) async fn place(&self, name: &str, target: &Path) -> Result<(), Error> {
        let found = self
            .store
            .get(&Key::from(name))
            .await
            .map_err(failed("a blob could not be opened"))?;
        let target = target.to_owned();
        if let GetResultPayload::File(_, source) = &found.payload
            && std::fs::hard_link(source, &target).is_ok()
        {
            return Ok(());
        }
        let mut reader = self.reader(name).await?;
        tokio::task::spawn_blocking(move || {
            let mut file = File::create(&target)?;
            io::copy(&mut reader, &mut file)?;
            file.sync_all()
        })
        .await
        .map_err(|error| Error::storage("a copy was interrupted", error))?
        .map_err(|error| Error::storage("training data could not be copied", error))
    }

    /// Deletes a blob; one that is gone already is fine.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Error> {
        match self.store.delete(&Key::from(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("a blob could not be deleted")(error)),
        }
    }
}
