//! Taking jobs over from an account elsewhere: what `attune import` writes. What they were there is read by somebody else.
//!
//! A folder of data is opened whether a server works in it or not. Each job is one transaction with its record and the rows of
//! its files, whose bytes lie whole in the folder of uploads by then; reading those comes after, as with any upload. So an
//! import that is killed leaves whole jobs, and at most files that are still to be read: the next import or the next
//! server reads them.

mod arriving;
mod bounds;
mod job;

pub use arriving::ArrivingFile;
pub use job::{ImportEntry, ImportFile, ImportJob, Lacks, NewFileOfImport};

use super::validation;
use crate::{
    blobs::Blobs,
    clock::Clock,
    config::Config,
    data_folder::Layout,
    error::{Error, StartError},
    secret,
    store::{
        Store, checkpoints, events,
        files::{self, FINE_TUNE, NewFile, RESULTS},
        imports::{self, ImportRow, InsertImported, Kind, Origin},
        jobs, metadata, steps,
    },
};
use job::{Line, Prepared};
use shared::{
    dataset::DatasetStatus,
    id::{JobId, Subject},
    timestamp::Timestamp,
};
use sqlx::SqliteConnection;
use std::{collections::HashMap, path::Path};

/// Whose import, and from where.
#[derive(Debug, Clone)]
pub struct ImportOrigin {
    /// Whose jobs they become.
    pub owner: Subject,
    /// The API's base URL, without its last slash.
    pub source: String,
}

impl ImportOrigin {
    fn row(&self) -> Origin<'_> {
        Origin {
            owner: &self.owner,
            source: &self.source,
        }
    }
}

/// What became of something that was taken over before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// What it is called here.
    pub local_id: String,
    /// It is still here; else somebody has deleted it since, or there was nothing to take.
    pub kept: bool,
}

/// What was taken over from an account before, by its names there.
#[derive(Debug, Clone, Default)]
pub struct TakenBefore {
    /// Jobs.
    pub jobs: HashMap<String, Before>,
    /// Files.
    pub files: HashMap<String, Before>,
}

/// What a job has become.
#[derive(Debug, Clone)]
pub struct TakenJob {
    /// Its name here.
    pub id: JobId,
    /// The files that came with it, by their names there.
    pub files: Vec<(String, Before)>,
}

/// Looks at what was taken over into a folder of data, which needn't be there; nothing is changed.
///
/// # Errors
/// The database can't be read.
pub async fn taken_before(data_dir: &Path, origin: &ImportOrigin) -> Result<TakenBefore, StartError> {
    let database = data_dir.join("attune.db");
    if !database.exists() {
        return Ok(TakenBefore::default());
    }
    let failed = |error: sqlx::Error| StartError::Database {
        path: database.display().to_string(),
        source: error.into(),
    };
    let pool = Store::look_at(&database).await.map_err(failed)?;
    let found = async {
        if imports::is_known(&pool).await? {
            read_before(&pool, origin).await
        } else {
            Ok(TakenBefore::default())
        }
    };
    let found = found.await.map_err(failed);
    pool.close().await;
    found
}

async fn read_before(pool: &sqlx::SqlitePool, origin: &ImportOrigin) -> sqlx::Result<TakenBefore> {
    let by_name = |rows: Vec<ImportRow>| {
        let row = |row: ImportRow| {
            let before = Before {
                local_id: row.local_id,
                kept: row.kept,
            };
            (row.upstream_id, before)
        };
        rows.into_iter().map(row).collect()
    };
    Ok(TakenBefore {
        jobs: by_name(imports::list(pool, &origin.row(), Kind::Job).await?),
        files: by_name(imports::list(pool, &origin.row(), Kind::File).await?),
    })
}

/// A folder of data that jobs are taken into.
pub struct ImportFolder {
    store: Store,
    blobs: Blobs,
    layout: Layout,
    clock: Box<dyn Clock>,
    max_file_bytes: u64,
}

impl ImportFolder {
    /// Opens the data folder, and reads what an import before this one did not live to.
    ///
    /// # Errors
    /// It can't be used or is of a newer version.
    pub async fn open(config: &Config, clock: impl Clock) -> Result<Self, StartError> {
        let layout = Layout::prepare(&config.data_dir)?;
        let blobs = Blobs::in_folder(&layout.blobs()).map_err(|error| StartError::DataFolder {
            path: layout.root().display().to_string(),
            reason: error.to_string(),
        })?;
        let folder = Self {
            store: Store::open(&layout.database()).await?,
            blobs,
            layout,
            clock: Box::new(clock),
            max_file_bytes: config.max_file_bytes,
        };
        let unread = async {
            for (owner, id) in imports::list_unread(folder.store.read()).await? {
                folder.read_file(&Subject::new(owner), &id).await?;
            }
            Ok::<_, Error>(())
        };
        unread.await.map_err(|error| StartError::Database {
            path: folder.layout.root().display().to_string(),
            source: error.into(),
        })?;
        Ok(folder)
    }

    /// What was taken over from an account before.
    ///
    /// # Errors
    /// Storage only.
    pub async fn taken_before(&self, origin: &ImportOrigin) -> Result<TakenBefore, Error> {
        Ok(read_before(self.store.read(), origin).await?)
    }

    /// A file to be filled with what comes.
    ///
    /// # Errors
    /// Storage only.
    pub fn begin_file(&self) -> Result<ArrivingFile, Error> {
        let id = secret::new_id("file-")?;
        ArrivingFile::create(self.layout.uploads().join(&id), id, self.max_file_bytes)
    }

    /// Takes a job over, with all that belongs to it. One that was taken over before, by another import that goes on beside
    /// this one, is left as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] with `already_imported`; storage.
    pub async fn take(&self, origin: &ImportOrigin, job: ImportJob) -> Result<TakenJob, Error> {
        let now = self.clock.now();
        let id = secret::new_id("ftjob-")?;
        let upstream_id = job.job.id.as_str().to_owned();
        let lacks = job.lacks;
        let (job, new_files) = job.prepare(now);
        let mut transaction = self.store.begin().await?;
        let before = imports::find(&mut transaction, &origin.row(), Kind::Job, &upstream_id).await?;
        if let Some(before) = before
            && jobs::exists(&mut *transaction, &before).await?
        {
            return Err(Error::conflict(
                "already_imported",
                format!("another import has just taken it over as `{before}`"),
            ));
        }
        let mut placed = Vec::new();
        for (file, purpose) in [
            (new_files.training, FINE_TUNE),
            (new_files.validation, FINE_TUNE),
            (new_files.results, RESULTS),
        ] {
            placed.push(match file {
                None => None,
                Some(file) => Some(place(&mut transaction, origin, file, purpose, now).await?),
            });
        }
        let local = |index: usize| {
            placed
                .get(index)
                .and_then(Option::as_ref)
                .map(|file| file.id.as_str())
        };
        let new = InsertImported {
            id: &id,
            owner: &origin.owner,
            job: &job.job,
            recipe: &job.recipe,
            suffix: job.suffix.as_deref(),
            training_file: local(0).unwrap_or_default(),
            validation_file: local(1),
            result_file: local(2),
            reached: job.reached,
        };
        imports::insert_job(&mut transaction, &new).await?;
        metadata::insert(&mut transaction, &id, &job.metadata).await?;
        insert_record(&mut transaction, &origin.owner, &id, &job).await?;
        let model = job.job.fine_tuned_model.as_deref();
        let names = (upstream_id.as_str(), id.as_str());
        imports::remember(&mut transaction, &origin.row(), Kind::Job, names, model, now).await?;
        imports::note_lacks(&mut transaction, &id, lacks.events, lacks.steps).await?;
        transaction.commit().await?;
        let mut files = Vec::new();
        for file in placed.into_iter().flatten() {
            let Some(upstream_id) = file.upstream_id else {
                continue;
            };
            let kept = file.content.is_some();
            if let Some(content) = file.content {
                content.keep();
                self.read_file(&origin.owner, &file.id).await?;
            }
            let before = Before {
                local_id: file.id,
                kept,
            };
            files.push((upstream_id, before));
        }
        Ok(TakenJob {
            id: JobId::new(id),
            files,
        })
    }

    /// Stores a file's bytes and reads its lines, as those of an upload are.
    async fn read_file(&self, owner: &Subject, id: &str) -> Result<(), Error> {
        let Some(row) = files::find(self.store.read(), owner, id).await? else {
            return Ok(());
        };
        let staged = self.layout.uploads().join(id);
        match validation::look_into(&self.store, &self.blobs, &staged, &row).await? {
            Some(found) => validation::record(&self.store, owner, id, &found).await,
            None => Ok(()),
        }
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// A file whose row is there.
struct Placed {
    id: String,
    /// Set where it is new.
    upstream_id: Option<String>,
    content: Option<ArrivingFile>,
}

/// Gives a file a row; one without content has gone before it was here, as a deleted one has.
async fn place(
    connection: &mut SqliteConnection,
    origin: &ImportOrigin,
    file: ImportFile,
    purpose: &str,
    now: Timestamp,
) -> Result<Placed, Error> {
    let file = match file {
        ImportFile::Here(id) => {
            return Ok(Placed {
                id,
                upstream_id: None,
                content: None,
            });
        }
        ImportFile::New(file) => file,
    };
    // It may be the job's other file too, or have come by an import that goes on beside this one.
    let known = imports::find(connection, &origin.row(), Kind::File, &file.upstream_id).await?;
    if let Some(id) = known
        && files::find(&mut *connection, &origin.owner, &id).await?.is_some()
    {
        return Ok(Placed {
            id,
            upstream_id: None,
            content: None,
        });
    }
    let id = match &file.content {
        Some(content) if !content.is_there() => {
            return Err(Error::Interrupted("a file was cleared away meanwhile".into()));
        }
        Some(content) => content.id().to_owned(),
        None => secret::new_id("file-")?,
    };
    let row = NewFile {
        id: &id,
        owner: &origin.owner,
        purpose,
        name: &file.filename,
        filename: &file.filename,
        bytes: file.content.as_ref().map_or(0, ArrivingFile::bytes),
        status: DatasetStatus::Validating,
        created_at: file.created_at,
        expires_at: None,
        example: None,
        upload: None,
    };
    files::insert(connection, &row).await?;
    if file.content.is_none() {
        files::delete(connection, &origin.owner, &id, now).await?;
    }
    let names = (file.upstream_id.as_str(), id.as_str());
    imports::remember(connection, &origin.row(), Kind::File, names, None, now).await?;
    Ok(Placed {
        id,
        upstream_id: Some(file.upstream_id),
        content: file.content,
    })
}

/// Writes a job's record, in its order.
async fn insert_record(
    connection: &mut SqliteConnection,
    owner: &Subject,
    id: &str,
    job: &Prepared,
) -> Result<(), Error> {
    let count = (job.record.len() + job.checkpoints.len()) as u64;
    if count == 0 {
        return Ok(());
    }
    let first = jobs::take_seq(connection, id, count).await?;
    let mut places = first..;
    for (line, seq) in job.record.iter().zip(places.by_ref()) {
        match line {
            Line::Event(at, level, message) => {
                events::insert(connection, id, owner, seq, *at, *level, message).await?;
            }
            Line::Step(at, metrics) => {
                steps::insert(connection, id, owner, seq, *at, metrics).await?;
            }
        }
    }
    for (checkpoint, seq) in job.checkpoints.iter().zip(places) {
        let new = checkpoints::NewCheckpoint {
            id: checkpoint.id.as_str(),
            job_id: id,
            owner,
            seq,
            created_at: checkpoint.created_at,
            step: checkpoint.step,
            bytes: 0,
        };
        checkpoints::insert(connection, &new).await?;
        imports::tell_losses(connection, id, checkpoint).await?;
    }
    Ok(())
}
