//! What an upstream can do and within which bounds, so that a control that can't work isn't shown.

use crate::{
    cost::TokenPrice,
    run::{MAX_BETA, Method},
    status::JobStatus,
};
use serde::{Deserialize, Serialize};

/// Which kind of upstream stands behind the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamKind {
    /// The embedded fine-tuning service.
    Engine,
    /// Any OpenAI-compatible fine-tuning API.
    Openai,
    /// The Job Training API.
    JobTrainingApi,
}

/// A closed range; an absent end is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bounds<T> {
    /// Smallest value taken.
    pub min: T,
    /// Largest value taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<T>,
}

impl<T: PartialOrd> Bounds<T> {
    /// The value within the bounds that is nearest to another.
    pub fn hold(self, value: T) -> T {
        match self.max {
            Some(max) if value > max => max,
            _ if value < self.min => self.min,
            _ => value,
        }
    }
}

/// What the console may show and ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Capabilities {
    /// The kind of upstream.
    pub upstream: UpstreamKind,
    /// Datasets can be uploaded, and a job needs one.
    pub datasets: bool,
    /// Jobs have an event log.
    pub events: bool,
    /// Jobs have metrics a step.
    pub metrics: bool,
    /// Jobs have checkpoints.
    pub checkpoints: bool,
    /// A checkpoint's adapter can be downloaded.
    #[serde(default)]
    pub checkpoint_downloads: bool,
    /// A finished job has an artifact to download.
    pub artifacts: bool,
    /// A job's page can follow a live stream.
    pub stream: bool,
    /// A job can be cancelled.
    pub cancel: bool,
    /// A job can be deleted.
    pub delete: bool,
    /// A job can be paused and resumed.
    pub pause: bool,
    /// The trainers that were started on a job are told.
    #[serde(default)]
    pub attempts: bool,
    /// When a job came to stand where is told.
    #[serde(default)]
    pub timeline: bool,
    /// A job can be ended early with what is trained so far as its result.
    #[serde(default)]
    pub stop: bool,
    /// A job can be retried.
    pub retry: bool,
    /// A waiting job has a priority and can be moved in the queue.
    #[serde(default)]
    pub queue: bool,
    /// Batch size and seed can be chosen, and where there is a `recipe` LoRA and schedule.
    pub hyperparameters: bool,
    /// Evaluation and warm-up can be chosen, and the learning rate is the one that is trained with. Where not, the first two
    /// are left to the upstream, and a learning rate other than the model's proposal is taken relative to it.
    #[serde(default)]
    pub recipe: bool,
    /// Base models can be added and removed.
    #[serde(default)]
    pub add_models: bool,
    /// The training examples that a step was made of can be told.
    #[serde(default)]
    pub step_examples: bool,
    /// What a job would take can be told before it is created.
    #[serde(default)]
    pub estimates: bool,
    /// Models answer messages: the playground works.
    #[serde(default)]
    pub chat: bool,
    /// Addresses can be told when a job ends.
    #[serde(default)]
    pub webhooks: bool,
    /// There is a `/v1` here, whose keys can be listed, made and removed.
    #[serde(default)]
    pub keys: bool,
    /// Jobs are watched, and their owner is told: alerts and notifications.
    #[serde(default)]
    pub alerts: bool,
    /// The page may tell how quick it is (`POST /api/browser-reports`). The operator's choice, whatever the upstream.
    #[serde(default)]
    pub browser_reports: bool,
    /// How many of this machine's cores a trainer computes on; absent where jobs run elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// The statuses that occur, in the order of a job's life.
    pub statuses: Vec<JobStatus>,
    /// The ways to train.
    #[serde(default)]
    pub methods: Vec<Method>,
    /// Bounds of the form's fields.
    pub bounds: JobBounds,
    /// What trained tokens cost here, where the operator has set a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<TokenPrice>,
    /// How many jobs the upstream holds at most, where it has a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_jobs: Option<u32>,
    /// Largest dataset file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_dataset_bytes: Option<u64>,
}

/// Bounds of a job's fields. The learning rate is always in (0, 1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobBounds {
    /// Training epochs.
    pub epochs: Bounds<u32>,
    /// Examples in one optimizer step.
    pub batch_size: Bounds<u32>,
    /// LoRA rank.
    pub lora_rank: Bounds<u32>,
    /// Beta of the method `dpo`; it is above `min`. Absent where there is no such method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<Bounds<f64>>,
}

impl Capabilities {
    /// The embedded engine's.
    #[must_use]
    pub fn engine() -> Self {
        Self {
            upstream: UpstreamKind::Engine,
            datasets: true,
            events: true,
            metrics: true,
            checkpoints: true,
            checkpoint_downloads: true,
            artifacts: true,
            stream: true,
            cancel: true,
            delete: true,
            pause: true,
            attempts: true,
            timeline: true,
            stop: true,
            retry: true,
            queue: true,
            hyperparameters: true,
            recipe: true,
            add_models: true,
            step_examples: true,
            estimates: true,
            chat: true,
            webhooks: true,
            keys: true,
            alerts: true,
            browser_reports: false,
            cores: None,
            statuses: JobStatus::ALL.to_vec(),
            methods: vec![Method::Supervised, Method::Dpo],
            bounds: JobBounds {
                epochs: Bounds {
                    min: 1,
                    max: Some(50),
                },
                batch_size: Bounds {
                    min: 1,
                    max: Some(256),
                },
                lora_rank: Bounds {
                    min: 1,
                    max: Some(256),
                },
                beta: Some(Bounds {
                    min: 0.0,
                    max: Some(MAX_BETA),
                }),
            },
            price: None,
            max_jobs: None,
            max_dataset_bytes: Some(8 << 30),
        }
    }

    /// The Job Training API's, version 1.0.0.
    #[must_use]
    pub fn job_training_api() -> Self {
        Self {
            upstream: UpstreamKind::JobTrainingApi,
            datasets: false,
            events: false,
            metrics: false,
            checkpoints: false,
            checkpoint_downloads: false,
            artifacts: false,
            stream: false,
            cancel: false,
            delete: true,
            pause: false,
            attempts: false,
            timeline: false,
            stop: false,
            retry: false,
            queue: false,
            hyperparameters: false,
            recipe: true,
            add_models: false,
            step_examples: false,
            estimates: false,
            chat: false,
            webhooks: false,
            keys: false,
            alerts: false,
            browser_reports: false,
            cores: None,
            statuses: vec![JobStatus::Running, JobStatus::Succeeded, JobStatus::Failed],
            methods: Vec::new(),
            bounds: JobBounds {
                epochs: Bounds { min: 1, max: None },
                batch_size: Bounds { min: 1, max: None },
                lora_rank: Bounds { min: 1, max: None },
                beta: None,
            },
            price: None,
            max_jobs: Some(10),
            max_dataset_bytes: None,
        }
    }

    /// An OpenAI-compatible fine-tuning API's, as long as nothing else is known of it.
    #[must_use]
    pub fn openai() -> Self {
        Self {
            upstream: UpstreamKind::Openai,
            checkpoint_downloads: false,
            artifacts: false,
            delete: false,
            attempts: false,
            stop: false,
            retry: false,
            queue: false,
            recipe: false,
            add_models: false,
            step_examples: false,
            estimates: false,
            chat: false,
            webhooks: false,
            keys: false,
            alerts: false,
            methods: vec![Method::Supervised],
            bounds: JobBounds {
                beta: None,
                ..Self::engine().bounds
            },
            max_dataset_bytes: Some(512 << 20),
            ..Self::engine()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::JobDefaults;

    #[test]
    fn capabilities_survive_json_and_an_absent_bound_is_unbounded() {
        for capabilities in [
            Capabilities::engine(),
            Capabilities::job_training_api(),
            Capabilities::openai(),
        ] {
            let text = serde_json::to_string(&capabilities).expect("text");
            assert_eq!(
                serde_json::from_str::<Capabilities>(&text).ok(),
                Some(capabilities)
            );
        }
        assert_eq!(
            serde_json::from_str::<Bounds<u32>>(r#"{"min":1}"#).ok(),
            Some(Bounds { min: 1, max: None })
        );
    }

    #[test]
    fn what_the_wizard_proposes_lies_within_the_engines_bounds() {
        let (defaults, bounds) = (JobDefaults::default(), Capabilities::engine().bounds);
        for (value, bounds) in [
            (defaults.epochs, bounds.epochs),
            (defaults.batch_size, bounds.batch_size),
            (defaults.lora.rank, bounds.lora_rank),
        ] {
            assert!(value >= bounds.min && bounds.max.is_none_or(|max| value <= max));
        }
        assert!(defaults.evaluation_epochs + defaults.warmup_epochs <= defaults.epochs);
    }

    #[test]
    fn webhooks_and_keys_are_the_engines_alone() {
        let has = |known: &Capabilities| (known.webhooks, known.keys);
        assert_eq!(has(&Capabilities::engine()), (true, true));
        for remote in [Capabilities::openai(), Capabilities::job_training_api()] {
            assert_eq!(has(&remote), (false, false));
        }
    }

    #[test]
    fn an_upstream_is_named_in_kebab_case() {
        assert_eq!(
            serde_json::to_value(UpstreamKind::JobTrainingApi).ok(),
            Some("job-training-api".into())
        );
    }
}
