//! Events and checkpoints.

use super::{Page, missing, page, time};
use crate::upstream::{
    Answer,
    openai::record::{Entry, Told},
    remote::{
        json::{Fields, Json},
        read::{begins, find, identifier, json, number, text, whole},
    },
};
use shared::{
    event::{Checkpoint, JobEvent, Level, MeasuredStep},
    id::{CheckpointId, EventId},
    run::Rewards,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A page of a job's events; each as what it tells.
pub(in crate::upstream::openai) fn events(answer: &[u8]) -> Answer<Page<Entry>> {
    page(answer, "data", event_of)
}

/// The events of a stream, in its order.
pub(in crate::upstream::openai) fn event_stream(answer: &[u8]) -> Answer<Vec<Entry>> {
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
            ..with_extras(step, find(fields, &["x_attune"]).and_then(Json::as_object))
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
    Ok(Entry { id, created_at, told })
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
    let step = find(data, &["step"]).and_then(whole)?;
    let measured = figures(data, step);
    (measured.train_loss.is_some() || measured.valid_loss.is_some()).then_some(measured)
}

/// The figures that are told of a step.
fn figures(data: &Fields<'_>, step: u64) -> MeasuredStep {
    let value = |names: &[&str]| find(data, names).and_then(number);
    MeasuredStep {
        step,
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
        rewards: rewards(data, "reward"),
        valid_rewards: rewards(data, "valid_reward"),
    }
}

/// With what another Attune tells besides.
fn with_extras(step: MeasuredStep, extras: Option<&Fields<'_>>) -> MeasuredStep {
    let Some(extras) = extras else { return step };
    let value = |name: &str| find(extras, &[name]).and_then(number);
    MeasuredStep {
        epoch: value("epoch"),
        learning_rate: value("learning_rate"),
        gradient_norm: value("gradient_norm"),
        tokens: find(extras, &["tokens"]).and_then(whole),
        ..step
    }
}

/// Rewards of preference pairs, by the names that Attune tells them under.
fn rewards(data: &Fields<'_>, kind: &str) -> Option<Rewards> {
    let value = |name: &str| find(data, &[&format!("{kind}_{name}")]).and_then(number);
    Some(Rewards {
        chosen: value("chosen")?,
        rejected: value("rejected")?,
        margin: value("margin")?,
        accuracy: value("accuracy")?,
    })
}

/// A page of a job's checkpoints.
pub(in crate::upstream::openai) fn checkpoints(answer: &[u8]) -> Answer<Page<Checkpoint>> {
    page(answer, "data", |fields, place| {
        let step = find(fields, &["step_number", "step"])
            .and_then(whole)
            .ok_or_else(|| missing(place, "step_number"))?;
        // Some repeat the step among the figures, some don't.
        let metrics = find(fields, &["metrics"])
            .and_then(Json::as_object)
            .map(|metrics| figures(metrics, step));
        Ok(Checkpoint {
            id: CheckpointId::new(identifier(find(fields, &["id"])).ok_or_else(|| missing(place, "id"))?),
            step,
            created_at: find(fields, &["created_at"])
                .and_then(time)
                .ok_or_else(|| missing(place, "created_at"))?,
            bytes: None,
            train_loss: metrics.as_ref().and_then(|metrics| metrics.train_loss),
            valid_loss: metrics.as_ref().and_then(|metrics| metrics.valid_loss),
        })
    })
}
