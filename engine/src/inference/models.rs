//! Which models a subject can ask, by which names, and where they lie.

use super::fingerprint;
use crate::{
    Error, Service,
    models::FoundModel,
    service::{estimate::state_of, held::hold, job_retry::ADAPTER_FILES, tuned_models::CHECKPOINT},
    store::{artifacts, checkpoints, from_sql},
};
use shared::{
    chat::{ChatModel, ChatModelKind, ChatModelList},
    id::{JobId, Subject},
    model::ModelObstacle,
    timestamp::Timestamp,
};
use std::path::PathBuf;
use tempfile::TempDir;

/// Checkpoints that a list tells at most.
const LISTED: i64 = 1000;

/// A model that can be asked.
#[derive(Debug)]
pub(super) struct AnsweringModel {
    pub(super) base: PathBuf,
    /// Further names of an adapter's files: they stay while somebody asks, whatever becomes of the job's own.
    pub(super) adapter: Option<TempDir>,
    pub(super) fingerprint: String,
}

impl AnsweringModel {
    /// What the child said, as whoever asked is told it.
    pub(super) fn failure(&self, code: &str, message: String) -> Error {
        match code {
            "context_length_exceeded" => Error::Unanswerable {
                code: "context_length_exceeded",
                message,
            },
            "invalid_prompt" => Error::Unanswerable {
                code: "invalid_prompt",
                message,
            },
            "not_enough_memory" => Error::Unavailable {
                code: "not_enough_memory",
                message,
            },
            _ => {
                // It may name folders of the server.
                tracing::warn!(model = %self.base.display(), code, message, "a model can't be asked");
                Error::Unavailable {
                    code: "model_unusable",
                    message: "the model's files can't be used: the server's log tells why".to_owned(),
                }
            }
        }
    }
}

impl Service {
    /// Finds what a name means for a subject.
    pub(super) async fn answering_model(
        &self,
        subject: &Subject,
        name: &str,
    ) -> Result<AnsweringModel, Error> {
        let missing = || Error::ModelNotFound(name.to_owned());
        if let Some(found) = self.find_model(name).await? {
            if !can_answer(&found) {
                return Err(missing());
            }
            let state = state_of(&found.path).await;
            return Ok(AnsweringModel {
                base: found.path,
                adapter: None,
                fingerprint: fingerprint(&[name, &state]),
            });
        }
        let tuned = self.find_tuned_model(subject, name).await?;
        let tuned = tuned.ok_or_else(missing)?;
        let found = self.find_model(&tuned.job.base_model).await?;
        let base = found.filter(can_answer).ok_or_else(missing)?;
        let (from, to) = (tuned.folder(self), self.inner.layout.held());
        let held = tokio::task::spawn_blocking(move || hold(&to, &from, &ADAPTER_FILES))
            .await
            .map_err(|error| Error::storage("an adapter could not be held", error))?;
        let held = match held {
            // Removed in this moment: by its trainer, or with its job.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
            held => held.map_err(|error| Error::storage("an adapter could not be held", error))?,
        };
        let state = state_of(&base.path).await;
        Ok(AnsweringModel {
            base: base.path,
            adapter: Some(held),
            fingerprint: fingerprint(&[name, &state]),
        })
    }

    /// Everything that a subject can ask.
    ///
    /// # Errors
    /// Storage only.
    pub async fn chat_models(&self, subject: &Subject) -> Result<ChatModelList, Error> {
        let mut bases = Vec::new();
        for found in self.found_models().await? {
            if can_answer(&found) {
                bases.push(ChatModel {
                    id: found.model.id.clone(),
                    kind: ChatModelKind::Base,
                    name: found.model.display_name.clone(),
                    base_model: found.model.id.clone(),
                    job_id: None,
                    step: None,
                    created_at: found.created_at().await,
                });
            }
        }
        let read = self.inner.store.read();
        let mut made: Vec<ChatModel> = artifacts::list(read, subject)
            .await?
            .iter()
            .map(|row| {
                let artifact = row.to_artifact();
                ChatModel {
                    id: artifact.fine_tuned_model,
                    kind: ChatModelKind::Tuned,
                    name: artifact.name,
                    base_model: artifact.base_model,
                    job_id: Some(artifact.job_id),
                    step: None,
                    created_at: artifact.created_at,
                }
            })
            .collect();
        let kept = checkpoints::list_of_owner(read, subject, LISTED).await?;
        made.extend(kept.into_iter().map(|row| ChatModel {
            id: checkpoint_name(&row.tuned_name(), from_sql(row.step)),
            kind: ChatModelKind::Checkpoint,
            name: row.name,
            base_model: row.base_model,
            job_id: Some(JobId::new(row.job_id)),
            step: Some(from_sql(row.step)),
            created_at: Timestamp::from_unix_ms(row.created_at),
        }));
        // Of others' jobs nothing else is told.
        let permitted = self.list_permitted_models(subject).await?;
        made.extend(permitted.into_iter().map(|(id, found)| {
            ChatModel {
                id,
                kind: found
                    .step
                    .map_or(ChatModelKind::Tuned, |_| ChatModelKind::Checkpoint),
                name: found.job.name,
                base_model: found.job.base_model,
                job_id: None,
                step: found.step,
                created_at: found.created_at,
            }
        }));
        made.retain(|model| bases.iter().any(|base| base.id == model.base_model));
        // A job's result before its last checkpoint, of the same moment or not; later steps before earlier ones.
        made.sort_by(|one, other| {
            let key = |model: &ChatModel| (model.created_at, model.step.unwrap_or(u64::MAX));
            key(other).cmp(&key(one))
        });
        bases.append(&mut made);
        Ok(ChatModelList { models: bases })
    }
}

/// A checkpoint's name on /v1.
pub(crate) fn checkpoint_name(tuned: &str, step: u64) -> String {
    format!("{tuned}{CHECKPOINT}{step}")
}

/// What stands in the way of training only for want of memory may still answer.
fn can_answer(found: &FoundModel) -> bool {
    let obstacle = found
        .model
        .installed
        .as_ref()
        .and_then(|installed| installed.obstacle);
    matches!(obstacle, None | Some(ModelObstacle::NotEnoughMemory))
}
