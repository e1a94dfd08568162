//! Base models: listing them, adding further ones in the background, removing them.

use super::Service;
use crate::{
    config::Config,
    data_folder::Layout,
    error::{Error, chain},
    models::{AddError, FoundModel, Models, Progress, Source, source::Repository},
    store::{self, Store},
};
use shared::{
    id::Subject,
    model::{AddModel, AdditionFailure, AdditionStage, ModelAddition, ModelList},
};
use sqlx::SqliteConnection;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Models that are being added, and those whose adding failed.
#[derive(Debug)]
pub(crate) struct Additions {
    /// By the models' identifiers.
    known: Mutex<BTreeMap<String, Addition>>,
    /// One at a time: several would fill the disk that each alone would fit.
    turn: Semaphore,
}

impl Default for Additions {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            turn: Semaphore::new(1),
        }
    }
}

#[derive(Debug)]
struct Addition {
    source: String,
    /// Closed by the task's end.
    progress: watch::Receiver<Progress>,
    failure: Option<AdditionFailure>,
    /// Cancelled where it isn't wanted any more.
    dropped: CancellationToken,
}

impl Additions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Addition>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Addition {
    fn describe(&self, id: &str) -> ModelAddition {
        let progress = *self.progress.borrow();
        ModelAddition {
            id: id.to_owned(),
            source: self.source.clone(),
            stage: if self.failure.is_some() {
                AdditionStage::Failed
            } else {
                progress.stage
            },
            bytes_done: progress.done,
            bytes_total: progress.total,
            failure: self.failure.clone(),
        }
    }
}

impl Service {
    /// The base models to choose from, those on their way, and those that could be had; everybody sees the same.
    ///
    /// # Errors
    /// Storage only.
    pub async fn list_models(&self) -> Result<ModelList, Error> {
        self.unpack_models().await;
        let models = self.inner.models.clone();
        let mut list = blocking(move || models.list()).await?;
        let mut additions = self.inner.additions.lock();
        // What failed here may have been added by command since.
        additions.retain(|id, addition| {
            addition.failure.is_none() || !list.models.iter().any(|model| model.id == *id)
        });
        list.catalogue.retain(|entry| !additions.contains_key(&entry.id));
        list.additions = additions
            .iter()
            .map(|(id, addition)| addition.describe(id))
            .collect();
        Ok(list)
    }

    /// How many models there are: base models, and those that the subject has tuned. Nothing as long as the bundled one isn't
    /// unpacked.
    pub(super) async fn count_models(&self, subject: &Subject) -> Result<Option<u64>, Error> {
        if !self.inner.models_ready.initialized() {
            return Ok(None);
        }
        let models = self.inner.models.clone();
        let base = blocking(move || models.count()).await?;
        let tuned = store::artifacts::count(self.inner.store.read(), subject).await?;
        Ok(Some(base + tuned))
    }

    /// Starts to fetch a model from the Hub; one that is being fetched already goes on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the source is no repository of the Hub, [`Error::Conflict`] with `model_exists`, or with
    /// `model_busy` where another revision is being fetched or it is just being given up.
    pub async fn add_model(&self, request: &AddModel) -> Result<ModelAddition, Error> {
        // No path: whoever uses the console isn't to read the server's files.
        let repository = request
            .source
            .strip_prefix("hf:")
            .ok_or_else(|| Error::field("source", "invalid_source"))?;
        let source = Source::Hub(Repository::parse(repository)?);
        let id = source.default_id();
        if self.find_model(&id).await?.is_some() {
            return Err(AddError::Exists(id).into());
        }
        let mut additions = self.inner.additions.lock();
        if let Some(under_way) = additions.get(&id).filter(|addition| addition.failure.is_none()) {
            if under_way.source != source.to_string() || under_way.dropped.is_cancelled() {
                return Err(AddError::Busy(id).into());
            }
            return Ok(under_way.describe(&id));
        }
        let (told, progress) = watch::channel(Progress::default());
        let addition = Addition {
            source: source.to_string(),
            progress,
            failure: None,
            dropped: CancellationToken::new(),
        };
        let (described, dropped) = (addition.describe(&id), addition.dropped.clone());
        additions.insert(id.clone(), addition);
        drop(additions);
        let service = self.clone();
        self.inner.tasks.spawn(async move {
            let adding = async {
                let _turn = service.inner.additions.turn.acquire().await;
                service.inner.models.add(&source, &id, &told).await
            };
            let ended = tokio::select! {
                ended = adding => ended,
                // Whoever gave it up clears away what has arrived.
                () = dropped.cancelled() => return,
                // What has arrived stays for the next server.
                () = service.inner.stopping.cancelled() => return,
            };
            let mut additions = service.inner.additions.lock();
            match ended {
                Ok(_) if !dropped.is_cancelled() => drop(additions.remove(&id)),
                Ok(_) => {}
                Err(error) => {
                    // The console shows the public text alone.
                    tracing::warn!(
                        model = id,
                        error = chain(&error),
                        "a base model could not be added"
                    );
                    if let Some(addition) = additions.get_mut(&id) {
                        addition.failure = Some(error.to_failure());
                    }
                }
            }
        });
        Ok(described)
    }

    /// Removes a model, or gives up one that is being added.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] with `model_not_added` or `model_in_use`.
    pub async fn remove_model(&self, id: &str) -> Result<(), Error> {
        let given_up = self.inner.additions.lock().get(id).map(|addition| {
            addition.dropped.cancel();
            addition.progress.clone()
        });
        let models = self.inner.models.clone();
        if let Some(mut progress) = given_up {
            let name = id.to_owned();
            // Until the task has ended: nothing is added behind the answer's back.
            while progress.changed().await.is_ok() {}
            let cleared = blocking({
                let models = models.clone();
                move || models.discard_left(&name)
            })
            .await;
            self.inner.additions.lock().remove(id);
            cleared?;
            // It may have become whole in the last moment.
            return match remove_unneeded(&self.inner.store, models, id).await {
                Err(AddError::Unknown(_)) => Ok(()),
                removed => Ok(removed?),
            };
        }
        Ok(remove_unneeded(&self.inner.store, models, id).await?)
    }

    /// Shows what servers before this one left unfinished, so that it can be tried again or given up.
    pub(super) fn show_interrupted_additions(&self) {
        for (id, left) in self.inner.models.left_behind() {
            let source = left.split_whitespace().next().unwrap_or_default();
            if !matches!(Source::parse(source), Ok(Source::Hub(_))) {
                continue;
            }
            let (_told, progress) = watch::channel(Progress::default());
            let addition = Addition {
                source: source.to_owned(),
                progress,
                failure: Some(AdditionFailure {
                    code: "interrupted".to_owned(),
                    message: "it was interrupted: what has arrived is kept, try again to go on from there"
                        .to_owned(),
                }),
                dropped: CancellationToken::new(),
            };
            self.inner.additions.lock().insert(id, addition);
        }
    }

    /// Whether a model is there at this moment; cheap enough to be asked while nobody else may write.
    pub(super) async fn has_model(&self, id: &str) -> Result<bool, Error> {
        let (models, id) = (self.inner.models.clone(), id.to_owned());
        blocking(move || models.has(&id)).await
    }

    /// One base model by its identifier.
    pub(crate) async fn find_model(&self, id: &str) -> Result<Option<FoundModel>, Error> {
        self.unpack_models().await;
        let (models, id) = (self.inner.models.clone(), id.to_owned());
        blocking(move || models.find(&id)).await
    }

    /// The base models with the places where they lie.
    pub(crate) async fn found_models(&self) -> Result<Vec<FoundModel>, Error> {
        self.unpack_models().await;
        let models = self.inner.models.clone();
        blocking(move || models.find_all()).await
    }

    /// Unpacks the bundled model once; whoever needs it meanwhile waits here.
    pub(crate) async fn unpack_models(&self) {
        let models = self.inner.models.clone();
        self.inner
            .models_ready
            .get_or_init(|| async move {
                let unpacked = tokio::task::spawn_blocking(move || models.unpack()).await;
                match unpacked {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, "the bundled model could not be unpacked"),
                    Err(error) => tracing::error!(%error, "unpacking the bundled model was interrupted"),
                }
            })
            .await;
    }
}

/// Removes a base model in a data folder whether a server works there or not: what `attune model remove` calls.
///
/// # Errors
/// [`AddError::Unknown`], [`AddError::NotAdded`], [`AddError::InUse`], [`AddError::Files`], [`AddError::Storage`].
pub async fn remove_model_in(config: &Config, id: &str) -> Result<(), AddError> {
    let storage = |error| AddError::Storage(Error::storage("the data folder can't be read", error));
    let layout = Layout::prepare(&config.data_dir).map_err(storage)?;
    let store = Store::open(&layout.database()).await.map_err(storage)?;
    let removed = remove_unneeded(&store, Models::new(config), id).await;
    store.close().await;
    removed
}

/// Removes a model that nothing needs. Nobody else writes from the look at who needs it until it is gone, and a job is
/// created only where its model is there when it may write: so no job is left without its model, whichever process made it.
async fn remove_unneeded(store: &Store, models: Models, id: &str) -> Result<(), AddError> {
    let name = id.to_owned();
    let leaving = blocking(move || models.leaving(&name)).await??;
    let mut alone = store.begin().await?;
    refuse_needed(&mut alone, id).await?;
    let removed = blocking(move || leaving.go()).await??;
    drop(alone);
    blocking(move || removed.clear()).await?
}

/// That no job which has not ended, and no adapter, needs the model.
async fn refuse_needed(connection: &mut SqliteConnection, id: &str) -> Result<(), AddError> {
    let jobs = store::jobs::count_unfinished_of_model(&mut *connection, id)
        .await
        .map_err(Error::from)?;
    let artifacts = store::artifacts::count_of_model(connection, id)
        .await
        .map_err(Error::from)?;
    let counted = [(jobs, "unfinished job"), (artifacts, "tuned model")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
        .collect::<Vec<_>>();
    if counted.is_empty() {
        return Ok(());
    }
    Err(AddError::InUse {
        id: id.to_owned(),
        needed_by: counted.join(" and "),
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::storage("looking after models was interrupted", error))
}
