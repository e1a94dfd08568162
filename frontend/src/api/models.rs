//! `/api/models` and `/api/estimate`: base models to choose from, fetching further ones, and what a job would take.

use super::{ApiError, query_string, send, write};
use crate::query::{Query, Resource};
use gloo_net::http::Method;
use shared::{
    estimate::{Estimate, EstimateQuery},
    id::encode_segment,
    model::{AddModel, ModelList},
};

/// All base models, those on their way, and those that could be had.
#[must_use]
pub fn list() -> Query<ModelList> {
    Query::new("/api/models", Resource::Models)
}

/// Starts to fetch a model.
///
/// # Errors
/// 400 where the source is none, 409 where it is there.
pub(crate) async fn add(source: &str) -> Result<(), ApiError> {
    let body = AddModel {
        source: source.to_owned(),
    };
    send(Method::POST, "/api/models", write(&body), &[], None)
        .await
        .map(drop)
}

/// Removes a model, or gives up one that is being fetched.
///
/// # Errors
/// 409 where something needs it.
pub(crate) async fn remove(id: &str) -> Result<(), ApiError> {
    let path = format!("/api/models/{}", encode_segment(id));
    send(Method::DELETE, &path, None, &[], None).await.map(drop)
}

/// What a job would take.
#[must_use]
pub fn estimate(query: &EstimateQuery) -> Query<Estimate> {
    let parameters = query_string(&[
        ("base_model", Some(query.base_model.clone())),
        ("training_dataset", Some(query.training_dataset.to_string())),
        (
            "validation_dataset",
            query.validation_dataset.as_ref().map(ToString::to_string),
        ),
        ("epochs", Some(query.epochs.to_string())),
        ("batch_size", query.batch_size.map(|size| size.to_string())),
        ("lora_rank", query.lora_rank.map(|rank| rank.to_string())),
    ]);
    Query::new(format!("/api/estimate{parameters}"), Resource::Models)
}
