//! Spellings that deployments and imitations use.

use crate::upstream::{Answer, UpstreamError, job_training_api::read};
use serde_json::{Value, json};
use shared::{job::Job, model::BaseModel, status::JobStatus};

fn job(answer: &Value) -> Answer<Job> {
    read::job(answer.to_string().as_bytes())
}

fn jobs(answer: &Value) -> Answer<Vec<Job>> {
    read::jobs(answer.to_string().as_bytes())
}

fn models(answer: &Value) -> Answer<Vec<BaseModel>> {
    read::models(answer.to_string().as_bytes())
}

fn plain() -> Value {
    json!({ "id": "j", "name": "n", "baseModel": "m", "status": "Running", "createdAt": "2026-01-02T03:04:05Z" })
}

/// The plain job with one field under another name.
fn renamed(from: &str, to: &str) -> Value {
    let mut value = plain();
    let moved = value
        .as_object_mut()
        .expect("an object")
        .remove(from)
        .expect("a field");
    value[to] = moved;
    value
}

#[test]
fn every_spelling_of_every_required_field_is_read() {
    let expected = job(&plain()).expect("readable");
    for (from, spellings) in [
        ("id", ["jobId", "job_id"].as_slice()),
        ("name", &["jobName", "job_name"]),
        ("baseModel", &["base_model", "model"]),
        ("createdAt", &["created_at", "date"]),
    ] {
        for to in spellings {
            assert_eq!(job(&renamed(from, to)).expect("readable"), expected, "{to}");
        }
    }
}

#[test]
fn every_spelling_of_every_number_is_read() {
    for (name, expected) in [
        ("epochs", (Some(4), None, None)),
        ("trainingEpochs", (Some(4), None, None)),
        ("training_epochs", (Some(4), None, None)),
        ("evaluationEpochs", (None, Some(4), None)),
        ("evaluation_epochs", (None, Some(4), None)),
        ("warmupEpochs", (None, None, Some(4))),
        ("warmup_epochs", (None, None, Some(4))),
    ] {
        for number in [json!(4), json!(4.0), json!("4")] {
            let mut value = plain();
            value[name] = number;
            let read = job(&value).expect("readable");
            assert_eq!(
                (read.epochs, read.evaluation_epochs, read.warmup_epochs),
                expected,
                "{name}"
            );
        }
    }
    for name in ["learningRate", "learning_rate"] {
        let mut value = plain();
        value[name] = json!(0.001);
        assert_eq!(
            job(&value).expect("readable").learning_rate,
            Some(0.001),
            "{name}"
        );
    }
}

#[test]
fn created_ago_is_never_required_and_the_time_falls_back_to_the_date() {
    let mut value = plain();
    value["createdAt"] = json!("yesterday");
    value["date"] = json!("2026-01-02T03:04:05+00:00");
    assert_eq!(
        job(&value).expect("readable").created_at,
        job(&plain()).expect("readable").created_at
    );
}

#[test]
fn status_is_read_by_its_word_without_case() {
    for (word, expected) in [
        ("Completed", JobStatus::Succeeded),
        ("complete", JobStatus::Succeeded),
        ("SUCCEEDED", JobStatus::Succeeded),
        ("Failed", JobStatus::Failed),
        ("error", JobStatus::Failed),
        ("Errored", JobStatus::Failed),
        ("Running", JobStatus::Running),
        ("queued", JobStatus::Queued),
        ("Pending", JobStatus::Queued),
    ] {
        let mut value = plain();
        value["status"] = json!(word);
        assert_eq!(job(&value).expect("readable").status, expected, "{word}");
    }
}

#[test]
fn the_list_may_be_bare() {
    assert_eq!(
        jobs(&json!([plain()])).expect("readable"),
        jobs(&json!({ "jobs": [plain()] })).expect("readable")
    );
}

#[test]
fn models_may_be_texts_or_objects_bare_or_wrapped() {
    let shown = |value: Value| -> Vec<(String, String)> {
        models(&value)
            .expect("readable")
            .into_iter()
            .map(|model| (model.id, model.display_name))
            .collect()
    };
    let pair = |id: &str, name: &str| vec![(id.to_owned(), name.to_owned())];
    assert_eq!(shown(json!(["m"])), pair("m", "m"));
    assert_eq!(shown(json!([{ "id": "m", "displayName": "M" }])), pair("m", "M"));
    assert_eq!(shown(json!([{ "modelId": "m", "label": "M" }])), pair("m", "M"));
    assert_eq!(shown(json!([{ "name": "m" }])), pair("m", "m"));
    assert_eq!(
        shown(json!({ "models": [{ "id": "m", "name": "M" }] })),
        pair("m", "M")
    );
}

#[test]
fn what_still_can_not_be_read_is_told_by_its_field() {
    for (field, value) in [
        ("id", json!(null)),
        ("id", json!("")),
        ("name", json!(7)),
        ("baseModel", json!({})),
        ("createdAt", json!("soon")),
        ("status", json!("Sleeping")),
        ("epochs", json!(-1)),
        ("epochs", json!(1.5)),
        ("learningRate", json!("fast")),
    ] {
        let mut broken = plain();
        broken[field] = value.clone();
        let Err(UpstreamError::InvalidResponse(said)) = jobs(&json!([plain(), broken])) else {
            panic!("{field}: {value} was read")
        };
        assert!(said.contains(&format!("jobs[1].{field}")), "{said}");
    }
    for nonsense in [
        json!(null),
        json!("jobs"),
        json!({}),
        json!({ "jobs": {} }),
        json!([[]]),
    ] {
        assert!(
            matches!(jobs(&nonsense), Err(UpstreamError::InvalidResponse(_))),
            "{nonsense}"
        );
        assert!(
            matches!(models(&nonsense), Err(UpstreamError::InvalidResponse(_))),
            "{nonsense}"
        );
    }
}
