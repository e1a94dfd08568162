//! Reading what deployments and imitations of the Job Training API say. Each name has the spellings seen in the
//! field; what still can't be read is told by the field's name.

use crate::upstream::{
    Answer, UpstreamError,
    remote::{
        json::Json,
        read::{bare_job, begins, find, identifier, instant, json, number, text, unreadable, whole},
    },
};
use shared::{
    id::JobId,
    job::Job,
    model::{BaseModel, JobDefaults},
    status::JobStatus,
};

const ID: [&str; 3] = ["id", "jobId", "job_id"];
const NAME: [&str; 3] = ["name", "jobName", "job_name"];
const BASE_MODEL: [&str; 3] = ["baseModel", "base_model", "model"];
const EPOCHS: [&str; 3] = ["epochs", "trainingEpochs", "training_epochs"];
const EVALUATION_EPOCHS: [&str; 2] = ["evaluationEpochs", "evaluation_epochs"];
const WARMUP_EPOCHS: [&str; 2] = ["warmupEpochs", "warmup_epochs"];
const LEARNING_RATE: [&str; 2] = ["learningRate", "learning_rate"];
const CREATED: [&str; 3] = ["createdAt", "created_at", "date"];

/// A list of jobs, bare or in `jobs`.
pub(super) fn jobs(answer: &[u8]) -> Answer<Vec<Job>> {
    let value = json(answer)?;
    let list = value
        .as_list()
        .or_else(|| value.get("jobs").and_then(Json::as_list))
        .ok_or_else(|| unreadable("jobs", "is no list"))?;
    // Collecting would make room step by step, and a job is large.
    let mut jobs = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        jobs.push(job_at(value, Some(index))?);
    }
    Ok(jobs)
}

/// One job.
pub(super) fn job(answer: &[u8]) -> Answer<Job> {
    let value = json(answer)?;
    // Some imitations wrap it.
    let inner = value.get("job").filter(|inner| inner.as_object().is_some());
    job_at(inner.unwrap_or(&value), None)
}

/// A job by itself, or at its place in a list.
fn job_at(value: &Json<'_>, index: Option<usize>) -> Answer<Job> {
    let path = |name: &str| match index {
        Some(index) => format!("jobs[{index}].{name}"),
        None => name.to_owned(),
    };
    let fields = value
        .as_object()
        .ok_or_else(|| unreadable(path("").trim_end_matches('.'), "is no object"))?;
    let missing = |name: &str| unreadable(&path(name), "is missing or of the wrong type");
    let id = identifier(find(fields, &ID)).ok_or_else(|| missing("id"))?;
    let name = text(find(fields, &NAME)).ok_or_else(|| missing("name"))?;
    let base_model = text(find(fields, &BASE_MODEL)).ok_or_else(|| missing("baseModel"))?;
    let status = find(fields, &["status"])
        .and_then(Json::as_text)
        .and_then(status)
        .ok_or_else(|| unreadable(&path("status"), "is missing or unknown"))?;
    let created_at = CREATED
        .iter()
        .find_map(|name| fields.get(name).and_then(instant))
        .ok_or_else(|| missing("createdAt"))?;
    Ok(Job {
        epochs: count(find(fields, &EPOCHS), || missing("epochs"))?,
        evaluation_epochs: count(find(fields, &EVALUATION_EPOCHS), || missing("evaluationEpochs"))?,
        warmup_epochs: count(find(fields, &WARMUP_EPOCHS), || missing("warmupEpochs"))?,
        learning_rate: match find(fields, &LEARNING_RATE) {
            None => None,
            Some(value) => Some(number(value).ok_or_else(|| missing("learningRate"))?),
        },
        ..bare_job(JobId::new(id), name, base_model, status, created_at)
    })
}

/// A list of models: texts or objects, bare or in `models`.
pub(super) fn models(answer: &[u8]) -> Answer<Vec<BaseModel>> {
    let value = json(answer)?;
    let list = value
        .as_list()
        .or_else(|| value.get("models").and_then(Json::as_list))
        .ok_or_else(|| unreadable("models", "is no list"))?;
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let (id, display_name) = match value {
                Json::Text(id) if !id.is_empty() => (id.clone().into_owned(), None),
                Json::Object(fields) => (
                    text(find(fields, &["id", "modelId", "model_id", "name"])).ok_or_else(|| {
                        unreadable(&format!("models[{index}].id"), "is missing or of the wrong type")
                    })?,
                    text(find(fields, &["displayName", "display_name", "label", "name"])),
                ),
                _ => {
                    return Err(unreadable(
                        &format!("models[{index}]"),
                        "is neither a text nor an object",
                    ));
                }
            };
            Ok(BaseModel {
                display_name: display_name.unwrap_or_else(|| id.clone()),
                id,
                architecture: None,
                parameters: None,
                context_length: None,
                defaults: JobDefaults::default(),
                installed: None,
            })
        })
        .collect()
}

/// The name on `/api` of a field of the upstream's, for messages by field.
pub(super) fn field_name(theirs: &str) -> &str {
    let known: [(&[&str], &'static str); 6] = [
        (&NAME, "name"),
        (&BASE_MODEL, "base_model"),
        (&EPOCHS, "epochs"),
        (&EVALUATION_EPOCHS, "evaluation_epochs"),
        (&WARMUP_EPOCHS, "warmup_epochs"),
        (&LEARNING_RATE, "learning_rate"),
    ];
    known
        .iter()
        .find(|(spellings, _)| spellings.contains(&theirs))
        .map_or(theirs, |(_, ours)| ours)
}

fn count(value: Option<&Json<'_>>, wrong: impl Fn() -> UpstreamError) -> Answer<Option<u32>> {
    let Some(value) = value else { return Ok(None) };
    whole(value)
        .and_then(|whole| u32::try_from(whole).ok())
        .map(Some)
        .ok_or_else(wrong)
}

fn status(word: &str) -> Option<JobStatus> {
    if begins(word, &["complete", "succeed", "success"]) {
        Some(JobStatus::Succeeded)
    } else if begins(word, &["fail", "error"]) {
        Some(JobStatus::Failed)
    } else if begins(word, &["run"]) {
        Some(JobStatus::Running)
    } else if begins(word, &["queue", "pend"]) {
        Some(JobStatus::Queued)
    } else if begins(word, &["cancel"]) {
        Some(JobStatus::Cancelled)
    } else {
        None
    }
}
