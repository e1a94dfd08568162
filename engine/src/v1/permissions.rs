//! `/v1/fine_tuning/checkpoints/{checkpoint}/permissions`: which other projects may use a tuned model or a checkpoint.
//! With an administrator's key alone. A project is an owner, as `attune key create --owner` names one.

use super::{
    error::ApiError,
    objects,
    request::{Authorized, Pairs, Path, PathOfTwo, only, read_object},
};
use crate::{Service, service::keys::Caller};
use axum::{
    Json,
    extract::{Request, State},
};
use serde_json::{Value, json};

/// Permissions a page, projects of a request, and characters of a project's name at most.
const MAX_PAGE: u32 = 1000;
const MAX_PROJECTS: usize = 100;
const MAX_NAME: usize = 255;

fn administrator(caller: &Caller) -> Result<(), ApiError> {
    if caller.admin {
        Ok(())
    } else {
        Err(ApiError::forbidden(
            "insufficient_permissions",
            "this takes an administrator's key: make one with `attune key create --admin`",
        ))
    }
}

/// `POST …/permissions`.
pub(crate) async fn create_permissions(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(checkpoint): Path,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    administrator(&caller)?;
    let (body, _) = read_object(request).await?;
    only(&body, &["project_ids"])?;
    let read = |value: &Value| {
        let name = value.as_str()?;
        let fits = !name.trim().is_empty()
            && name.chars().count() <= MAX_NAME
            && !name.chars().any(char::is_control);
        fits.then(|| name.to_owned())
    };
    let ids = body.get("project_ids").and_then(Value::as_array);
    let ids: Option<Vec<String>> = ids.and_then(|ids| ids.iter().map(read).collect());
    let ids = ids.filter(|ids| (1..=MAX_PROJECTS).contains(&ids.len()));
    let message = format!("`project_ids` must be 1 to {MAX_PROJECTS} names of projects");
    let ids = ids.ok_or_else(|| ApiError::param("project_ids", message))?;
    let made = service.permit(&checkpoint, &ids).await?;
    let data: Vec<_> = made.iter().map(objects::permission).collect();
    Ok(Json(objects::list_with_ends(&data, false)))
}

/// `GET …/permissions`, newest first unless told. A cursor is the last one's identifier, beside which newer ones change
/// nothing.
pub(crate) async fn list_permissions(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(checkpoint): Path,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    administrator(&caller)?;
    let limit = pairs.limit(10, MAX_PAGE)? as usize;
    let ascending = match pairs.get("order") {
        None | Some("descending") => false,
        Some("ascending") => true,
        Some(_) => {
            let message = "`order` must be `ascending` or `descending`";
            return Err(ApiError::param("order", message));
        }
    };
    let mut rows = service
        .list_permissions(&checkpoint, pairs.get("project_id"))
        .await?;
    if ascending {
        rows.reverse();
    }
    let start = match pairs.get("after") {
        None => 0,
        Some(after) => {
            let place = rows.iter().position(|row| row.id == after);
            let message = format!("`{after}` is not a permission of this checkpoint");
            place.ok_or_else(|| ApiError::param("after", message))? + 1
        }
    };
    let rest = rows.get(start..).unwrap_or_default();
    let data: Vec<_> = rest.iter().take(limit).map(objects::permission).collect();
    Ok(Json(objects::list_with_ends(&data, rest.len() > limit)))
}

/// `DELETE …/permissions/{id}`.
pub(crate) async fn delete_permission(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    PathOfTwo(checkpoint, id): PathOfTwo,
) -> Result<Json<Value>, ApiError> {
    administrator(&caller)?;
    service.delete_permission(&checkpoint, &id).await?;
    Ok(Json(
        json!({ "id": id, "object": "checkpoint.permission", "deleted": true }),
    ))
}
