//! Reading OpenAI's shapes, as they are and as imitations of them differ: a list may be bare, a time may be text, an
//! error may be empty, and a word may have a synonym.

#[cfg(feature = "embedded")]
mod account;
mod files;
mod record;

#[cfg(feature = "embedded")]
pub(super) use account::{account_job, account_jobs};
#[cfg(feature = "embedded")]
use files::result_files_of;
pub(super) use files::{file, files, result_files};
pub(super) use record::{checkpoints, event_stream, events};

use crate::upstream::{
    Answer, UpstreamError,
    remote::{
        json::{Fields, Json},
        read::{bare_job, begins, find, identifier, instant, json, number, text, unreadable, whole},
    },
};
use shared::{
    id::{DatasetId, JobId},
    job::{DatasetRef, Hyperparameters, Job, JobFailure, Progress},
    model::JobDefaults,
    status::JobStatus,
    timestamp::Timestamp,
};

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) has_more: bool,
}

/// The models that there are.
pub(super) struct Models {
    /// Those that a job can start from, as far as their names tell, with what another Attune proposes for each.
    pub(super) base: Vec<(String, Option<JobDefaults>)>,
    /// They are another Attune's.
    pub(super) is_attune: bool,
}

/// A list of objects, each of which can be read.
fn page<T>(
    answer: &[u8],
    named: &str,
    mut read: impl FnMut(&Fields<'_>, &str) -> Answer<T>,
) -> Answer<Page<T>> {
    list(answer, named, |item, place| {
        let fields = item
            .as_object()
            .ok_or_else(|| unreadable(place, "is no object"))?;
        read(fields, &format!("{place}."))
    })
}

/// A list, bare or in `data`.
fn list<T>(
    answer: &[u8],
    named: &str,
    mut read: impl FnMut(&Json<'_>, &str) -> Answer<T>,
) -> Answer<Page<T>> {
    let value = json(answer)?;
    let list = value
        .as_list()
        .or_else(|| value.get("data").and_then(Json::as_list))
        .ok_or_else(|| unreadable("data", "is no list"))?;
    let mut items = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        items.push(read(item, &format!("{named}[{index}]"))?);
    }
    Ok(Page {
        items,
        has_more: matches!(value.get("has_more"), Some(Json::Bool(true))),
    })
}

fn missing(place: &str, name: &str) -> UpstreamError {
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
            beta: self.get("beta").and_then(number),
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

/// The models. What jobs made isn't offered to start from.
pub(super) fn models(answer: &[u8]) -> Answer<Models> {
    let mut is_attune = false;
    let page = page(answer, "data", |fields, place| {
        let extras = find(fields, &["x_attune"]).and_then(Json::as_object);
        is_attune |= extras.is_some();
        let defaults = extras.and_then(|extras| find(extras, &["defaults"])?.as_object());
        let id = identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))?;
        Ok((id, defaults.map(proposed)))
    })?;
    let is_base = |(id, _): &(String, _)| !id.starts_with("ft:");
    Ok(Models {
        base: page.items.into_iter().filter(is_base).collect(),
        is_attune,
    })
}

/// What another Attune's wizard proposes; ours where it says nothing.
fn proposed(fields: &Fields<'_>) -> JobDefaults {
    let ours = JobDefaults::default();
    let count = |name: &str| {
        let told = find(fields, &[name]).and_then(whole);
        told.and_then(|told| u32::try_from(told).ok())
    };
    JobDefaults {
        epochs: count("epochs").unwrap_or(ours.epochs),
        evaluation_epochs: count("evaluation_epochs").unwrap_or(ours.evaluation_epochs),
        warmup_epochs: count("warmup_epochs").unwrap_or(ours.warmup_epochs),
        learning_rate: find(fields, &["learning_rate"])
            .and_then(number)
            .unwrap_or(ours.learning_rate),
        batch_size: count("batch_size").unwrap_or(ours.batch_size),
        lora: find(fields, &["lora"])
            .and_then(Json::as_object)
            .and_then(lora)
            .unwrap_or(ours.lora),
    }
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
