//! Files, and the names of those that a job made.

use super::{missing, page, time};
use crate::upstream::{
    Answer,
    remote::{
        json::{Fields, Json},
        read::{find, identifier, json, text, unreadable, whole},
    },
};
use shared::{
    dataset::{Dataset, DatasetStatus},
    id::DatasetId,
};

/// Files that are datasets, newest first as far as the list is.
pub(in crate::upstream::openai) fn files(answer: &[u8], is_attune: bool) -> Answer<Vec<Dataset>> {
    let page = page(answer, "data", |fields, place| {
        let purpose = find(fields, &["purpose"]).and_then(Json::as_text);
        let of_others = purpose.is_some_and(|purpose| purpose != "fine-tune");
        Ok((!of_others).then_some(file_of(fields, place, is_attune)?))
    })?;
    Ok(page.items.into_iter().flatten().collect())
}

/// One file.
pub(in crate::upstream::openai) fn file(answer: &[u8], is_attune: bool) -> Answer<Dataset> {
    let value = json(answer)?;
    let fields = value.as_object().ok_or_else(|| unreadable("id", "is missing"))?;
    file_of(fields, "", is_attune)
}

fn file_of(fields: &Fields<'_>, place: &str, is_attune: bool) -> Answer<Dataset> {
    let id = identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))?;
    let filename = text(find(fields, &["filename"])).unwrap_or_else(|| id.clone());
    Ok(Dataset {
        name: filename.clone(),
        filename,
        bytes: find(fields, &["bytes"]).and_then(whole).unwrap_or(0),
        status: match find(fields, &["status"]).and_then(Json::as_text) {
            Some("error" | "failed") => DatasetStatus::Error,
            // Only there it means that the lines are being read; elsewhere the word is deprecated and may stay.
            Some("uploaded") if is_attune => DatasetStatus::Validating,
            _ => DatasetStatus::Ready,
        },
        created_at: find(fields, &["created_at"])
            .and_then(time)
            .ok_or_else(|| missing(place, "created_at"))?,
        examples: None,
        errors: None,
        method: None,
        used_by: 0,
        id: DatasetId::new(id),
    })
}

/// The identifiers of a job's result files.
pub(in crate::upstream::openai) fn result_files(answer: &[u8]) -> Answer<Vec<String>> {
    Ok(result_files_of(json(answer)?.get("result_files")))
}

/// The same, of the field that tells them.
pub(super) fn result_files_of(told: Option<&Json<'_>>) -> Vec<String> {
    let files = told.and_then(Json::as_list).unwrap_or_default();
    files
        .iter()
        .filter_map(|file| identifier(Some(file)).or_else(|| identifier(file.get("id"))))
        .collect()
}
