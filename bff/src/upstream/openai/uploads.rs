//! Uploads on their way through to the upstream. It gives a file its id only once all bytes are there, so until then a
//! dataset has an id of ours, by which the browser confirms it; both are forgotten after an hour.
//!
//! The bytes go on as they come and are kept nowhere: an upload that is cut begins anew.

use super::{Inner, read};
use crate::upstream::{Answer, ByteStream, UploadRange, UpstreamError, error::Cause, remote::no_such_call};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, multipart};
use shared::{
    capabilities::Capabilities,
    dataset::{CreatedDataset, Dataset, DatasetStatus, NewDataset, UploadProgress, UploadTarget},
    id::{DatasetId, Subject},
    problem::FieldCode,
    timestamp::Timestamp,
};
use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// How long an address takes bytes, and how long our id is known.
const LIFETIME_MS: i64 = 3_600_000;
/// Uploads on their way at most.
const MOST: usize = 1_000;

/// The uploads on their way, by token.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<String, Upload>>);

#[derive(Clone)]
struct Upload {
    subject: Subject,
    expires_at: Timestamp,
    /// Under our id while its bytes are coming, then as the upstream has it.
    dataset: Dataset,
    ours: DatasetId,
}

impl Uploads {
    /// Takes up an upload and says where to put the bytes.
    pub(super) fn begin(&self, subject: &Subject, new: NewDataset, now: Timestamp) -> Answer<CreatedDataset> {
        if new.bytes == 0 {
            return Err(UpstreamError::Invalid {
                detail: "some fields need another value; see `fields`".to_owned(),
                fields: BTreeMap::from([("bytes".to_owned(), "the file is empty".to_owned())]),
                codes: BTreeMap::from([(
                    "bytes".to_owned(),
                    FieldCode {
                        code: "no_bytes".to_owned(),
                        params: BTreeMap::new(),
                    },
                )]),
            });
        }
        let most = Capabilities::openai().max_dataset_bytes;
        if most.is_some_and(|most| new.bytes > most) {
            return Err(UpstreamError::Refused {
                status: 413,
                code: "file_too_large",
                detail: format!(
                    "such upstreams take files of at most {} bytes",
                    most.unwrap_or_default()
                ),
                retry_after: None,
            });
        }
        let (token, ours) = (random("up-")?, DatasetId::new(random("upload-")?));
        let expires_at = now.plus_ms(LIFETIME_MS);
        let dataset = Dataset {
            id: ours.clone(),
            name: new.name,
            filename: new.filename,
            bytes: new.bytes,
            status: DatasetStatus::Uploading,
            created_at: now,
            examples: None,
            errors: None,
            method: None,
            used_by: 0,
        };
        let upload = Upload {
            subject: subject.clone(),
            expires_at,
            dataset: dataset.clone(),
            ours,
        };
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.retain(|_, upload| upload.expires_at > now);
        if uploads.len() >= MOST {
            return Err(UpstreamError::Refused {
                status: 429,
                code: "too_many_uploads",
                detail: "too many uploads are on their way; wait until some are done".to_owned(),
                retry_after: Some(60),
            });
        }
        uploads.insert(token.clone(), upload);
        Ok(CreatedDataset {
            dataset,
            upload: UploadTarget {
                url: format!("/api/uploads/{token}"),
                method: "PUT".to_owned(),
                expires_at,
            },
        })
    }

    fn find(&self, subject: &Subject, token: &str, now: Timestamp) -> Answer<Upload> {
        let uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = uploads
            .get(token)
            .filter(|upload| upload.subject == *subject && upload.expires_at > now);
        found.cloned().ok_or(UpstreamError::Refused {
            status: 404,
            code: "link_expired",
            detail: "this address has expired or never was; begin the upload anew".to_owned(),
            retry_after: None,
        })
    }

    fn arrived(&self, token: &str, dataset: Dataset) {
        let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(upload) = uploads.get_mut(token) {
            upload.dataset = dataset;
        }
    }

    /// How much of an upload is safe: all or nothing.
    pub(super) fn progress(&self, subject: &Subject, token: &str, now: Timestamp) -> Answer<UploadProgress> {
        let dataset = self.find(subject, token, now)?.dataset;
        let arrived = dataset.status != DatasetStatus::Uploading;
        Ok(UploadProgress {
            received: if arrived { dataset.bytes } else { 0 },
            bytes: dataset.bytes,
        })
    }

    /// What our id stands for, where it is one.
    pub(super) fn dataset(&self, subject: &Subject, id: &DatasetId) -> Option<Dataset> {
        let uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut own = uploads.values().filter(|upload| upload.subject == *subject);
        own.find(|upload| upload.ours == *id)
            .map(|upload| upload.dataset.clone())
    }

    /// The dataset that an upload has become; none where the id isn't ours.
    pub(super) fn confirm(&self, subject: &Subject, id: &DatasetId) -> Answer<Option<Dataset>> {
        match self.dataset(subject, id) {
            Some(dataset) if dataset.status == DatasetStatus::Uploading => Err(UpstreamError::Refused {
                status: 409,
                code: "upload_incomplete",
                detail: format!("0 of {} bytes have arrived: upload them first", dataset.bytes),
                retry_after: None,
            }),
            dataset => Ok(dataset),
        }
    }
}

impl Inner {
    /// A dataset as it stands now, by its own id or by the one of its upload.
    pub(super) async fn dataset_or_upload(
        self: &Arc<Self>,
        id: &DatasetId,
        uploaded: Option<Dataset>,
    ) -> Answer<Dataset> {
        match uploaded {
            None => self.dataset(id).await,
            Some(dataset) if dataset.status == DatasetStatus::Uploading => Ok(dataset),
            Some(dataset) => match self.dataset(&dataset.id).await {
                // Some imitations answer with an id that they then don't know.
                Err(UpstreamError::NotFound(_)) => Ok(dataset),
                found => found,
            },
        }
    }

    /// Sends an upload's bytes on as they come.
    pub(super) async fn write_upload(
        self: &Arc<Self>,
        subject: &Subject,
        token: &str,
        range: Option<UploadRange>,
        content: ByteStream,
    ) -> Answer<UploadProgress> {
        let upload = self.uploads.find(subject, token, self.clock.now())?;
        let bytes = upload.dataset.bytes;
        if upload.dataset.status != DatasetStatus::Uploading {
            return Ok(UploadProgress {
                received: bytes,
                bytes,
            });
        }
        let starts = range.map_or(0, |range| range.start);
        let total = range.and_then(|range| range.total).unwrap_or(bytes);
        if starts != 0 || total != bytes {
            return Err(UpstreamError::Refused {
                status: 409,
                code: "upload_position",
                detail: format!("the upload stands at 0 of {bytes} bytes: send it from the start"),
                retry_after: None,
            });
        }
        let sent = Arc::new(Sent::default());
        let content = counted(content, bytes, Arc::clone(&sent));
        let part = multipart::Part::stream_with_length(Body::wrap_stream(content), bytes)
            .file_name(upload.dataset.filename.clone())
            .mime_str("application/jsonl")
            .map_err(|error| UpstreamError::Internal(Cause::new(error)))?;
        let form = multipart::Form::new()
            .text("purpose", "fine-tune")
            .part("file", part);
        let answer = self.client.post_form("files", form, bytes).await;
        self.forget_files();
        let answer = answer.map_err(|error| sent.fault(bytes).unwrap_or_else(|| no_such_call(error)))?;
        let mut dataset = read::file(&answer, self.is_attune().await)?;
        // Imitations that keep nothing tell nothing.
        if dataset.bytes == 0 {
            dataset.bytes = bytes;
        }
        self.uploads.arrived(token, dataset);
        Ok(UploadProgress {
            received: bytes,
            bytes,
        })
    }
}

/// How much of a body has come, and why it went no further.
#[derive(Default)]
struct Sent {
    bytes: AtomicU64,
    ended: AtomicBool,
    too_large: AtomicBool,
}

impl Sent {
    /// What is wrong with what the browser sent, where the upstream isn't to blame.
    fn fault(&self, expected: u64) -> Option<UpstreamError> {
        let sent = self.bytes.load(Ordering::Relaxed);
        if self.too_large.load(Ordering::Relaxed) {
            return Some(UpstreamError::Refused {
                status: 413,
                code: "file_too_large",
                detail: "the upload is larger than this server takes".to_owned(),
                retry_after: None,
            });
        }
        let is_short = self.ended.load(Ordering::Relaxed) && sent < expected;
        (is_short || sent > expected).then(|| UpstreamError::Refused {
            status: 409,
            code: "upload_position",
            detail: format!("{sent} bytes came where {expected} were told: send the file from the start"),
            retry_after: None,
        })
    }
}

/// The content as it comes, no longer than was told.
fn counted(content: ByteStream, expected: u64, sent: Arc<Sent>) -> ByteStream {
    let end = Arc::clone(&sent);
    let content = content.map(move |chunk| match chunk {
        Ok(chunk) => {
            let length = chunk.len() as u64;
            if sent.bytes.fetch_add(length, Ordering::Relaxed) + length > expected {
                return Err(io::Error::other("more bytes come than were told"));
            }
            Ok(chunk)
        }
        Err(error) => {
            let too_large = error.kind() == io::ErrorKind::FileTooLarge;
            sent.too_large.store(too_large, Ordering::Relaxed);
            Err(error)
        }
    });
    let ended = stream::once(async move {
        end.ended.store(true, Ordering::Relaxed);
        Ok(Bytes::new())
    });
    content.chain(ended).boxed()
}

/// 128 random bits that can't be guessed.
fn random(prefix: &str) -> Answer<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| UpstreamError::Internal(Cause::new(error)))?;
    let id = uuid::Uuid::from_bytes(bytes);
    Ok(format!("{prefix}{}", id.simple()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fault(chunks: Vec<Result<&'static [u8], io::ErrorKind>>) -> Option<(u16, &'static str)> {
        let sent = Arc::new(Sent::default());
        let chunks = chunks
            .into_iter()
            .map(|chunk| chunk.map(Bytes::from_static).map_err(io::Error::from));
        let content = counted(stream::iter(chunks).boxed(), 4, Arc::clone(&sent));
        let _all: Vec<_> = content.collect().await;
        match sent.fault(4)? {
            UpstreamError::Refused { status, code, .. } => Some((status, code)),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_body_of_another_length_than_was_told_is_not_the_upstreams_fault() {
        assert_eq!(fault(vec![Ok(b"ab"), Ok(b"cd")]).await, None);
        let position = Some((409, "upload_position"));
        assert_eq!(fault(vec![Ok(b"ab")]).await, position, "short");
        assert_eq!(fault(vec![Ok(b"abc"), Ok(b"de")]).await, position, "long");
        let large = vec![Ok(&b"ab"[..]), Err(io::ErrorKind::FileTooLarge)];
        assert_eq!(fault(large).await, Some((413, "file_too_large")));
    }
}
