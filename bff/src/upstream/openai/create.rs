//! Creating a job: the wizard's values as the supervised method's hyperparameters.

use super::{Inner, read};
use crate::upstream::{Answer, remote::creations::Creator};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use shared::{
    job::{Job, NewJob},
    model::JobDefaults,
};
use std::sync::Arc;

#[async_trait]
impl Creator for Arc<Inner> {
    async fn known_jobs(&self) -> Answer<Arc<Vec<Job>>> {
        Ok(Arc::new(self.all_jobs().await?.jobs.clone()))
    }

    fn forget_jobs(&self) {
        self.jobs.forget();
        self.job.forget();
        self.forget_record();
    }

    async fn send(&self, job: &NewJob, key: Option<&str>) -> Answer<Job> {
        // Without the answer the job would be trained otherwise than it was asked for.
        let body = body(job, self.find_out_whether_attune().await?);
        let answer = self.client.create("fine_tuning/jobs", &body, key).await?;
        let mut created = read::job(&answer, self.clock.now())?;
        self.name_files(&mut created).await;
        Ok(created)
    }

    fn is_same(&self, found: &Job, asked: &NewJob) -> bool {
        let file = |found: &Option<shared::job::DatasetRef>| found.as_ref().map(|file| file.id.clone());
        // Some imitations keep no name; then a job is told by its id.
        (found.name == asked.name || found.name == found.id.as_str())
            && found.base_model == asked.base_model
            && file(&found.training_dataset) == asked.training_dataset
            && file(&found.validation_dataset) == asked.validation_dataset
            && found.epochs.is_none_or(|epochs| epochs == asked.epochs)
    }
}

/// The name goes twice: as `metadata.name`, and as the suffix, which imitations keep that drop the metadata.
fn body(job: &NewJob, is_attune: bool) -> Value {
    let mut hyperparameters = Map::from_iter([("n_epochs".to_owned(), json!(job.epochs))]);
    if let Some(size) = job.batch_size {
        hyperparameters.insert("batch_size".to_owned(), json!(size));
    }
    // The model's proposal leaves it to the upstream, which alone knows what it multiplies.
    let times = job.learning_rate / JobDefaults::default().learning_rate;
    if !is_attune && (times - 1.0).abs() > 1e-9 {
        let times = (times * 1e6).round() / 1e6;
        hyperparameters.insert("learning_rate_multiplier".to_owned(), json!(times.max(1e-6)));
    }
    let mut body = json!({
        "model": job.base_model,
        "training_file": job.training_dataset,
        "suffix": job.name,
        "metadata": { "name": job.name },
        "method": { "type": "supervised", "supervised": { "hyperparameters": hyperparameters } },
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
            body.insert(name.to_owned(), value);
        }
    };
    add(
        "validation_file",
        job.validation_dataset.as_ref().map(|id| json!(id)),
    );
    add("seed", job.seed.map(|seed| json!(seed)));
    add("x_attune", is_attune.then(|| extras(job)));
    body
}

/// What another Attune takes besides.
fn extras(job: &NewJob) -> Value {
    let mut extras = json!({
        "learning_rate": job.learning_rate,
        "evaluation_epochs": job.evaluation_epochs,
        "warmup_epochs": job.warmup_epochs,
    });
    let others = [
        ("lora", job.lora.as_ref().map(|lora| json!(lora))),
        ("schedule", job.schedule.map(|schedule| json!(schedule))),
        (
            "gradient_checkpointing",
            job.gradient_checkpointing.map(|when| json!(when)),
        ),
    ];
    if let Some(extras) = extras.as_object_mut() {
        let told = others
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        extras.extend(told);
    }
    extras
}
