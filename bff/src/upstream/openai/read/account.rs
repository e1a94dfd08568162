//! Jobs with what only their taking over needs.

use super::{Page, job_of, page, result_files_of};
use crate::upstream::{
    Answer,
    openai::account::AccountJob,
    remote::{
        json::{Fields, Json},
        read::{find, json, text, unreadable},
    },
};
use shared::timestamp::Timestamp;

/// A page of jobs.
pub(in crate::upstream::openai) fn account_jobs(answer: &[u8], now: Timestamp) -> Answer<Page<AccountJob>> {
    page(answer, "data", |fields, place| account_job_of(fields, place, now))
}

/// One job.
pub(in crate::upstream::openai) fn account_job(answer: &[u8], now: Timestamp) -> Answer<AccountJob> {
    let value = json(answer)?;
    let fields = value.as_object().ok_or_else(|| unreadable("", "is no object"))?;
    account_job_of(fields, "", now)
}

fn account_job_of(fields: &Fields<'_>, place: &str, now: Timestamp) -> Answer<AccountJob> {
    let metadata = find(fields, &["metadata"]).and_then(Json::as_object);
    let pairs = metadata.into_iter().flat_map(Fields::iter);
    Ok(AccountJob {
        job: job_of(fields, place, now)?,
        suffix: text(find(fields, &["user_provided_suffix", "suffix"])),
        metadata: pairs
            .filter_map(|(key, value)| Some((key.to_owned(), value.as_text()?.to_owned())))
            .collect(),
        result_files: result_files_of(fields.get("result_files")),
    })
}
