//! Jobs with what only their taking over needs.

use super::{Page, job_of, list, result_files_of, time};
use crate::upstream::{
    Answer,
    openai::account::{AccountJob, ListedJob},
    remote::{
        json::{Fields, Json},
        read::{find, identifier, json, text, unreadable},
    },
};
use shared::timestamp::Timestamp;

/// A page of jobs. One that can't be read keeps none of the others from being read.
pub(in crate::upstream::openai) fn account_jobs(answer: &[u8], now: Timestamp) -> Answer<Page<ListedJob>> {
    list(answer, "data", |item, place| Ok(listed(item, place, now)))
}

fn listed(item: &Json<'_>, place: &str, now: Timestamp) -> ListedJob {
    let Some(fields) = item.as_object() else {
        return ListedJob {
            id: None,
            created_at: None,
            job: Err(unreadable(place, "is no object")),
        };
    };
    let id = identifier(find(fields, &["id"]));
    // One that has a name is told by it.
    let place = id.as_ref().map_or_else(|| format!("{place}."), |_| String::new());
    ListedJob {
        id,
        created_at: find(fields, &["created_at"]).and_then(time),
        job: account_job_of(fields, &place, now),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_that_is_nonsense_is_told_in_its_place_among_those_that_are_not() {
        let job = json!({"id": "ftjob-1", "model": "m", "status": "succeeded", "created_at": 1_700_000_000});
        let with = |field: &str, value: serde_json::Value| {
            let mut odd = job.clone();
            odd[field] = value;
            odd
        };
        let page = json!({"has_more": true, "data": [
            job, with("status", json!(["lost"])), with("created_at", json!({})), with("id", json!(null)), 7,
            with("id", json!("ftjob-6")),
        ]});
        let page = account_jobs(page.to_string().as_bytes(), Timestamp::from_unix_ms(0)).expect("a list");
        let told: Vec<_> = (page.items.iter())
            .map(|listed| {
                let why = listed.job.as_ref().err().map(ToString::to_string);
                (listed.id.as_deref(), listed.created_at.is_some(), why)
            })
            .collect();
        let because = |why: &str| Some(format!("the upstream's answer can't be read: {why}"));
        assert_eq!(
            told,
            [
                (Some("ftjob-1"), true, None),
                (Some("ftjob-1"), true, because("`status` is missing or unknown")),
                (
                    Some("ftjob-1"),
                    false,
                    because("`created_at` is missing or of the wrong type")
                ),
                (
                    None,
                    true,
                    because("`data[3].id` is missing or of the wrong type")
                ),
                (None, false, because("`data[4]` is no object")),
                (Some("ftjob-6"), true, None),
            ]
        );
        assert!(page.has_more);
        let none = account_jobs(b"{\"data\": 3}", Timestamp::from_unix_ms(0));
        assert!(none.is_err(), "it is no list");
    }
}
