//! Tuned models by their names: whose they are, who may use them, and their end.
//!
//! A name is `ft:BASE:ORGANISATION:SUFFIX:ID`, a checkpoint's ends in `:ckpt-step-N`. It can be used by the owner of the
//! job that made it, and by the projects that an administrator has permitted; a project is an owner.

use super::{Service, artifacts::ADAPTER};
use crate::{
    error::Error,
    secret,
    store::{
        artifacts, checkpoints,
        jobs::{self, JobRow},
        permissions::{self, PermissionRow},
    },
};
use shared::{
    id::{JobId, Subject},
    status::JobStatus,
    timestamp::Timestamp,
};
use std::path::PathBuf;

/// What stands between a model's name and the step of a checkpoint.
pub(crate) const CHECKPOINT: &str = ":ckpt-step-";

/// What a name leads to.
#[derive(Debug, Clone)]
pub(crate) struct TunedModel {
    pub(crate) job: JobRow,
    /// The checkpoint of this step; else the job's result.
    pub(crate) step: Option<u64>,
    pub(crate) created_at: Timestamp,
}

impl TunedModel {
    /// The folder with its adapter.
    pub(crate) fn folder(&self, service: &Service) -> PathBuf {
        let run = service.inner.layout.run(&self.job.id);
        match self.step {
            None => run.join(ADAPTER),
            Some(step) => run.join(format!("checkpoints/step-{step}")),
        }
    }
}

impl Service {
    /// What a name leads to, if the subject may use it: their own, or permitted.
    pub(crate) async fn find_tuned_model(
        &self,
        subject: &Subject,
        name: &str,
    ) -> Result<Option<TunedModel>, Error> {
        let Some(found) = self.look_up_tuned_model(name).await? else {
            return Ok(None);
        };
        let may = found.job.owner() == *subject
            || permissions::is_permitted(self.inner.store.read(), name, subject).await?;
        Ok(Some(found).filter(|_| may))
    }

    /// What a name leads to, whosever it is.
    async fn look_up_tuned_model(&self, name: &str) -> Result<Option<TunedModel>, Error> {
        let checkpoint = name.rsplit_once(CHECKPOINT).and_then(|(model, step)| {
            // So that a checkpoint has one name alone.
            let number = step
                .parse::<u64>()
                .ok()
                .filter(|number| number.to_string() == step);
            Some((model, number?))
        });
        // A suffix may look like a checkpoint, too.
        let (model, step) = checkpoint.map_or((name, None), |(model, step)| (model, Some(step)));
        let read = self.inner.store.read();
        let Some(job) = jobs::find_by_tuned_name(read, model).await? else {
            return Ok(None);
        };
        // Its weights lie where it was trained.
        if job.imported_from.is_some() {
            return Ok(None);
        }
        let created_at = match step {
            Some(step) => {
                let kept = checkpoints::list(read, &job.owner(), &JobId::new(&job.id)).await?;
                let found = kept.iter().map(checkpoints::CheckpointRow::to_checkpoint);
                found
                    .into_iter()
                    .find(|checkpoint| checkpoint.step == step)
                    .map(|checkpoint| checkpoint.created_at)
            }
            // Deleted, it is gone though its job stays.
            None if job.status() == JobStatus::Succeeded && job.artifact.is_some() => {
                job.finished_at.map(Timestamp::from_unix_ms)
            }
            None => None,
        };
        Ok(created_at.map(|created_at| TunedModel {
            job,
            step,
            created_at,
        }))
    }

    /// What others have and the subject may use, by name.
    pub(crate) async fn list_permitted_models(
        &self,
        subject: &Subject,
    ) -> Result<Vec<(String, TunedModel)>, Error> {
        let mut models = Vec::new();
        for permission in permissions::list_of_project(self.inner.store.read(), subject).await? {
            if let Some(found) = self.look_up_tuned_model(&permission.model).await?
                && found.job.owner() != *subject
            {
                models.push((permission.model, found));
            }
        }
        Ok(models)
    }

    /// Lets projects use a model or checkpoint of anybody's. Asked again, it changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the name leads nowhere.
    pub(crate) async fn permit(&self, model: &str, projects: &[String]) -> Result<Vec<PermissionRow>, Error> {
        let found = self.look_up_tuned_model(model).await?;
        let found = found.ok_or(Error::NotFound("checkpoint"))?;
        let mut transaction = self.inner.store.begin().await?;
        let mut made = Vec::new();
        for project in projects {
            let id = secret::new_id("cp_")?;
            let now = self.distinct_now();
            made.push(permissions::insert(&mut transaction, &id, model, &found.job.id, project, now).await?);
        }
        transaction.commit().await?;
        Ok(made)
    }

    /// The permissions of a model, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the name leads nowhere and there are none.
    pub(crate) async fn list_permissions(
        &self,
        model: &str,
        project: Option<&str>,
    ) -> Result<Vec<PermissionRow>, Error> {
        let rows = permissions::list(self.inner.store.read(), model, project).await?;
        if rows.is_empty() && self.look_up_tuned_model(model).await?.is_none() {
            return Err(Error::NotFound("checkpoint"));
        }
        Ok(rows)
    }

    /// Takes a permission back.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn delete_permission(&self, model: &str, id: &str) -> Result<(), Error> {
        let mut transaction = self.inner.store.begin().await?;
        if !permissions::delete(&mut transaction, model, id).await? {
            return Err(Error::NotFound("permission"));
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes a tuned model of the subject's: its adapter goes, its job and the checkpoints stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] with `model_not_deletable` where it is a checkpoint.
    pub(crate) async fn delete_tuned_model(&self, subject: &Subject, name: &str) -> Result<(), Error> {
        let found = self.find_tuned_model(subject, name).await?;
        let found = found.ok_or(Error::NotFound("model"))?;
        if found.step.is_some() {
            let message =
                "a checkpoint goes with its job: delete that, or let the number that is kept decide";
            return Err(Error::conflict("model_not_deletable", message));
        }
        let id = JobId::new(&found.job.id);
        let mut transaction = self.inner.store.begin().await?;
        if !artifacts::delete_of_job(&mut transaction, subject, &id).await? {
            return Err(Error::NotFound("model"));
        }
        transaction.commit().await?;
        self.inner.jobs_changed.changed(id.as_str());
        let folder = self.inner.layout.run(id.as_str()).join(ADAPTER);
        if let Err(error) = tokio::fs::remove_dir_all(&folder).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %folder.display(), "an adapter could not be removed");
        }
        Ok(())
    }
}
