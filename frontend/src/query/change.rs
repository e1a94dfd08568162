//! What a user can change. Each shows its outcome at once where that is sure enough, asks the server, and invalidates
//! what it made out of date or takes the outcome back.

mod alerts;
mod keys;
mod webhooks;

use super::{Resource, Store, cache::Undo};
use crate::{
    api::{self, ApiError, jobs::Action},
    place,
};
use shared::{
    attempt::RetryJob,
    dataset::{Dataset, DatasetList, NewDataset},
    id::{ArtifactId, DatasetId, JobId},
    job::{Created, Job, JobList, NewJob},
    queue::JobChange,
    session::Session,
};
use web_sys::File;

impl Store {
    fn watch<T>(&self, outcome: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(error) = &outcome {
            self.notice(error);
        }
        outcome
    }

    /// Signs in with the local token.
    ///
    /// # Errors
    /// 401 where the token is wrong.
    pub async fn sign_in(&self, token: &str) -> Result<Session, ApiError> {
        let session = api::session::sign_in(token).await?;
        self.clear();
        self.put(&api::session::session(), session.clone());
        self.schedule();
        Ok(session)
    }

    /// Asks who is signed in.
    ///
    /// # Errors
    /// 401 for nobody.
    pub(crate) async fn ask_session(&self) -> Result<(), ApiError> {
        let query = api::session::session();
        let session = api::read::<Session>(&api::get(query.path(), None).await?)?;
        self.put(&query, session);
        Ok(())
    }

    /// Signs out.
    ///
    /// # Errors
    /// Where the server can't be reached: the session then still stands.
    pub async fn sign_out(&self) -> Result<(), ApiError> {
        api::session::sign_out().await?;
        self.clear();
        Ok(())
    }

    /// Creates a job from a draft, once.
    ///
    /// # Errors
    /// As [`api::jobs::create`].
    pub async fn create_job(&self, new_job: &NewJob, draft_id: &str) -> Result<Created, ApiError> {
        let created = self.watch(api::jobs::create(new_job, draft_id).await)?;
        self.put(&api::jobs::job(&created.job.id), created.job.clone());
        self.invalidate(Resource::Jobs);
        self.invalidate(Resource::Datasets);
        Ok(created)
    }

    /// Asks something of a job.
    ///
    /// # Errors
    /// 409 where its state doesn't allow it.
    pub async fn act_on_job(&self, id: &JobId, action: Action) -> Result<(), ApiError> {
        self.has_become(id, api::jobs::act(id, action).await)
    }

    /// Changes the turn of a job that waits.
    ///
    /// # Errors
    /// 409 where it doesn't.
    pub async fn change_job(&self, id: &JobId, change: JobChange) -> Result<(), ApiError> {
        self.has_become(id, api::jobs::change(id, change).await)
    }

    /// Shows what a job was made, and asks for the lists that it stands in.
    fn has_become(&self, id: &JobId, outcome: Result<Job, ApiError>) -> Result<(), ApiError> {
        let outcome = self.watch(outcome);
        if let Ok(job) = &outcome {
            self.put(&api::jobs::job(id), job.clone());
        }
        self.invalidate(Resource::Jobs);
        outcome.map(drop)
    }

    /// Tries a job again as a new one. Asked for again before that one is there, it stays the same one.
    ///
    /// # Errors
    /// As [`api::jobs::retry`].
    pub async fn retry_job(&self, id: &JobId, retry: &RetryJob) -> Result<Job, ApiError> {
        let key = self.retry_key(id, retry);
        let job = self.watch(api::jobs::retry(id, retry, &key).await)?;
        self.forget_retry(&key);
        self.put(&api::jobs::job(&job.id), job.clone());
        self.invalidate(Resource::Jobs);
        Ok(job)
    }

    /// Starts to fetch a base model.
    ///
    /// # Errors
    /// As [`api::models::add`].
    pub async fn add_model(&self, source: &str) -> Result<(), ApiError> {
        let outcome = self.watch(api::models::add(source).await);
        self.invalidate(Resource::Models);
        outcome
    }

    /// Removes a base model, or gives up one that is being fetched.
    ///
    /// # Errors
    /// As [`api::models::remove`].
    pub async fn remove_model(&self, id: &str) -> Result<(), ApiError> {
        let outcome = self.watch(api::models::remove(id).await);
        self.invalidate(Resource::Models);
        outcome
    }

    /// Deletes a job; it leaves every list at once.
    ///
    /// # Errors
    /// 409 while it runs, 403 without the permission.
    pub async fn delete_job(&self, id: &JobId) -> Result<(), ApiError> {
        let outcome = self.delete_jobs(std::slice::from_ref(id)).await.pop();
        outcome.unwrap_or(Ok(()))
    }

    /// Deletes jobs one after the other; they leave every list at once, and those that were refused come back. Answers
    /// how each went.
    pub async fn delete_jobs(&self, ids: &[JobId]) -> Vec<Result<(), ApiError>> {
        let undo = self.without_jobs(ids);
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            outcomes.push(self.watch(api::jobs::delete(id).await));
        }
        if outcomes.iter().any(Result::is_err) {
            let gone = ids.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
            let gone: Vec<_> = gone.map(|(id, _)| id.clone()).collect();
            self.roll_back(undo);
            // What is left of the change is no guess any more.
            drop(self.without_jobs(&gone));
        }
        self.invalidate(Resource::Jobs);
        self.invalidate(Resource::Artifacts);
        self.invalidate(Resource::Datasets);
        outcomes
    }

    fn without_jobs(&self, ids: &[JobId]) -> Vec<Undo> {
        self.optimistic::<JobList>(Resource::Jobs, |list| {
            let summary = &mut list.summary;
            list.jobs.retain(|job| {
                let stays = !ids.contains(&job.id);
                if !stays {
                    summary.remove(job.status);
                }
                stays
            });
        })
    }

    /// The address that downloads an artifact once.
    ///
    /// # Errors
    /// 404 where it is gone.
    pub async fn download_link(&self, id: &ArtifactId) -> Result<String, ApiError> {
        self.watch(api::artifacts::download_link(id).await)
            .map(|link| place::of_api(&link.url))
    }

    /// The address that downloads a checkpoint's adapter once.
    ///
    /// # Errors
    /// 404 where it isn't kept any more.
    pub async fn checkpoint_download_link(&self, id: &JobId, step: u64) -> Result<String, ApiError> {
        let outcome = self.watch(api::jobs::checkpoint_download_link(id, step).await);
        if outcome.is_err() {
            self.invalidate(Resource::JobRecord);
        }
        outcome.map(|link| place::of_api(&link.url))
    }

    /// The address that brings an ended job's run for Weights & Biases, once.
    ///
    /// # Errors
    /// As the server says.
    pub async fn wandb_link(&self, id: &JobId) -> Result<String, ApiError> {
        self.watch(api::artifacts::wandb_link(id).await)
            .map(|link| place::of_api(&link.url))
    }

    /// Sends a file as a new dataset. `told` hears how many bytes are on their way or arrived.
    ///
    /// # Errors
    /// As the server says; the half-sent dataset is removed.
    pub async fn upload_dataset(
        &self,
        name: &str,
        file: &File,
        told: impl Fn(u64) + Clone + 'static,
    ) -> Result<Dataset, ApiError> {
        let new = NewDataset {
            name: name.to_owned(),
            filename: file.name(),
            bytes: file.size() as u64,
        };
        let created = self.watch(api::datasets::create(&new).await)?;
        let id = created.dataset.id.clone();
        let sent = api::upload::upload(&created.upload, file, told).await;
        let is_whole = sent.is_ok();
        let sent = match sent {
            Ok(()) => api::upload::confirm(&id).await,
            Err(error) => Err(error),
        };
        let outcome = self.watch(sent);
        // Where all bytes are there and only the word for it was lost, they aren't thrown away.
        let is_lost = |error: &ApiError| !(is_whole && error.is_passing());
        if outcome.as_ref().is_err_and(is_lost) {
            let _ = api::datasets::delete(&id).await;
        }
        self.invalidate(Resource::Datasets);
        outcome
    }

    /// Makes the example datasets, or gives those that stand.
    ///
    /// # Errors
    /// As the server says.
    pub async fn create_example(&self) -> Result<DatasetList, ApiError> {
        let outcome = self.watch(api::datasets::create_example().await);
        self.invalidate(Resource::Datasets);
        outcome
    }

    /// Deletes a dataset; it leaves the list at once.
    ///
    /// # Errors
    /// 409 while a job that hasn't ended names it.
    pub async fn delete_dataset(&self, id: &DatasetId) -> Result<(), ApiError> {
        let undo = self.optimistic::<DatasetList>(Resource::Datasets, |list| {
            list.datasets.retain(|dataset| dataset.id != *id);
        });
        let outcome = self.watch(api::datasets::delete(id).await);
        match &outcome {
            Ok(()) => self.invalidate(Resource::Datasets),
            Err(_) => self.roll_back(undo),
        }
        outcome
    }
}
