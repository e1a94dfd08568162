//! Uploads in parts: announced, brought in pieces in any order and at once, put together in the order that is told.
//!
//! A part is a file of its own in the folder of uploads, and its row comes once it is whole. Completing writes them one
//! after the other into the file to be; one transaction then ends the upload and adds the file. So whatever
//! dies in between leaves the upload as it was, and what lies about is cleared away later.

use super::{Service, uploads::Staged};
use crate::{
    error::{Cause, Error},
    secret,
    store::{
        files::{self, NewFile},
        from_sql,
        uploads::{self, NewUpload, PartRow, UploadRow, UploadStatus},
    },
};
use bytes::Bytes;
use futures_util::Stream;
use md5::Md5;
use sha2::Digest as _;
use shared::{dataset::DatasetStatus, id::Subject, timestamp::Timestamp};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _, Write as _},
    path::PathBuf,
};

/// How long parts are taken.
const OPEN_MS: i64 = 60 * 60 * 1000;
/// How long an upload that has expired is still told apart from one that never was.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;
/// Largest part in bytes.
pub(crate) const MAX_PART_BYTES: u64 = 64 << 20;
/// Largest upload in bytes, where the operator sets no lower limit.
pub(crate) const MAX_UPLOAD_BYTES: u64 = 8 << 30;
/// Parts of an upload.
const MAX_PARTS: u64 = 10_000;

/// What a caller announces.
#[derive(Debug, Clone)]
pub(crate) struct Announced<'a> {
    pub(crate) filename: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) bytes: u64,
    /// How long the file is to stay.
    pub(crate) expires_after_ms: Option<i64>,
}

impl Service {
    /// Announces an upload, whose parts are taken for one hour. The caller has checked the words.
    pub(crate) async fn create_upload(
        &self,
        subject: &Subject,
        announced: &Announced<'_>,
    ) -> Result<UploadRow, Error> {
        let id = secret::new_id("upload_")?;
        let now = self.distinct_now();
        let upload = NewUpload {
            id: &id,
            owner: subject,
            filename: announced.filename,
            purpose: announced.purpose,
            bytes: announced.bytes,
            created_at: now,
            expires_at: now.plus_ms(OPEN_MS),
            file_expires_after_ms: announced.expires_after_ms,
        };
        let mut transaction = self.inner.store.begin().await?;
        uploads::insert(&mut transaction, &upload).await?;
        transaction.commit().await?;
        self.find_part_upload(subject, &id).await
    }

    pub(crate) async fn find_part_upload(&self, subject: &Subject, id: &str) -> Result<UploadRow, Error> {
        uploads::find(self.inner.store.read(), subject, id)
            .await?
            .ok_or(Error::NotFound("upload"))
    }

    /// Takes the bytes of a part; several may come at once.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the upload takes none; [`Error::TooLarge`].
    pub(crate) async fn stage_part<S, E>(
        &self,
        subject: &Subject,
        upload: &str,
        body: S,
    ) -> Result<Staged, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Cause>,
    {
        let row = self.find_part_upload(subject, upload).await?;
        pending(&row, self.now())?;
        let id = secret::new_id("part_")?;
        self.stage_body(&id, MAX_PART_BYTES, body).await
    }

    /// Adds a part whose bytes are there; answers when.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the upload takes no more.
    pub(crate) async fn add_part(
        &self,
        subject: &Subject,
        upload: &str,
        part: Staged,
    ) -> Result<Timestamp, Error> {
        let (service, subject, upload) = (self.clone(), subject.clone(), upload.to_owned());
        self.see_through(async move { service.insert_part(&subject, &upload, part).await })
            .await?
    }

    async fn insert_part(&self, subject: &Subject, upload: &str, part: Staged) -> Result<Timestamp, Error> {
        let now = self.now();
        let mut transaction = self.inner.store.begin().await?;
        let row = uploads::find(&mut *transaction, subject, upload)
            .await?
            .ok_or(Error::NotFound("upload"))?;
        pending(&row, now)?;
        let (count, bytes) = uploads::measure_parts(&mut *transaction, upload).await?;
        // Twice, because a part whose answer was lost comes again.
        let room = from_sql(row.bytes)
            .saturating_mul(2)
            .saturating_add(MAX_PART_BYTES);
        if count >= MAX_PARTS || bytes.saturating_add(part.bytes) > room {
            let message = format!(
                "the upload of {} bytes has {count} parts with {bytes} bytes already: complete or cancel it",
                row.bytes
            );
            return Err(Error::conflict("upload_full", message));
        }
        uploads::insert_part(&mut transaction, upload, &part.id, part.bytes, now).await?;
        transaction.commit().await?;
        part.keep();
        Ok(now)
    }

    /// Makes a file of an upload's parts in this order. The same request again gets the file of the first.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the upload isn't pending, or the parts aren't what was announced.
    pub(crate) async fn complete_upload(
        &self,
        subject: &Subject,
        id: &str,
        part_ids: &[String],
        md5: Option<&str>,
    ) -> Result<UploadRow, Error> {
        let request = secret::hash(&format!("{}\n{}", part_ids.join("\n"), md5.unwrap_or_default()));
        // Whoever asked may have gone before it is done: it goes on, and the next time they ask finds it.
        let (service, subject, id) = (self.clone(), subject.clone(), id.to_owned());
        let (part_ids, md5) = (part_ids.to_vec(), md5.map(str::to_ascii_lowercase));
        let work = async move {
            // Who asks again while it is put together gets what comes of that.
            let turn = service.inner.writers.turn(&id);
            let _turn = turn.lock().await;
            let upload = service.find_part_upload(&subject, &id).await?;
            if upload.completed_by.as_ref() == Some(&request) {
                return Ok(upload);
            }
            pending(&upload, service.now())?;
            let parts = uploads::list_parts(service.inner.store.read(), &id).await?;
            let paths = service.in_order(&parts, &part_ids, from_sql(upload.bytes))?;
            let upload = service.assemble(&subject, &upload, paths, md5, &request).await?;
            for part in parts {
                service.remove_staged(&part.id).await;
            }
            Ok(upload)
        };
        self.see_through(work).await?
    }

    /// Where the parts lie, in order, if together they are what was announced.
    fn in_order(&self, parts: &[PartRow], ids: &[String], announced: u64) -> Result<Vec<PathBuf>, Error> {
        let mut left: HashMap<_, _> = parts
            .iter()
            .map(|part| (part.id.as_str(), from_sql(part.bytes)))
            .collect();
        let mut bytes = 0;
        for id in ids {
            let message = format!("`{id}` is no part of this upload, or stands there twice");
            bytes += left
                .remove(id.as_str())
                .ok_or_else(|| Error::conflict("unknown_part", message))?;
        }
        if bytes != announced {
            let message = format!("the parts have {bytes} bytes, but {announced} were announced");
            return Err(Error::conflict("upload_size_mismatch", message));
        }
        Ok(ids.iter().map(|id| self.staged(id)).collect())
    }

    async fn assemble(
        &self,
        subject: &Subject,
        upload: &UploadRow,
        parts: Vec<PathBuf>,
        md5: Option<String>,
        request: &str,
    ) -> Result<UploadRow, Error> {
        let file_id = secret::new_id("file-")?;
        let staged = Staged::new(self, &file_id);
        let target = self.staged(&file_id);
        let found = tokio::task::spawn_blocking(move || {
            join(&parts, &target, md5.is_some()).map(|found| (found, md5))
        })
        .await
        .map_err(|error| Error::storage("putting an upload together was interrupted", error))?;
        let (found, wanted) = match found {
            Ok(found) => found,
            // Another request has completed or cancelled it meanwhile, and the parts are gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.completed_meanwhile(subject, &upload.id, request).await;
            }
            Err(error) => return Err(Error::storage("an upload could not be put together", error)),
        };
        if found != wanted {
            let message = "the bytes have another MD5 sum than `md5` says: send the parts again";
            return Err(Error::conflict("md5_mismatch", message));
        }
        let now = self.distinct_now();
        let file = NewFile {
            id: &file_id,
            owner: subject,
            purpose: &upload.purpose,
            name: &upload.filename,
            filename: &upload.filename,
            bytes: from_sql(upload.bytes),
            status: DatasetStatus::Validating,
            created_at: now,
            expires_at: upload.file_expires_after_ms.map(|after| now.plus_ms(after)),
            example: None,
            upload: None,
        };
        let mut transaction = self.inner.store.begin().await?;
        files::insert(&mut transaction, &file).await?;
        let made = Some((file_id.as_str(), request));
        if !uploads::end(&mut transaction, subject, &upload.id, made, self.now()).await? {
            drop(transaction);
            return self.completed_meanwhile(subject, &upload.id, request).await;
        }
        uploads::delete_parts(&mut transaction, &upload.id).await?;
        transaction.commit().await?;
        staged.keep();
        self.start_file_validation(subject.clone(), file_id);
        self.find_part_upload(subject, &upload.id).await
    }

    /// What another request made of the upload, if that was the same.
    async fn completed_meanwhile(
        &self,
        subject: &Subject,
        id: &str,
        request: &str,
    ) -> Result<UploadRow, Error> {
        let upload = self.find_part_upload(subject, id).await?;
        if upload.completed_by.as_deref() == Some(request) {
            return Ok(upload);
        }
        pending(&upload, self.now())?;
        let lost = io::Error::from(io::ErrorKind::NotFound);
        Err(Error::storage("the parts of a pending upload are gone", lost))
    }

    /// Gives an upload up; what has come goes.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it isn't pending.
    pub(crate) async fn cancel_upload(&self, subject: &Subject, id: &str) -> Result<UploadRow, Error> {
        let mut transaction = self.inner.store.begin().await?;
        let row = uploads::find(&mut *transaction, subject, id)
            .await?
            .ok_or(Error::NotFound("upload"))?;
        pending(&row, self.now())?;
        uploads::end(&mut transaction, subject, id, None, self.now()).await?;
        let parts = uploads::list_parts(&mut *transaction, id).await?;
        uploads::delete_parts(&mut transaction, id).await?;
        transaction.commit().await?;
        for part in parts {
            self.remove_staged(&part.id).await;
        }
        self.find_part_upload(subject, id).await
    }

    /// Clears away the parts of uploads whose time is over.
    pub(super) async fn sweep_parts(&self, now: Timestamp) -> Result<(), Error> {
        let long_ago = now.plus_ms(-REMEMBERED_MS);
        let mut transaction = self.inner.store.begin().await?;
        let parts = uploads::delete_expired(&mut transaction, now, long_ago).await?;
        transaction.commit().await?;
        for part in parts {
            self.remove_staged(&part).await;
        }
        Ok(())
    }
}

/// That parts are still taken.
fn pending(upload: &UploadRow, now: Timestamp) -> Result<(), Error> {
    match upload.status(now) {
        UploadStatus::Pending => Ok(()),
        UploadStatus::Expired => Err(Error::conflict(
            "upload_expired",
            "the upload has expired, an hour after it was announced: begin a new one",
        )),
        other => Err(Error::conflict(
            "upload_not_pending",
            format!("the upload is `{}` already", other.as_str()),
        )),
    }
}

/// Writes files one after the other into a new one; answers the MD5 sum where it is wanted.
fn join(parts: &[PathBuf], target: &PathBuf, sum: bool) -> io::Result<Option<String>> {
    let mut whole = File::create(target)?;
    let mut hasher = sum.then(Md5::new);
    let mut buffer = vec![0_u8; 1 << 18];
    for part in parts {
        let mut part = File::open(part)?;
        let Some(hasher) = &mut hasher else {
            // The system copies by itself where it can.
            io::copy(&mut part, &mut whole)?;
            continue;
        };
        loop {
            let count = part.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let read = buffer.get(..count).unwrap_or_default();
            hasher.update(read);
            whole.write_all(read)?;
        }
    }
    whole.sync_all()?;
    if let Some(folder) = target.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(hasher.map(|hasher| secret::hex(&hasher.finalize())))
}
