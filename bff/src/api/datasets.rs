//! `/api/datasets`: record, confirm, look into, delete.

use crate::{
    extract::{Json, Path, Query},
    guard::SignedIn,
    problem::ApiError,
    state::AppState,
};
use axum::{extract::State, http::StatusCode};
use shared::{
    dataset::{
        CreatedDataset, Dataset, DatasetList, DatasetPreview, DatasetReport, NewDataset, PreviewQuery,
    },
    id::DatasetId,
    problem::Problem,
};

/// Lists the datasets, newest first.
#[utoipa::path(get, path = "/datasets", tag = "datasets", responses(
    (status = 200, description = "All of the subject's", body = DatasetList),
))]
pub(super) async fn list_datasets(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<axum::Json<DatasetList>, ApiError> {
    Ok(axum::Json(
        state.upstream.list_datasets(signed_in.subject()).await?,
    ))
}

/// Records a dataset and says where to put its bytes.
#[utoipa::path(post, path = "/datasets", tag = "datasets", request_body = NewDataset, responses(
    (status = 201, description = "The dataset, and where its bytes belong", body = CreatedDataset),
    (status = 400, description = "Some fields need another value", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "The file is larger than this server takes", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn create_dataset(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Json(dataset): Json<NewDataset>,
) -> Result<(StatusCode, axum::Json<CreatedDataset>), ApiError> {
    if dataset.bytes > state.upload_bytes {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "file_too_large",
            format!(
                "the file is larger than the {} bytes that this server takes",
                state.upload_bytes
            ),
        ));
    }
    let created = state
        .upstream
        .create_dataset(signed_in.subject(), dataset)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(created)))
}

/// Makes the example datasets, or finds them where they exist.
#[utoipa::path(post, path = "/datasets/example", tag = "datasets", responses(
    (status = 200, description = "The example's training and validation dataset", body = DatasetList),
))]
pub(super) async fn create_example_datasets(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<axum::Json<DatasetList>, ApiError> {
    Ok(axum::Json(
        state
            .upstream
            .create_example_datasets(signed_in.subject())
            .await?,
    ))
}

/// Finds a dataset.
#[utoipa::path(get, path = "/datasets/{id}", tag = "datasets",
    params(("id" = String, Path, description = "The dataset's id")),
    responses(
        (status = 200, description = "The dataset", body = Dataset),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_dataset(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<DatasetId>,
) -> Result<axum::Json<Dataset>, ApiError> {
    Ok(axum::Json(
        state.upstream.find_dataset(signed_in.subject(), &id).await?,
    ))
}

/// Deletes a dataset that no unfinished job names.
#[utoipa::path(delete, path = "/datasets/{id}", tag = "datasets",
    params(("id" = String, Path, description = "The dataset's id")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A job that has not ended names it", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn delete_dataset(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<DatasetId>,
) -> Result<StatusCode, ApiError> {
    state.upstream.delete_dataset(signed_in.subject(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that the upload is whole; reading the file begins.
#[utoipa::path(post, path = "/datasets/{id}/confirm", tag = "datasets",
    params(("id" = String, Path, description = "The dataset's id")),
    responses(
        (status = 200, description = "The dataset", body = Dataset),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Bytes are missing", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn confirm_dataset(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<DatasetId>,
) -> Result<axum::Json<Dataset>, ApiError> {
    Ok(axum::Json(
        state.upstream.confirm_dataset(signed_in.subject(), &id).await?,
    ))
}

/// Tells what reading the file found, line by line.
#[utoipa::path(get, path = "/datasets/{id}/report", tag = "datasets",
    params(("id" = String, Path, description = "The dataset's id")),
    responses(
        (status = 200, description = "The report", body = DatasetReport),
        (status = 404, description = "There is no such dataset, or it was not read yet", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_report(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<DatasetId>,
) -> Result<axum::Json<DatasetReport>, ApiError> {
    Ok(axum::Json(
        state.upstream.dataset_report(signed_in.subject(), &id).await?,
    ))
}

/// Shows the first examples, or the lines around one.
#[utoipa::path(get, path = "/datasets/{id}/preview", tag = "datasets",
    params(("id" = String, Path, description = "The dataset's id"), PreviewQuery),
    responses(
        (status = 200, description = "The first examples, or the lines around one: none where the file ends before it", body = DatasetPreview),
        (status = 400, description = "There is no line 0", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such dataset", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn find_preview(
    State(state): State<AppState>,
    signed_in: SignedIn,
    Path(id): Path<DatasetId>,
    Query(query): Query<PreviewQuery>,
) -> Result<axum::Json<DatasetPreview>, ApiError> {
    let upstream = &state.upstream;
    let preview = upstream.dataset_preview(signed_in.subject(), &id, &query).await?;
    Ok(axum::Json(preview))
}
