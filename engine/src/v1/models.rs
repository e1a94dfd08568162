//! `/v1/models`: base models, and what the caller's jobs made.

use super::{error::ApiError, objects, request::Authorized};
use crate::Service;
use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};
use shared::id::Subject;

async fn all(service: &Service, subject: &Subject) -> Result<Vec<Value>, ApiError> {
    let mut models = Vec::new();
    for found in service.found_models().await? {
        let created = found.created_at().await.unix_seconds();
        models.push(objects::model(&found.model.id, created));
    }
    for artifact in service.list_artifacts(subject).await?.artifacts {
        models.push(objects::model(
            &artifact.fine_tuned_model,
            artifact.created_at.unix_seconds(),
        ));
    }
    Ok(models)
}

/// `GET /models`.
pub(crate) async fn list_models(
    State(service): State<Service>,
    Authorized(caller): Authorized,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(
        json!({ "object": "list", "data": all(&service, &caller.subject).await? }),
    ))
}

/// `GET /models/{id}`.
pub(crate) async fn find_model(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = all(&service, &caller.subject)
        .await?
        .into_iter()
        .find(|model| model["id"] == id.as_str());
    // Checkpoints aren't listed, but they can be asked as every model.
    let found = match found {
        None => {
            let asked = service.chat_models(&caller.subject).await?.models.into_iter();
            let mut asked = asked.filter(|model| model.id == id);
            asked
                .next()
                .map(|model| objects::model(&model.id, model.created_at.unix_seconds()))
        }
        found => found,
    };
    found
        .map(Json)
        .ok_or_else(|| ApiError::not_found("model", &id).with_code("model_not_found"))
}
