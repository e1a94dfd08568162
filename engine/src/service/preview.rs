//! How a dataset's file begins, and what stands around one of its lines.

use super::{Service, datasets::not_validated, validation::read_line};
use crate::{error::Error, store::files};
use shared::{
    dataset::{DatasetPreview, DatasetStatus, PreviewExample, PreviewQuery},
    id::{DatasetId, Subject},
};
use std::{
    io::{self, BufReader, Read},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

impl Service {
    /// The first examples of the file, or the lines around one; none where the file has no such line.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `not_validated` while the file hasn't been read.
    pub async fn dataset_preview(
        &self,
        subject: &Subject,
        id: &DatasetId,
        query: &PreviewQuery,
    ) -> Result<DatasetPreview, Error> {
        let dataset = self.find_dataset(subject, id).await?;
        let found = files::findings(self.inner.store.read(), subject, id.as_str()).await?;
        let Some(line) = query.line.map(|line| u64::from(line.get())) else {
            let preview = found.and_then(|(_, preview)| preview).ok_or_else(not_validated)?;
            return serde_json::from_str(&preview)
                .map_err(|error| Error::storage("a stored preview can't be read", error));
        };
        if !matches!(dataset.status, DatasetStatus::Ready | DatasetStatus::Error) {
            return Err(not_validated());
        }
        // A reading that nobody waits for any more ends, and keeps its place among the readers until then.
        let gone = CancellationToken::new();
        let _guard = gone.clone().drop_guard();
        let place = Arc::clone(&self.inner.line_readers).acquire_owned().await;
        let place = place.map_err(|error| Error::storage("the server is about to stop", error))?;
        let reader = self.inner.blobs.reader(id.as_str()).await?;
        let read = tokio::task::spawn_blocking(move || {
            let _place = place;
            lines_around(reader, line, || gone.is_cancelled())
        });
        (read.await)
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| Error::storage("a dataset could not be read", error))
    }
}

/// The lines around one, each as what it is; empty where the file ends before that one. It gives up where `is_over`.
fn lines_around(reader: impl Read, wanted: u64, is_over: impl Fn() -> bool) -> io::Result<DatasetPreview> {
    let window = DatasetPreview::around(wanted);
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    let mut line = Vec::new();
    let mut examples = Vec::new();
    let mut number = 0;
    while number < *window.end() && !is_over() && read_line(&mut reader, &mut line)? {
        number += 1;
        if window.contains(&number) {
            examples.push(PreviewExample::of_line(number, &line));
        }
    }
    if number < wanted {
        examples.clear();
    }
    Ok(DatasetPreview { examples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_among_its_neighbours_and_one_beyond_the_end_is_none() {
        let text: String = (1..=50).map(|number| format!("line {number}\n")).collect();
        let shown = |wanted| {
            let preview = lines_around(text.as_bytes(), wanted, || false).unwrap();
            let ends = (preview.examples.first(), preview.examples.last());
            ends.0.zip(ends.1).map(|(first, last)| (first.line, last.line))
        };
        assert_eq!(shown(1), Some((1, 6)));
        assert_eq!(shown(30), Some((26, 35)));
        assert_eq!(shown(50), Some((46, 50)));
        assert_eq!(shown(51), None);
        let middle = lines_around(text.as_bytes(), 30, || false).unwrap();
        assert_eq!(middle.examples[4].raw(), Some("line 30"));
        let without_end = lines_around("one\ntwo".as_bytes(), 2, || false).unwrap();
        assert_eq!(without_end.examples[1].raw(), Some("two"));
    }
}
