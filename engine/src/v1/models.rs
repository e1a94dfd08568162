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
        let changed = tokio::fs::metadata(found.path.join("config.json"))
            .await
            .and_then(|data| data.modified());
        let created = changed
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let created = created
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .unwrap_or(0);
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
    found
        .map(Json)
        .ok_or_else(|| ApiError::not_found("model", &id).with_code("model_not_found"))
}
