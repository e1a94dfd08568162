//! Reading OpenAI's shapes, as they are and as imitations of them differ: a list may be bare, a time may be text, an
//! error may be empty, and a word may have a synonym.

use super::record::{Entry, Told};
use crate::upstream::{
    Answer,
    remote::{
        json::{Fields, Json},
        read::{bare_job, begins, find, identifier, instant, json, number, text, unreadable, whole},
    },
};
use shared::{
    dataset::{Dataset, DatasetStatus},
    event::{Checkpoint, JobEvent, Level, MeasuredStep},
    id::{CheckpointId, DatasetId, EventId, JobId},
    job::{DatasetRef, Hyperparameters, Job, JobFailure, Progress},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The organization by whose name another Attune's models are owned.
const ATTUNE: &str = "attune";

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) has_more: bool,
}

/// The models that there are.
pub(super) struct Models {
    /// Those that a job can start from, as far as their names tell.
    pub(super) ids: Vec<String>,
    /// They are another Attune's.
    pub(super) is_attune: bool,
}

/// A list, bare or in `data`.
fn page<T>(
    answer: &[u8],
    named: &str,
    mut read: impl FnMut(&Fields<'_>, &str) -> Answer<T>,
) -> Answer<Page<T>> {
    let value = json(answer)?;
    let list = value
        .as_list()
        .or_else(|| value.get("data").and_then(Json::as_list))
        .ok_or_else(|| unreadable("data", "is no list"))?;
    let mut items = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let place = format!("{named}[{index}]");
        let fields = item
            .as_object()
            .ok_or_else(|| unreadable(&place, "is no object"))?;
        items.push(read(fields, &format!("{place}."))?);
    }
    Ok(Page {
        items,
        has_more: matches!(value.get("has_more"), Some(Json::Bool(true))),
    })
}

fn missing(place: &str, name: &str) -> crate::upstream::UpstreamError {
    unreadable(&format!("{place}{name}"), "is missing or of the wrong type")
}

/// A page of jobs.
pub(super) fn jobs(answer: &[u8], now: Timestamp) -> Answer<Page<Job>> {
    page(answer, "data", |fields, place| job_of(fields, place, now))
}

/// One job.
pub(super) fn job(answer: &[u8], now: Timestamp) -> Answer<Job> {
    let value = json(answer)?;
    let fields = value.as_object().ok_or_else(|| unreadable("", "is no object"))?;
    job_of(fields, "", now)
}

fn job_of(fields: &Fields<'_>, place: &str, now: Timestamp) -> Answer<Job> {
    let id = identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))?;
    let base_model = text(find(fields, &["model"])).ok_or_else(|| missing(place, "model"))?;
    let status = find(fields, &["status"])
        .and_then(Json::as_text)
        .and_then(status)
        .ok_or_else(|| unreadable(&format!("{place}status"), "is missing or unknown"))?;
    let created_at = find(fields, &["created_at"])
        .and_then(time)
        .ok_or_else(|| missing(place, "created_at"))?;
    let extras = find(fields, &["x_attune"]).and_then(Json::as_object);
    let extra = |name: &str| extras.and_then(|extras| find(extras, &[name]));
    let suffix = || find(fields, &["user_provided_suffix", "suffix"]);
    let name = find(fields, &["metadata"])
        .and_then(|metadata| text(metadata.get("name")))
        .or_else(|| text(extra("name")))
        .or_else(|| text(suffix()))
        .unwrap_or_else(|| id.clone());
    let hyperparameters = Chosen::of(fields);
    let count = |value: Option<&Json<'_>>| value.and_then(whole).and_then(|whole| u32::try_from(whole).ok());
    let epochs = count(hyperparameters.get("n_epochs"));
    Ok(Job {
        finished_at: find(fields, &["finished_at"]).and_then(time),
        epochs,
        evaluation_epochs: count(extra("evaluation_epochs")),
        warmup_epochs: count(extra("warmup_epochs")),
        learning_rate: extra("learning_rate").and_then(number),
        training_dataset: dataset_ref(fields, "training_file"),
        validation_dataset: dataset_ref(fields, "validation_file"),
        hyperparameters: Some(hyperparameters.told(fields, extras)),
        progress: extras.and_then(|extras| progress(fields, extras, status, epochs, now)),
        failure: find(fields, &["error"]).and_then(failure),
        attempt: count(extra("attempt")).unwrap_or(0),
        trained_tokens: find(fields, &["trained_tokens"]).and_then(whole),
        fine_tuned_model: text(find(fields, &["fine_tuned_model"])),
        ..bare_job(JobId::new(id), name, base_model, status, created_at)
    })
}

fn dataset_ref(fields: &Fields<'_>, name: &str) -> Option<DatasetRef> {
    let id = identifier(find(fields, &[name]))?;
    Some(DatasetRef {
        id: DatasetId::new(&id),
        name: id,
    })
}

/// The hyperparameters, in the method's object or in the place that it took over from.
struct Chosen<'a> {
    method: String,
    places: [Option<&'a Fields<'a>>; 2],
}

impl<'a> Chosen<'a> {
    fn of(fields: &'a Fields<'a>) -> Self {
        let method = find(fields, &["method"]).and_then(Json::as_object);
        let kind = method.and_then(|method| text(find(method, &["type"])));
        let kind = kind.unwrap_or_else(|| "supervised".to_owned());
        let of_method = method
            .and_then(|method| find(method, &[&kind])?.get("hyperparameters"))
            .and_then(Json::as_object);
        let of_job = find(fields, &["hyperparameters"]).and_then(Json::as_object);
        Self {
            method: kind,
            places: [of_method, of_job],
        }
    }

    /// A value; `auto` is none until the upstream tells what it came to.
    fn get(&self, name: &str) -> Option<&'a Json<'a>> {
        let found = self
            .places
            .into_iter()
            .flatten()
            .filter_map(|place| find(place, &[name]));
        let mut told = found.filter(|value| value.as_text() != Some("auto"));
        told.next()
    }

    fn told(&self, fields: &Fields<'_>, extras: Option<&Fields<'_>>) -> Hyperparameters {
        let count =
            |value: Option<&Json<'_>>| value.and_then(whole).and_then(|whole| u32::try_from(whole).ok());
        let extra = |name: &str| extras.and_then(|extras| find(extras, &[name]));
        let word = |name: &str| extra(name).and_then(Json::as_text);
        Hyperparameters {
            method: self.method.clone(),
            batch_size: count(self.get("batch_size")),
            gradient_accumulation: count(extra("gradient_accumulation")),
            learning_rate_multiplier: self.get("learning_rate_multiplier").and_then(number),
            schedule: word("schedule").and_then(|word| serde_json::from_value(word.into()).ok()),
            lora: extra("lora").and_then(Json::as_object).and_then(lora),
            max_sequence_length: None,
            seed: find(fields, &["seed"]).and_then(whole),
            auto: Vec::new(),
        }
    }
}

fn lora(fields: &Fields<'_>) -> Option<shared::run::LoraSpec> {
    let targets = find(fields, &["targets"])?.as_list()?;
    Some(shared::run::LoraSpec {
        rank: u32::try_from(whole(find(fields, &["rank"])?)?).ok()?,
        alpha: number(find(fields, &["alpha"])?)?,
        dropout: find(fields, &["dropout"]).and_then(number).unwrap_or(0.0),
        targets: targets
            .iter()
            .map(|target| serde_json::from_value(target.as_text()?.into()).ok())
            .collect::<Option<_>>()?,
    })
}

/// How far another Attune's job is.
fn progress(
    fields: &Fields<'_>,
    extras: &Fields<'_>,
    status: JobStatus,
    epochs: Option<u32>,
    now: Timestamp,
) -> Option<Progress> {
    let stage = find(extras, &["stage"])?.as_text()?;
    let stage = serde_json::from_value(stage.into()).ok()?;
    let steps = |name: &str| find(extras, &[name]).and_then(whole).unwrap_or(0);
    let (step, total_steps) = (steps("step"), steps("total_steps"));
    let finish = find(fields, &["estimated_finish"]).and_then(time);
    let left = finish.and_then(|finish| u64::try_from(finish.unix_ms() - now.unix_ms()).ok());
    Some(Progress {
        stage,
        step,
        total_steps,
        epoch: epochs_done(step, total_steps, epochs),
        remaining_ms: left.filter(|_| status == JobStatus::Running),
        tokens_per_second: None,
        train_loss: None,
        valid_loss: None,
    })
}

/// Epochs that so many steps are; 0 while that isn't known.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn epochs_done(step: u64, total_steps: u64, epochs: Option<u32>) -> f64 {
    match epochs {
        Some(epochs) if total_steps > 0 => f64::from(epochs) * step as f64 / total_steps as f64,
        _ => 0.0,
    }
}

/// `null`, `{}` and an object of nulls are a healthy job's.
fn failure(value: &Json<'_>) -> Option<JobFailure> {
    let fields = value.as_object()?;
    let message = text(find(fields, &["message"]))?;
    let code = text(find(fields, &["code"])).unwrap_or_else(|| "upstream_failure".to_owned());
    let failure = JobFailure::new(code, message);
    Some(match text(find(fields, &["param"])) {
        Some(param) => failure.of(param),
        None => failure,
    })
}

fn status(word: &str) -> Option<JobStatus> {
    if let Some(status) = JobStatus::parse(word) {
        return Some(status);
    }
    let synonyms: [(&[&str], JobStatus); 7] = [
        (&["validating"], JobStatus::ValidatingFiles),
        (&["queue", "pend", "creat", "resum"], JobStatus::Queued),
        (&["run", "in_progress", "training"], JobStatus::Running),
        (&["complete", "succe"], JobStatus::Succeeded),
        (&["fail", "error"], JobStatus::Failed),
        (&["cancel", "stop"], JobStatus::Cancelled),
        (&["paus"], JobStatus::Paused),
    ];
    synonyms
        .iter()
        .find(|(starts, _)| begins(word, starts))
        .map(|(_, status)| *status)
}

/// Unix seconds, also with a fraction or as text, or RFC 3339.
fn time(value: &Json<'_>) -> Option<Timestamp> {
    let seconds = number(value).filter(|seconds| (0.0..=253_402_300_799.0).contains(seconds));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be within the years that are told"
    )]
    let read = seconds.map(|seconds| Timestamp::from_unix_ms((seconds * 1_000.0) as i64));
    read.or_else(|| instant(value))
}

/// A page of a job's events; each as what it tells.
pub(super) fn events(answer: &[u8]) -> Answer<Page<Entry>> {
    page(answer, "data", event_of)
}

/// The events of a stream, in its order.
pub(super) fn event_stream(answer: &[u8]) -> Answer<Vec<Entry>> {
    let text = String::from_utf8_lossy(answer);
    let mut entries = Vec::new();
    for line in text.lines() {
        let Some(data) = line.strip_prefix("data:").map(str::trim) else {
            continue;
        };
        // What ends the stream is no event.
        let Ok(value) = json(data.as_bytes()) else {
            continue;
        };
        if let Some(fields) = value.as_object() {
            entries.push(event_of(fields, "")?);
        }
    }
    Ok(entries)
}

fn event_of(fields: &Fields<'_>, place: &str) -> Answer<Entry> {
    let created_at = find(fields, &["created_at"])
        .and_then(time)
        .ok_or_else(|| missing(place, "created_at"))?;
    let message = text(find(fields, &["message"])).unwrap_or_default();
    let id = identifier(find(fields, &["id"])).unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        (created_at, &message).hash(&mut hasher);
        format!("event-{:016x}", hasher.finish())
    });
    let step = find(fields, &["data"])
        .and_then(Json::as_object)
        .and_then(measured)
        .map(|step| MeasuredStep {
            total_steps: step.total_steps.max(steps_in(&message)),
            ..step
        });
    let told = match step {
        Some(step) => Told::Step(step),
        None => Told::Message(JobEvent {
            id: EventId::new(&id),
            created_at,
            level: level(
                find(fields, &["level"])
                    .and_then(Json::as_text)
                    .unwrap_or_default(),
            ),
            message,
        }),
    };
    Ok(Entry { id, told })
}

/// The number of steps that a message such as `Step 10/100: …` tells; 0 where it tells none.
fn steps_in(message: &str) -> u64 {
    let counted = message
        .strip_prefix("Step ")
        .and_then(|rest| rest.split_once('/'));
    let digits = counted.map_or("", |(_, rest)| {
        let end = rest.bytes().take_while(u8::is_ascii_digit).count();
        &rest[..end]
    });
    digits.parse().unwrap_or(0)
}

fn level(word: &str) -> Level {
    if begins(word, &["warn"]) {
        Level::Warn
    } else if begins(word, &["err", "crit", "fatal"]) {
        Level::Error
    } else {
        Level::Info
    }
}

/// What was measured at a step, where an event's data tells it.
fn measured(data: &Fields<'_>) -> Option<MeasuredStep> {
    let value = |names: &[&str]| find(data, names).and_then(number);
    let step = MeasuredStep {
        step: find(data, &["step"]).and_then(whole)?,
        total_steps: find(data, &["total_steps"]).and_then(whole).unwrap_or(0),
        epoch: value(&["epoch"]),
        train_loss: value(&["train_loss", "training_loss"]),
        train_token_accuracy: value(&["train_mean_token_accuracy", "train_accuracy"]),
        learning_rate: value(&["learning_rate"]),
        gradient_norm: value(&["gradient_norm"]),
        tokens: find(data, &["tokens"]).and_then(whole),
        // Over the whole file rather than over one batch of it, where both are told.
        valid_loss: value(&["full_valid_loss", "valid_loss", "validation_loss"]),
        valid_token_accuracy: value(&[
            "full_valid_mean_token_accuracy",
            "valid_mean_token_accuracy",
            "valid_accuracy",
        ]),
    };
    (step.train_loss.is_some() || step.valid_loss.is_some()).then_some(step)
}

/// A page of a job's checkpoints.
pub(super) fn checkpoints(answer: &[u8]) -> Answer<Page<Checkpoint>> {
    page(answer, "data", |fields, place| {
        let metrics = find(fields, &["metrics"])
            .and_then(Json::as_object)
            .and_then(measured);
        Ok(Checkpoint {
            id: CheckpointId::new(identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))?),
            step: find(fields, &["step_number", "step"])
                .and_then(whole)
                .ok_or_else(|| missing(place, "step_number"))?,
            created_at: find(fields, &["created_at"])
                .and_then(time)
                .ok_or_else(|| missing(place, "created_at"))?,
            bytes: None,
            train_loss: metrics.as_ref().and_then(|metrics| metrics.train_loss),
            valid_loss: metrics.as_ref().and_then(|metrics| metrics.valid_loss),
        })
    })
}

/// The models. What jobs made isn't offered to start from.
pub(super) fn models(answer: &[u8]) -> Answer<Models> {
    let mut is_attune = false;
    let page = page(answer, "data", |fields, place| {
        is_attune |= find(fields, &["owned_by"]).and_then(Json::as_text) == Some(ATTUNE);
        identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))
    })?;
    Ok(Models {
        ids: page
            .items
            .into_iter()
            .filter(|id| !id.starts_with("ft:"))
            .collect(),
        is_attune,
    })
}

/// Files that are datasets, newest first as far as the list is.
pub(super) fn files(answer: &[u8], is_attune: bool) -> Answer<Vec<Dataset>> {
    let page = page(answer, "data", |fields, place| {
        let purpose = find(fields, &["purpose"]).and_then(Json::as_text);
        let of_others = purpose.is_some_and(|purpose| purpose != "fine-tune");
        Ok((!of_others).then_some(file_of(fields, place, is_attune)?))
    })?;
    Ok(page.items.into_iter().flatten().collect())
}

/// One file.
pub(super) fn file(answer: &[u8], is_attune: bool) -> Answer<Dataset> {
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
        used_by: 0,
        id: DatasetId::new(id),
    })
}

/// The identifiers of a job's result files.
pub(super) fn result_files(answer: &[u8]) -> Answer<Vec<String>> {
    let value = json(answer)?;
    let files = value
        .get("result_files")
        .and_then(Json::as_list)
        .unwrap_or_default();
    Ok(files
        .iter()
        .filter_map(|file| identifier(Some(file)).or_else(|| identifier(file.get("id"))))
        .collect())
}

/// The name on `/api` of a parameter of theirs, for messages by field; of a path its last part.
pub(super) fn field_name(theirs: &str) -> &str {
    let last = theirs.rsplit('.').next().unwrap_or(theirs);
    match last {
        "model" => "base_model",
        "training_file" | "file" => "training_dataset",
        "validation_file" => "validation_dataset",
        "n_epochs" => "epochs",
        "learning_rate_multiplier" => "learning_rate",
        "suffix" | "metadata" => "name",
        "rank" => "lora_rank",
        other => other,
    }
}
