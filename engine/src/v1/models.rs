//! `/v1/models`: base models, what the caller's jobs made, and what they may use of others'.

use super::{
    error::ApiError,
    objects,
    request::{Authorized, Path},
};
use crate::{Error, Service, models::FoundModel};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use shared::id::Subject;

/// With what the wizard of another console proposes for it; by that it also knows whom it speaks to.
async fn base_model(found: &FoundModel) -> Value {
    let mut model = objects::model(&found.model.id, found.created_at().await.unix_seconds(), false);
    model["x_attune"] = json!({ "defaults": found.model.defaults });
    model
}

/// `GET /models`.
pub(crate) async fn list_models(
    State(service): State<Service>,
    Authorized(caller): Authorized,
) -> Result<Json<Value>, ApiError> {
    let mut models = Vec::new();
    for found in service.found_models().await? {
        models.push(base_model(&found).await);
    }
    for artifact in service.list_artifacts(&caller.subject).await?.artifacts {
        let created = artifact.created_at.unix_seconds();
        models.push(objects::model(&artifact.fine_tuned_model, created, true));
    }
    for (name, found) in service.list_permitted_models(&caller.subject).await? {
        models.push(objects::model(&name, found.created_at.unix_seconds(), true));
    }
    Ok(Json(json!({ "object": "list", "data": models })))
}

fn no_model(id: &str) -> ApiError {
    ApiError::not_found("model", id).with_code("model_not_found")
}

/// `GET /models/{id}`; a checkpoint is found here by its name, though the list leaves it out.
pub(crate) async fn find_model(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    if let Some(found) = service.find_model(&id).await? {
        return Ok(Json(base_model(&found).await));
    }
    let tuned = service.find_tuned_model(&caller.subject, &id).await?;
    let created = tuned.ok_or_else(|| no_model(&id))?.created_at;
    Ok(Json(objects::model(&id, created.unix_seconds(), true)))
}

/// `DELETE /models/{id}`: a tuned model of the caller's own.
pub(crate) async fn delete_model(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    if service.find_model(&id).await?.is_some() {
        let message = "a base model isn't deleted here: its operator does that with `attune model remove`";
        return Err(ApiError::forbidden("model_not_deletable", message));
    }
    if !is_own(&service, &caller.subject, &id).await? {
        let message = "the model is somebody else's: you may use it, not delete it";
        return Err(ApiError::forbidden("model_not_deletable", message));
    }
    match service.delete_tuned_model(&caller.subject, &id).await {
        Ok(()) => Ok(Json(json!({ "id": id, "object": "model", "deleted": true }))),
        Err(Error::NotFound(_)) => Err(no_model(&id)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a model that the subject can see is theirs.
async fn is_own(service: &Service, subject: &Subject, id: &str) -> Result<bool, ApiError> {
    let found = service.find_tuned_model(subject, id).await?;
    let found = found.ok_or_else(|| no_model(id))?;
    Ok(found.job.owner() == *subject)
}
