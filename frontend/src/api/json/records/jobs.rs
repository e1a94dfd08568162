//! Jobs and their record.

use crate::api::json::record::record;
use shared::{
    attempt::{Attempt, AttemptList, RetryJob},
    event::{Checkpoint, CheckpointList, EventList, JobEvent, MeasuredStep},
    job::{
        DatasetRef, Hyperparameters, Imported, Job, JobEstimate, JobFailure, JobList, JobSummary, Outlook,
        Progress,
    },
    metrics::{Curve, Metrics, Times},
    run::{LoraSpec, Rewards},
    step_examples::{StepExample, StepExamples},
    timeline::{Phase, Timeline},
    wandb::Wandb,
};

record!(Attempt {
    attempt,
    started_at,
    from_step,
    ended_at,
    outcome,
    message,
} or default { log });
record!(AttemptList { attempts });
record!(Checkpoint {
    id,
    step,
    created_at,
    bytes,
    train_loss,
    valid_loss,
});
record!(CheckpointList {
    checkpoints,
    keep_last,
});
record!(Curve {
    series,
    total_points,
    steps,
    values,
});
record!(DatasetRef { id, name });
record!(EventList { events, next_cursor } or default { total, incomplete });
record!(Hyperparameters {
    method,
    beta,
    batch_size,
    gradient_accumulation,
    learning_rate_multiplier,
    schedule,
    lora,
    max_sequence_length,
    seed,
} or default { auto });
record!(Imported {
    host,
    id,
    fine_tuned_model,
});
record!(Job {
    id,
    name,
    base_model,
    status,
    created_at,
    started_at,
    finished_at,
    epochs,
    evaluation_epochs,
    warmup_epochs,
    learning_rate,
    training_dataset,
    validation_dataset,
    hyperparameters,
    progress,
    failure,
    trained_tokens,
    fine_tuned_model,
    artifact,
    queue_position,
    starts_in_ms,
    last_event_id,
    estimate,
    peak_memory_bytes,
    priority,
    parent,
    parent_step,
    imported,
    wandb,
} or default { attempt, stopped });
record!(JobEvent {
    id,
    created_at,
    level,
    message,
});
record!(JobEstimate {
    trained_tokens,
    memory_bytes,
    duration_ms
});
record!(JobFailure {
    code,
    message,
    param,
    line,
    cause,
    change,
});
record!(JobList {
    jobs,
    summary,
    next_cursor,
    newest,
    outlook,
} or default { incomplete });
record!(Outlook {
    next_starts_in_ms,
    completed_in_week,
    failed_in_week,
    trained_tokens_in_month,
    models,
});
record!(JobSummary {
    running,
    queued,
    paused,
    completed,
    failed,
    cancelled,
    total,
});
record!(LoraSpec { rank, alpha, targets } or default { dropout });
record!(Metrics {
    from,
    to,
    curves,
    times,
} or default { incomplete });
record!(Phase { status, started_at });
record!(Progress {
    stage,
    step,
    total_steps,
    epoch,
    remaining_ms,
    tokens_per_second,
    train_loss,
    valid_loss,
});
record!(RetryJob {
    name,
    from_step,
    epochs,
    evaluation_epochs,
    warmup_epochs,
    learning_rate,
    batch_size,
    lora,
    schedule,
    seed,
});
record!(Rewards {
    chosen,
    rejected,
    margin,
    accuracy,
});
record!(MeasuredStep {
    step,
    total_steps,
    epoch,
    train_loss,
    train_token_accuracy,
    learning_rate,
    gradient_norm,
    tokens,
    valid_loss,
    valid_token_accuracy,
    rewards,
    valid_rewards,
});
record!(StepExample {
    example,
    tokens,
    target_tokens
});
record!(StepExamples {
    step,
    epoch,
    total_steps,
    examples
});
record!(Times { steps, elapsed_ms });
record!(Timeline { phases });
record!(Wandb { project, name, entity } or default { tags });
