//! The words that stand for what excludes each other.

use crate::api::json::record::{At, FromTree};
use shared::{
    alert::{AlertAction, AlertCondition},
    attempt::{AttemptOutcome, FailureCause},
    capabilities::UpstreamKind,
    chat::{ChatModelKind, FinishReason},
    dataset::DatasetStatus,
    event::Level,
    metrics::Series,
    model::{AdditionStage, ModelObstacle},
    notification::NotificationKind,
    queue::Priority,
    run::{Method, Projection, Schedule, Stage},
    status::JobStatus,
    training_line::{LineFormat, Severity},
    webhook::{DeliveryStatus, WebhookEvent},
};

/// Reads an enum whose variants hold nothing, written as a word. The compiler refuses a list that forgets one.
macro_rules! words {
    ($name:ident { $first:literal => $otherwise:ident $(, $word:literal => $variant:ident)* $(,)? }) => {
        impl FromTree for $name {
            fn from_tree(at: At<'_>) -> Self {
                match at.tree.as_str() {
                    Some($first) => Self::$otherwise,
                    $(Some($word) => Self::$variant,)*
                    _ => {
                        at.expected("a word that is known");
                        Self::$otherwise
                    }
                }
            }
        }

        const _: fn($name) = |value| match value {
            $name::$otherwise $(| $name::$variant)* => (),
        };

        #[cfg(test)]
        impl tests::Words for $name {
            const WORDS: &[(&str, Self)] = &[($first, Self::$otherwise) $(, ($word, Self::$variant))*];
        }
    };
}

words!(AdditionStage { "waiting" => Waiting, "fetching" => Fetching, "preparing" => Preparing, "failed" => Failed });
words!(AlertAction { "notify" => Notify, "pause" => Pause });
words!(AlertCondition { "not_finite" => NotFinite, "divergence" => Divergence, "plateau" => Plateau, "validation_rising" => ValidationRising, "no_progress" => NoProgress, "low_disk" => LowDisk, "late" => Late });
words!(AttemptOutcome { "done" => Done, "paused" => Paused, "requeued" => Requeued, "lost" => Lost, "died" => Died, "failed" => Failed, "cancelled" => Cancelled });
words!(ChatModelKind { "base" => Base, "tuned" => Tuned, "checkpoint" => Checkpoint });
words!(DeliveryStatus { "pending" => Pending, "delivered" => Delivered, "failed" => Failed });
words!(DatasetStatus { "uploading" => Uploading, "validating" => Validating, "ready" => Ready, "error" => Error });
words!(FailureCause { "signal" => Signal, "out_of_memory" => OutOfMemory, "disk_full" => DiskFull, "storage" => Storage, "bad_data" => BadData, "diverged" => Diverged, "unresponsive" => Unresponsive, "unusable" => Unusable, "bug" => Bug });
words!(FinishReason { "stop" => Stop, "length" => Length });
words!(JobStatus { "validating_files" => ValidatingFiles, "queued" => Queued, "running" => Running, "pausing" => Pausing, "paused" => Paused, "succeeded" => Succeeded, "failed" => Failed, "cancelled" => Cancelled });
words!(Level { "info" => Info, "warn" => Warn, "error" => Error });
words!(LineFormat { "chat" => Chat, "conversation" => Conversation, "prompt_completion" => PromptCompletion, "preference" => Preference });
words!(Method { "supervised" => Supervised, "dpo" => Dpo });
words!(ModelObstacle { "unknown_architecture" => UnknownArchitecture, "quantised" => Quantised, "not_enough_memory" => NotEnoughMemory });
words!(NotificationKind { "succeeded" => Succeeded, "failed" => Failed, "cancelled" => Cancelled, "alert" => Alert });
words!(Priority { "normal" => Normal, "low" => Low, "high" => High });
words!(Projection { "q_proj" => QProj, "k_proj" => KProj, "v_proj" => VProj, "o_proj" => OProj, "gate_proj" => GateProj, "up_proj" => UpProj, "down_proj" => DownProj });
words!(Schedule { "constant" => Constant, "linear" => Linear, "cosine" => Cosine });
words!(Series { "train_loss" => TrainLoss, "train_token_accuracy" => TrainTokenAccuracy, "learning_rate" => LearningRate, "gradient_norm" => GradientNorm, "tokens" => Tokens, "valid_loss" => ValidLoss, "valid_token_accuracy" => ValidTokenAccuracy, "reward_margin" => RewardMargin, "reward_accuracy" => RewardAccuracy, "reward_chosen" => RewardChosen, "reward_rejected" => RewardRejected, "valid_reward_margin" => ValidRewardMargin, "valid_reward_accuracy" => ValidRewardAccuracy, "valid_reward_chosen" => ValidRewardChosen, "valid_reward_rejected" => ValidRewardRejected });
words!(Severity { "error" => Error, "warning" => Warning });
words!(Stage { "preparing" => Preparing, "loading" => Loading, "training" => Training, "saving" => Saving });
words!(UpstreamKind { "engine" => Engine, "openai" => Openai, "job-training-api" => JobTrainingApi });
words!(WebhookEvent { "fine_tuning.job.succeeded" => JobSucceeded, "fine_tuning.job.failed" => JobFailed, "fine_tuning.job.cancelled" => JobCancelled });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json::read;
    use std::fmt::Debug;

    pub(super) trait Words: Sized + 'static {
        const WORDS: &[(&str, Self)];
    }

    fn are_serdes<T: Words + FromTree + serde::Serialize + PartialEq + Debug>() {
        for (word, value) in T::WORDS {
            let written = serde_json::to_string(value).expect("it is written");
            assert_eq!(written, format!("\"{word}\""));
            assert_eq!(read::<T>(&written).as_ref(), Ok(value));
        }
        assert!(read::<T>("\"nonsense\"").is_err());
        assert!(read::<T>("1").is_err());
    }

    #[test]
    fn every_word_is_the_one_that_serde_writes() {
        are_serdes::<AdditionStage>();
        are_serdes::<AlertAction>();
        are_serdes::<AlertCondition>();
        are_serdes::<AttemptOutcome>();
        are_serdes::<ChatModelKind>();
        are_serdes::<DeliveryStatus>();
        are_serdes::<DatasetStatus>();
        are_serdes::<FailureCause>();
        are_serdes::<FinishReason>();
        are_serdes::<JobStatus>();
        are_serdes::<Level>();
        are_serdes::<LineFormat>();
        are_serdes::<Method>();
        are_serdes::<ModelObstacle>();
        are_serdes::<NotificationKind>();
        are_serdes::<Priority>();
        are_serdes::<Projection>();
        are_serdes::<Schedule>();
        are_serdes::<Series>();
        are_serdes::<Severity>();
        are_serdes::<Stage>();
        are_serdes::<UpstreamKind>();
        are_serdes::<WebhookEvent>();
    }
}
