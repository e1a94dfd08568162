//! Datasets are the upstream's files with the purpose `fine-tune`. What their lines hold is found out here: the content is
//! read through once, by the code that the browser and the engine use.

use super::{Inner, read};
use crate::upstream::{
    Answer, UpstreamError,
    remote::{client::Reading, no_such_call, path_of},
};
use shared::{
    dataset::{Dataset, DatasetPreview, DatasetReport, PreviewExample},
    id::DatasetId,
    job::{DatasetRef, Job},
    training_line::{FileCheck, MAX_LINE_BYTES},
};
use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

pub(super) const DATASET: &str = "dataset";

/// 404 speaks of the file.
pub(super) fn of_file(error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::NotFound(_) => UpstreamError::NotFound(DATASET),
        other => other,
    }
}

impl Inner {
    async fn all_files(self: &Arc<Self>) -> Answer<Arc<Vec<Dataset>>> {
        let inner = Arc::clone(self);
        let read = || async move {
            let is_attune = inner.is_attune().await;
            let answer = inner.client.get_with("files", &[("purpose", "fine-tune")]).await;
            let mut files = read::files(&answer.map_err(no_such_call)?, is_attune)?;
            files.sort_by_key(|file| std::cmp::Reverse(file.created_at));
            Ok(files)
        };
        self.files.get((), read).await
    }

    /// The datasets, with the number of jobs that name each.
    pub(super) async fn datasets(self: &Arc<Self>) -> Answer<Vec<Dataset>> {
        let mut datasets = self.all_files().await?.as_ref().clone();
        let mut named: HashMap<DatasetId, u64> = HashMap::new();
        // The list is worth showing without these counts.
        if let Ok(listing) = self.all_jobs().await {
            for job in &listing.jobs {
                for id in files_of(job).map(|file| &file.id) {
                    *named.entry(id.clone()).or_default() += 1;
                }
            }
        }
        for dataset in &mut datasets {
            dataset.used_by = named.get(&dataset.id).copied().unwrap_or(0);
        }
        Ok(datasets)
    }

    /// One dataset.
    pub(super) async fn dataset(self: &Arc<Self>, id: &DatasetId) -> Answer<Dataset> {
        let (inner, path) = (Arc::clone(self), path_of("files", DATASET, id.as_str(), "")?);
        let read = || async move {
            let is_attune = inner.is_attune().await;
            read::file(&inner.client.get(&path).await.map_err(of_file)?, is_attune)
        };
        let mut dataset = self.file.get(id.clone(), read).await?.as_ref().clone();
        if let Ok(listing) = self.all_jobs().await {
            let naming = listing
                .jobs
                .iter()
                .filter(|job| files_of(job).any(|file| file.id == *id));
            dataset.used_by = naming.count() as u64;
        }
        Ok(dataset)
    }

    /// Gives a job's files the names that they were uploaded with, where the list of files has them.
    pub(super) async fn name_files(self: &Arc<Self>, job: &mut Job) {
        let Ok(files) = self.all_files().await else { return };
        for named in [&mut job.training_dataset, &mut job.validation_dataset]
            .into_iter()
            .flatten()
        {
            if let Some(file) = files.iter().find(|file| file.id == named.id) {
                named.name.clone_from(&file.name);
            }
        }
    }

    /// Deletes a file that no unfinished job names.
    pub(super) async fn delete_file(self: &Arc<Self>, id: &DatasetId) -> Answer<()> {
        let path = path_of("files", DATASET, id.as_str(), "")?;
        let listing = self.all_jobs().await?;
        let unfinished = listing.jobs.iter().filter(|job| !job.status.is_terminal());
        if let Some(job) = unfinished
            .into_iter()
            .find(|job| files_of(job).any(|file| file.id == *id))
        {
            return Err(UpstreamError::Refused {
                status: 409,
                code: "dataset_in_use",
                detail: format!(
                    "the job `{}` needs it: cancel the job first, or wait for its end",
                    job.name
                ),
                retry_after: None,
            });
        }
        let deleted = self.client.delete(&path).await;
        self.forget_files();
        deleted.map_err(of_file)
    }

    pub(super) fn forget_files(&self) {
        self.files.forget();
        self.file.forget();
        self.reports.forget();
    }

    /// What reading a dataset's lines finds, and its first examples.
    pub(super) async fn looked_into(
        self: &Arc<Self>,
        id: &DatasetId,
    ) -> Answer<Arc<(DatasetReport, DatasetPreview)>> {
        let (inner, path) = (
            Arc::clone(self),
            path_of("files", DATASET, id.as_str(), "/content")?,
        );
        let read = || async move {
            let mut lines = Lines::default();
            let content = inner.client.get_file(&path, |piece| {
                lines.take(piece);
                Reading::More
            });
            content.await.map_err(of_file)?;
            Ok(lines.finish())
        };
        self.reports.get(id.clone(), read).await
    }

    /// The lines around one; none where the file ends before it.
    pub(super) async fn lines_around(
        self: &Arc<Self>,
        id: &DatasetId,
        line: u64,
    ) -> Answer<Arc<DatasetPreview>> {
        let (inner, path) = (
            Arc::clone(self),
            path_of("files", DATASET, id.as_str(), "/content")?,
        );
        let read = || async move {
            let window = DatasetPreview::around(line);
            let mut lines = Lines {
                window: Some(window.clone()),
                ..Lines::default()
            };
            let content = inner.client.get_file(&path, |piece| {
                lines.take(piece);
                if lines.number < *window.end() {
                    Reading::More
                } else {
                    Reading::Enough
                }
            });
            content.await.map_err(of_file)?;
            let (_, mut preview) = lines.finish();
            if preview.examples.iter().all(|example| example.line != line) {
                preview.examples.clear();
            }
            Ok(preview)
        };
        self.lines.get((id.clone(), line), read).await
    }
}

/// The files that a job names.
fn files_of(job: &Job) -> impl Iterator<Item = &DatasetRef> {
    job.training_dataset.iter().chain(&job.validation_dataset)
}

/// A file's lines as its pieces come, in bounded memory.
#[derive(Default)]
struct Lines {
    check: FileCheck,
    line: Vec<u8>,
    number: u64,
    preview: Vec<PreviewExample>,
    /// The lines that are wanted, whatever they are; the first examples unless told.
    window: Option<RangeInclusive<u64>>,
}

impl Lines {
    fn take(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.add(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.add(rest);
    }

    /// Of a line that is too long just enough is kept to tell.
    fn add(&mut self, part: &[u8]) {
        let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end_line(&mut self) {
        self.number += 1;
        if let Some(window) = &self.window {
            if window.contains(&self.number) {
                self.preview
                    .push(PreviewExample::of_line(self.number, &self.line));
            }
            self.line.clear();
            return;
        }
        let example = self.check.read_line(&self.line);
        if let Some(example) = example.filter(|_| self.preview.len() < DatasetPreview::EXAMPLES) {
            self.preview.push(PreviewExample::of(self.number, &example));
        }
        self.line.clear();
    }

    fn finish(mut self) -> (DatasetReport, DatasetPreview) {
        if !self.line.is_empty() {
            self.end_line();
        }
        let preview = DatasetPreview {
            examples: self.preview,
        };
        (self.check.finish(), preview)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let line = |text: &str| {
            format!(
                "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}},{{\"role\":\"assistant\",\"content\":\"yes\"}}]}}"
            )
        };
        let file = format!("{}\n\nno example\n{}", line("one"), line("two"));
        let read = |size: usize| {
            let mut lines = Lines::default();
            file.as_bytes().chunks(size).for_each(|piece| lines.take(piece));
            lines.finish()
        };
        let (report, preview) = read(file.len());
        assert_eq!((report.lines, report.examples), (3, 2));
        let shown: Vec<u64> = preview.examples.iter().map(|example| example.line).collect();
        assert_eq!(shown, [1, 4]);
        for size in [1, 7, 64] {
            assert_eq!(read(size), (report.clone(), preview.clone()), "{size}");
        }
    }
}
