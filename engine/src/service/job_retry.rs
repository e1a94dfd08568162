//! A job tried again: a new one that knows its parent, from the beginning or from one of the parent's checkpoints,
//! with other values where the caller says so.
//!
//! With nothing else changed, a checkpoint is taken over whole together with what was measured up to it: the new run goes
//! on exactly where the parent was. With other values only its adapter is: the new run's step 1 starts from there.

use super::{
    Service,
    job_actions::{JobAction, admit},
    job_create::{CreateJob, Idempotency},
};
use crate::{
    error::{Error, one_finding},
    parameters::Parameters,
    secret,
    store::{checkpoints, from_sql, jobs::JobRow},
};
use shared::{
    attempt::RetryJob,
    capabilities::Capabilities,
    id::{DatasetId, JobId, Subject},
    job::{Created, NewJob},
    run::Warmup,
    validate::{Findings, validate_new_job},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Longest name that the form takes.
const LONGEST_NAME: usize = 50;

/// The folder of a run directory that holds the adapter to start from.
pub(crate) const START: &str = "start";

/// The files of a PEFT adapter.
pub(crate) const ADAPTER_FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

impl Service {
    /// Tries a job again as a new one. With an idempotency key that the subject has used before, answers the job of that
    /// time.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `job_not_retryable`, or `idempotency_key_reused` where the key was used for another job; [`Error::Invalid`] by field: what `shared::validate` finds,
    /// `unknown_checkpoint` for `from_step`, `fixed_by_checkpoint` for `lora`.
    pub async fn retry_job(
        &self,
        subject: &Subject,
        id: &JobId,
        retry: RetryJob,
        idempotency_key: Option<&str>,
    ) -> Result<Created, Error> {
        let idempotency = Idempotency::of(idempotency_key, &(id, &retry))?;
        if let Some(repeated) = self.find_repeated(subject, idempotency.as_ref()).await? {
            return Ok(repeated);
        }
        let mut transaction = self.inner.store.begin().await?;
        let parent = admit(&mut transaction, subject, id, JobAction::Retry).await?;
        drop(transaction);
        let before = parent.parameters().ok_or_else(|| {
            Error::conflict(
                "job_not_retryable",
                "the job's settings can't be read: create a new one",
            )
        })?;
        let name = retry.name.clone().unwrap_or_else(|| retry_name(&parent.name));
        let findings = self
            .retry_findings(subject, &parent, &before, &retry, &name)
            .await?;
        if !findings.is_empty() {
            return Err(Error::Invalid(findings));
        }
        let parameters = changed(&before, &retry);
        let new_id = JobId::new(secret::new_id("ftjob-")?);
        if let Some(step) = retry.from_step {
            let (from, to) = (
                self.inner.layout.run(&parent.id),
                self.inner.layout.run(new_id.as_str()),
            );
            let whole = parameters == before;
            tokio::task::spawn_blocking(move || take_over(&from, &to, step, whole))
                .await
                .map_err(|error| Error::storage("taking a checkpoint over was interrupted", error))?
                .map_err(|error| Error::storage("the checkpoint could not be taken over", error))?;
        }
        let create = CreateJob {
            id: Some(new_id.clone()),
            name: Some(&name),
            base_model: &parent.base_model,
            training_file: &parent.training_file,
            validation_file: parent.validation_file.as_deref(),
            parameters,
            suffix: Some(&name),
            metadata: BTreeMap::new(),
            idempotency,
            request_hash: None,
            is_retry: false,
            parent: Some((&parent.id, retry.from_step)),
            wandb: parent.wandb(),
        };
        let inserted = self.insert_job(subject, create).await;
        // Not ours: the same key came twice at once, or the row could not be written.
        if !matches!(&inserted, Ok(inserted) if !inserted.repeated) {
            self.remove_run(new_id.as_str(), None).await;
        }
        self.describe_created(&inserted?).await
    }

    async fn retry_findings(
        &self,
        subject: &Subject,
        parent: &JobRow,
        before: &Parameters,
        retry: &RetryJob,
        name: &str,
    ) -> Result<Findings, Error> {
        let form = as_form(parent, before, retry, name);
        let mut findings = validate_new_job(&form, &Capabilities::engine());
        if retry.name.is_none() {
            findings.remove("name");
        }
        match self.find_model(&parent.base_model).await? {
            None => findings.extend(one_finding("base_model", "unknown_model", &[])),
            Some(model) if model.is_untrainable() => {
                findings.extend(one_finding("base_model", "model_not_trainable", &[]));
            }
            Some(_) => {}
        }
        let Some(step) = retry.from_step else {
            return Ok(findings);
        };
        let kept = checkpoints::list(self.inner.store.read(), subject, &JobId::new(&parent.id)).await?;
        if !kept.iter().any(|row| from_sql(row.step) == step) {
            findings.extend(one_finding("from_step", "unknown_checkpoint", &[]));
        }
        if retry.lora.as_ref().is_some_and(|lora| {
            (lora.rank, lora.alpha, &lora.targets)
                != (before.lora.rank, before.lora.alpha, &before.lora.targets)
        }) {
            findings.extend(one_finding("lora", "fixed_by_checkpoint", &[]));
        }
        Ok(findings)
    }
}

/// The new job as the form would send it, to be validated by the form's rules.
fn as_form(parent: &JobRow, before: &Parameters, retry: &RetryJob, name: &str) -> NewJob {
    let warmup_epochs = match before.warmup {
        Warmup::Epochs(epochs) => epochs,
        Warmup::Ratio(_) => 0,
    };
    NewJob {
        name: name.to_owned(),
        base_model: parent.base_model.clone(),
        epochs: retry.epochs.unwrap_or(before.epochs),
        evaluation_epochs: retry.evaluation_epochs.unwrap_or(before.evaluation_epochs),
        warmup_epochs: retry.warmup_epochs.unwrap_or(warmup_epochs),
        learning_rate: retry.learning_rate.unwrap_or(before.learning_rate),
        training_dataset: Some(DatasetId::new(&parent.training_file)),
        validation_dataset: parent.validation_file.as_ref().map(DatasetId::new),
        method: Some(before.method.method()),
        beta: before.method.beta(),
        batch_size: retry.batch_size.or(Some(before.batch_size)),
        lora: retry.lora.clone().or_else(|| Some(before.lora.clone())),
        schedule: retry.schedule.or(Some(before.schedule)),
        gradient_checkpointing: Some(before.gradient_checkpointing),
        seed: retry.seed,
    }
}

/// The parent's settings with what the caller changes; what was changed isn't the engine's choice any more.
fn changed(before: &Parameters, retry: &RetryJob) -> Parameters {
    let mut after = before.clone();
    fn set<T: Clone>(to: &mut T, from: Option<&T>) -> bool {
        if let Some(from) = from {
            *to = from.clone();
        }
        from.is_some()
    }
    set(&mut after.epochs, retry.epochs.as_ref());
    set(&mut after.evaluation_epochs, retry.evaluation_epochs.as_ref());
    set(
        &mut after.warmup,
        retry.warmup_epochs.map(Warmup::Epochs).as_ref(),
    );
    if set(&mut after.learning_rate, retry.learning_rate.as_ref()) {
        after.learning_rate_multiplier = None;
    }
    for (name, given) in [
        (
            "batch_size",
            set(&mut after.batch_size, retry.batch_size.as_ref()),
        ),
        ("lora", set(&mut after.lora, retry.lora.as_ref())),
        ("schedule", set(&mut after.schedule, retry.schedule.as_ref())),
        ("seed", set(&mut after.seed, retry.seed.as_ref())),
    ] {
        if given {
            after.auto.retain(|auto| auto != name);
        }
    }
    after.gradient_accumulation = after.gradient_accumulation.min(after.batch_size).max(1);
    after
}

/// `name-retry`, then `name-retry-2` and so on, within what the form takes.
fn retry_name(name: &str) -> String {
    let (stem, suffix) = match name.rsplit_once("-retry") {
        Some((stem, "")) => (stem, "-retry-2".to_owned()),
        Some((stem, number)) => match number.strip_prefix('-').and_then(|it| it.parse::<u32>().ok()) {
            Some(number) => (stem, format!("-retry-{}", number.saturating_add(1))),
            None => (name, "-retry".to_owned()),
        },
        None => (name, "-retry".to_owned()),
    };
    let stem: String = stem.chars().take(LONGEST_NAME - suffix.len()).collect();
    format!("{stem}{suffix}")
}

/// Puts a checkpoint of one run where another begins: the whole state and what was measured, or the adapter alone. All of
/// it outlives a loss of power, for the new job may wait long before a trainer sees it.
fn take_over(from: &Path, to: &Path, step: u64, whole: bool) -> io::Result<()> {
    let checkpoint = PathBuf::from(format!("checkpoints/step-{step}"));
    if whole {
        fs::create_dir_all(to.join(&checkpoint))?;
        for entry in fs::read_dir(from.join(&checkpoint))? {
            let entry = entry?;
            place(&entry.path(), &to.join(&checkpoint).join(entry.file_name()))?;
        }
        // This one is appended to in place, so it can't be shared; the trainer cuts it back to the checkpoint.
        copy(&from.join("metrics.jsonl"), &to.join("metrics.jsonl"))?;
        flush(&to.join(&checkpoint))?;
        flush(&to.join("checkpoints"))?;
    } else {
        let start = to.join(START);
        fs::create_dir_all(&start)?;
        for name in ADAPTER_FILES {
            place(&from.join(&checkpoint).join(name), &start.join(name))?;
        }
        flush(&start)?;
    }
    flush(to)?;
    to.parent().map_or(Ok(()), flush)
}

/// A file of a checkpoint never changes, so a second name for it is as good as a copy.
pub(crate) fn place(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| copy(from, to))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    flush(to)
}

/// Waits until a file's bytes or a folder's names are on the disk.
fn flush(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::retry_name;

    #[test]
    fn a_retry_is_named_after_its_parent_within_what_a_name_may_have() {
        assert_eq!(retry_name("mine"), "mine-retry");
        assert_eq!(retry_name("mine-retry"), "mine-retry-2");
        assert_eq!(retry_name("mine-retry-9"), "mine-retry-10");
        assert_eq!(retry_name("no-retrying"), "no-retrying-retry");
        let long = retry_name(&"a".repeat(50));
        assert_eq!((long.len(), long.ends_with("a-retry")), (50, true));
    }
}
