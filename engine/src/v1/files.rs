//! `/v1/files`.

use super::{
    error::ApiError,
    objects,
    request::{Authorized, Pairs, Path},
};
use crate::{
    Error, Service, secret,
    service::{datasets::is_filename, uploads::Staged},
    store::files::{NewFile, RESULTS},
};
use axum::{
    Json,
    body::Body,
    extract::{
        FromRequest as _, Multipart, Request, State,
        multipart::{Field, MultipartError},
    },
    http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use shared::{dataset::DatasetStatus, id::Subject};

/// Largest file in bytes.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// What a file may be called.
pub(super) const FILENAME: &str = "the file's name must have 1 to 255 characters";

/// Longest text field of a form in bytes.
const MAX_FIELD_BYTES: usize = 1024;

const PURPOSES: [&str; 6] = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];

/// What a form brought besides the file's bytes.
#[derive(Debug, Default)]
struct Form {
    /// The bytes, which are on disk, and the name.
    file: Option<(Staged, String)>,
    purpose: Option<String>,
    anchor: Option<String>,
    expires_after: Option<String>,
}

/// `POST /files`: the parts may come in any order, and the file's bytes go to disk as they come.
pub(crate) async fn create_file(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let mut multipart = read_multipart(request, "`file` and `purpose`").await?;
    let mut form = Form::default();
    read_form(&service, &mut multipart, &mut form).await?;
    let (of, subject) = (service.clone(), caller.subject);
    let stored = service.see_through(async move { store_file(&of, &subject, form).await });
    stored.await?.map(Json)
}

/// A form with files; `parts` is what it should hold.
pub(super) async fn read_multipart(request: Request, parts: &str) -> Result<Multipart, ApiError> {
    Multipart::from_request(request, &()).await.map_err(|_| {
        let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        ApiError::bad_body(status, format!("send `multipart/form-data` with {parts}"))
    })
}

async fn read_form(service: &Service, multipart: &mut Multipart, form: &mut Form) -> Result<(), ApiError> {
    while let Some(field) = multipart.next_field().await.map_err(|error| bad_form(&error))? {
        match field.name().unwrap_or_default() {
            "file" => {
                let filename = field.file_name().unwrap_or("upload.jsonl").to_owned();
                if form.file.is_some() {
                    return Err(ApiError::param("file", "send one file only"));
                }
                let id = secret::new_id("file-")?;
                let limit = MAX_FILE_BYTES.min(service.config().max_file_bytes);
                form.file = Some((service.stage_body(&id, limit, field).await?, filename));
            }
            "purpose" => form.purpose = Some(read_text(field).await?),
            "expires_after[anchor]" => form.anchor = Some(read_text(field).await?),
            "expires_after[seconds]" => form.expires_after = Some(read_text(field).await?),
            other => return Err(ApiError::unknown("part", other)),
        }
    }
    Ok(())
}

async fn read_text(mut field: Field<'_>) -> Result<String, ApiError> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| bad_form(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(ApiError::param(&name, format!("`{name}` is too long")));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::param(&name, format!("`{name}` is not UTF-8")))
}

pub(super) fn bad_form(error: &MultipartError) -> ApiError {
    // A cut body counts as the server's fault there, which would have it sent again and again.
    let status = if error.status().is_server_error() {
        axum::http::StatusCode::BAD_REQUEST
    } else {
        error.status()
    };
    ApiError::bad_body(status, format!("the form can't be read: {}", error.body_text()))
}

async fn store_file(service: &Service, subject: &Subject, form: Form) -> Result<Value, ApiError> {
    let purpose = read_purpose(form.purpose.as_deref())?;
    let Some((staged, filename)) = form.file else {
        return Err(ApiError::param("file", "`file` is missing"));
    };
    if staged.bytes == 0 {
        return Err(ApiError::param("file", "the file is empty").with_code("empty_file"));
    }
    if !is_filename(&filename) {
        return Err(ApiError::param("file", FILENAME));
    }
    let expires_after = read_expiry(form.anchor.as_deref(), form.expires_after.as_deref())?;
    let now = service.distinct_now();
    let id = staged.id.clone();
    let file = NewFile {
        id: &id,
        owner: subject,
        purpose,
        name: &filename,
        filename: &filename,
        bytes: staged.bytes,
        status: DatasetStatus::Validating,
        created_at: now,
        expires_at: expires_after.map(|after| now.plus_ms(after)),
        example: None,
        upload: None,
    };
    service.insert_file(&file).await?;
    staged.keep();
    describe(service, subject, &id).await
}

/// A purpose that files may come with.
pub(super) fn read_purpose(purpose: Option<&str>) -> Result<&str, ApiError> {
    let purpose = purpose.ok_or_else(|| {
        ApiError::param("purpose", "`purpose` is missing").with_code("missing_required_parameter")
    })?;
    if PURPOSES.contains(&purpose) {
        return Ok(purpose);
    }
    let message = format!(
        "`{purpose}` is not a purpose: take one of {}",
        PURPOSES.join(", ")
    );
    Err(ApiError::param("purpose", message))
}

/// How long a file is to stay, in milliseconds; nothing is for ever.
pub(super) fn read_expiry(anchor: Option<&str>, seconds: Option<&str>) -> Result<Option<i64>, ApiError> {
    match (anchor, seconds) {
        (None, None) => return Ok(None),
        (Some(_), None) => {
            let message = "`expires_after[seconds]` is missing";
            return Err(ApiError::param("expires_after[seconds]", message));
        }
        (Some("created_at"), Some(_)) => {}
        (_, Some(_)) => {
            let message = "the anchor must be `created_at`";
            return Err(ApiError::param("expires_after[anchor]", message));
        }
    }
    let seconds = seconds
        .and_then(|seconds| seconds.parse::<i64>().ok())
        .filter(|seconds| (3600..=2_592_000).contains(seconds));
    let message = "the seconds must be a whole number from 3600 to 2592000";
    let seconds = seconds.ok_or_else(|| ApiError::param("expires_after[seconds]", message))?;
    Ok(Some(seconds * 1000))
}

/// The file as /v1 tells it.
pub(super) async fn describe(service: &Service, subject: &Subject, id: &str) -> Result<Value, ApiError> {
    let row = service.find_live_file(subject, id).await?;
    let row = row.filter(|row| row.status() != DatasetStatus::Uploading);
    let row = row.ok_or_else(|| ApiError::not_found("file", id))?;
    Ok(objects::file(&row))
}

/// `GET /files`.
pub(crate) async fn list_files(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    pairs: Pairs,
) -> Result<Json<Value>, ApiError> {
    let limit = pairs.limit(10_000, 10_000)?;
    let oldest_first = match pairs.get("order") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(ApiError::param("order", "`order` must be `asc` or `desc`")),
    };
    let after = pairs.get("after");
    let page = service
        .page_of_files(&caller.subject, pairs.get("purpose"), oldest_first, after, limit)
        .await?
        .ok_or_else(|| ApiError::no_cursor(after, |id| format!("there is no file `{id}`")))?;
    let data: Vec<_> = page.rows.iter().map(objects::file).collect();
    Ok(Json(objects::list_with_ends(&data, page.has_more)))
}

/// `GET /files/{id}`.
pub(crate) async fn find_file(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    describe(&service, &caller.subject, &id).await.map(Json)
}

/// `DELETE /files/{id}`.
pub(crate) async fn delete_file(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
) -> Result<Json<Value>, ApiError> {
    describe(&service, &caller.subject, &id).await?;
    service.delete_file(&caller.subject, &id).await?;
    Ok(Json(json!({ "id": id, "object": "file", "deleted": true })))
}

/// `GET /files/{id}/content`: the bytes; of a result file in base64 where `encoding=base64` asks for it.
pub(crate) async fn file_content(
    State(service): State<Service>,
    Authorized(caller): Authorized,
    Path(id): Path,
    pairs: Pairs,
) -> Result<Response, ApiError> {
    let row = service.find_live_file(&caller.subject, &id).await?;
    let row = row.filter(|row| row.status() != DatasetStatus::Uploading);
    let row = row.ok_or_else(|| ApiError::not_found("file", &id))?;
    let stored = match service.inner.blobs.stream(&id, None).await {
        // It has arrived a moment ago and is still being stored.
        Err(Error::NotFound(_)) => {
            service.wait_for_file(&caller.subject, &id).await?;
            service.inner.blobs.stream(&id, None).await?
        }
        stored => stored?,
    };
    if row.purpose == RESULTS && pairs.get("encoding") == Some("base64") {
        let bytes = stored.try_fold(Vec::new(), async |mut whole, chunk| {
            whole.extend_from_slice(&chunk);
            Ok(whole)
        });
        return Ok(([(CONTENT_TYPE, "text/plain")], STANDARD.encode(bytes.await?)).into_response());
    }
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, row.bytes.to_string()),
        (CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    Ok((headers, Body::from_stream(stored)).into_response())
}
