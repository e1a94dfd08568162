//! Putting a dataset's bytes to the address that the server gave, with progress, going on where a cut connection
//! left off.
//!
//! Fetch tells nothing about how much was sent, so this is the one place that uses `XMLHttpRequest`.

use super::{ApiError, datasets, get, read, refusal};
use crate::place;
use js_sys::{Function, Promise};
use shared::{
    dataset::{Dataset, UploadProgress, UploadTarget},
    id::DatasetId,
};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, ProgressEvent, XmlHttpRequest};

/// How often a cut upload is taken up again without any byte arriving in between.
const ATTEMPTS: u32 = 5;

/// Sends all of `file`. `told` hears how many bytes are on their way or arrived.
///
/// # Errors
/// Where the server refuses the bytes, or the connection stays cut.
pub(crate) async fn upload(
    target: &UploadTarget,
    file: &File,
    told: impl Fn(u64) + Clone + 'static,
) -> Result<(), ApiError> {
    let total = file.size() as u64;
    let mut received = 0;
    let mut failures = 0;
    loop {
        match put(target, file, received, total, told.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) if !error.is_passing() || failures >= ATTEMPTS => return Err(error),
            Err(_) => {
                gloo_timers::future::TimeoutFuture::new(500 << failures).await;
                failures += 1;
            }
        }
        let Ok(text) = get(&target.url, None).await else {
            continue;
        };
        let progress: UploadProgress = read(&text)?;
        if progress.received > received {
            failures = 0;
        }
        received = progress.received;
        told(received);
        if received >= total {
            return Ok(());
        }
    }
}

/// Tells that all bytes are there, and tells it again where nobody knows whether it was heard: the second time answers
/// as the first.
///
/// # Errors
/// 409 where bytes are missing, or the connection stays cut.
pub(crate) async fn confirm(id: &DatasetId) -> Result<Dataset, ApiError> {
    let mut failures = 0;
    loop {
        match datasets::confirm(id).await {
            Err(error) if error.is_passing() && failures < ATTEMPTS => {
                gloo_timers::future::TimeoutFuture::new(500 << failures).await;
                failures += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn put(
    target: &UploadTarget,
    file: &File,
    from: u64,
    total: u64,
    told: impl Fn(u64) + 'static,
) -> Result<(), ApiError> {
    let request = XmlHttpRequest::new().map_err(|_| ApiError::Unreachable)?;
    open(&request, target, from, total).map_err(|_| ApiError::Unreachable)?;
    let progress =
        Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| told(from + event.loaded() as u64));
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
    }
    let rest: Blob = file
        .slice_with_f64(from as f64)
        .map_err(|_| ApiError::Unreachable)?;
    let ended = Promise::new(&mut |resolve: Function, _| request.set_onloadend(Some(&resolve)));
    request
        .send_with_opt_blob(Some(&rest))
        .map_err(|_| ApiError::Unreachable)?;
    let _ = JsFuture::from(ended).await;
    let status = request.status().unwrap_or(0);
    match status {
        200..300 => Ok(()),
        0 => Err(ApiError::Unreachable),
        _ => Err(refusal(
            status,
            &request.response_text().ok().flatten().unwrap_or_default(),
        )),
    }
}

fn open(request: &XmlHttpRequest, target: &UploadTarget, from: u64, total: u64) -> Result<(), JsValue> {
    request.open_with_async(&target.method, &place::of_api(&target.url), true)?;
    request.set_with_credentials(true);
    request.set_request_header("x-attune", "1")?;
    request.set_request_header("content-type", "application/octet-stream")?;
    if from > 0 {
        request.set_request_header(
            "content-range",
            &format!("bytes {from}-{}/{total}", total.saturating_sub(1)),
        )?;
    }
    Ok(())
}
