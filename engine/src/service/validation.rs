//! Reading a file's lines once it has arrived: findings by line, statistics and a preview.

use super::{Inner, Service, backoff::Backoff};
use crate::{
    blobs::Blobs,
    error::{Error, chain},
    store::{
        Store,
        files::{self, FINE_TUNE, FileRow, Validated},
        jobs,
    },
};
use shared::{
    dataset::{DatasetPreview, DatasetReport, DatasetStatus, PreviewExample},
    id::{JobId, Subject},
    training_line::{FileCheck, Finding, MAX_LINE_BYTES, Severity},
};
use std::{
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

impl Service {
    /// Takes up what the server before this one left unread.
    pub(crate) async fn resume_validations(&self) -> Result<(), Error> {
        for row in files::list_validating(self.inner.store.read()).await? {
            self.start_file_validation(Subject::new(&row.owner), row.id);
        }
        for (owner, id) in jobs::list_validating(self.inner.store.read()).await? {
            self.start_job_validation(Subject::new(owner), JobId::new(id));
        }
        Ok(())
    }

    /// Reads a file's lines beside everything else.
    pub(crate) fn start_file_validation(&self, owner: Subject, id: String) {
        let service = self.clone();
        self.inner.tasks.spawn(async move {
            let mut backoff = Backoff::new(&service);
            while let Err(error) = service.validate_file(&owner, &id).await {
                tracing::error!(error = %chain(&error), file = id, "a file could not be read");
                if !backoff.may_help(&error) {
                    // So that nobody waits for ever for what can't be done.
                    match service.give_up(&owner, &id, &error).await {
                        Ok(()) => return,
                        Err(error) => {
                            tracing::error!(error = %chain(&error), file = id, "nor could that be recorded");
                        }
                    }
                }
                if !backoff.wait().await {
                    return;
                }
            }
        });
    }

    async fn validate_file(&self, owner: &Subject, id: &str) -> Result<(), Error> {
        let Some(row) = files::find(self.inner.store.read(), owner, id).await? else {
            return Ok(());
        };
        let Inner { store, blobs, .. } = &*self.inner;
        match look_into(store, blobs, &self.staged(id), &row).await? {
            Some(found) => self.record_findings(owner, id, &found).await,
            None => Ok(()),
        }
    }

    /// Reads the lines of a file whose bytes are stored, and records what was found.
    pub(crate) async fn check_lines(&self, owner: &Subject, row: &FileRow) -> Result<(), Error> {
        let found = findings(&self.inner.blobs, row).await?;
        self.record_findings(owner, &row.id, &found).await
    }

    async fn give_up(&self, owner: &Subject, id: &str, error: &Error) -> Result<(), Error> {
        let finding = Finding {
            line: 0,
            severity: Severity::Error,
            code: error.code().to_owned(),
            message: error.to_string(),
            advice: "upload the file again".to_owned(),
        };
        let report = DatasetReport {
            errors: 1,
            findings: vec![finding],
            ..DatasetReport::default()
        };
        let preview = DatasetPreview { examples: Vec::new() };
        self.record_findings(owner, id, &Found::of(&report, &preview)?)
            .await
    }

    async fn record_findings(&self, owner: &Subject, id: &str, found: &Found) -> Result<(), Error> {
        record(&self.inner.store, owner, id, found).await?;
        self.inner.files_changed.changed(id);
        Ok(())
    }
}

/// What reading a file's lines found, as its row keeps it.
pub(crate) struct Found {
    status: DatasetStatus,
    report: Option<(DatasetReport, String, String)>,
}

impl Found {
    fn of(report: &DatasetReport, preview: &DatasetPreview) -> Result<Self, Error> {
        let unwritable = |error| Error::storage("a report could not be written as JSON", error);
        let texts = (
            serde_json::to_string(report).map_err(unwritable)?,
            serde_json::to_string(preview).map_err(unwritable)?,
        );
        Ok(Self {
            status: if report.errors == 0 {
                DatasetStatus::Ready
            } else {
                DatasetStatus::Error
            },
            report: Some((report.clone(), texts.0, texts.1)),
        })
    }
}

/// Stores a file whose bytes are whole, unless that is done already, and reads its lines; nothing where it was deleted
/// meanwhile.
pub(crate) async fn look_into(
    store: &Store,
    blobs: &Blobs,
    staged: &Path,
    row: &FileRow,
) -> Result<Option<Found>, Error> {
    // After a crash in mid-way the upload may be stored already.
    if tokio::fs::try_exists(staged).await.unwrap_or(false) {
        blobs.put_file(&row.id, staged).await?;
        if let Err(error) = tokio::fs::remove_file(staged).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = row.id, "an upload could not be removed");
        }
        // Deleted while it was copied: whoever deleted it may have found no blob yet.
        if files::find(store.read(), &Subject::new(&row.owner), &row.id)
            .await?
            .is_none()
        {
            blobs.delete(&row.id).await?;
            return Ok(None);
        }
    }
    findings(blobs, row).await.map(Some)
}

/// Reads the lines of a file whose bytes are stored.
async fn findings(blobs: &Blobs, row: &FileRow) -> Result<Found, Error> {
    if row.purpose != FINE_TUNE {
        return Ok(Found {
            status: DatasetStatus::Ready,
            report: None,
        });
    }
    let reader = blobs.reader(&row.id).await?;
    let (report, preview) = tokio::task::spawn_blocking(move || read_lines(reader))
        .await
        .map_err(|error| Error::storage("reading a file was interrupted", error))?
        .map_err(|error| Error::storage("a stored file could not be read", error))?;
    Found::of(&report, &preview)
}

/// Ends a file's validation.
pub(crate) async fn record(store: &Store, owner: &Subject, id: &str, found: &Found) -> Result<(), Error> {
    let report = found.report.as_ref();
    let validated = Validated {
        status: found.status,
        examples: report.map(|(report, ..)| report.examples),
        errors: report.map(|(report, ..)| report.errors),
        report: report.map(|(_, report, _)| report.as_str()),
        preview: report.map(|(.., preview)| preview.as_str()),
    };
    let mut transaction = store.begin().await?;
    files::finish_validation(&mut transaction, owner, id, &validated).await?;
    transaction.commit().await.map_err(Error::from)
}

/// Reads every line of a file in bounded memory.
fn read_lines(reader: impl Read) -> io::Result<(DatasetReport, DatasetPreview)> {
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    let mut check = FileCheck::new();
    let mut preview = Vec::new();
    let mut line = Vec::new();
    let mut number = 0;
    while read_line(&mut reader, &mut line)? {
        number += 1;
        let example = check.read_line(&line);
        if let Some(example) = example.filter(|_| preview.len() < DatasetPreview::EXAMPLES) {
            preview.push(PreviewExample::of(number, &example));
        }
    }
    Ok((check.finish(), DatasetPreview { examples: preview }))
}

/// Reads one line without its newline; of a line that is too long just enough to tell. False at the end.
pub(super) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use shared::{dataset::NewDataset, id::DatasetId};
    use std::{fs::OpenOptions, io::Write as _};

    /// A dataset that is about to be read, whose bytes come through a pipe: who reads them waits for more.
    async fn dataset_behind_a_pipe(engine: &TestEngine) -> DatasetId {
        let new = NewDataset {
            name: "slow".to_owned(),
            filename: "slow.jsonl".to_owned(),
            bytes: 10,
        };
        let created = engine.service.create_dataset(&alice(), new).await.unwrap();
        let id = created.dataset.id;
        let staged = engine.service.staged(id.as_str());
        mknodat(CWD, &staged, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let mut transaction = engine.service.inner.store.begin().await.unwrap();
        assert!(
            files::start_validation(&mut transaction, &alice(), id.as_str())
                .await
                .unwrap()
        );
        transaction.commit().await.unwrap();
        id
    }

    #[tokio::test]
    async fn a_file_that_is_deleted_while_it_is_copied_stays_deleted() {
        let engine = TestEngine::start().await;
        let id = dataset_behind_a_pipe(&engine).await;
        let staged = engine.service.staged(id.as_str());
        let (service, reading) = (engine.service.clone(), id.clone());
        let copied = tokio::spawn(async move { service.validate_file(&alice(), reading.as_str()).await });
        // Open once somebody reads.
        let mut pipe = tokio::task::spawn_blocking(move || OpenOptions::new().write(true).open(staged))
            .await
            .unwrap()
            .unwrap();
        pipe.write_all(lines(1).as_bytes()).unwrap();
        engine.service.delete_dataset(&alice(), &id).await.unwrap();
        drop(pipe);
        copied.await.unwrap().unwrap();
        assert!(!engine.service.inner.layout.blobs().join(id.as_str()).exists());
    }

    #[tokio::test]
    async fn what_is_found_in_a_deleted_file_is_not_recorded() {
        let engine = TestEngine::start().await;
        let dataset = engine.dataset(&alice(), &lines(2)).await;
        let row = engine
            .service
            .find_file_row(&alice(), dataset.id.as_str())
            .await
            .unwrap();
        let mut transaction = engine.service.inner.store.begin().await.unwrap();
        // As it stands while its lines are read.
        sqlx::query("UPDATE files SET status = 'validating'")
            .execute(&mut *transaction)
            .await
            .unwrap();
        files::delete(&mut transaction, &alice(), &row.id, engine.service.now())
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        engine.service.check_lines(&alice(), &row).await.unwrap();
        let left: (String, Option<String>, Option<String>) =
            sqlx::query_as("SELECT status, report, preview FROM files")
                .fetch_one(engine.service.inner.store.read())
                .await
                .unwrap();
        assert_eq!(left, ("validating".to_owned(), None, None));
    }

    fn lines_of(text: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = BufReader::with_capacity(3, text);
        let (mut line, mut lines) = (Vec::new(), Vec::new());
        while read_line(&mut reader, &mut line).unwrap() {
            lines.push(line.clone());
        }
        lines
    }

    #[test]
    fn lines_end_at_newlines_and_at_the_end() {
        assert_eq!(
            lines_of(b"one\n\nthree"),
            [b"one".to_vec(), Vec::new(), b"three".to_vec()]
        );
        assert_eq!(lines_of(b"one\n"), [b"one".to_vec()]);
        assert!(lines_of(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_does_not_fill_the_memory() {
        let mut text = vec![b'x'; MAX_LINE_BYTES * 2];
        text.extend_from_slice(b"\n{}");
        let mut reader = text.as_slice();
        let mut line = Vec::new();
        assert!(read_line(&mut reader, &mut line).unwrap());
        assert_eq!(line.len(), MAX_LINE_BYTES + 1);
        let (report, _) = read_lines(text.as_slice()).unwrap();
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.line == 1 && finding.code == "line_too_long")
        );
        assert_eq!(report.lines, 2);
    }
}
