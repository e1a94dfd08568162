//! `/v1/uploads`: a file that comes in parts.

use super::{
    error::ApiError,
    files::{self, FILENAME, bad_form, read_expiry, read_multipart, read_purpose},
    objects,
    request::{Authorized, Path, only, read_object},
};
use crate::{
    Service,
    service::{
        datasets::is_filename,
        part_uploads::{Announced, MAX_UPLOAD_BYTES},
    },
    store::uploads::UploadRow,
};
use axum::{
    Json,
    extract::{Request, State},
};
use serde_json::{Value, json};
use shared::id::Subject;

async fn describe(service: &Service, subject: &Subject, row: &UploadRow) -> Result<Value, ApiError> {
    let file = match &row.file {
        Some(file) => match files::describe(service, subject, file).await {
            // Deleted since, it isn't told any more.
            Err(error) if error.is_not_found() => Value::Null,
            described => described?,
        },
        None => Value::Null,
    };
    Ok(objects::upload(row, &file, service.now()))
}

/// `POST /uploads`.
pub(crate) async fn create_upload(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (body, _) = read_object(request).await?;
    only(
        &body,
        &["bytes", "filename", "mime_type", "purpose", "expires_after"],
    )?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let filename = text("filename").filter(|filename| is_filename(filename));
    let filename = filename.ok_or_else(|| ApiError::param("filename", FILENAME))?;
    let purpose = read_purpose(text("purpose"))?;
    let mime_type = text("mime_type").filter(|mime_type| (1..=255).contains(&mime_type.len()));
    mime_type.ok_or_else(|| ApiError::param("mime_type", "`mime_type` must be the file's media type"))?;
    let limit = MAX_UPLOAD_BYTES.min(service.config().max_file_bytes);
    let bytes = body.get("bytes").and_then(Value::as_u64);
    let bytes = bytes.filter(|bytes| (1..=limit).contains(bytes));
    let message = format!("`bytes` must be the file's size, a whole number from 1 to {limit}");
    let bytes = bytes.ok_or_else(|| ApiError::param("bytes", message))?;
    let (anchor, seconds) = match body.get("expires_after") {
        None | Some(Value::Null) => (None, None),
        Some(Value::Object(after)) => (
            // Whoever gives an object wants the file to expire: an empty one is no way to say that it stays.
            Some(after.get("anchor").and_then(Value::as_str).unwrap_or_default()),
            after.get("seconds").map(ToString::to_string),
        ),
        Some(_) => {
            let message = "`expires_after` must be an object with `anchor` and `seconds`";
            return Err(ApiError::param("expires_after", message));
        }
    };
    let announced = Announced {
        filename,
        purpose,
        bytes,
        expires_after_ms: read_expiry(anchor, seconds.as_deref())?,
    };
    let row = service.create_upload(&caller.subject, &announced).await?;
    describe(&service, &caller.subject, &row).await.map(Json)
}

/// `POST /uploads/{id}/parts`: one part, as the form's `data`.
pub(crate) async fn add_part(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let mut multipart = read_multipart(request, "the part `data`").await?;
    let mut staged = None;
    while let Some(field) = multipart.next_field().await.map_err(|error| bad_form(&error))? {
        match field.name().unwrap_or_default() {
            "data" if staged.is_none() => {
                staged = Some(service.stage_part(&caller.subject, &id, field).await?);
            }
            "data" => return Err(ApiError::param("data", "send one part only")),
            other => return Err(ApiError::unknown("part", other)),
        }
    }
    let staged = staged.filter(|staged| staged.bytes > 0);
    let staged = staged.ok_or_else(|| ApiError::param("data", "`data` is missing or empty"))?;
    let part_id = staged.id.clone();
    let created_at = service.add_part(&caller.subject, &id, staged).await?;
    Ok(Json(json!({
        "id": part_id,
        "object": "upload.part",
        "created_at": created_at.unix_seconds(),
        "upload_id": id,
    })))
}

/// `POST /uploads/{id}/complete`.
pub(crate) async fn complete_upload(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (body, _) = read_object(request).await?;
    only(&body, &["part_ids", "md5"])?;
    let part_ids: Option<Vec<String>> = body.get("part_ids").and_then(Value::as_array).and_then(|ids| {
        ids.iter()
            .map(|id| id.as_str().map(str::to_owned))
            .collect::<Option<_>>()
    });
    let part_ids = part_ids.filter(|ids| !ids.is_empty()).ok_or_else(|| {
        ApiError::param(
            "part_ids",
            "`part_ids` must be the identifiers of the parts, in order",
        )
    })?;
    let md5 = match body.get("md5") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let is_sum = |sum: &&str| sum.len() == 32 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
            let sum = value.as_str().filter(is_sum);
            let message = "`md5` must be an MD5 sum in hexadecimal, 32 digits";
            Some(sum.ok_or_else(|| ApiError::param("md5", message))?)
        }
    };
    let completed = service
        .complete_upload(&caller.subject, &id, &part_ids, md5)
        .await;
    let row = completed.map_err(|error| {
        let param = match error.code() {
            "unknown_part" | "upload_size_mismatch" => "part_ids",
            "md5_mismatch" => "md5",
            _ => return ApiError::from(error),
        };
        ApiError::from(error).of(param)
    })?;
    describe(&service, &caller.subject, &row).await.map(Json)
}

/// `POST /uploads/{id}/cancel`.
pub(crate) async fn cancel_upload(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    let row = service.cancel_upload(&caller.subject, &id).await?;
    describe(&service, &caller.subject, &row).await.map(Json)
}
