//! `/api/datasets`. The bytes themselves go through [`super::upload`].

use super::{ApiError, read, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    dataset::{CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, NewDataset},
    id::{DatasetId, encode_segment},
};

fn path(id: &DatasetId, rest: &str) -> String {
    format!("/api/datasets/{}{rest}", encode_segment(id.as_str()))
}

/// All datasets, newest first.
#[must_use]
pub fn list() -> Query<DatasetList> {
    Query::new("/api/datasets", Resource::Datasets)
}

/// One dataset.
#[must_use]
pub fn dataset(id: &DatasetId) -> Query<Dataset> {
    Query::new(path(id, ""), Resource::Datasets)
}

/// What reading its file found.
#[must_use]
pub fn report(id: &DatasetId) -> Query<DatasetReport> {
    Query::new(path(id, "/report"), Resource::Datasets)
}

/// Its first examples.
#[must_use]
pub fn preview(id: &DatasetId) -> Query<DatasetPreview> {
    Query::new(path(id, "/preview"), Resource::Datasets)
}

/// The lines around one.
#[must_use]
pub fn lines_around(id: &DatasetId, line: u64) -> Query<DatasetPreview> {
    Query::new(path(id, &format!("/preview?line={line}")), Resource::Datasets)
}

/// Announces a file.
///
/// # Errors
/// 400 with `fields`, 413 where it is too large.
pub(crate) async fn create(new: &NewDataset) -> Result<CreatedDataset, ApiError> {
    read(
        &send(Method::POST, "/api/datasets", write(new), &[], None)
            .await?
            .text,
    )
}

/// Makes the example datasets, or gives those that stand.
///
/// # Errors
/// 404 where the server brings no example.
pub(crate) async fn create_example() -> Result<DatasetList, ApiError> {
    read(
        &send(Method::POST, "/api/datasets/example", None, &[], None)
            .await?
            .text,
    )
}

/// Tells that all bytes are there.
///
/// # Errors
/// 409 where bytes are missing.
pub(crate) async fn confirm(id: &DatasetId) -> Result<Dataset, ApiError> {
    read(
        &send(Method::POST, &path(id, "/confirm"), None, &[], None)
            .await?
            .text,
    )
}

/// Deletes a dataset.
///
/// # Errors
/// 409 while a job that hasn't ended names it.
pub(crate) async fn delete(id: &DatasetId) -> Result<(), ApiError> {
    send(Method::DELETE, &path(id, ""), None, &[], None)
        .await
        .map(drop)
}
